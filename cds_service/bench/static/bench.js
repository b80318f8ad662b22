/* Shows the new answer as soon as a field changes. Without this file the button does the same. */
"use strict";

(function () {
  const form = document.getElementById("bench");
  const status = document.getElementById("status");
  let waiting = null;
  let asked = null;

  async function play() {
    if (asked) { asked.abort(); }
    const mine = asked = new AbortController();
    const before = document.getElementById("answer");
    before.classList.add("waiting");
    before.setAttribute("aria-busy", "true");
    try {
      const sent = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body: sent, signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const after = page.getElementById("answer");
      if (!after) { throw new Error("no answer in the page"); }
      show(before, after, page);
      // A pasted request was answered in place; its address says nothing and must not change.
      if (answer.redirected) { history.replaceState(null, "", answer.url); }
    } catch (error) {
      if (error.name === "AbortError") { return; }
      status.textContent = "The service did not answer. What is shown is the earlier answer.";
    }
    before.classList.remove("waiting");
    before.removeAttribute("aria-busy");
  }

  function show(before, after, page) {
    for (const open of before.querySelectorAll("details[open]")) {
      const same = open.id && after.querySelector("#" + CSS.escape(open.id));
      if (same) { same.open = true; }
    }
    before.replaceChildren(...after.childNodes);
    before.dataset.says = after.dataset.says;
    // Which results are asked for hangs on the drug; nobody is typing there while it changes.
    const results = document.getElementById("results");
    const wanted = page.getElementById("results");
    if (wanted && !results.contains(document.activeElement)) {
      results.replaceChildren(...wanted.childNodes);
    }
    status.textContent = after.dataset.says || "";
    for (const field of form.elements) {
      const fresh = field.id && page.getElementById(field.id);
      for (const name of ["aria-invalid", "aria-describedby", "placeholder"]) {
        if (fresh && fresh.hasAttribute(name)) { field.setAttribute(name, fresh.getAttribute(name)); }
        else { field.removeAttribute(name); }
      }
    }
  }

  function soon(delay) {
    const chosen = form.elements.story.value || form.elements.pasted.value.trim();
    clearTimeout(waiting);
    if (chosen) { waiting = setTimeout(play, delay); }
  }

  form.addEventListener("input", () => soon(300));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    play();
  });
})();

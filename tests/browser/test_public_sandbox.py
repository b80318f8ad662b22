"""The public CDS Hooks sandbox as the EHR: one that runs already, at the address SANDBOX_URL.

Its markup is not ours, so everything is found by role and by words. What it is known to do wrong
stands in docs/sandboxes.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect

from fhir_fixtures import load_story, story_names
from fhir_fixtures.server import create_fixture_server
from tests.browser.conftest import WAIT_MILLISECONDS
from tests.services.calling import DAY, Json, Service, running_service, serving

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# The sandbox shows form and developer panel side by side.
DESK = {"width": 1600, "height": 1200}
SCREENS = {"patient-view": "patient-view", "order-select": "rx-view"}
"""The hooks at which it can open: it calls order-sign at a click only."""

BRAIN = "first-line-brain-metastases"
WRONG_DRUG = "crizotinib 250 MG Oral Capsule"
AVOID = "Avoid crizotinib first line with brain metastases: choose a drug that works in the brain"
UNCHECKED = "Not everything was checked: a draft order could not be obtained"


class Ehr:
    """One page of the sandbox, open at one patient and one moment.

    ``opened`` is the answer to the call with which it opened.
    """

    def __init__(self, context: BrowserContext, hook: str, start: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.opened = self.answer(hook, lambda: self.page.goto(start))

    def answer(self, hook: str, act: Callable[[], object]) -> Response:
        """What our service answered to the last call that ``act`` led to."""
        with self.page.expect_response(
            lambda found: (
                found.request.method == "POST" and found.url.endswith(f"/cds-services/alk-{hook}")
            )
        ) as caught:
            act()
        response = caught.value
        assert response.status == 200, response.text()
        return response

    def choose(self, product: str) -> Response:
        """Write the drug and pick it from the list that opens."""
        # The field has a caption and no label, so only its name finds it.
        self.page.locator("input[name=medication-input]").fill(product)
        option = self.page.get_by_role("button", name=product, exact=True)
        expect(option).to_be_visible()
        return self.answer("order-select", option.click)

    def sign(self) -> Response:
        self.page.get_by_role("button", name="Rx Sign").click()
        button = self.page.get_by_role("button", name="Sign Order")
        return self.answer("order-sign", button.click)

    def card(self, summary: str) -> Locator:
        """The part of the page that holds the card with this summary, and no other card."""
        return self.page.get_by_text(summary, exact=True).locator(
            "xpath=ancestor::div[.//button][1]"
        )

    def feedback(self, act: Callable[[], object]) -> Json:
        """The feedback that ``act`` sent, which our service acknowledged."""
        with self.page.expect_response(re.compile(r"/feedback$")) as caught:
            act()
        assert caught.value.status == 200, caught.value.text()
        (sent,) = caught.value.request.post_data_json["feedback"]
        return dict(sent)

    def basis(self, summary: str) -> Page:
        """The decision page behind a card, in the tab that its link opened."""
        link = self.card(summary).get_by_role("button", name="Basis of this card")
        with self.context.expect_page() as opened:
            link.click()
        page = opened.value
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page


OpenEhr = Callable[[str, str], Ehr]


@pytest.fixture(scope="module")
def sandbox() -> str:
    """The address of the sandbox. Without one the tests are skipped, and say so."""
    address = os.environ.get("SANDBOX_URL", "")
    if not address:
        pytest.skip("no CDS Hooks sandbox: SANDBOX_URL is not set (docs/sandboxes.md)")
    return address


@pytest.fixture(scope="module")
def for_sandbox(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Our service as the sandbox needs it: unsigned, and open to its origin."""
    parts = urlsplit(sandbox)
    with running_service(
        tmp_path_factory.mktemp("sandbox") / "decisions.sqlite3",
        cors_origins=(f"{parts.scheme}://{parts.netloc}",),
        unsigned_profile="cds-hooks-sandbox",
    ) as found:
        yield found


@pytest.fixture(scope="module")
def fhir_server(sandbox: str) -> Iterator[str]:
    with serving(create_fixture_server(DAY)) as url:
        yield url


@pytest.fixture
def open_ehr(
    sandbox: str, browser: Browser, for_sandbox: Service, fhir_server: str
) -> Iterator[OpenEhr]:
    """Opens the sandbox at a story and a hook; at the end no script may have failed in it."""
    # A context of its own each time: the sandbox keeps its settings in the browser.
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MILLISECONDS)
    # It dates its drafts by the browser's clock; the stories are told as of this day.
    context.clock.install(time=datetime.combine(DAY, time(12)))
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))

    def open_at(hook: str, story: str) -> Ehr:
        query = {
            "serviceDiscoveryURL": f"{for_sandbox.url}/cds-services",
            "fhirServiceUrl": fhir_server,
            "patientId": load_story(story).patient_id,
            "hook": hook,
            "screen": SCREENS[hook],
        }
        return Ehr(context, hook, f"{sandbox}?{urlencode(query)}")

    yield open_at
    context.close()
    assert faults == []


def _codes(answer: Response) -> list[str]:
    """The drug codes of the drafts with which the sandbox called."""
    drafts: list[dict[str, Any]] = [
        entry["resource"]
        for entry in answer.request.post_data_json["context"]["draftOrders"]["entry"]
    ]
    return [
        coding["code"]
        for draft in drafts
        for coding in draft.get("medicationCodeableConcept", {}).get("coding", [])
    ]


@pytest.mark.parametrize("story", ["first-line-choice", "alectinib-alt-six-times"])
def test_the_cards_of_a_patient_are_shown_as_they_were_meant(
    open_ehr: OpenEhr, for_sandbox: Service, story: str
) -> None:
    ehr = open_ehr("patient-view", story)
    for card in for_sandbox.cards("patient-view", story):
        shown = ehr.card(card["summary"])
        expect(shown).to_contain_text(card["source"]["label"])
        for suggestion in card.get("suggestions", []):
            expect(shown.get_by_role("button", name=suggestion["label"])).to_be_enabled()
        for link in card["links"]:
            expect(shown.get_by_role("button", name=link["label"], exact=True)).to_be_enabled()
        # Markdown that was not understood would be read as stars, bars and backslashes.
        assert not re.search(r"\*\*|\| ?---|\\", shown.inner_text())


def test_the_comparison_of_drugs_is_a_table(open_ehr: OpenEhr) -> None:
    ehr = open_ehr("patient-view", "first-line-choice")
    table = ehr.page.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["Drug and dose", "For this patient", "Evidence", "Place"]
    )
    expect(table.get_by_role("row", name="lorlatinib 100 mg once daily").first).to_be_visible()


@pytest.mark.parametrize("story", ["alectinib-on-track", "neladalkib-ordered"])
def test_pages_that_the_sandbox_does_not_follow_change_no_card(
    open_ehr: OpenEhr, for_sandbox: Service, story: str
) -> None:
    answer = open_ehr("patient-view", story).opened
    links = answer.request.post_data_json["prefetch"]["laboratory"]["link"]
    assert "next" in [link["relation"] for link in links]
    shown = [card["summary"] for card in answer.json()["cards"]]
    assert shown == [card["summary"] for card in for_sandbox.cards("patient-view", story)]


def test_every_fictional_patient_can_be_chosen(open_ehr: OpenEhr) -> None:
    ehr = open_ehr("patient-view", "first-line-choice")
    # The gear has no name; it is the last button of the banner.
    ehr.page.get_by_role("banner").get_by_role("button").last.click()
    ehr.page.get_by_role("menuitem", name="Change Patient").click()
    dialog = ehr.page.get_by_role("dialog")
    dialog.locator("input").first.focus()
    ehr.page.keyboard.press("ArrowDown")
    offered = ehr.page.get_by_text(re.compile(r"^[A-Z]\w+ [A-Z]\w+, \d{4}-\d\d-\d\d$"))
    expect(offered).to_have_count(len(story_names()))
    ehr.page.keyboard.type("Sampleton, 1963")
    ehr.page.keyboard.press("Enter")
    answer = ehr.answer("patient-view", dialog.get_by_role("button", name="Save").click)
    assert (
        answer.request.post_data_json["context"]["patientId"] == "alectinib-alt-six-times-patient"
    )
    # The dialog stays open over the new patient.
    dialog.get_by_role("button", name="Cancel").click()
    expect(ehr.page.get_by_role("heading", name="Albin Sampleton")).to_be_visible()


@pytest.mark.clause("S-21", "S-22")
def test_a_drug_is_questioned_when_it_is_chosen_and_the_one_in_its_place_when_signed(
    open_ehr: OpenEhr,
) -> None:
    ehr = open_ehr("order-select", BRAIN)
    assert ehr.opened.json()["cards"] == []
    assert AVOID in [card["summary"] for card in ehr.choose(WRONG_DRUG).json()["cards"]]
    shown = ehr.card(AVOID)
    swap = shown.get_by_role("button", name="Order alectinib 600 mg twice daily instead")
    sent: list[Json] = []
    answer = ehr.answer("order-select", lambda: sent.append(ehr.feedback(swap.click)))
    assert sent[0]["outcome"] == "accepted"
    assert _codes(answer) == ["1727479"]
    expect(ehr.page.get_by_text(AVOID, exact=True)).to_have_count(0)
    # The sandbox takes the drug and keeps its own dose of one piece once daily.
    assert "150 mg once daily" in str(ehr.sign().json()["cards"])


def test_an_order_that_a_suggestion_emptied_is_not_signed_in_silence(open_ehr: OpenEhr) -> None:
    ehr = open_ehr("order-select", BRAIN)
    ehr.choose(WRONG_DRUG)
    ehr.sign()
    remove = ehr.card(AVOID).get_by_role("button", name="Remove the crizotinib order")
    assert ehr.feedback(remove.click)["outcome"] == "accepted"
    answer = ehr.sign()
    assert _codes(answer) == []
    expect(ehr.card(UNCHECKED)).to_contain_text("it names no medication")


@pytest.mark.clause("S-10")
def test_a_card_that_is_overridden_goes_and_its_page_says_why(open_ehr: OpenEhr) -> None:
    ehr = open_ehr("order-select", BRAIN)
    ehr.choose(WRONG_DRUG)
    ehr.sign()
    page = ehr.basis(AVOID)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Avoid crizotinib first line")
    expect(page.get_by_text("risk-benefit-ratio")).to_have_count(0)
    ehr.card(AVOID).get_by_role("button", name="select dismiss reason").click()
    reason = ehr.page.get_by_role("menuitem", name="risk/benefit ratio")
    assert ehr.feedback(reason.click)["overrideReason"]["reason"]["code"] == "risk-benefit-ratio"
    expect(ehr.page.get_by_text(AVOID, exact=True)).to_have_count(0)
    page.reload()
    expect(page.get_by_text("risk-benefit-ratio")).to_be_visible()


@pytest.mark.clause("S-07")
def test_clicking_the_open_tab_again_is_answered(open_ehr: OpenEhr) -> None:
    ehr = open_ehr("order-select", BRAIN)
    ehr.choose(WRONG_DRUG)
    tab = ehr.page.get_by_role("button", name="Rx View")
    answer = ehr.answer("order-select", tab.click)
    assert "draftOrders" not in answer.request.post_data_json["context"]
    assert answer.json()["cards"] == []

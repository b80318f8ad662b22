"""Nothing in a document, a release or a source can become markup, a script or a request."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

import cds_service.web
from cds_service.records import DecisionRecord
from cds_service.web import LinkSigner
from tests.waiting import PATIENCE

Document = dict[str, Any]
Serve = Callable[..., str]
Save = Callable[[Document], DecisionRecord]
ReadPage = Callable[[str], Any]

PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}{% x %}&lt;b&gt;"


def poisoned(value: Any) -> Any:
    """The same shape with the payload appended to every string."""
    if isinstance(value, dict):
        return {name: poisoned(part) for name, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part) for part in value]
    return value + PAYLOAD if isinstance(value, str) else value


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def assert_inert(page: Any) -> None:
    allowed = {"http", "https", "#", "/"}
    for element in page.all():
        assert element.tag not in {"script", "img", "iframe", "object", "embed", "form", "style"}
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name == "href" and value != "data:,":
                assert any(value.startswith(start) for start in allowed)


def test_a_script_in_every_string_of_a_document_shows_as_text(
    serve: Serve, save: Save, signer: LinkSigner, read_page: ReadPage, document: Document
) -> None:
    record = save(poisoned(document))
    html = requests.get(f"{serve()}/decisions/{signer.token(record.id)}", timeout=PATIENCE).text
    assert "<script" not in html
    assert "<img" not in html
    page = read_page(html)
    assert_inert(page)
    shown = page.one("main").text
    # The uuid of a card is only used to say that there is one.
    hidden = strings(document["recommendations"][0]["card"])
    for text in strings(document):
        if text not in hidden:
            assert " ".join((text + PAYLOAD).split()) in shown


def test_a_script_in_sources_release_or_services_shows_as_text(
    serve: Serve,
    save: Save,
    signer: LinkSigner,
    read_page: ReadPage,
    sources: dict[str, Any],
    document: Document,
) -> None:
    bad = replace(
        sources["label-2024"],
        citation="Label" + PAYLOAD,
        kind="label" + PAYLOAD,
        address="javascript:alert(1)",
    )
    content = {
        "id": "id",
        "hook": "hook",
        "title": "title",
        "description": "description",
        "version": "1",
        "date": "today",
        "reviewers": ["somebody"],
        "review_note": "note",
        "changes": [{"affects": "all", "what": "much"}],
    }
    base = serve(
        sources={"label-2024": bad},
        release=lambda: poisoned(content),
        services=lambda: [poisoned(content)],
        public_url="https://cds.example.org",
    )
    home = requests.get(f"{base}/", timeout=PATIENCE).text
    record = save(document)
    decision = requests.get(f"{base}/decisions/{signer.token(record.id)}", timeout=PATIENCE).text
    for html in (home, decision):
        assert "<script" not in html
        assert_inert(read_page(html))
    assert "javascript:" not in decision
    assert "Label" + PAYLOAD in read_page(decision).one("main").text


def test_a_token_is_never_repeated_on_a_page_that_refuses_it(serve: Serve) -> None:
    response = requests.get(
        f"{serve()}/decisions/%3Cscript%3Ealert(1)%3C%2Fscript%3E", timeout=PATIENCE
    )
    assert response.status_code == 404
    assert "alert(1)" not in response.text


@pytest.mark.parametrize("path", ["/", "/decisions/x", "/decisions/x.json", "/assets/pages.css"])
def test_every_answer_carries_the_security_headers(serve: Serve, path: str) -> None:
    headers = requests.get(serve() + path, timeout=PATIENCE).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_decision_pages_are_never_stored(
    serve: Serve, save: Save, signer: LinkSigner, document: Document
) -> None:
    url = f"{serve()}/decisions/{signer.token(save(document).id)}"
    for address in (url, url + ".json"):
        assert requests.get(address, timeout=PATIENCE).headers["Cache-Control"] == "no-store"


def test_an_ehr_may_be_allowed_to_frame_the_pages(serve: Serve) -> None:
    base = serve(frame_ancestors=("https://ehr.example.org", "'self'"))
    headers = requests.get(f"{base}/", timeout=PATIENCE).headers
    policy = headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://ehr.example.org 'self'")
    assert "X-Frame-Options" not in headers


@pytest.mark.parametrize("origin", ["*; script-src *", "https://a.example/path", "", "ftp://a"])
def test_a_frame_ancestor_that_is_no_origin_is_refused(serve: Serve, origin: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        serve(frame_ancestors=(origin,))


def test_pages_ask_for_nothing_outside_this_service(
    serve: Serve, save: Save, signer: LinkSigner, read_page: ReadPage, document: Document
) -> None:
    base = serve(url_prefix="/cds")
    token = signer.token(save(document).id)
    for path in ("/", f"/decisions/{token}", "/decisions/x"):
        page = read_page(requests.get(base + path, timeout=PATIENCE).text)
        loaded = [link.attributes["href"] for link in page.all("link")]
        assert loaded == ["data:,", "/cds/assets/pages.css"]
    sheet = requests.get(f"{base}/assets/pages.css", timeout=PATIENCE)
    assert sheet.headers["Content-Type"].startswith("text/css")
    assert not re.search(r"url\(|@import|https?:", sheet.text)


def test_templates_switch_escaping_off_nowhere() -> None:
    folder = Path(cds_service.web.__file__).parent / "templates"
    files = list(folder.rglob("*.html"))
    assert files
    for file in files:
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", file.read_text(encoding="utf-8"))

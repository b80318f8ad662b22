"""The decision page and its JSON twin over real HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import time_machine

from cds_service.protocol import FeedbackRequest
from cds_service.records import DecisionRecord, Records
from cds_service.web import LinkSigner
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

Document = dict[str, Any]
Serve = Callable[..., str]
Save = Callable[[Document], DecisionRecord]
ReadPage = Callable[[str], Any]


@pytest.fixture
def open_page(
    serve: Serve, save: Save, signer: LinkSigner, read_page: ReadPage
) -> Callable[[Document], Any]:
    def open_document(document: Document) -> Any:
        record = save(document)
        response = requests.get(f"{serve()}/decisions/{signer.token(record.id)}", timeout=PATIENCE)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        return read_page(response.text)

    return open_document


OpenPage = Callable[[Document], Any]


def test_the_page_leads_with_the_first_recommendation(
    open_page: OpenPage, document: Document
) -> None:
    page = open_page(document)
    assert page.one("h1").text == "Hold alectinib: ALT is 6.0 x ULN."
    assert page.one("html").attributes["lang"] == "en"
    links = [link.attributes["href"] for link in page.one("nav").all("a")]
    assert links == ["#recommendation-1", "#recommendation-2"]
    ids = {element.attributes.get("id") for element in page.all("article")}
    assert {"recommendation-1", "recommendation-2"} <= ids


def test_a_recommendation_shows_all_that_it_rests_on(
    open_page: OpenPage, document: Document
) -> None:
    article = open_page(document).all("article")[0]
    for text in (
        "Critical",
        "withhold",
        "alectinib",
        "liver-hold",
        "TX-01",
        "Hold until recovery.",
        "Is there another cause?",
        "450 mg twice daily",
        "300 mg twice daily",
        "12 Nov 2026",
        "cholestasis : missing",
        "liver tests",
        "not found",
        "27 Nov 2026",
        "liver-repeat",
        "ALEX: 34.8 months",
        "CPK is high",
        "muscle-hold",
        "ALT has not come down.",
    ):
        assert text in article.text


def test_every_verdict_is_a_word_beside_its_symbol(open_page: OpenPage, document: Document) -> None:
    article = open_page(document).all("article")[0]
    tree = article.all("ul", "root")[0]
    marks = [mark.text for mark in tree.all("span", "mark")]
    assert marks == ["✓ MET", "✓ MET", "✗ NOT MET", "? UNKNOWN"]
    for symbol in tree.all("span", "mark"):
        assert symbol.all("span")[0].attributes["aria-hidden"] == "true"
    nested = tree.one("ul", "tree")
    assert [node.text for node in nested.all("span", "says")] == [
        "ALT 240 U/L is 6.0 x ULN.",
        "AST 22 U/L is 0.6 x ULN.",
        "It cannot be said whether bilirubin is above 2 x ULN.",
    ]


def test_a_value_is_shown_as_sent_with_day_resource_and_limit(
    open_page: OpenPage, document: Document
) -> None:
    used = open_page(document).all("article")[0].all("ul", "used")[0]
    for text in (
        "240 U/L",
        "12 Nov 2026",
        "read as 240",
        "6.00 × upper limit",
        "Observation/alt-1",
    ):
        assert text in used.text


def test_what_is_missing_is_said_with_its_reason(open_page: OpenPage, document: Document) -> None:
    tree = open_page(document).all("article")[0].all("ul", "root")[0]
    assert "Not known because: total bilirubin : stale (latest of 2 Oct 2026)" in tree.text


def test_what_another_recommendation_speaks_against_is_not_shown_as_a_dose_to_order(
    open_page: OpenPage, document: Document
) -> None:
    first, *rest = document["recommendations"]
    settled = {**first, "also": [], "dose": "450 mg", "settled": "alectinib is on hold"}
    article = open_page({**document, "recommendations": [settled, *rest]}).all("article")[0]

    assert any(one.text.endswith("alectinib is on hold") for one in article.all("p", "ask"))
    named = [term.text for term in article.all("dt")]
    assert "Dose that would apply otherwise" in named
    assert "Dose to order" not in named


def test_an_unverified_recommendation_asks_to_check_the_label(
    open_page: OpenPage, document: Document
) -> None:
    words = "Not verified against a source: check the current label."
    articles = open_page(document).all("article")
    assert words in articles[0].all("p", "flag")[0].text
    last = articles[-1]
    assert "Check the label" in last.one("h3").text
    assert last.all("p", "flag") == []


def test_a_recommendation_that_does_not_say_it_is_verified_is_not(
    open_page: OpenPage, document: Document
) -> None:
    del document["recommendations"][1]["verified"]
    assert "Not verified" in open_page(document).all("article")[-1].one("p", "flag").text


def test_the_reason_stands_in_sentences_and_the_rule_is_folded(
    open_page: OpenPage, document: Document
) -> None:
    first, *rest = document["recommendations"]
    leaf = {**first["trace"]["children"][0], "sentence": "ALT: 6 x ULN; asked: > 5, so this holds."}
    told = {**first, "trace": leaf, "recovery": "ALT is at most 3 x ULN", "also": []}
    article = open_page({**document, "recommendations": [told, *rest]}).all("article")[0]

    assert [one.text for one in article.all("p")][2:5] == [
        "Hold until recovery.",
        "For this patient: resume alectinib 300 mg twice daily when ALT is at most 3 x ULN.",
        "Seen: ALT: 6 x ULN.",
    ]
    steps = article.one("details", "steps")
    assert "open" not in steps.attributes
    assert steps.all("ul", "root")
    assert len(article.all("ul", "root")) == len(steps.all("ul", "root"))


def test_advice_of_this_project_is_not_called_unverified(
    open_page: OpenPage, document: Document
) -> None:
    first, *rest = document["recommendations"]
    own = {**first, "sources": ["design-missing-data"], "also": [], "options": []}
    page = open_page({**document, "recommendations": [own, *rest]})

    assert "This project's own rule, not from a label." in page.all("article")[0].text
    assert "Not verified" not in page.all("article")[0].text


def test_sources_are_citations_with_address_and_day(
    open_page: OpenPage, document: Document
) -> None:
    first, second, third = open_page(document).all("ul", "sources")[0].all("li")
    assert "Prescribing information, section 2.4. (label, checked 19 Nov 2026)" in first.text
    link = first.one("a")
    assert link.attributes["href"] == "https://label.example.org/2-4"
    assert "noreferrer" in link.attributes["rel"]
    assert "A choice of this project." in second.text
    assert second.all("a") == []
    assert "gone" in third.text
    assert "not in the list of sources" in third.text


def test_options_stand_side_by_side_with_their_modifiers(
    open_page: OpenPage, document: Document
) -> None:
    table = open_page(document).all("table", "options")[0]
    assert [head.text for head in table.one("thead").all("th")] == ["lorlatinib", "brigatinib"]
    rows = {row.all("th")[0].text: row.all("td") for row in table.one("tbody").all("tr")}
    assert [cell.text for cell in rows["Place"]] == ["preferred", "another"]
    assert [cell.text for cell in rows["Start dose"]] == ["100 mg once daily", "not stated"]
    assert rows["For this patient"][0].text == "+ Favours Brain metastases. brain-1"
    assert rows["Evidence"][0].text == "CROWN: 60 %"
    assert "Not verified" not in rows["Rule"][0].text
    assert "Not verified" in rows["Rule"][1].text


def test_undecided_rules_are_folded_away_but_counted(
    open_page: OpenPage, document: Document
) -> None:
    details = open_page(document).all("details")[-1]
    assert "open" not in details.attributes
    assert details.one("summary").text == "Show 1 rule"
    assert "lung-stop" in details.text
    assert "? UNKNOWN" in details.text


def test_release_day_and_remarks_are_shown(open_page: OpenPage, document: Document) -> None:
    text = open_page(document).one("main").text
    for words in (
        "2026.11.0 (19 Nov 2026)",
        "As of 20 Nov 2026",
        "20 Nov 2026, 09:30 UTC",
        "Observation/x : was sent without a date",
    ):
        assert words in text


def test_an_almost_empty_document_is_shown(open_page: OpenPage) -> None:
    page = open_page({})
    assert page.one("h1").text == "No rule had a recommendation."
    assert "not a finding that all is well" in page.one("main").text
    assert page.all("article") == []


def test_nulls_count_as_absent(open_page: OpenPage, document: Document) -> None:
    empty = dict.fromkeys(document["recommendations"][0])
    page = open_page({**dict.fromkeys(document), "recommendations": [{**empty, "rule_id": "R-1"}]})
    assert page.one("h1").text == "R-1."
    assert "None" not in page.one("article").text


def test_undecided_rules_without_any_recommendation_are_named_at_the_top(
    open_page: OpenPage, document: Document
) -> None:
    page = open_page({"undecided": document["undecided"]})
    assert "1 could not be answered and is listed below" in page.one("main").text


def test_feedback_is_shown_without_free_text(
    serve: Serve, save: Save, signer: LinkSigner, records: Records, document: Document
) -> None:
    record = save(document)
    reason = {"code": "contraindicated", "display": "Jane display"}
    item = {
        "card": record.cards[0].uuid,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-20T10:05:31Z",
        "overrideReason": {"reason": reason, "userComment": "Jane comment"},
    }
    records.save_feedback(
        "alk-order-sign", FeedbackRequest.model_validate({"feedback": [item]}), "Example Hospital"
    )
    url = f"{serve()}/decisions/{signer.token(record.id)}"
    html = requests.get(url, timeout=PATIENCE).text
    for words in ("overridden", "contraindicated", "20 Nov 2026, 10:05 UTC", "a comment was given"):
        assert words in html
    twin = requests.get(url + ".json", timeout=PATIENCE)
    (found,) = twin.json()["feedback"]
    assert found["outcome"] == "overridden"
    assert found["reason_code"] == "contraindicated"
    assert found["has_comment"] is True
    assert "Jane" not in html + twin.text


def test_neither_page_nor_twin_tells_who_the_patient_or_the_client_is(
    serve: Serve, save: Save, signer: LinkSigner, document: Document
) -> None:
    record = save(document)
    url = f"{serve()}/decisions/{signer.token(record.id)}"
    text = (
        requests.get(url, timeout=PATIENCE).text
        + requests.get(url + ".json", timeout=PATIENCE).text
    )
    for secret in ("key-of-the-patient", "Example Hospital", record.hook_instance):
        assert secret not in text


def test_the_twin_is_the_document_as_it_was_stored(
    serve: Serve, save: Save, signer: LinkSigner, document: Document
) -> None:
    record = save({**document, "later": {"member": [1, None]}})
    response = requests.get(f"{serve()}/decisions/{signer.token(record.id)}.json", timeout=PATIENCE)
    assert response.headers["Content-Type"] == "application/json"
    twin = response.json()
    assert {name: twin[name] for name in record.document} == record.document
    assert twin["service"] == "alk-order-sign"
    assert twin["created_at"] == "2026-11-20T09:30:00+00:00"
    assert twin["feedback"] == []


def test_the_page_links_to_its_twin(
    serve: Serve, save: Save, signer: LinkSigner, read_page: ReadPage, document: Document
) -> None:
    base = serve(url_prefix="/cds")
    record = save(document)
    page = read_page(
        requests.get(f"{base}/decisions/{signer.token(record.id)}", timeout=PATIENCE).text
    )
    (path,) = [a.attributes["href"] for a in page.all("a") if a.text == "JSON"]
    twin = requests.get(base.removesuffix("/cds") + path, timeout=PATIENCE)
    assert twin.json()["id"] == document["id"]


@pytest.mark.parametrize("ending", ["", ".json"])
def test_an_invalid_link_is_404_and_says_what_to_do(serve: Serve, ending: str) -> None:
    response = requests.get(f"{serve()}/decisions/nonsense{ending}", timeout=PATIENCE)
    assert response.status_code == 404
    assert "does not open a decision" in response.text
    assert "Open the link from the card" in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert ("application/json" if ending else "text/html") in response.headers["Content-Type"]


@pytest.mark.parametrize("ending", ["", ".json"])
def test_an_expired_link_is_410_and_says_what_to_do(
    serve: Serve, save: Save, signer: LinkSigner, document: Document, ending: str
) -> None:
    record = save(document)
    with time_machine.travel(datetime.now(UTC) - timedelta(hours=25)):
        token = signer.token(record.id)
    response = requests.get(f"{serve()}/decisions/{token}{ending}", timeout=PATIENCE)
    assert response.status_code == 410
    assert "This link has expired" in response.text
    assert "new card carries a new link" in response.text
    assert "ALT" not in response.text


@pytest.mark.parametrize("ending", ["", ".json"])
def test_a_genuine_link_to_a_decision_that_was_not_kept_is_404(
    serve: Serve, signer: LinkSigner, ending: str
) -> None:
    token = signer.token("2b1f7c1e-8a1a-4b57-9d7a-7a8d6a6f6a10")
    response = requests.get(f"{serve()}/decisions/{token}{ending}", timeout=PATIENCE)
    assert response.status_code == 404
    assert "not on record" in response.text


@pytest.mark.parametrize("ending", ["", ".json"])
def test_a_document_that_cannot_be_read_is_503_and_not_half_a_page(
    serve: Serve,
    save: Save,
    signer: LinkSigner,
    document: Document,
    ending: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    document["recommendations"][0]["trace"]["children"] = "Jane Doe"
    token = signer.token(save(document).id)
    response = requests.get(f"{serve()}/decisions/{token}{ending}", timeout=PATIENCE)
    assert response.status_code == 503
    assert "says nothing about the patient" in response.text
    assert "ValidationError" in caplog.text
    assert "Jane" not in response.text + caplog.text


def test_a_database_that_is_away_is_503(
    serve: Serve, save: Save, signer: LinkSigner, records: Records, document: Document
) -> None:
    token = signer.token(save(document).id)
    base = serve()
    records.close()
    database = records._url.database
    assert database is not None
    with open(database, "r+b") as file:  # noqa: PTH123 - the file is damaged, not read
        file.write(b"\x00" * 100)
    for ending in ("-wal", "-shm"):
        with open(database + ending, "wb"):  # noqa: PTH123
            pass
    assert requests.get(f"{base}/decisions/{token}", timeout=PATIENCE).status_code == 503

"""The plot on the decision page over real HTTP: picture, table, and what happens without them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.records import DecisionRecord
from cds_service.web import LinkSigner
from tests.services.calling import running_service
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

Document = dict[str, Any]
OpenPage = Callable[[Document], Any]

PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}$x^{"

PLOT: Document = {
    "courses": [
        {
            "fact": "ALT",
            "unit": "U/L",
            "known": 90,
            "values": [
                {"day": "2026-11-12", "as_sent": "240 U/L", "value": "240", "upper_limit": "40"},
                {
                    "day": "2026-11-01",
                    "as_sent": "<5 U/L",
                    "value": "5",
                    "upper_limit": "40",
                    "comparator": "<",
                },
                {"day": "2026-10-20", "as_sent": "3 pints", "problem": "unknown unit"},
            ],
            "thresholds": [
                {"operator": ">", "number": "5", "unit": "xULN"},
                {"operator": "<=", "number": "1", "unit": "xbaseline"},
            ],
        }
    ],
    "lines": [
        {
            "drug": "alectinib",
            "orders": [
                {"status": "paused", "start": "2026-09-01", "end": "2026-11-13", "daily_mg": "1200"}
            ],
        }
    ],
}


@pytest.fixture
def plotted(document: Document) -> Document:
    return {**document, "plot": PLOT}


@pytest.fixture
def open_page(
    serve: Callable[..., str],
    save: Callable[[Document], DecisionRecord],
    signer: LinkSigner,
    read_page: Callable[[str], Any],
) -> OpenPage:
    def open_document(document: Document) -> Any:
        record = save(document)
        response = requests.get(f"{serve()}/decisions/{signer.token(record.id)}", timeout=PATIENCE)
        assert response.status_code == 200
        return read_page(response.text)

    return open_document


def test_the_page_holds_the_picture_for_wide_and_for_narrow_screens(
    open_page: OpenPage, plotted: Document
) -> None:
    wide, narrow = open_page(plotted).one("figure").all("svg")

    assert "plot-wide" in wide.attributes["class"]
    assert "plot-narrow" in narrow.attributes["class"]
    for picture in (wide, narrow):
        for words in ("ALT (× ULN)", "> 5 × ULN", "ULN", "alectinib", "as of 20 Nov 2026"):
            assert words in picture.text


def test_the_picture_is_told_to_those_who_do_not_see_it(
    open_page: OpenPage, plotted: Document
) -> None:
    picture = open_page(plotted).one("figure").all("svg")[0]

    assert picture.attributes["role"] == "img"
    assert picture.one("title").text == "The values behind the recommendation over time"
    assert picture.one("desc").text == (
        "ALT: 2 results, the newest 6 × ULN on 12 Nov 2026; thresholds > 5 × ULN; 1 not drawn."
    )


def test_the_same_values_stand_in_a_table_with_what_could_not_be_drawn(
    open_page: OpenPage, plotted: Document
) -> None:
    details = open_page(plotted).one("details", "plotted")

    assert "open" not in details.attributes
    assert "asked: > 5 × ULN; ≤ 1 × baseline (not drawn)" in details.one("caption").text
    rows = [[cell.text for cell in row.all("td")] for row in details.all("tr")[1:]]
    assert rows == [
        ["240 U/L", "240", "40", "6.00"],
        ["<5 U/L", "< 5", "40", "< 0.12"],
        ["3 pints", "not used", "none sent", "not drawn: unknown unit"],
    ]
    assert "3 of 90 results" in details.text
    dose = "alectinib, 1200 mg a day, from 1 Sep 2026 to 13 Nov 2026, paused"
    assert details.one("ul").text == dose


def test_a_document_of_an_earlier_version_has_a_page_without_a_plot(
    open_page: OpenPage, document: Document
) -> None:
    page = open_page(document)

    assert page.one("h1").text == "Hold alectinib: ALT is 6.0 x ULN."
    assert page.all("svg") == []
    assert page.all("details", "plotted") == []


@pytest.mark.parametrize("plot", [None, {}, {"courses": [], "lines": PLOT["lines"]}])
def test_a_decision_that_asked_about_no_value_has_no_plot(
    open_page: OpenPage, document: Document, plot: Any
) -> None:
    assert open_page({**document, "plot": plot}).all("svg") == []


def test_where_no_result_can_be_drawn_the_table_says_why(
    open_page: OpenPage, document: Document
) -> None:
    course = {**PLOT["courses"][0], "values": PLOT["courses"][0]["values"][2:]}
    page = open_page({**document, "plot": {"courses": [course], "lines": []}})

    assert page.all("svg") == []
    assert "No result can be drawn." in page.one("main").text
    assert "not drawn: unknown unit" in page.one("details", "plotted").text
    assert "None recorded." in page.one("details", "plotted").text


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "1e999999", "many", "1e40"])
def test_a_number_that_no_picture_can_hold_is_listed_and_not_drawn(
    open_page: OpenPage, document: Document, odd: Any
) -> None:
    first = {**PLOT["courses"][0]["values"][0], "day": "2026-11-15", "value": odd}
    course = {**PLOT["courses"][0], "values": [first, *PLOT["courses"][0]["values"]]}
    page = open_page({**document, "plot": {**PLOT, "courses": [course]}})

    assert len(page.all("svg")) == 2
    assert "not drawn: no number" in page.one("details", "plotted").text


def test_a_picture_that_fails_leaves_the_page_with_its_tables(
    open_page: OpenPage,
    plotted: Document,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("240 U/L of somebody")

    monkeypatch.setattr("cds_service.plots.decision_plot.decision_figure", fail)
    with caplog.at_level(logging.ERROR, "alk_cds.web"):
        page = open_page(plotted)

    assert page.all("svg") == []
    assert "could not be drawn" in page.one("main").text
    assert "240 U/L" in page.one("details", "plotted").text
    assert "RuntimeError" in caplog.text
    assert "somebody" not in caplog.text


def test_markup_in_a_stored_plot_shows_as_text(open_page: OpenPage, document: Document) -> None:
    def poisoned(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poisoned(part, name) for name, part in value.items()}
        if isinstance(value, list):
            return [poisoned(part, key) for part in value]
        named = key in ("fact", "unit", "as_sent", "problem", "drug", "operator", "status")
        return value + PAYLOAD if named else value

    page = open_page({**document, "plot": poisoned(PLOT)})

    for element in page.all():
        assert element.tag not in {"script", "img", "iframe", "style"}
        assert not any(name.startswith("on") or name == "style" for name in element.attributes)
    assert "ALT" + PAYLOAD in page.one("details", "plotted").one("caption").text
    drawn = " ".join(text.text for text in page.all("svg")[0].all("text"))
    assert "ALT\"'><script>alert(1)</script>" in drawn


def test_a_card_of_a_story_leads_to_a_page_with_its_values(
    tmp_path: Path, read_page: Callable[[str], Any]
) -> None:
    with running_service(tmp_path / "decisions.sqlite3") as service:
        card = service.cards("patient-view", "alectinib-alt-six-times")[0]
        answer = requests.get(card["links"][0]["url"], timeout=PATIENCE)

    page = read_page(answer.text)
    picture = page.one("figure").all("svg")[0]
    for words in ("ALT (× ULN)", "AST (× ULN)", "total bilirubin (× ULN)", "1200 mg/day"):
        assert words in picture.text
    assert "341 U/L" in page.one("details", "plotted").text
    for address in re.findall(r'(?:href|src|xlink:href)="([^"]*)"', str(answer.text)):
        assert address.startswith(("#", "/", "data:,", "https://"))
    assert not re.search(r"url\((?!#)", answer.text)
    assert "style=" not in answer.text

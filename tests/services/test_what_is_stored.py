"""What a chart words, and how it numbers its resources, is not kept where it could be read.

A mark is added to every text, comment and id of the charts. It must come out on the page of a
decision, which is what the page is for, and stand in no file that the service writes.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.records import Pages, Records
from fhir_fixtures import story_names
from fhir_fixtures.requests import NoDraftOrdersError
from tests.services.calling import TIMEOUT, Service, running_service

MARK = "Quillfeather"
SECRET = "0123456789abcdef0123456789abcdef"
HOOKS = ("patient-view", "order-sign")

_TEXTS = {"text", "display", "div", "valueString", "comment", "title", "description", "conclusion"}
_IDS = {"id", "reference", "fullUrl", "patientId", "userId", "encounterId"}


def marked(value: Any, name: str = "") -> Any:
    """The same with the mark in every text, comment and id."""
    if isinstance(value, dict):
        return {key: marked(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, name) for item in value]
    if isinstance(value, str) and name in _TEXTS:
        return f"{value} {MARK}"
    if isinstance(value, str) and name in {*_IDS, "selections"}:
        return f"{value}-{MARK}"
    return value


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    folder = tmp_path_factory.mktemp("stored")
    with running_service(folder / "kept.sqlite3", link_secret=SECRET) as service:
        yield service, folder


@pytest.mark.deep
@pytest.mark.parametrize("story", story_names())
def test_no_text_comment_or_id_of_a_chart_stands_in_a_file(
    site: tuple[Service, Path], story: str
) -> None:
    service, folder = site
    answered = 0
    for hook in HOOKS:
        try:
            body = service.body(hook, story)
        except NoDraftOrdersError:
            continue
        sent = {**body, "context": marked(body["context"]), "prefetch": marked(body["prefetch"])}
        answered += service.post(hook, sent).status_code == 200
    assert answered

    for file in folder.glob("kept.sqlite3*"):
        assert MARK.encode() not in file.read_bytes(), file.name


def test_the_page_of_a_decision_shows_what_the_chart_says(site: tuple[Service, Path]) -> None:
    service, _ = site
    body = service.body("patient-view", "alectinib-alt-six-times")
    sent = {**body, "context": marked(body["context"]), "prefetch": marked(body["prefetch"])}
    cards = service.post("patient-view", sent).json()["cards"]
    links = re.findall(r"https?://[^)\s\"]+/decisions/[\w.~-]+", json.dumps(cards))

    page = requests.get(links[0], timeout=TIMEOUT).text

    assert MARK in page


def test_without_the_secret_a_decision_is_its_rules_verdicts_and_values(
    site: tuple[Service, Path],
) -> None:
    service, folder = site
    service.cards("patient-view", "alectinib-alt-six-times")
    with sqlite3.connect(folder / "kept.sqlite3") as database:
        query = "SELECT id FROM decisions ORDER BY created_at DESC LIMIT 1"
        (identifier,) = database.execute(query).fetchone()
    url = f"sqlite:///{folder / 'kept.sqlite3'}"
    whole, kept, stranger = (
        Records(url, pages=pages) for pages in (Pages(SECRET), None, Pages(SECRET[::-1]))
    )
    documents = []
    for records in (whole, kept, stranger):
        found = records.decision(identifier)
        assert found is not None
        documents.append(found.document)
        records.close()

    assert "as_sent" in json.dumps(documents[0])
    assert documents[1] == documents[2]
    first = documents[1]["recommendations"][0]
    assert first["rule_id"] == documents[0]["recommendations"][0]["rule_id"]
    assert re.search(r'"value": "\d', json.dumps(first["trace"]))
    for member in ("as_sent", "source", "sentence", "summary", "detail", "remarks", "plot"):
        assert f'"{member}"' not in json.dumps(documents[1])

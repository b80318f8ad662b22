"""A real server with a real database for the pages, and a reader of the HTML it sends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds_service.records import CardRecord, DecisionRecord, Pages, Records
from cds_service.web import LinkSigner, create_web_blueprint

VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})


@dataclass
class Element:
    """One element with its attributes, its children and its text."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with runs of white space as one space."""
        parts = [part if isinstance(part, str) else part.text for part in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str | None = None, style: str | None = None) -> list[Element]:
        """The elements below with that tag and that class."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                classes = child.attributes.get("class", "").split()
                if tag in (None, child.tag) and (style is None or style in classes):
                    found.append(child)
                found += child.all(tag, style)
        return found

    def one(self, tag: str | None = None, style: str | None = None) -> Element:
        """The only such element."""
        (found,) = self.all(tag, style)
        return found


class StrictReader(HTMLParser):
    """Builds the tree and refuses elements that are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} is repeated"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"{tag} is closed out of order"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def _read(html: str) -> Element:
    assert html.startswith("<!doctype html>")
    reader = StrictReader()
    reader.feed(html)
    reader.close()
    assert reader._open == [reader.root]
    return reader.root


@pytest.fixture
def read_page() -> Callable[[str], Element]:
    return _read


@dataclass(frozen=True)
class Cited:
    """A source as the pages see it."""

    citation: str
    kind: str
    address: str | None
    date_checked: date


@pytest.fixture
def sources() -> dict[str, Any]:
    return {
        "label-2024": Cited(
            "Prescribing information, section 2.4.",
            "label",
            "https://label.example.org/2-4",
            date(2026, 11, 19),
        ),
        "own-choice": Cited("A choice of this project.", "design", None, date(2026, 11, 18)),
    }


def _trace(condition: str, verdict: str, sentence: str, **more: Any) -> dict[str, Any]:
    return {"condition": condition, "verdict": verdict, "sentence": sentence, **more}


@pytest.fixture
def document() -> dict[str, Any]:
    """A document with every member of the agreed shape."""
    alt = _trace(
        "ALT > 5 xULN",
        "met",
        "ALT 240 U/L is 6.0 x ULN.",
        used=[
            {
                "as_sent": "240 U/L",
                "source": "Observation/alt-1",
                "date": "2026-11-12",
                "value": "240",
                "upper_limit": "40",
            }
        ],
    )
    ast = _trace("AST > 5 xULN", "not met", "AST 22 U/L is 0.6 x ULN.")
    bilirubin = _trace(
        "total bilirubin > 2 xULN",
        "unknown",
        "It cannot be said whether bilirubin is above 2 x ULN.",
        reasons=[{"subject": "total bilirubin", "kind": "stale", "detail": "latest of 2 Oct 2026"}],
    )
    tree = _trace(
        "(ALT > 5 xULN or AST > 5 xULN)",
        "met",
        "At least one of these holds.",
        children=[alt, ast, bilirubin],
    )
    recommendation = {
        "kind": "withhold",
        "topic": "toxicity",
        "rule_id": "liver-hold",
        "algorithm_ids": ["TX-01"],
        "severity": "critical",
        "drug": "alectinib",
        "summary": "Hold alectinib: ALT is 6.0 x ULN",
        "detail": "Hold until recovery.",
        "ask": "Is there another cause?",
        "verified": False,
        "sources": ["label-2024", "own-choice", "gone"],
        "reasons": [{"subject": "cholestasis", "kind": "missing", "detail": ""}],
        "trace": tree,
        "until": _trace("ALT <= 1.5 xULN", "not met", "ALT has not come down."),
        "dose": "450 mg twice daily",
        "resume_dose": "300 mg twice daily",
        "since": "2026-11-12",
        "tests": [
            {
                "test": "liver tests",
                "status": "repeat",
                "last": None,
                "due": "2026-11-27",
                "because": "ALT is high",
                "rule_id": "liver-repeat",
            }
        ],
        "options": [
            {
                "drug": "lorlatinib",
                "place": "preferred",
                "start": "100 mg once daily",
                "says": "Longest control.",
                "modifiers": [
                    {"effect": "favours", "says": "Brain metastases.", "rule_id": "brain-1"}
                ],
                "evidence": ["CROWN: 60 %"],
                "rule_id": "first-lorlatinib",
                "verified": True,
            },
            {
                "drug": "brigatinib",
                "place": "another",
                "says": "Lead-in.",
                "modifiers": [],
                "evidence": [],
                "rule_id": "first-brigatinib",
                "verified": False,
            },
        ],
        "evidence": ["ALEX: 34.8 months"],
        "also": [],
        "card": "5b0c1a52-2e63-4a4c-9c6a-0b3f7d0a6d11",
    }
    also = {**recommendation, "rule_id": "muscle-hold", "summary": "CPK is high", "also": []}
    second = {
        "kind": "inform",
        "severity": "info",
        "rule_id": "coverage-1",
        "summary": "Check the label",
        "verified": True,
    }
    return {
        "id": "2b1f7c1e-8a1a-4b57-9d7a-7a8d6a6f6a10",
        "as_of": "2026-11-20",
        "release": {"version": "2026.11.0", "date": "2026-11-19"},
        "moment": "order-sign",
        "recommendations": [{**recommendation, "also": [also]}, second],
        "undecided": [{"rule_id": "lung-stop", "trace": bilirubin}],
        "remarks": [{"subject": "Observation/x", "says": "was sent without a date"}],
    }


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    store = Records(f"sqlite:///{tmp_path / 'web.sqlite3'}", pages=Pages("of the tests"))
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def signer() -> LinkSigner:
    return LinkSigner("a secret for the tests that is long", 24)


@pytest.fixture
def save(records: Records) -> Callable[..., DecisionRecord]:
    """Stores a document as a decision of its own id."""

    def save_document(document: dict[str, Any]) -> DecisionRecord:
        record = DecisionRecord(
            id=str(uuid.uuid4()),
            created_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
            service_id="alk-order-sign",
            hook="order-sign",
            hook_instance=str(uuid.uuid4()),
            client="Example Hospital",
            as_of=date(2026, 11, 20),
            release="2026.11.0",
            patient_key="key-of-the-patient",
            rule_ids=("liver-hold",),
            cards=(CardRecord(str(uuid.uuid4()), "liver-hold", "critical"),),
            document=document,
        )
        records.save_decision(record)
        return record

    return save_document


@pytest.fixture
def serve(
    records: Records, signer: LinkSigner, sources: dict[str, Any]
) -> Iterator[Callable[..., str]]:
    """Serves the pages over HTTP in a thread; returns the base address."""
    servers = []

    def start(**changes: Any) -> str:
        settings: dict[str, Any] = {
            "release": lambda: {
                "version": "2026.11.0",
                "date": "2026-11-19",
                "reviewers": [],
                "review_note": "Nobody outside has reviewed this.",
                "changes": [{"affects": "adults on alectinib", "what": "first release"}],
            },
            "services": lambda: [
                {
                    "id": "alk-order-sign",
                    "hook": "order-sign",
                    "title": "Before signing",
                    "description": "Checks drafted orders.",
                }
            ],
            "sources": sources,
            "signer": signer,
            **changes,
        }
        app = Flask("web_test")
        prefix = settings.pop("url_prefix", None)
        app.register_blueprint(create_web_blueprint(records, **settings), url_prefix=prefix)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.port}{prefix or ''}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(5)
        server.server_close()

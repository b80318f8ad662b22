"""Whatever is decided, the answer is valid, short enough, and holds no markup of the record."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.alk import Decision
from cds_service.cards import BuiltCard, CardContext, build_cards
from cds_service.cards.medication_orders import OrderContext
from cds_service.conformance import actions, cards, documents
from cds_service.conformance.checks import Outcome
from cds_service.conformance.exchange import Answer, Caller
from cds_service.conformance.subject import Asked, Subject
from cds_service.protocol import CdsResponse
from tests.cards.deciding import decided
from tests.depth import examples
from tests.facts.records import Json, knowledge
from tests.facts.test_ways_of_sending import charts

ABOUT_DOCUMENTS = [
    check
    for check in documents.CHECKS
    if check.id in {"no-nulls", "no-empties", "extension-objects", "answer", "cards-are-objects"}
]
MODEST = settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
LINK = "https://cds.example.org/decisions/x"
MARKUP = (
    "[click](https://evil.example)",
    "![](https://evil.example/pixel)",
    "<script>alert(1)</script>",
    "<https://evil.example>",
    "# Heading",
    "| a | b |\n|---|---|",
    "**bold** `code`",
    "- item\n1. item\n> quote",
    "line\n\nparagraph\n\n---",
    "javascript:alert(1)",
    "see https://evil.example/x or www.evil.example or mail@evil.example",
    "{ordered} {0} %s",
    "\u202e right to left \u0000",
)
AUTOLINK = re.compile(r"(?<!\\)(?:://evil|@evil)|www\.evil")
"""Bare addresses that GitHub-flavoured Markdown turns into links."""
WORDS = frozenset({"text", "display", "valueString", "div", "unit"})


def _injected(value: Any, markup: str) -> Any:
    """The resource with the markup behind every text that people wrote."""
    if isinstance(value, dict):
        return {
            name: f"{part} {markup}" if name in WORDS and isinstance(part, str)
            and name != "unit" else _injected(part, markup)
            for name, part in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [_injected(part, markup) for part in value]
    return value


def _cards(decision: Decision, limit: int = 50) -> list[BuiltCard]:
    context = CardContext(OrderContext("p", "Practitioner/a"), LINK, limit)
    return build_cards(decision, lambda _: True, knowledge(), context)


def _passes_the_kit(sent: bytes, chart: tuple[str, list[Json], list[Json]]) -> None:
    """Everything that the conformance kit asks about an answer, asked about this one."""
    patient, _, drafts = chart
    entries = [{"resource": draft} for draft in drafts]
    context = {
        "patientId": patient,
        "userId": "Practitioner/a",
        "draftOrders": {"resourceType": "Bundle", "entry": entries},
    }
    asked = Asked(
        {"id": "alk-order-sign", "hook": "order-sign"},
        "a decision",
        {"hook": "order-sign", "context": context},
        Answer(200, {"Content-Type": "application/json"}, sent, 0.1),
    )
    subject = Subject(Caller("http://localhost"))
    subject.__dict__["discovery"] = Answer(200, {}, b'{"services":[]}', 0.1)
    subject.__dict__["asked"] = [asked]
    for check in (*cards.CHECKS, *actions.CHECKS, *ABOUT_DOCUMENTS):
        result = check.run(subject)
        assert result.outcome in (Outcome.PASSED, Outcome.NOT_TESTED), (check.id, result.says)


@pytest.mark.deep
@MODEST
@given(chart=charts(), limit=st.integers(1, 8))
def test_any_decision_becomes_a_valid_answer(
    chart: tuple[str, list[Json], list[Json]], limit: int
) -> None:
    decision = decided(*chart)
    built = _cards(decision, limit)
    sent = CdsResponse(cards=tuple(card.card for card in built)).to_json()
    _passes_the_kit(sent, chart)
    body = json.loads(sent)
    assert list(body) == ["cards"]
    critical = sum(card["indicator"] == "critical" for card in body["cards"])
    assert len(body["cards"]) <= max(limit, critical + 1)
    for card in body["cards"]:
        assert 0 < len(card["summary"]) < 140
        assert "\n" not in card["summary"]
        assert card["detail"].strip()
        assert len({made["label"] for made in card.get("suggestions", ())}) == len(
            card.get("suggestions", ())
        )
    # What was critical in the decision is critical in the answer.
    if any(item.severity == "critical" for item in decision.recommendations):
        assert critical


@pytest.mark.deep
@MODEST
@given(chart=charts(), markup=st.sampled_from(MARKUP))
def test_text_of_the_record_never_becomes_markup(
    chart: tuple[str, list[Json], list[Json]], markup: str
) -> None:
    patient, resources, drafts = chart
    changed = decided(patient, _injected(resources, markup), _injected(drafts, markup))
    for card in _cards(changed):
        tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(
            card.card.detail or ""
        )
        flat = [*tokens, *(child for token in tokens for child in token.children or ())]
        kinds = {token.type for token in flat}
        assert not kinds & {"link_open", "image", "html_block", "html_inline", "heading_open",
                            "blockquote_open", "code_inline", "fence", "hr"}  # fmt: skip
        assert not AUTOLINK.search(card.card.detail or "")
        assert markup not in card.card.summary
        assert "evil.example" not in card.card.summary

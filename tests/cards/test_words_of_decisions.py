"""No placeholder of a table row is left in what people read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.cards import CardContext, build_cards, decision_document
from cds_service.cards.medication_orders import OrderContext
from fhir_fixtures import load_story, story_names
from tests.cards.deciding import decided
from tests.facts.records import AS_OF, knowledge

PLACEHOLDER = re.compile(r"\{[A-Za-z_]+\}")
WORDS = frozenset({"summary", "detail", "ask", "because", "says", "label", "description"})


def _words(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _words(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from _words(member, name)
    elif isinstance(value, str) and name in WORDS:
        yield value


@pytest.mark.parametrize("name", story_names())
def test_every_placeholder_is_filled(name: str) -> None:
    story = load_story(name, AS_OF)
    resources = [entry["resource"] for entry in story.bundle["entry"]]
    drafts = [entry["resource"] for entry in (story.draft_orders or {}).get("entry", ())]
    decision = decided(story.patient_id, resources, drafts)
    cards = build_cards(
        decision, lambda _: True, knowledge(), CardContext(OrderContext("p"), None, 50)
    )
    document = decision_document("d", decision, knowledge(), {}, ())
    texts = list(_words(document))
    texts += [text for card in cards for text in _words(json.loads(card.card.model_dump_json()))]
    assert texts or not decision.recommendations
    assert not [text for text in texts if PLACEHOLDER.search(text)]


def test_a_combination_is_named_by_all_that_it_holds() -> None:
    """Which of the two is the inhibitor is not for a short name to choose."""
    booster = {
        "resourceType": "MedicationStatement",
        "id": "booster",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "lopinavir/ritonavir 200 mg/50 mg tablet"},
    }
    story = load_story("lorlatinib-clarithromycin-ordered", AS_OF)
    resources = [entry["resource"] for entry in story.bundle["entry"]]
    drafts = [entry["resource"] for entry in (story.draft_orders or {}).get("entry", ())]
    booster["subject"] = {"reference": f"Patient/{story.patient_id}"}
    decision = decided(story.patient_id, [*resources, booster], drafts)
    cards = build_cards(
        decision, lambda _: True, knowledge(), CardContext(OrderContext("p"), None, 50)
    )
    said = [card.card.summary for card in cards]
    assert any("lopinavir/ritonavir" in summary for summary in said), said

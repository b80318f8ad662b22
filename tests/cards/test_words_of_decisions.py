"""No placeholder of a table row is left in what people read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.alk import Question, decide
from cds_service.cards import CardContext, build_cards, decision_document
from cds_service.cards.medication_orders import OrderContext
from cds_service.facts import Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from fhir_fixtures import load_story, story_names
from tests.facts.records import ALL, AS_OF, knowledge, reader

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
    resources = read_resources(json.dumps(story.bundle).encode())
    record = PatientRecord.build(story.patient_id, [resources], (), "")
    orders = []
    for entry in (story.draft_orders or {}).get("entry", ()):
        (view,) = read_resources(json.dumps(entry["resource"]).encode()).resources
        if isinstance(view, MedicationRequest):
            orders.append((view, entry["resource"]))
    facts, ordered = reader().read(Supplied(record, ALL, {}, orders), AS_OF)
    question = Question("order-sign" if ordered else "patient-view", ordered)
    decision = decide(facts, question, knowledge(), AS_OF)
    cards = build_cards(
        decision, lambda _: True, knowledge(), CardContext(OrderContext("p"), None, 50)
    )
    document = decision_document("d", decision, knowledge(), {}, ())
    texts = list(_words(document))
    texts += [text for card in cards for text in _words(json.loads(card.card.model_dump_json()))]
    assert texts or not decision.recommendations
    assert not [text for text in texts if PLACEHOLDER.search(text)]

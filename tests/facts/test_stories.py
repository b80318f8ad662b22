"""The facts that each written story tells, read from its FHIR resources.

`data/stories.yaml` says in words what the record of each story must yield. A fact that stands
there as null must not be known.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import yaml

from cds_service.facts import OrderedMedication, PatientFacts, Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from cds_service.rules import Collection, Concept, Events, Series, Statements
from fhir_fixtures import load_story, story_names
from tests.facts.records import ALL, DATA, knowledge, reader, stated

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (DATA / "stories.yaml").read_text(encoding="utf-8")
)


@cache
def _read(name: str) -> tuple[PatientFacts, tuple[OrderedMedication, ...]]:
    story = load_story(name)
    found = read_resources(json.dumps(story.bundle).encode())
    drafts = []
    for entry in (story.draft_orders or {}).get("entry", []):
        (request,) = read_resources(json.dumps(entry["resource"]).encode()).resources
        if isinstance(request, MedicationRequest):
            drafts.append((request, entry["resource"]))
    record = PatientRecord.build(story.patient_id, [found])
    return reader().read(Supplied(record, ALL, {}, drafts), story.as_of)


def _told(facts: PatientFacts, name: str) -> object:
    """A fact in the words of the file: a word, members, days ago, or multiple or number."""
    vocabulary = knowledge().vocabulary
    if name not in vocabulary or isinstance(vocabulary.find(name), Concept):
        return stated(facts, name)
    found = facts.find(name)
    if isinstance(found, Statements):
        return found.statements[0].value
    if isinstance(found, Collection):
        return sorted({item.label for item in found.items})
    if isinstance(found, Events):
        return (facts.as_of - found.events[0].day).days if found.events else None
    if isinstance(found, Series):
        item = found.measurements[0]
        if item.problem is not None:
            return item.problem.kind_name
        assert item.value is not None
        if name in knowledge().vocabulary and item.upper_limit:
            return f"{round(item.value / item.upper_limit, 1)} xULN {_ago(facts, item.day)}"
        return f"{item.value.normalize():f} {_ago(facts, item.day)}"
    return None


def _ago(facts: PatientFacts, day: date) -> str:
    return f"{(facts.as_of - day).days} days ago"


def _dose(amount: Decimal | None, per_day: Decimal | None) -> str:
    return f"{amount} mg x {per_day}"


def _treatment(facts: PatientFacts) -> list[str]:
    return [
        f"{order.ingredient} {_dose(order.dose.amount_mg, order.dose.per_day)} {order.status}"
        for line in facts.lines
        for order in line.orders
    ]


def test_every_story_is_told() -> None:
    assert sorted(EXPECTED) == sorted(story_names())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_record_yields_the_facts_of_its_story(name: str) -> None:
    expected = dict(EXPECTED[name])
    facts, orders = _read(name)
    assert [f"{order.label.split()[0]} {_dose(order.dose.amount_mg, order.dose.per_day)}"
            for order in orders] == expected.pop("ordered", [])  # fmt: skip
    assert _treatment(facts) == expected.pop("treatment", [])
    assert {fact: _told(facts, fact) for fact in expected} == expected


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_story_uses_anything_dated_after_its_day(name: str) -> None:
    facts, _ = _read(name)
    for fact in facts.values:
        found = facts.find(fact)
        if isinstance(found, Series):
            assert all(item.day <= facts.as_of for item in found.measurements), fact
        elif isinstance(found, Statements):
            assert all(item.day is None or item.day <= facts.as_of for item in found.statements)
        elif isinstance(found, Events):
            assert all(item.day <= facts.as_of for item in found.events), fact

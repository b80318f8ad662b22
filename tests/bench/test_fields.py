"""The fields of the bench: whatever a rule asks for can be changed, and is read as it was meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cds_service.bench.changes import Changes
from cds_service.bench.edits import Editor
from cds_service.bench.fields import Fields
from cds_service.commands.local import LocalServices
from cds_service.fhir.reading import read_resources
from cds_service.protocol.wire import encode
from cds_service.rules import Findings
from fhir_fixtures import REFERENCE_DATE, load_story
from tests.packaged import packaged_knowledge

KNOWLEDGE = packaged_knowledge()
FIELDS = Fields.of(KNOWLEDGE)
SERVICES = LocalServices(REFERENCE_DATE, 20.0)


def test_every_analyte_and_finding_that_a_rule_of_a_drug_asks_for_has_a_field() -> None:
    asked = {fact for facts in FIELDS.asked_by_drug.values() for fact in facts}
    named = {item.analyte for item in FIELDS.measured} | set(FIELDS.findings)
    assert asked & (set(KNOWLEDGE.codes.analytes) | set(KNOWLEDGE.concepts)) <= named
    assert len({item.name for item in FIELDS.measured}) == len(FIELDS.measured)


@pytest.mark.slow
@pytest.mark.parametrize("finding", FIELDS.findings)
@pytest.mark.parametrize(("state", "status"), [("present", "present"), ("suspected", "suspected")])
def test_a_finding_of_the_form_is_found_by_the_rules(finding: str, state: str, status: str) -> None:
    found = facts_with(Changes(finding=finding, state=state, grade=3))[finding]
    assert any(item.status == status for item in found), found


@pytest.mark.slow
@pytest.mark.parametrize("finding", FIELDS.findings)
def test_what_is_over_or_not_on_record_is_not_there(finding: str) -> None:
    over = facts_with(Changes(finding=finding, state="over"))[finding]
    assert all(item.ended is not None for item in over if item.status == "present"), over
    assert facts_with(Changes(finding=finding, state="none"))[finding] == ()


def facts_with(changes: Changes) -> dict[str, Any]:
    """The findings of a quiet chart after the changes, by concept."""
    told = load_story("alectinib-on-track")
    page = {"resourceType": "Bundle", "type": "collection", "entry": list(told.bundle["entry"])}
    prefetch: dict[str, Any] = {"conditions": page}
    Editor(KNOWLEDGE, prefetch, told.patient_id, REFERENCE_DATE - timedelta(days=1)).apply(changes)
    facts = SERVICES.facts_of_chart(told.patient_id, read_resources(encode(page)))
    found = facts.find(changes.finding)
    assert isinstance(found, Findings)
    return {changes.finding: found.findings}

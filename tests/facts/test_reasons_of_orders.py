"""Reasons of orders beside a long problem list: each diagnosis is read once, however many ask.

Counted in readings, never in time.
"""

from __future__ import annotations

import pytest

from cds_service.facts.finding_readers import reasons
from tests.facts.records import Json, condition, day, facts_of, resource

PROBLEMS, ORDERS = 12, 15
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def order(number: int) -> Json:
    body = {
        "id": f"order-{number}",
        "status": "active",
        "intent": "order",
        "code": {"text": f"test {number}"},
        "reasonCode": [{"coding": [{"system": ICD, "code": f"J1{number % 9}.{number}"}]}],
        "authoredOn": day(number + 1),
    }
    return resource("ServiceRequest", body)


def test_each_diagnosis_is_read_once_for_all_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = reasons.read_condition

    def counted(context: object, record: object) -> object:
        asked.append(record.key)  # type: ignore[attr-defined]
        return whole(context, record)  # type: ignore[arg-type]

    monkeypatch.setattr(reasons, "read_condition", counted)
    problems = [condition("hypertension", id=f"problem-{n}") for n in range(PROBLEMS)]
    facts = facts_of(*problems, *map(order, range(ORDERS)))
    assert facts.found is not None
    assert facts.found.events
    assert len(asked) == len(set(asked)) == PROBLEMS

"""An open pregnancy is pregnancy until its end is due; from then on it is a question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.facts import PatientFacts
from cds_service.rules import ReasonKind, Statements
from tests.facts.records import AS_OF, Json, condition, facts_of, observation

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"


def said(facts: PatientFacts) -> tuple[str, int, bool] | None:
    """The newest statement, how many days old it is, and whether it is left open."""
    found = facts.find("pregnancy")
    if found is None:
        return None
    assert isinstance(found, Statements)
    newest = found.statements[0]
    assert newest.day is not None
    return newest.value, (AS_OF - newest.day).days, bool(found.unknown)


def due(in_days: int, told: int = 60) -> Json:
    date = (AS_OF + timedelta(days=in_days)).isoformat()
    return observation("estimated delivery date", told, valueDateTime=date)


def status(system: str, code: str, days_ago: int = 5) -> Json:
    value = {"coding": [{"system": system, "code": code}]}
    return observation("pregnancy status", days_ago, valueCodeableConcept=value)


@pytest.mark.parametrize(("onset", "age"), [(1, 1), (30, 30), (31, 0), (40, 0), (294, 0)])
def test_an_open_pregnancy_is_pregnancy_whenever_it_was_recorded(onset: int, age: int) -> None:
    """Once a statement of its day would be too old, it holds as of today."""
    assert said(facts_of(condition("pregnancy", onset))) == ("present", age, False)


def test_a_pregnancy_beyond_its_term_is_a_question() -> None:
    facts = facts_of(condition("pregnancy", 295))
    assert said(facts) == ("present", 295, True)
    found = facts.find("pregnancy")
    assert isinstance(found, Statements)
    assert found.unknown[0].kind is ReasonKind.STALE
    assert facts.found is not None
    assert facts.found.of("pregnancy").unknown == found.unknown


def test_a_delivery_date_tells_when_the_end_is_due() -> None:
    assert said(facts_of(condition("pregnancy", 100), due(90))) == ("present", 0, False)
    assert said(facts_of(condition("pregnancy", 100), due(0))) == ("present", 0, False)
    assert said(facts_of(condition("pregnancy", 100), due(-1))) == ("present", 100, True)
    # Of an earlier pregnancy it says nothing of this one.
    assert said(facts_of(condition("pregnancy", 30), due(-60, 200))) == ("present", 30, False)


def test_a_delivery_date_to_come_is_a_pregnancy_by_itself_and_one_of_the_past_is_none() -> None:
    assert said(facts_of(due(90))) == ("present", 0, False)
    assert said(facts_of(due(-90))) is None
    denied = status(SNOMED, "60001007", 10)
    assert said(facts_of(due(90, told=60), denied)) == ("absent", 10, False)


@pytest.mark.parametrize("clinical", ["resolved", "inactive"])
def test_a_pregnancy_that_was_closed_is_over(clinical: str) -> None:
    over = condition("pregnancy", 200, clinical=clinical, abated=20)
    assert said(facts_of(over)) == ("absent", 20, False)


def test_who_was_found_not_pregnant_since_is_not() -> None:
    denied = status(SNOMED, "60001007", 10)
    assert said(facts_of(condition("pregnancy", 40), denied)) == ("absent", 10, False)
    assert said(facts_of(condition("pregnancy", 3), denied)) == ("present", 3, False)


@pytest.mark.parametrize(
    ("system", "code", "answer"),
    [
        (SNOMED, "77386006", "present"),
        (LOINC, "LA15173-0", "present"),
        (SNOMED, "60001007", "absent"),
        (LOINC, "LA26683-5", "absent"),
    ],
)
def test_every_coded_answer_is_read_and_is_a_finding(system: str, code: str, answer: str) -> None:
    facts = facts_of(status(system, code))
    assert said(facts) == (answer, 5, False)
    assert facts.found is not None
    assert [item.status for item in facts.found.of("pregnancy").findings] == [answer]


def test_an_answer_that_is_not_known_says_nothing() -> None:
    assert said(facts_of(status(LOINC, "LA4489-6"))) is None

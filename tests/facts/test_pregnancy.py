"""An open pregnancy is pregnancy until its end is due; from then on it is a question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.facts import PatientFacts
from cds_service.rules import Findings, ReasonKind
from tests.facts.records import AS_OF, Json, condition, facts_of, observation, stated

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"


def answers(facts: PatientFacts) -> tuple[str | None, str | None]:
    """Whether it is there, and whether it is known to be absent from the last 30 days."""
    return stated(facts, "pregnancy"), stated(facts, "pregnancy absent within 30 days")


PREGNANT = ("present", "absent")
NOT_PREGNANT = ("absent", "present")
LONG_AGO_NOT_PREGNANT = ("absent", None)
NOBODY_KNOWS = (None, None)


def due(in_days: int, told: int = 60) -> Json:
    date = (AS_OF + timedelta(days=in_days)).isoformat()
    return observation("estimated delivery date", told, valueDateTime=date)


def status(system: str, code: str, days_ago: int = 5) -> Json:
    value = {"coding": [{"system": system, "code": code}]}
    return observation("pregnancy status", days_ago, valueCodeableConcept=value)


@pytest.mark.parametrize("onset", [1, 30, 31, 40, 294])
def test_an_open_pregnancy_is_pregnancy_whenever_it_was_recorded(onset: int) -> None:
    assert answers(facts_of(condition("pregnancy", onset))) == PREGNANT


def test_a_pregnancy_beyond_its_term_is_a_question() -> None:
    facts = facts_of(condition("pregnancy", 295))
    assert answers(facts) == NOBODY_KNOWS
    found = facts.find("pregnancy")
    assert isinstance(found, Findings)
    assert [reason.kind for reason in found.unknown] == [ReasonKind.STALE]


def test_a_delivery_date_tells_when_the_end_is_due() -> None:
    assert answers(facts_of(condition("pregnancy", 100), due(90))) == PREGNANT
    assert answers(facts_of(condition("pregnancy", 100), due(0))) == PREGNANT
    assert answers(facts_of(condition("pregnancy", 100), due(-1))) == NOBODY_KNOWS
    # Of an earlier pregnancy it says nothing of this one.
    assert answers(facts_of(condition("pregnancy", 30), due(-60, 200))) == PREGNANT


def test_a_delivery_date_to_come_is_a_pregnancy_by_itself_and_one_of_the_past_is_none() -> None:
    assert answers(facts_of(due(90))) == PREGNANT
    assert answers(facts_of(due(-90))) == NOBODY_KNOWS
    denied = status(SNOMED, "60001007", 10)
    assert answers(facts_of(due(90, told=60), denied)) == NOT_PREGNANT


@pytest.mark.parametrize("clinical", ["resolved", "inactive"])
def test_a_pregnancy_that_was_closed_is_over(clinical: str) -> None:
    over = condition("pregnancy", 200, clinical=clinical, abated=20)
    assert answers(facts_of(over)) == NOT_PREGNANT


def test_who_was_found_not_pregnant_since_is_not() -> None:
    denied = status(SNOMED, "60001007", 10)
    assert answers(facts_of(condition("pregnancy", 40), denied)) == NOT_PREGNANT
    assert answers(facts_of(condition("pregnancy", 3), denied)) == PREGNANT
    assert answers(facts_of(condition("pregnancy", 300), denied)) == NOT_PREGNANT


def test_a_denial_does_not_answer_for_longer_than_the_row_says() -> None:
    assert answers(facts_of(status(SNOMED, "60001007", 30))) == NOT_PREGNANT
    assert answers(facts_of(status(SNOMED, "60001007", 31))) == LONG_AGO_NOT_PREGNANT


def test_an_old_observation_is_a_suspicion_and_no_diagnosis() -> None:
    facts = facts_of(status(SNOMED, "77386006", 31))
    assert answers(facts) == NOBODY_KNOWS
    assert stated(facts, "suspected pregnancy") == "present"
    assert answers(facts_of(status(SNOMED, "77386006", 30))) == PREGNANT
    both = facts_of(status(SNOMED, "77386006", 31), condition("pregnancy", 60))
    assert answers(both) == PREGNANT


def test_another_diagnosis_in_the_code_does_not_keep_a_pregnancy_that_was_denied_since() -> None:
    code = {"coding": [{"system": ICD_10_CM, "code": "O10.011"}]}
    raised = {**condition("pregnancy", 40), "code": code}
    assert answers(facts_of(raised)) == PREGNANT
    assert answers(facts_of(raised, status(SNOMED, "60001007", 10))) == NOT_PREGNANT


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
    assert stated(facts, "pregnancy") == answer
    assert facts.found is not None
    assert [item.status for item in facts.found.of("pregnancy").findings] == [answer]


def test_an_answer_that_is_not_known_says_nothing() -> None:
    assert answers(facts_of(status(LOINC, "LA4489-6"))) == NOBODY_KNOWS

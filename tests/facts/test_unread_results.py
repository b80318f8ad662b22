"""Results that bear on a fact and are not read as it: said to have come, with why."""

from __future__ import annotations

import pytest

from cds_service.facts import PatientFacts
from cds_service.rules import ReasonKind, Series
from tests.facts.records import Json, facts_of, laboratory

LOINC = "http://loinc.org"


def coded(code: str, value: float, unit: str, days_ago: int | None = 3) -> Json:
    sent = laboratory("ALT", value, days_ago, unit=unit, high=None)
    return {**sent, "id": code, "code": {"coding": [{"system": LOINC, "code": code}]}}


def unread(facts: PatientFacts, name: str) -> list[str]:
    found = facts.find(name)
    reasons = found.unused if isinstance(found, Series) else ()
    return [item.detail for item in reasons if item.kind is ReasonKind.NOT_READ]


def test_a_qt_interval_is_no_qtc_and_is_said_to_have_come() -> None:
    facts = facts_of(coded("8634-8", 520, "ms"))
    found = facts.find("QTc")
    assert isinstance(found, Series)
    assert found.measurements == ()
    (why,) = unread(facts, "QTc")
    assert why.startswith("520 ms of ")
    assert why.endswith("is a QT interval that is not corrected for the heart rate")


@pytest.mark.parametrize(
    ("fact", "code", "value", "unit", "speaks"),
    [
        ("QTc", "8634-8", 450, "ms", True),
        ("QTc", "8634-8", 449, "ms", False),
        ("glucose", "4548-4", 10, "%", True),
        ("glucose", "4548-4", 9.9, "%", False),
        ("glucose", "59261-8", 86, "mmol/mol", True),
        ("glucose", "59261-8", 85, "mmol/mol", False),
        ("glucose", "4548-4", 8, "a unit of the house", True),
    ],
)
def test_it_is_worth_a_question_from_a_number_on(
    fact: str, code: str, value: float, unit: str, *, speaks: bool
) -> None:
    assert bool(unread(facts_of(coded(code, value, unit)), fact)) is speaks


def test_below_that_number_the_decision_page_says_that_it_was_not_read() -> None:
    facts = facts_of(coded("4548-4", 6, "%"))
    assert facts.find("glucose") is None
    (line,) = [item.says for item in facts.remarks if item.subject == "glucose"]
    assert line == "not read: a result that is an HbA1c, the mean of some months and no glucose"


@pytest.mark.parametrize("days_ago", [None, -1, 91])
def test_one_without_a_day_to_come_or_of_long_ago_asks_for_nothing(days_ago: int | None) -> None:
    assert unread(facts_of(coded("4548-4", 12, "%", days_ago)), "glucose") == []


def test_a_usable_result_of_that_day_or_later_answers_it() -> None:
    qt, qtc = coded("8634-8", 520, "ms"), coded("8636-3", 420, "ms")
    assert unread(facts_of(qt, qtc), "QTc") == []
    assert unread(facts_of(qt, coded("8636-3", 420, "ms", 4)), "QTc") != []


def test_another_test_in_urine_bears_on_nothing() -> None:
    assert unread(facts_of(coded("1799-6", 900, "U/L")), "amylase") == []

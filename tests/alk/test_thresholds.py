"""Every threshold of every drug, at its boundary and where the result cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import pytest

from cds_service.alk import Topic
from cds_service.facts import PatientFacts
from cds_service.knowledge.jurisdictions import under
from cds_service.knowledge.schedules import parse_phase
from cds_service.knowledge.table_files import Row
from cds_service.rules import Span, Verdict
from tests.alk.drug_cases import DRUGS, ROWS
from tests.alk.patients import (
    AS_OF,
    NORMAL,
    NORMAL_ON_TREATMENT,
    asked,
    described,
    jurisdiction_of,
    knowledge,
    running,
)
from tests.alk.threshold_cases import (
    Boundary,
    boundaries,
    course,
    firing,
    moved,
    speaks_of,
    unusable,
    verdict,
)

BOUNDARIES = tuple(boundaries())


def test_every_table_has_comparisons_to_look_at() -> None:
    compared = {found.drug for found in BOUNDARIES}
    assert compared == set(DRUGS)


@pytest.mark.parametrize("found", BOUNDARIES, ids=str)
def test_a_result_is_judged_by_the_sign_that_the_row_writes(found: Boundary) -> None:
    assert f" {found.leaf.operator} {found.leaf.amount}" in f"{found.row.text('when')} "
    patient = firing(found)
    sides = []
    for value in (found.at - found.step, found.at, found.at + found.step):
        facts = moved(patient, found, course(found, value))
        expected = Verdict.MET if found.holds(value) else Verdict.NOT_MET
        assert verdict(found, facts) is expected, f"{value} of {found.at}"
        sides.append(expected)
    assert len(set(sides)) == 2


@pytest.mark.deep
@pytest.mark.parametrize("found", BOUNDARIES, ids=str)
def test_a_result_that_cannot_be_judged_is_unknown_and_never_passed_over(found: Boundary) -> None:
    patient = firing(found)
    for flaw, results in unusable(found).items():
        facts = moved(patient, found, results)
        assert verdict(found, facts) is Verdict.UNKNOWN, flaw
        assert speaks_of(found, facts), flaw


# -- monitoring ------------------------------------------------------------------------------------

DAYS_OVER = ((-1, None), (0, "due"), (7, "due"), (8, "overdue"))
"""Days after the due day, and how the test is then spoken of."""

LONGEST = {"days": 1, "weeks": 7, "months": 31, "years": 366}


def _named(value: object) -> str:
    return value.identifier if isinstance(value, Row) else str(value)


def _earlier(day: date, span: Span) -> date:
    """The same day of an earlier month, or so many days before; only for days up to the 28th."""
    if span.unit in ("days", "weeks"):
        return day - timedelta(days=span.number * (7 if span.unit == "weeks" else 1))
    assert day.day <= 28
    months = day.year * 12 + day.month - 1 - span.number * (12 if span.unit == "years" else 1)
    return day.replace(year=months // 12, month=months % 12 + 1)


def _last_done(row: Row, drug: str, start: date, last: date) -> PatientFacts:
    """A patient in whom everything is normal and the row's test was last done on `last`."""
    test = knowledge().tests[row.text("test")]
    ago = (AS_OF - last).days
    said: dict[str, object] = {}
    if "when" in row.rules:
        # What makes the row ask for the test at all, from its own case.
        case = next(case for case in ROWS if case.row == row.identifier)
        said |= {name.replace("_", " "): value for name, value in case.facts.items()}
    said["lines"] = (running(drug, (AS_OF - start).days),)
    for name in test.facts:
        usual = {**NORMAL, **NORMAL_ON_TREATMENT}.get(name, "1")
        said[name] = [(ago, usual)]
    for name in test.events:
        said[name] = ago
    for name in test.states:
        values = getattr(knowledge().vocabulary.find(name), "values", ("absent",))
        said[name] = [(ago, "absent" if "absent" in values else values[0])]
    return described(said, drug)


def _status(row: Row, facts: PatientFacts) -> str | None:
    """How the row's test is spoken of, be it by this row or by another row for the same test."""
    due = [
        test
        for item in asked(
            facts, moment="patient-view", jurisdiction=jurisdiction_of(row.identifier)
        ).recommendations
        if item.topic is Topic.MONITORING
        for test in item.tests
        if test.test == row.text("test")
    ]
    return due[0].status if due else None


def _schedules() -> Iterator[tuple[str, Row, str, date, date, str | None]]:
    """By drug, row and phase: the first dose and the day of the last test, and what is expected."""
    for drug in DRUGS:
        for row in knowledge().drugs[drug].monitoring or ():
            first = row.text("first_phase")
            lasts = parse_phase(first).lasts if first else None
            for phase, (over, expected) in product(("first_phase", "later_phase"), DAYS_OVER):
                if not row.text(phase):
                    continue
                last = _earlier(AS_OF - timedelta(days=over), parse_phase(row.text(phase)).every)
                start = last
                if phase == "later_phase" and lasts is not None:
                    start -= timedelta(days=lasts.number * LONGEST[lasts.unit] + 60)
                elif lasts is not None and _earlier(AS_OF, lasts) > start:
                    continue  # By then the first phase is over.
                yield drug, row, phase, start, last, expected


@pytest.mark.deep
@pytest.mark.parametrize(
    ("drug", "row", "phase", "start", "last", "expected"), list(_schedules()), ids=_named
)
def test_a_test_is_due_on_its_day_and_overdue_after_a_week(
    drug: str, row: Row, phase: str, start: date, last: date, expected: str | None
) -> None:
    status = _status(row, _last_done(row, drug, start, last))
    test = knowledge().tests[row.text("test")]
    if expected == "due" and not (row.verified and test.verified and test.orders):
        # Advice that no label gives waits until it is late.
        assert status in (None, "due"), phase
    elif _others_for_the_same_test(drug, row):
        # Another row may ask for it sooner, never later.
        assert _URGENCY.index(status) >= _URGENCY.index(expected), phase
    else:
        assert status == expected, phase


_URGENCY = (None, "due", "overdue")


def _others_for_the_same_test(drug: str, row: Row) -> bool:
    table = under(knowledge(), jurisdiction_of(row.identifier)).drugs[drug].monitoring
    asked_for = [other.text("test") for other in table or ()]
    return asked_for.count(row.text("test")) > 1


def test_every_phase_of_every_schedule_is_looked_at() -> None:
    written = {
        (row.identifier, phase)
        for drug in DRUGS
        for row in knowledge().drugs[drug].monitoring or ()
        for phase in ("first_phase", "later_phase")
        if row.text(phase)
    }
    assert {(row.identifier, phase) for _, row, phase, *_ in _schedules()} == written

"""Which tests are due, counted from the first dose and from results that are really there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cds_service.alk.decision import DueTest, Kind, Recommendation, Topic
from cds_service.facts.patient import PatientFacts, TreatmentLine
from cds_service.facts.since_the_drug import course_start
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.knowledge.schedules import next_due, parse_phase, within
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.tests_catalogue import OrderableTest
from cds_service.rules import (
    Evaluation,
    Events,
    Findings,
    Measurement,
    Reason,
    ReasonKind,
    Series,
    Statements,
    Verdict,
)

NOT_KNOWN = "not known"
"""Status of a test whose results were asked for and not delivered."""

_NO_RESULT = frozenset({ReasonKind.UNUSABLE, ReasonKind.NOT_READ})

GRACE_DAYS = 7
"""Days after the due day before a test is called overdue (our own choice)."""


def last_done(test: OrderableTest, facts: PatientFacts, as_of: date) -> date | None:
    """The day on which the test was last complete: all its facts, or one event or state."""
    days: list[date] = []
    for name in test.facts:
        found = facts.find(name)
        series = found.measurements if isinstance(found, Series) else ()
        done = next((item.day for item in series if item.day <= as_of and shows_it(item)), None)
        if done is None:
            return None
        days.append(done)
    if days:
        return min(days)
    for name in (*test.events, *test.states):
        found = facts.find(name)
        if isinstance(found, Events):
            days += [item.day for item in found.events if item.day <= as_of]
        elif isinstance(found, Statements):
            days += [item.day for item in found.statements if item.day and item.day <= as_of]
        elif isinstance(found, Findings):
            days += [item.began for item in found.findings if item.began and item.began <= as_of]
    return max(days, default=None)


def shows_it(item: Measurement) -> bool:
    """Whether a result shows that the test was done.

    A value in a unit that is not known here does; one that no person can have stands for none.
    """
    return item.problem is None or item.problem.kind not in _NO_RESULT


def came(test: OrderableTest, facts: PatientFacts, as_of: date) -> tuple[Reason, ...]:
    """Why results of the test that came do not show that it was done, each reason once."""
    found: dict[Reason, None] = {}
    for name in test.facts:
        series = facts.find(name)
        if isinstance(series, Series):
            problems = (item.problem for item in series.measurements if not shows_it(item))
            found.update(dict.fromkeys(filter(None, problems)))
            found.update(dict.fromkeys(series.unused))
    return tuple(found)


def lacking(test: OrderableTest, facts: PatientFacts) -> tuple[str, ...]:
    """The kinds of data that would show the test and could not be obtained."""
    return tuple(kind for kind in test.data if kind in facts.unavailable)


def as_delivered(due: DueTest, test: OrderableTest, facts: PatientFacts) -> DueTest:
    """The test as it can be asked for: not at all while its data were not delivered."""
    missing = lacking(test, facts)
    if not missing:
        return replace(due, came=came(test, facts, facts.as_of))
    return replace(due, status=NOT_KNOWN, orderable=False, lacking=missing)


def already_requested(test: OrderableTest, facts: PatientFacts) -> bool:
    """Whether every order of the test is already on request or in the draft orders."""
    orders = test.orders
    return bool(orders) and all(order.key in facts.requested_tests for order in orders)


def due_tests(
    rows: Sequence[Row],
    line: TreatmentLine,
    facts: PatientFacts,
    knowledge: Knowledge,
    evaluation: Evaluation,
) -> Recommendation | None:
    """Everything that is due or overdue for one running drug, as one recommendation.

    `rows` are those of its monitoring table, without tests that a reaction asks for already.
    """
    due: list[DueTest] = []
    leading: Row | None = None
    for row in rows:
        test = knowledge.tests[row.text("test")]
        if already_requested(test, facts):
            continue
        found = _due(row, test, line, facts, evaluation)
        if found is None or any(item.test == found.test for item in due):
            continue
        due.append(found)
        leading = leading or (row if row.verified else None)
    if not due:
        return None
    overdue = any(item.status == "overdue" and item.orderable for item in due)
    verified = any(item.orderable or item.lacking for item in due)
    if not verified and not any(item.status == "overdue" for item in due):
        # Advice that no label gives waits until it is late: it must not add noise.
        return None
    first = leading or next(row for row in rows if row.identifier == due[0].rule_id)
    return Recommendation(
        Kind.ORDER_TEST,
        Topic.MONITORING,
        first.identifier,
        "warning" if overdue else "info",
        row=first,
        drug=line.ingredient,
        tests=tuple(due),
        verified=verified,
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A test that a row wants, with the day on which it was last done."""

    row: Row
    test: OrderableTest
    facts: PatientFacts
    last: date | None


def _due(
    row: Row,
    test: OrderableTest,
    line: TreatmentLine,
    facts: PatientFacts,
    evaluation: Evaluation,
) -> DueTest | None:
    as_of = evaluation.as_of
    last = last_done(test, facts, as_of)
    wanted = _Wanted(row, test, facts, last)
    if "when" in row.rules:
        trace = row.when.evaluate(evaluation)
        if trace.verdict is not Verdict.MET:
            return None
        if not row.text("first_phase") and not row.text("later_phase"):
            # No interval: once after what the condition is about.
            since = max((item.day for item in trace.evidence if item.day), default=as_of)
            if last is not None and last >= since:
                return None
            return _test(wanted, "missing" if last is None else "due", as_of)
    start = course_start(line, facts.lines)
    if start is None:
        return _without_start(wanted, as_of)
    phase_text = _phase_now(row, start, as_of)
    if not phase_text:
        return _missed(wanted, start)
    every = parse_phase(phase_text).every
    counted_from = max(last, start) if last is not None else start
    day = next_due(counted_from, every)
    if as_of < day:
        return None
    status = "overdue" if as_of > day + timedelta(days=GRACE_DAYS) else "due"
    return _test(wanted, status, day)


def _without_start(wanted: _Wanted, as_of: date) -> DueTest | None:
    """Of a drug whose first day is not known: the later interval, counted from the last test."""
    if wanted.last is None:
        return _test(wanted, "missing", as_of)
    phase_text = wanted.row.text("later_phase")
    if not phase_text:
        return None
    day = next_due(wanted.last, parse_phase(phase_text).every)
    if as_of < day:
        return None
    status = "overdue" if as_of > day + timedelta(days=GRACE_DAYS) else "due"
    return _test(wanted, status, day)


def _phase_now(row: Row, start: date, as_of: date) -> str:
    first = row.text("first_phase")
    if not first:
        return row.text("later_phase")
    lasts = parse_phase(first).lasts
    if lasts is None or within(start, lasts, as_of):
        return first
    return row.text("later_phase")


def _missed(wanted: _Wanted, start: date) -> DueTest | None:
    """A test of the first phase only, never done in it: it is still owed."""
    first = wanted.row.text("first_phase")
    if not first or (wanted.last is not None and wanted.last > start):
        return None
    return _test(wanted, "overdue", next_due(start, parse_phase(first).every))


def _test(wanted: _Wanted, status: str, due: date) -> DueTest:
    row, test, facts = wanted.row, wanted.test, wanted.facts
    missing = lacking(test, facts)
    return DueTest(
        test.name,
        NOT_KNOWN if missing else status,
        wanted.last,
        due,
        row.text("says"),
        row.identifier,
        row.verified and test.verified and bool(test.orders) and not missing,
        came(test, facts, facts.as_of),
        missing,
        row.sources,
    )


def first_dose_tests(
    tables: DrugTables, table: Table, facts: PatientFacts, knowledge: Knowledge
) -> Recommendation | None:
    """Tests that the drug's own monitoring wants before its first dose, missing or too old.

    Tests that no label asks for are named beside others, and never alone.
    """
    due: dict[str, DueTest] = {}
    rows: list[Row] = []
    for row in table:
        test, days = knowledge.tests[row.text("test")], row.text("baseline_days")
        found = _owed(row, test, int(days), facts) if days and test.name not in due else None
        if found is not None:
            due[test.name] = found
            rows.append(row)
    if not any(item.orderable or item.lacking for item in due.values()):
        return None
    return _before_first_dose(rows, due.values()).changed(drug=tables.drug.ingredient)


def baseline_tests(
    facts: PatientFacts, knowledge: Knowledge, evaluation: Evaluation
) -> Recommendation | None:
    """Tests that should be there before a first dose and are missing or too old."""
    due: list[DueTest] = []
    rows: list[Row] = []
    for row in knowledge.tables["baseline"]:
        if row.when.evaluate(evaluation).verdict is not Verdict.MET:
            continue
        found = _owed(row, knowledge.tests[row.text("test")], int(row.text("within_days")), facts)
        if found is not None:
            due.append(found)
            rows.append(row)
    if not due:
        return None
    item = _before_first_dose(rows, due)
    return item.changed(trace=item.row.when.evaluate(evaluation) if item.row else None)


def _owed(row: Row, test: OrderableTest, within_days: int, facts: PatientFacts) -> DueTest | None:
    """The test, where it was not done within so many days and is not on order already."""
    if already_requested(test, facts):
        return None
    last = last_done(test, facts, facts.as_of)
    if last is not None and last >= facts.as_of - timedelta(days=within_days):
        return None
    wanted = _Wanted(row, test, facts, last)
    return _test(wanted, "missing" if last is None else "due", facts.as_of)


def _before_first_dose(rows: Sequence[Row], due: Iterable[DueTest]) -> Recommendation:
    """All that is owed before a first dose as one recommendation, led by a verified row."""
    tests = tuple(due)
    leading = next((row for row in rows if row.verified), rows[0])
    return Recommendation(
        Kind.ORDER_TEST,
        Topic.BASELINE,
        leading.identifier,
        "info",
        row=leading,
        tests=tests,
        verified=any(item.orderable or item.lacking for item in tests),
    )

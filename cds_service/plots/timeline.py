"""What the timeline of one patient shows, gathered from facts and decision. Draws nothing.

No text of the record is taken over: drugs, tests and kinds of events have the names of the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.alk import Decision
from cds_service.alk.read_concepts import graded_concepts
from cds_service.facts.grade_courses import grade_course
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.tests_catalogue import OrderableTest
from cds_service.plots.data import (
    Course,
    DatedEvent,
    DatedTest,
    DosePeriod,
    PlottedThreshold,
    PlottedValue,
    Timeline,
)
from cds_service.plots.drug_limits import drug_limits
from cds_service.plots.scales import GRADE
from cds_service.rules import Events, Findings, Measurement, Quantity, Series, Statements

DISEASE_STATUS = "disease status"
EVENTS = ("brain imaging", "ALK result", "resistance profile", "resection")
"""Facts whose days stand as rows of their own, in this order, after the disease status."""


def timeline_of(facts: PatientFacts, decision: Decision, knowledge: Knowledge) -> Timeline:
    """Everything that is recorded of one patient up to the day of the decision."""
    return Timeline(
        decision.as_of,
        tuple(_periods(facts)),
        tuple(_courses(facts, knowledge)),
        tuple(_events(facts)),
        tuple(_tests(facts, decision, knowledge)),
    )


def _periods(facts: PatientFacts) -> Iterator[DosePeriod]:
    for line in facts.lines:
        for order in line.orders:
            yield DosePeriod(
                line.ingredient, order.status, order.start, order.end, order.dose.daily_mg
            )


def _courses(facts: PatientFacts, knowledge: Knowledge) -> Iterator[Course]:
    for fact in knowledge.fact_list.analytes:
        series = facts.find(fact)
        kind = knowledge.vocabulary.find(fact)
        if isinstance(series, Series) and isinstance(kind, Quantity) and series.measurements:
            limits = drug_limits(fact, series, facts, knowledge)
            yield _course(fact, kind.unit, series, limits)
    for concept in graded_concepts(knowledge):
        found = facts.find(concept.name)
        graded = grade_course(concept, found, facts.as_of) if isinstance(found, Findings) else None
        if graded is not None and any(item.value for item in graded.measurements):
            yield _course(concept.name, GRADE, graded, ())


def _course(fact: str, unit: str, series: Series, limits: tuple[PlottedThreshold, ...]) -> Course:
    values = tuple(_value(item) for item in series.measurements)
    return Course(fact, unit, values, limits, len(values))


def _value(item: Measurement) -> PlottedValue:
    return PlottedValue(
        item.day,
        item.value,
        item.upper_limit,
        item.comparator or "",
        item.as_sent,
        item.problem.kind_name if item.problem is not None else "",
    )


def _events(facts: PatientFacts) -> Iterator[DatedEvent]:
    status = facts.find("recorded disease status")
    for said in status.statements if isinstance(status, Statements) else ():
        if said.day is not None:
            yield DatedEvent(said.day, DISEASE_STATUS, said.value)
    for kind in EVENTS:
        for day in sorted(_days(facts, kind)):
            yield DatedEvent(day, kind)


def _days(facts: PatientFacts, fact: str) -> set[date]:
    found = facts.find(fact)
    if isinstance(found, Events):
        return {item.day for item in found.events if item.day <= facts.as_of}
    if isinstance(found, Series):
        return {item.day for item in found.measurements if item.day <= facts.as_of}
    if isinstance(found, Statements):
        days = {item.day for item in found.statements if item.day is not None}
        return {day for day in days if day <= facts.as_of}
    if isinstance(found, Findings):
        days = {item.began for item in found.findings if item.began is not None}
        return {day for day in days if day <= facts.as_of}
    return set()


def _tests(facts: PatientFacts, decision: Decision, knowledge: Knowledge) -> Iterator[DatedTest]:
    """The tests that the drugs of this patient ask for, and those that the decision asks for."""
    due = {test.test: test for item in decision.recommendations for test in reversed(item.tests)}
    wanted = dict.fromkeys(due)
    for line in facts.lines:
        tables = knowledge.drugs.get(line.ingredient)
        if line.status != "ended" and tables is not None and tables.monitoring is not None:
            wanted |= dict.fromkeys(row.text("test") for row in tables.monitoring)
    for name, test in knowledge.tests.items():
        if name in wanted:
            asked = due.get(name)
            yield DatedTest(
                test.label,
                tuple(sorted(_done(test, facts))),
                asked.due if asked is not None else None,
                asked.status if asked is not None else "",
            )


def _done(test: OrderableTest, facts: PatientFacts) -> set[date]:
    """The days on which all facts of the test were there, or one of its events or states."""
    by_fact = [_days(facts, fact) for fact in test.facts]
    if by_fact:
        return set.intersection(*by_fact)
    return {day for fact in (*test.events, *test.states) for day in _days(facts, fact)}

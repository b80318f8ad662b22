"""What the plot of a decision page needs: the values that the shown recommendations ask about.

Only numbers, days, units and drugs. It stays small, because it is stored with every decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.facts.grade_courses import grade_course
from cds_service.facts.patient import PatientFacts, TreatmentLine
from cds_service.facts.threshold_levels import level_of
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Concept, Findings, Measurement, Quantity, Series
from cds_service.rules.measuring import Threshold
from cds_service.rules.syntax import GRADE, X_BASELINE, X_UPPER_LIMIT, plain

MOST_VALUES = 60
"""Results kept of one fact: those that a rule used, and the newest ones."""

MOST_COURSES = 8
"""Facts kept of one decision, in the order of its recommendations."""

_LONGEST_AS_SENT = 40

_MEANINGS = {Kind.STOP: "stop", Kind.WITHHOLD: "hold", Kind.REDUCE: "reduce"}
"""What a threshold calls for when a value is beyond it, in one word at its line."""

Asked = dict[Threshold, tuple[str | None, str]]
"""The thresholds of one fact: the drug each is about, and what it means."""


def plot_document(
    decision: Decision, facts: PatientFacts, knowledge: Knowledge, shown: Collection[str]
) -> dict[str, Any]:
    """Courses of the facts that a rule compared, with thresholds; the orders of ALK inhibitors.

    Where a test that is due leads, its last results are kept; beside other advice, such as the
    choice of a drug, old results of due tests led to nothing. `shown` are the rule ids of the
    recommendations on a card; where there is none, the leading recommendation counts as shown.
    """
    told = [item for item in decision.recommendations if item.rule_id in shown]
    asked: dict[str, Asked] = {}
    used: set[Measurement] = set()
    told = told or list(decision.recommendations[:1])
    for item in _with_also(told):
        _collect(item, asked, used)
    for test in told[0].tests if told and told[0].topic is Topic.MONITORING else ():
        for fact in knowledge.tests[test.test].facts:
            asked.setdefault(fact, {})
    courses = []
    for fact, thresholds in asked.items():
        series = _series(fact, facts, knowledge)
        if series is not None and series.measurements:
            courses.append(_course(fact, series, thresholds, used, facts, knowledge))
    return {"courses": courses[:MOST_COURSES], "lines": [_line(line) for line in facts.lines]}


def _with_also(items: Iterable[Recommendation]) -> Iterator[Recommendation]:
    for item in items:
        yield item
        yield from _with_also(item.also)


def _collect(
    item: Recommendation,
    asked: dict[str, Asked],
    used: set[Measurement],
) -> None:
    """Add what one recommendation asked about: thresholds with their drug and their meaning."""
    for trace in (item.trace, item.until):
        for node in trace.walk() if trace is not None else ():
            used.update(found for found in node.used if isinstance(found, Measurement))
            if node.threshold is not None:
                meaning = "resume" if trace is item.until else _meaning(item, node.threshold)
                asked.setdefault(node.subject, {}).setdefault(node.threshold, (item.drug, meaning))


def _meaning(item: Recommendation, threshold: Threshold) -> str:
    """What being beyond a threshold calls for; empty where it only goes with another value.

    A hold may ask that bilirubin is at most 2 times its limit: nothing is held for that.
    """
    bounds_from_above = threshold.operator.startswith("<")
    if bounds_from_above and threshold.amount.unit in (X_UPPER_LIMIT, X_BASELINE):
        return ""
    return _MEANINGS.get(item.kind, "")


def _series(fact: str, facts: PatientFacts, knowledge: Knowledge) -> Series | None:
    """Laboratory results, vital signs and grades of findings; an age or an ordered dose is none."""
    found, kind = facts.find(fact), knowledge.vocabulary.find(fact)
    if isinstance(found, Findings) and isinstance(kind, Concept):
        return grade_course(kind, found, facts.as_of)
    if fact in knowledge.fact_list.analytes and isinstance(found, Series):
        return found
    return None


def _course(
    fact: str,
    series: Series,
    thresholds: Asked,
    used: set[Measurement],
    facts: PatientFacts,
    knowledge: Knowledge,
) -> dict[str, Any]:
    kind = knowledge.vocabulary.find(fact)
    measurements = series.measurements
    kept = measurements
    if len(measurements) > MOST_VALUES:
        needed = [item for item in measurements if item in used][:MOST_VALUES]
        newest = [item for item in measurements if item not in used]
        kept = (*needed, *newest[: MOST_VALUES - len(needed)])
    return {
        "fact": fact,
        "unit": kind.unit if isinstance(kind, Quantity) else GRADE,
        "known": len(measurements),
        "values": [_value(item) for item in kept],
        "thresholds": [
            _threshold(item, meaning, series, drug, facts)
            for item, (drug, meaning) in thresholds.items()
        ],
    }


def _value(item: Measurement) -> dict[str, Any]:
    document: dict[str, Any] = {"day": item.day.isoformat(), "as_sent": item.as_sent}
    if len(item.as_sent) > _LONGEST_AS_SENT:
        document["as_sent"] = f"{item.as_sent[: _LONGEST_AS_SENT - 1]}…"
    if item.value is not None:
        document["value"] = plain(item.value)
    if item.upper_limit is not None:
        document["upper_limit"] = plain(item.upper_limit)
    if item.comparator:
        document["comparator"] = item.comparator
    if item.problem is not None:
        document["problem"] = item.problem.kind_name
    return document


def _threshold(
    threshold: Threshold, meaning: str, series: Series, drug: str | None, facts: PatientFacts
) -> dict[str, Any]:
    amount = threshold.amount
    document: dict[str, Any] = {
        "operator": threshold.operator,
        "number": plain(amount.number),
        "unit": amount.unit,
    }
    if meaning:
        document["meaning"] = meaning
    line = facts.line(drug) if drug is not None else None
    level = level_of(threshold, series, line.start if line is not None else None)
    if level is not None:
        document["level"] = plain(level)
    return document


def _line(line: TreatmentLine) -> dict[str, Any]:
    return {
        "drug": line.ingredient,
        "orders": [
            {
                "status": order.status,
                "start": order.start.isoformat() if order.start is not None else None,
                "end": order.end.isoformat() if order.end is not None else None,
                "daily_mg": plain(order.dose.daily_mg) if order.dose.daily_mg is not None else None,
            }
            for order in line.orders
        ],
    }

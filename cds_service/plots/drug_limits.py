"""The limits at which the tables of the drugs in use ask to stop, to hold or to lower them."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts.patient import PatientFacts, TreatmentLine
from cds_service.facts.threshold_levels import level_of
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Row
from cds_service.plots.data import PlottedThreshold
from cds_service.rules import Series
from cds_service.rules.measured_leaves import Comparison
from cds_service.rules.measuring import Threshold
from cds_service.rules.syntax import (
    X_BASELINE,
    X_UPPER_LIMIT,
    And,
    Compare,
    Expression,
    Found,
    Not,
    Or,
    UnknownWhether,
    predicates,
)

MEANINGS = {"stop": "stop", "withhold": "hold", "reduce": "reduce"}


def drug_limits(
    fact: str, series: Series, facts: PatientFacts, knowledge: Knowledge
) -> tuple[PlottedThreshold, ...]:
    """The limits of one fact in the tables of every drug that is taken or on hold.

    Only limits that ask for something by themselves: where two values must come together, a line
    at one of them would say too much. The first drug that names a limit gives its meaning.
    """
    found: dict[tuple[str, Threshold], PlottedThreshold] = {}
    for line in facts.lines:
        if line.status == "ended":
            continue
        for meaning, threshold in _thresholds(line, fact, knowledge):
            amount = threshold.amount
            level = level_of(threshold, series, line.start)
            found.setdefault(
                (meaning, threshold),
                PlottedThreshold(threshold.operator, amount.number, amount.unit, level, meaning),
            )
    return tuple(found.values())


def _thresholds(
    line: TreatmentLine, fact: str, knowledge: Knowledge
) -> Iterator[tuple[str, Threshold]]:
    tables = knowledge.drugs.get(line.ingredient)
    for row in tables.dose_changes if tables is not None and tables.dose_changes else ():
        meaning = MEANINGS.get(row.text("action"))
        if meaning is not None:
            for threshold in _alone(row):
                if threshold.quantity.name == fact:
                    yield meaning, threshold


def _alone(row: Row) -> Iterator[Threshold]:
    """The thresholds of a row of which reaching one is enough."""
    rule = row.when.expression
    parts = rule.parts if isinstance(rule, And) else (rule,)
    asked = [part for part in parts if not _only_bounds(part)]
    if len(asked) != 1 or not _is_comparison(asked[0]):
        return
    wanted = set(predicates(asked[0]))
    for signal in (signal for group in row.when.signals for signal in group):
        if isinstance(signal, Comparison) and signal.asked in wanted:
            yield signal.threshold


def _is_comparison(part: Expression) -> bool:
    """Whether a part asks for the latest value of a fact, or of one of several."""
    latest = (
        isinstance(leaf, Compare) and leaf.selector == "latest" and leaf.sustained is None
        for leaf in predicates(part)
    )
    return isinstance(part, Compare | Or) and all(latest)


def _only_bounds(part: Expression) -> bool:
    """Whether a part only keeps another one from being worse: bilirubin at most 2 x ULN, or not
    known to be above it."""
    if isinstance(part, UnknownWhether | Not):
        return True
    if isinstance(part, Found):
        return part.aspect == "absent"
    if not isinstance(part, Compare):
        return False
    return part.amount.unit in (X_UPPER_LIMIT, X_BASELINE) and part.operator.startswith("<")

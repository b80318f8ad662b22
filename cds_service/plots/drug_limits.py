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
from cds_service.rules.syntax import X_BASELINE, X_UPPER_LIMIT

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
    groups = [group for group in row.when.signals if not all(map(_only_bounds, group))]
    if len(groups) == 1:
        for signal in groups[0]:
            if isinstance(signal, Comparison):
                yield signal.threshold


def _only_bounds(signal: object) -> bool:
    """Whether a condition only keeps another one from being worse: bilirubin at most 2 x ULN."""
    if not isinstance(signal, Comparison):
        return False
    relative = signal.threshold.amount.unit in (X_UPPER_LIMIT, X_BASELINE)
    return relative and signal.threshold.operator.startswith("<")

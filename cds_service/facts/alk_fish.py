"""ALK FISH as a share of cells, judged by the rows of the table `alk_answers`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.facts.context import Context
from cds_service.fhir.values import read_number
from cds_service.fhir.views import Observation, ObservationComponent, Quantity
from cds_service.rules import Evaluation, FactValue, Measurement, Series, Verdict

CELLS = "cells with ALK rearrangement"
FEWEST_CELLS = 50
"""The cut-off holds for at least so many counted cells."""

_LONGEST_UNIT = 60
_PERCENT = re.compile(r"\s*(?:%|per ?cent|percent)(?:\s+of\s+cells)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Share:
    """A counted share of cells: what it means by the table, and how to show it.

    `answer` is one of the table's words, or unreadable.
    """

    answer: str
    shown: str = ""
    percent: Decimal | None = None


class _Cells:
    def __init__(self, measured: Measurement) -> None:
        self._series = Series((measured,))

    def find(self, name: str) -> FactValue | None:
        return self._series if name == CELLS else None


def share_of_percent(context: Context, percent: Decimal) -> Share:
    """What a share of cells says that was found as a number alone."""
    return _judged(context, None, percent, None)


def share_of_cells(
    context: Context, source: Observation | ObservationComponent, cut_off: Decimal | None = None
) -> Share | None:
    """What the share of rearranged cells says; None when the result is no number at all.

    `cut_off` is the laboratory's own where it does not stand as the reference range.
    """
    ratio = source.value_ratio
    if ratio is not None:
        return _counted(context, ratio.numerator, ratio.denominator, cut_off)
    if source.value_quantity is None:
        return None
    sent = read_number(source)
    unit = source.value_quantity.code or source.value_quantity.unit or ""
    if sent.problem is not None or sent.number is None or not _is_percent(source.value_quantity):
        why = "a share of cells without its unit" if not unit else "a share of cells"
        context.remark("ALK", f"{why} could not be read")
        return Share("unreadable")
    limit = _own_limit(source)
    return _judged(context, limit if limit is not None else cut_off, sent.number, sent.comparator)


def _counted(
    context: Context, found: Quantity | None, of: Quantity | None, cut_off: Decimal | None
) -> Share:
    part = found.number if found is not None else None
    whole = of.number if of is not None else None
    if part is None or whole is None or whole <= 0 or not 0 <= part <= whole:
        context.remark("ALK", "a share of cells could not be read")
        return Share("unreadable")
    if whole < FEWEST_CELLS:
        context.remark("ALK", "fewer cells were counted than the cut-off asks for")
        return Share("equivocal", f"{part.normalize():f} of {whole.normalize():f} cells")
    return _judged(context, cut_off, part / whole * 100, None)


def _judged(
    context: Context,
    limit: Decimal | None,
    percent: Decimal,
    comparator: str | None,
) -> Share:
    shown = f"{comparator or ''}{round(percent, 1).normalize():f} %"
    if not 0 <= percent <= 100:
        context.remark("ALK", "a share of cells that cannot be was left out")
        return Share("unreadable")
    answer = _by_table(context, percent, comparator)
    if limit is not None and comparator is None:
        # The cut-off depends on the assay: where the laboratory's own disagrees, neither is taken.
        above = percent >= limit
        if above != answer.endswith("positive") and answer != "equivocal":
            context.remark("ALK", "the laboratory's own cut-off for FISH says otherwise")
            return Share("equivocal", shown, percent)
    return Share(answer, shown, percent)


def _by_table(context: Context, percent: Decimal, comparator: str | None) -> str:
    measured = Measurement(percent, date.min, comparator=comparator)
    evaluation = Evaluation(_Cells(measured), date.min)
    for row in context.book.knowledge.tables["alk_answers"]:
        if row.when.evaluate(evaluation).verdict is Verdict.MET:
            return row.text("answer")
    return "unreadable"


def _own_limit(source: Observation | ObservationComponent) -> Decimal | None:
    if len(source.reference_range) != 1:
        return None
    high = source.reference_range[0].high
    return high.number if high is not None and _is_percent(high) else None


def _is_percent(quantity: Quantity) -> bool:
    unit = quantity.code or quantity.unit or ""
    return len(unit) <= _LONGEST_UNIT and _PERCENT.fullmatch(unit) is not None

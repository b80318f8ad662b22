"""What is said of the disease, as it bears on the ALK inhibitor that runs or is on hold.

A progression that was recorded on or before the first day of a drug was one on the drug before it,
where one was taken at that time. Without such a drug the chart may hold a late refill alone, and
nothing is left out: a wrong name is seen, a progression that nobody tells is not. Of several drugs
the one that began last counts, since it was taken without another in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from msgspec import structs

from cds_service.facts.patient import TreatmentLine
from cds_service.rules import Series, Statement, Statements

GRACE_DAYS = 30
"""A drug that ended so many days before counts as taken: imaging follows its end (our own
choice)."""


def status(found: Statements | None, lines: Iterable[TreatmentLine]) -> Statements | None:
    """The disease status since the drug began.

    What was said earlier than that it was worse is no answer either. That nobody could tell later
    takes nothing back of what was worse before.
    """
    if found is None:
        return None
    before = _Before(lines)
    kept: list[Statement] = []
    for one in found.statements:
        if one.value == "worse":
            if before.holds(one.day):
                return Statements(tuple(kept)) if kept else None
            if all(later.value == "undetermined" for later in kept):
                kept = []
        kept.append(one)
    return Statements(tuple(kept))


def said(found: Statements | None, lines: Iterable[TreatmentLine]) -> Statements | None:
    """How the disease progresses, as recorded since the drug began."""
    if found is None:
        return None
    before = _Before(lines)
    kept = tuple(one for one in found.statements if not before.holds(one.day))
    return Statements(kept) if kept else None


def measured(found: Series | None, lines: Iterable[TreatmentLine]) -> Series | None:
    """The same of a number, such as of sites that progress."""
    if found is None:
        return None
    before = _Before(lines)
    kept = tuple(one for one in found.measurements if not before.holds(one.day))
    return structs.replace(found, measurements=kept) if kept else None


def course_start(line: TreatmentLine, lines: Sequence[TreatmentLine]) -> date | None:
    """The first day of the latest course of a drug; None when no order of it has a day.

    A drug that is taken again after another one begins anew: what a label asks for in the first
    weeks, tests or caution, is asked for again. A pause without another drug is no new course,
    nor is one before which the drug did not surely end.
    """
    return _began(line, lines) or line.start


class _Before:
    """Which days belong to the drug before the one that runs or is on hold."""

    def __init__(self, lines: Iterable[TreatmentLine]) -> None:
        self._lines = tuple(lines)
        running = [line for line in self._lines if line.status != "ended"]
        begun = [(day, line) for line in running if (day := _began(line, self._lines)) is not None]
        # Where the first day of one of them is not known, nothing is left out.
        known = bool(begun) and len(begun) == len(running)
        self._begun: date | None = None
        self._line: TreatmentLine | None = None
        if known:
            self._begun, self._line = max(begun, key=lambda pair: pair[0])

    def holds(self, day: date | None) -> bool:
        """Whether what was recorded on a day is about the drug before."""
        if day is None or self._begun is None or day > self._begun:
            return False
        return any(_taken(line, day) for line in self._lines if line is not self._line)


def _began(line: TreatmentLine, lines: Sequence[TreatmentLine]) -> date | None:
    """The first day of a drug, or of its latest course where another one was taken in between.

    None when it is not known. An earlier course that did not surely end is no earlier course.
    """
    starts = [order.start for order in line.orders if order.start is not None]
    undated = any(order.start is None and order.status != "ended" for order in line.orders)
    if not starts or undated:
        return None
    others = (order.start for other in lines if other is not line for order in other.orders)
    between = max((day for day in others if day is not None and day < max(starts)), default=None)
    if between is None:
        return min(starts)
    latest_end = between + timedelta(days=GRACE_DAYS)
    earlier = (order for order in line.orders if order.start is not None and order.start <= between)
    if not all(one.status == "ended" and one.end and one.end <= latest_end for one in earlier):
        return min(starts)
    return min(day for day in starts if day > between)


def _taken(line: TreatmentLine, day: date) -> bool:
    """Whether a drug was taken on a day, or ended shortly before it."""
    return any(
        order.start is not None
        and order.start <= day
        and (
            order.status != "ended"
            or (order.end is not None and order.end >= day - timedelta(days=GRACE_DAYS))
        )
        for order in line.orders
    )

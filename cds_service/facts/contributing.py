"""Whether a medicine that slows the heart contributes, on each day that a rule may ask about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts.context import Context
from cds_service.rules import Item, Statement, Statements

SLOWING_CLASSES = frozenset({"beta-blocker", "other bradycardic", "antihypertensive"})
"""What the labels look at as a cause of a slow heart: also what lowers the blood pressure."""
_ON_THE_HEART = SLOWING_CLASSES - {"antihypertensive"}
ADJUSTED_DAYS = 30
"""A medicine stopped this long after a reaction, or this long ago, counts as adjusted (our own
choice)."""


@dataclass(frozen=True, slots=True)
class Slowing:
    """A medicine that slows the heart and was stopped: from when to when, as far as recorded."""

    start: date | None
    end: date | None
    label: str
    source: str


def contributing(
    context: Context, taken: Sequence[Item], stopped: Sequence[Slowing], *, complete: bool
) -> Statements | None:
    """Whether something that slows the heart is taken, or was stopped lately, day by day.

    A medicine that was stopped after a reaction is credited for the reaction: on the days up to
    30 before its stop it counts as adjusted. None when that cannot be told: the list is not whole,
    or one was stopped on an unknown day.
    """
    slowing = [item for item in taken if item.names & SLOWING_CLASSES]
    if slowing:
        # Of several the one that slows the heart itself is named.
        item = min(slowing, key=lambda item: not item.names & _ON_THE_HEART)
        return Statements((Statement("active", None, item.label, item.source),))
    past = [item for item in stopped if item.end is not None and item.end <= context.as_of]
    undated = len(past) < len(stopped)
    if not past:
        return Statements((Statement("none"),)) if complete and not undated else None
    statements = [
        said
        for day in sorted(_changes(past))
        if day <= context.as_of
        and (said := _on(day, past, told=complete and not undated)) is not None
    ]
    if not statements or (statements[-1].value == "adjusted" and _is_over(context.as_of, past)):
        # What followed cannot be told, so that nothing may speak for today.
        return None
    return Statements(tuple(reversed(statements)))


def _changes(past: Sequence[Slowing]) -> set[date]:
    near = timedelta(days=ADJUSTED_DAYS)
    days: set[date] = set()
    for item in past:
        if item.end is not None:
            days |= {item.end - near, item.end, item.end + near + timedelta(days=1)}
        if item.start is not None:
            days.add(item.start)
    return days


def _on(day: date, past: Sequence[Slowing], *, told: bool) -> Statement | None:
    near = timedelta(days=ADJUSTED_DAYS)
    stopped = [
        item for item in past if item.end is not None and item.end - near <= day <= item.end + near
    ]
    if stopped:
        last = max(stopped, key=lambda item: item.end or date.min)
        return Statement("adjusted", day, f"{last.label} stopped on {last.end}", last.source)
    taken = [
        item
        for item in past
        if item.end is not None and day < item.end and item.start is not None and item.start <= day
    ]
    if taken:
        return Statement("active", day, taken[0].label, taken[0].source)
    begun = all(item.start is not None or (item.end or day) <= day for item in past)
    return Statement("none", day) if told and begun else None


def _is_over(day: date, past: Sequence[Slowing]) -> bool:
    last = max(item.end for item in past if item.end is not None)
    return day - last > timedelta(days=ADJUSTED_DAYS)

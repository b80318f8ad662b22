"""Medicines that were stopped, or put on hold, so lately that they still act, or may do so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts.context import Context
from cds_service.facts.identifying import Identified
from cds_service.rules import Item

INDUCER = "strong CYP3A inducer"
NO_HALF_LIFE_DAYS = 30
"""How long a stopped inducer is asked about whose half-life is not in the table (our choice)."""
NO_STOP_DAY_DAYS = 365
"""How long after its start one is asked about whose stop has no day (our own choice)."""
LONG_DAYS = 180
"""A wait this long is never counted out by days alone: levels decide (our own choice)."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One medicine that ended, or is on hold, with the days as far as recorded."""

    found: Identified
    start: date | None
    end: date | None
    paused: bool
    source: str


def still_acting(
    context: Context, stopped: Iterable[Stopped], running: frozenset[str]
) -> tuple[tuple[Item, ...], frozenset[str]]:
    """Inducers within three of their half-lives, and the sources of those that only raise a
    question: the half-life was not read, or the day of the stop is not known.

    One on hold counts as stopped today.
    """
    half_lives = context.book.knowledge.codes.medicine_names.half_lives
    items: list[Item] = []
    unsure: set[str] = set()
    for medicine in stopped:
        found = medicine.found
        if INDUCER not in found.names or running.intersection(found.ingredients):
            continue
        end = context.as_of if medicine.paused else medicine.end
        known = [half_lives[name] for name in found.ingredients if name in half_lives]
        if end is None:
            begun = medicine.start
            if begun is not None and begun < context.as_of - timedelta(days=NO_STOP_DAY_DAYS):
                continue
            sure = False
        else:
            end = min(end, context.as_of)
            days = max((item.three_in_days for item in known), default=NO_HALF_LIFE_DAYS)
            if context.as_of - end > timedelta(days=days):
                continue
            sure = bool(known) and all(item.verified for item in known) and days <= LONG_DAYS
            sure = sure or (medicine.paused and end == context.as_of)
        items.append(Item(found.names, found.label, end, found.label, medicine.source))
        if not sure:
            unsure.add(medicine.source)
    return tuple(items), frozenset(unsure)


def of_unknown_end(
    context: Context, stopped: Iterable[Stopped], maybe: Iterable[Item]
) -> tuple[Item, ...]:
    """What ended, or is on hold, on no known day, and what may be taken although nothing says so.

    Nobody can count from a day that is not recorded how long ago it was.
    """
    long_ago = context.as_of - timedelta(days=NO_STOP_DAY_DAYS)
    ended = [
        Item(item.found.names, item.found.label, None, item.found.label, item.source)
        for item in stopped
        if item.end is None and (item.start is None or item.start >= long_ago)
    ]
    return (*ended, *maybe)


def last_given(
    context: Context, start: date | None, end: date | None, *, active: bool
) -> date | None:
    """The last day on which a medication was given, as far as recorded: today while it runs."""
    if active:
        return context.as_of
    return min(end, context.as_of) if end is not None else start

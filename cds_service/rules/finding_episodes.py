"""How many separate episodes of a concept have begun.

Findings follow each other by their beginnings. One that begins while the episode before it lasts,
or on the day it ended, belongs to it; one that begins after the end is an episode of its own.
Where the end is not recorded, or a finding may not count, both readings are followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cds_service.rules.values import Finding


@dataclass(frozen=True, slots=True)
class Lasting:
    """One dated finding that counts, surely or perhaps (``doubtful``).

    ``until`` is the last day on which it surely lasted, and ``sure`` whether it was over then;
    with ``until`` None it lasts.
    """

    began: date
    until: date | None
    sure: bool = True
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Undated:
    """How many findings without a day count surely, and how many at most."""

    surely: int = 0
    at_most: int = 0


_State = tuple[int, date | None, bool, date]
"""Episodes so far; until when the last one lasted, whether it was surely over then, and the
beginning of its latest finding."""


def count_lasting(findings: Sequence[Lasting], first: date, undated: Undated) -> tuple[int, int]:
    """The fewest and the most episodes that can have begun on or after ``first``.

    A finding without a day is an episode of its own, or part of another one; of those alone one
    has surely begun, though nobody knows when: ``first`` must then be the first of all days.
    """
    states: set[_State | None] = {None}
    for item in sorted(findings, key=_order):
        counts = item.began >= first
        following: set[_State | None] = set()
        for state in states:
            if item.doubtful:
                following.add(state)
            following.update(_with(state, item, counts))
        states = following
    counted = [0 if state is None else state[0] for state in states]
    fewest, most = min(counted), max(counted)
    if not fewest and undated.surely and first == date.min:
        fewest = 1
    return fewest, most + undated.at_most


def _order(item: Lasting) -> tuple[date, date, bool, bool]:
    """By beginning; of one day what ended later, and then what surely ended, comes last."""
    return item.began, item.until or date.max, item.sure, item.doubtful


def _with(state: _State | None, item: Lasting, counts: bool) -> list[_State]:
    own = (item.until, item.sure, item.began)
    if state is None:
        return [(int(counts), *own)]
    count, until, sure, latest = state
    new: _State = (count + counts, *own)
    if until is None or item.until is None:
        same: _State = (count, None, True, item.began)
    else:
        # What began last says when it was over, unless something surely lasted longer.
        later = item.until >= until
        longest = (item.until, item.sure) if later else (until, sure)
        same = (count, *longest, item.began)
    if item.began == latest or until is None or item.began <= until:
        return [same]
    return [new] if sure else [same, new]


def episode_beginnings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that count, oldest first, those without a day last."""
    return tuple(sorted(findings, key=lambda item: (item.began is None, item.began or date.min)))

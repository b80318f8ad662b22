"""A later record with a grade of its own goes on with an earlier one that nobody closed.

Many records state a changed grade as a new condition and never close the old one. Both tell of one
illness, which lasts; of its grade the later one speaks from its day on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import msgspec

from cds_service.facts.concept_matching import EFFECTS, ConceptMatcher
from cds_service.facts.finding_readings import OVER, PRESENT, Reading
from cds_service.fhir.terminology import CodeKey

Kinds = frozenset[CodeKey]


def with_successors(concepts: ConceptMatcher, events: Sequence[Reading]) -> list[Reading]:
    """The events, each marked with the day from which on a later one speaks for it.

    What was succeeded is over when the last of its line is; where the day of that is not known, it
    lasted until it was succeeded.
    """
    kinds = [_kinds(concepts, item) for item in events]
    settled: dict[int, Reading] = {}
    later: dict[CodeKey, list[_Later]] = {}
    # The newest first: how a line ended is known when its older records are looked at.
    newest = sorted(range(len(events)), key=lambda at: events[at].day_order, reverse=True)
    for rank, place in enumerate(newest):
        item = settled[place] = events[place]
        after = [one for kind in kinds[place] for one in _next_of(later.get(kind, ()), item)]
        if after:
            first = min(after)
            settled[place] = _succeeded(item, settled[first.place])
        if (day := item.finding.began) is not None and _may_succeed(item):
            for kind in kinds[place]:
                known = later.setdefault(kind, [])
                if not known or known[-1].day != day:
                    known.append(_Later(day, rank, place))
    return [settled[place] for place in range(len(events))]


class _Later(NamedTuple):
    """An event that may go on with earlier ones: of several of one day that which came first."""

    day: date
    rank: int
    place: int


def _next_of(known: Sequence[_Later], item: Reading) -> Iterator[_Later]:
    """Of the events of a kind, the newest first, that which follows one that is older than all."""
    began = item.finding.began
    if item.finding.status != PRESENT or began is None:
        return
    for one in reversed(known):
        if one.day > began:
            yield one
            return


def _kinds(concepts: ConceptMatcher, item: Reading) -> Kinds:
    """The codes that say of what kind an event is, its concepts where it has no code.

    A code that names only the cause does not: two effects of a drug are not one illness.
    """
    if not item.keys:
        return frozenset(("", name) for name in item.names - EFFECTS)
    return frozenset(key for key in item.keys if not concepts.match([key]) <= EFFECTS)


def _may_succeed(item: Reading) -> bool:
    """Whether it speaks for an earlier one: it was there, with a grade of its own."""
    grade = item.finding.grade
    return item.confirmed and grade is not None and not item.finding.grade_is_least


def _succeeded(item: Reading, later: Reading) -> Reading:
    day = later.finding.began
    if later.finding.status != OVER:
        finding = msgspec.structs.replace(item.finding, succeeded=day)
        return replace(item, finding=finding)
    ended = later.finding.ended or day
    finding = msgspec.structs.replace(item.finding, status=OVER, ended=ended, succeeded=day)
    return replace(item, finding=finding, over=True)

"""A later record with a grade of its own goes on with an earlier one that nobody closed.

Many records state a changed grade as a new condition and never close the old one. Both tell of one
illness, which lasts; of its grade the later one speaks from its day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    # The newest first: how a line ended is known when its older records are looked at.
    for place in sorted(range(len(events)), key=lambda at: events[at].day_order, reverse=True):
        item = settled[place] = events[place]
        after = [
            other
            for other in settled
            if other != place and _goes_on(item, events[other]) and kinds[place] & kinds[other]
        ]
        if after:
            first = min(after, key=lambda at: events[at].day_order)
            settled[place] = _succeeded(item, settled[first])
    return [settled[place] for place in range(len(events))]


def _kinds(concepts: ConceptMatcher, item: Reading) -> Kinds:
    """The codes that say of what kind an event is, its concepts where it has no code.

    A code that names only the cause does not: two effects of a drug are not one illness.
    """
    if not item.keys:
        return frozenset(("", name) for name in item.names - EFFECTS)
    return frozenset(key for key in item.keys if not concepts.match([key]) <= EFFECTS)


def _goes_on(item: Reading, later: Reading) -> bool:
    one, other = item.finding, later.finding
    if one.status != PRESENT or not later.confirmed:
        return False
    if other.grade is None or other.grade_is_least:
        return False
    return one.began is not None and other.began is not None and other.began > one.began


def _succeeded(item: Reading, later: Reading) -> Reading:
    day = later.finding.began
    if later.finding.status != OVER:
        finding = msgspec.structs.replace(item.finding, succeeded=day)
        return replace(item, finding=finding)
    ended = later.finding.ended or day
    finding = msgspec.structs.replace(item.finding, status=OVER, ended=ended, succeeded=day)
    return replace(item, finding=finding, over=True)

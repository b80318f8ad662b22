"""A long chart is looked through once, with the answers that looking at every pair would give.

The slow, obvious ways stand here as the reference for the quick ones.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.alk.uncovered import _Answers
from cds_service.facts.concept_matching import ConceptMatcher
from cds_service.facts.finding_readers.telling_results import TOLD_BY_A_RESULT
from cds_service.facts.finding_readings import (
    ABSENT,
    OVER,
    PRESENT,
    REFUTED,
    SUSPECTED,
    Reading,
)
from cds_service.facts.finding_succession import _kinds, _succeeded, with_successors
from cds_service.facts.findings import _as_events, _merged, _one_event
from cds_service.fhir.views import Condition
from cds_service.rules import Finding
from tests.depth import examples
from tests.facts.records import knowledge

FIRST = date(2026, 1, 1)
NAMES = ("hepatitis", "lung disease", "rash", "any disease")
CODES = (("http://snomed.info/sct", "1"), ("http://snomed.info/sct", "2"), ("urn:house", "3"))
STATUSES = (PRESENT, SUSPECTED, OVER, REFUTED, ABSENT)
KEYS = tuple(f"Condition/{number}" for number in range(6))


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """Records of few days, concepts and codes, so that many tell of the same."""
    days = st.none() | st.integers(0, 3).map(lambda days: FIRST + timedelta(days=days))
    made = []
    for number in range(draw(st.integers(0, 14))):
        names = draw(st.frozensets(st.sampled_from(NAMES), max_size=3))
        status = draw(st.sampled_from(STATUSES))
        grade = draw(st.none() | st.integers(1, 4))
        record = Condition(id=draw(st.sampled_from(("", str(number), str(number % 3)))))
        note = draw(st.sampled_from(("", TOLD_BY_A_RESULT)))
        finding = Finding(
            names=names,
            status=status,
            began=draw(days),
            grade=grade,
            grade_is_least=draw(st.booleans()),
            note=note,
            source=f"Condition/{number}",
        )
        made.append(
            Reading(
                finding,
                draw(st.frozensets(st.sampled_from(CODES), max_size=2)),
                record,
                draw(days),
                over=status == OVER,
                stated=draw(st.booleans()),
                same=draw(st.frozensets(st.sampled_from(KEYS), max_size=2)),
                possible=draw(st.frozensets(st.sampled_from(NAMES), max_size=2)),
            )
        )
    return made


@cache
def _matcher() -> ConceptMatcher:
    return ConceptMatcher(knowledge())


def _events_by_pairs(found: Sequence[Reading]) -> list[Reading]:
    events: list[Reading] = []
    for item in found:
        for place, event in enumerate(events):
            if _one_event(event, item):
                events[place] = _merged(event, item)
                break
        else:
            events.append(item)
    return events


def _goes_on(item: Reading, later: Reading) -> bool:
    one, other = item.finding, later.finding
    if one.status != PRESENT or not later.confirmed:
        return False
    if other.grade is None or other.grade_is_least:
        return False
    return one.began is not None and other.began is not None and other.began > one.began


def _succession_by_pairs(events: Sequence[Reading]) -> list[Reading]:
    concepts = _matcher()
    kinds = [_kinds(concepts, item) for item in events]
    settled: dict[int, Reading] = {}
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


def _answered_by_pairs(event: Reading, events: Sequence[Reading], spoken: Set[str]) -> bool:
    of_a_result = event.finding.note.startswith(TOLD_BY_A_RESULT)
    nameless = not event.names and not event.keys and bool(event.possible)
    if (of_a_result or not nameless) and not spoken.isdisjoint({event.finding.source, *event.same}):
        return True
    if event.finding.status != SUSPECTED:
        return False
    settled: set[str] = set()
    for other in events:
        finding = other.finding
        if of_a_result and finding.status == PRESENT:
            settled |= other.names
        if finding.status in (REFUTED, ABSENT):
            day = other.said or finding.began
            if day is not None and day >= event.day_order:
                settled |= other.names
        elif nameless and not spoken.isdisjoint({finding.source, *other.same}):
            settled |= other.names
    return bool(named := event.names or event.possible) and named <= settled


@pytest.mark.deep
@settings(max_examples=examples(150), deadline=None)
@given(found=readings())
def test_records_of_one_event_are_found_as_by_looking_at_every_pair(found: list[Reading]) -> None:
    assert _as_events(found) == _events_by_pairs(found)


@pytest.mark.deep
@settings(max_examples=examples(150), deadline=None)
@given(found=readings())
def test_what_goes_on_with_an_earlier_event_is_found_as_by_looking_at_every_pair(
    found: list[Reading],
) -> None:
    assert with_successors(_matcher(), found) == _succession_by_pairs(found)


@pytest.mark.deep
@settings(max_examples=examples(150), deadline=None)
@given(found=readings(), spoken=st.frozensets(st.sampled_from(KEYS)))
def test_what_answers_an_event_is_found_as_by_looking_at_every_pair(
    found: list[Reading], spoken: frozenset[str]
) -> None:
    answers = _Answers(found, spoken)
    for event in found:
        assert answers.settle(event) == _answered_by_pairs(event, found, spoken)

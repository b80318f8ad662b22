"""Adverse reactions: their CTCAE grades over time, as series of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from cds_service.facts.concept_matching import ADVERSE_EFFECT
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import Reading
from cds_service.facts.findings import findings_of
from cds_service.facts.grades import Episode, GradedSeries, graded, superseded
from cds_service.rules import FactValue

LUNG_DISEASE = ("interstitial lung disease", "drug-induced interstitial lung disease")
NERVOUS_SYSTEM = (
    "seizure",
    "psychosis",
    "mood disorder",
    "suicidal thoughts",
    "cognitive impairment",
)
GRADED = {
    "interstitial lung disease grade": LUNG_DISEASE,
    "nervous system effects grade": NERVOUS_SYSTEM,
    "visual disturbance grade": ("visual disturbance", "severe visual loss"),
    "muscle symptoms grade": ("myalgia", "myositis", "rhabdomyolysis"),
    "gastrointestinal symptoms grade": ("gastrointestinal symptoms",),
    "rash grade": ("skin reaction", "photosensitivity"),
}
"""The graded facts with the value sets whose concepts they are read from."""

OTHER = "other adverse reaction grade"
_WITHOUT_A_GRADED_ROW = ("bradycardia", "sick sinus syndrome", ADVERSE_EFFECT)
"""Concepts whose grade no other fact holds: as an effect of a cancer drug they count here."""

Readers = dict[str, Callable[[], FactValue | None]]


def reaction_readers(context: Context) -> Readers:
    """The readers of all graded facts about reactions."""
    readers: Readers = {OTHER: lambda: _other_reactions(context)}
    for fact in GRADED:
        readers[fact] = _grades_reader(context, fact)
    return readers


def _grades_reader(context: Context, fact: str) -> Callable[[], FactValue | None]:
    return lambda: _grades(context, fact)


# -- grades -------------------------------------------------------------------------------------


def _grades(context: Context, fact: str) -> GradedSeries | None:
    concepts = _concepts(context, GRADED[fact])
    episodes = _episodes(context, fact, findings_of(context).events_of(*concepts))
    return graded(fact, superseded(episodes), context.as_of)


def _concepts(context: Context, value_sets: Iterable[str]) -> set[str]:
    """The concepts that value sets became."""
    return {name for item in value_sets for name in context.book.concepts.concepts_of(item)}


def _other_reactions(context: Context) -> GradedSeries | None:
    """Reactions to a cancer drug whose codes belong to no other fact.

    Their code does not say what the reaction is, so a later one never stands for an earlier one.
    """
    listed = context.book.knowledge.replacements.value_sets.values()
    own = {name for names in listed for name in names}.difference(_WITHOUT_A_GRADED_ROW)
    events = [
        item
        for item in findings_of(context).events_of(ADVERSE_EFFECT)
        if own.isdisjoint(item.names)
    ]
    return graded(OTHER, list(_episodes(context, OTHER, events)), context.as_of)


def _episodes(context: Context, fact: str, events: Iterable[Reading]) -> Iterator[Episode]:
    """The confirmed events up to the day asked about, with their grades.

    One whose end is not recorded is known to be over on the day asked about, and not before. It
    lasted a day at least.
    """
    for item in events:
        if not item.confirmed:
            continue
        found, ended = item.finding, item.finding.ended
        if item.over and found.began is None and ended is None:
            context.remark(fact, "a reaction that is over and has no usable date was left out")
            continue
        if item.over and ended is None and found.began is not None:
            ended = max(context.as_of, found.began + timedelta(days=1))
        known = found.grade if not found.grade_is_least else None
        as_sent = item.grade_as_sent if known is not None else found.label
        # Without a code the name tells which reactions are of one kind.
        kinds = item.keys or frozenset(("", name) for name in item.names)
        yield Episode(found.began, ended, known, as_sent, found.source, kinds)

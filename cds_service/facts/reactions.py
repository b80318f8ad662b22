"""Adverse reactions: their grades, and which of them began on the running drug."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from cds_service.facts import problems
from cds_service.facts.concept_matching import ADVERSE_EFFECT
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import Reading
from cds_service.facts.findings import findings_of
from cds_service.facts.grades import Episode, GradedSeries, graded, superseded
from cds_service.rules import FactValue, Reason, ReasonKind, Statement, Statements

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
_BRADYCARDIAS = ("bradycardia", "symptomatic bradycardia", "sick sinus syndrome")
_LIFE_THREATENING_GRADE = 4

Readers = dict[str, Callable[[], FactValue | None]]


def reaction_readers(context: Context, running: Sequence[date | None]) -> Readers:
    """The readers of all facts about reactions; `running` are first days of running drugs."""
    readers: Readers = {
        "new interstitial lung disease": lambda: _began_on(
            problems.flag(context, LUNG_DISEASE), running
        ),
        "drug-induced interstitial lung disease": lambda: _began_on(
            problems.flag(context, LUNG_DISEASE[1:]), running
        ),
        "earlier drug-induced interstitial lung disease": lambda: problems.ever(
            context, "drug-induced interstitial lung disease"
        ),
        "nervous system effects": lambda: _nervous_system_effects(context, running),
        "suspected haemolysis": lambda: problems.suspected(context, "haemolysis"),
        "life-threatening bradycardia": lambda: _life_threatening(context),
        "recurrent life-threatening bradycardia": lambda: _repeated(
            context, _severe_bradycardias(context), running
        ),
        "recurrent complete atrioventricular block": lambda: _repeated(
            context, findings_of(context).events_of("complete atrioventricular block"), running
        ),
        OTHER: lambda: _other_reactions(context),
    }
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
    listed = [*GRADED.values(), *context.book.knowledge.fact_list.conditions.values()]
    own = {name for sets in listed for name in _concepts(context, sets)}
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


# -- flags --------------------------------------------------------------------------------------


def _began_on(found: Statements | None, running: Sequence[date | None]) -> Statements | None:
    """Only what began on or after the latest first dose of a running ALK inhibitor.

    `running` are the first days of those drugs. A disease that was there before is no reaction
    to the drug; one whose beginning, or the drug's, is not known stays open.
    """
    if found is None or not running:
        return None
    start = max((day for day in running if day is not None), default=None)
    kept: list[Statement] = []
    undated = False
    for item in found.statements:
        if item.value == "absent" or (start and item.day and item.day >= start):
            kept.append(item)
        elif start is None or item.day is None:
            undated = True
            kept.append(Statement(item.value, None, item.as_sent, item.source))
        else:
            kept.append(Statement("absent", item.day, item.as_sent, item.source))
    reason = Reason.of(ReasonKind.MISSING, "treatment start or onset", "no date is recorded")
    newest = problems.in_order(kept)
    if newest is None or not undated:
        return newest
    return Statements(newest.statements, (reason,))


def _nervous_system_effects(context: Context, running: Sequence[date | None]) -> Statements | None:
    """Effects of any kind that began on the drug.

    No kind stands for the others: only when all of them are absent is the flag absent.
    """
    groups = [_began_on(problems.flag(context, (name,)), running) for name in NERVOUS_SYSTEM]
    said = [group for group in groups if group is not None]
    present = [item for group in said for item in group.statements if item.value == "present"]
    certain = [item for item in present if item.day is not None]
    doubts = tuple(dict.fromkeys(reason for group in said for reason in group.unknown))
    if certain:
        return problems.in_order(certain)
    if present:
        newest = problems.in_order(present)
        return Statements(newest.statements, doubts) if newest is not None else None
    if len(said) < len(NERVOUS_SYSTEM):
        return None
    return problems.in_order(item for group in said for item in group.statements)


def _severe_bradycardias(context: Context) -> list[Reading]:
    return [
        item
        for item in findings_of(context).events_of(*_BRADYCARDIAS)
        if (item.finding.grade or 0) >= _LIFE_THREATENING_GRADE
    ]


def _life_threatening(context: Context) -> Statements | None:
    said = map(problems.statement, _severe_bradycardias(context))
    return problems.in_order(item for item in said if item is not None)


def _repeated(
    context: Context, events: Iterable[Reading], running: Sequence[date | None]
) -> Statements | None:
    """Something that began on two days or more since the first dose.

    An episode that is over counts like one that lasts.
    """
    start = min((day for day in running if day is not None), default=date.min)
    episodes: dict[date, Statement] = {}
    for item in events:
        day = item.finding.began
        if item.confirmed and day is not None and start <= day <= context.as_of:
            said = Statement("present", day, item.finding.label, item.finding.source)
            episodes.setdefault(day, said)
    return Statements((episodes[max(episodes)],)) if len(episodes) > 1 else None

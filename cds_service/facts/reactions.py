"""Adverse reactions: their grades, and which of them began on the running drug."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from cds_service.facts import problems
from cds_service.facts.context import Context
from cds_service.facts.grades import Episode, GradedSeries, graded, superseded
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.record import status_of
from cds_service.fhir.terminology import CodeKey, code_key, concept_keys
from cds_service.fhir.views import Condition
from cds_service.rules import FactValue, Reason, ReasonKind, Statement, Statements

LIFE_THREATENING = ("http://snomed.info/sct", "442452003")
"""SNOMED CT "Life threatening severity (qualifier value)"."""

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
"""The graded facts with the value sets of codes/conditions.yaml they are read from."""

OTHER = "other adverse reaction grade"
_OTHER_SET = "adverse effect of a cancer drug"
_GRADE_SETS = ("adverse event grade", "severity of a condition")
_BRADYCARDIAS = ("bradycardia", "symptomatic bradycardia", "sick sinus syndrome")
_DOUBTED = problems.SUSPECTED | {"refuted"}

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
            context, _conditions(context, ("complete atrioventricular block",)), running
        ),
        OTHER: lambda: _other_reactions(context),
    }
    for fact in GRADED:
        readers[fact] = _grades_reader(context, fact)
    return readers


def _grades_reader(context: Context, fact: str) -> Callable[[], FactValue | None]:
    return lambda: _grades(context, fact)


def _conditions(context: Context, value_sets: Iterable[str]) -> list[Condition]:
    """The conditions of several value sets, each once."""
    found: dict[int, Condition] = {}
    for name in value_sets:
        for condition in context.record.conditions(context.book.value_sets[name]):
            found.setdefault(id(condition), condition)
    return list(found.values())


# -- grades -------------------------------------------------------------------------------------


def _grades(context: Context, fact: str) -> GradedSeries | None:
    episodes = _episodes(context, fact, _conditions(context, GRADED[fact]))
    return graded(fact, superseded(episodes), context.as_of)


def _other_reactions(context: Context) -> GradedSeries | None:
    """Reactions to a cancer drug whose codes belong to no other fact.

    Their code does not say what the reaction is, so a later one never stands for an earlier one.
    """
    own = {name for sets in GRADED.values() for name in sets}
    own.update(
        name for sets in context.book.knowledge.fact_list.conditions.values() for name in sets
    )
    named = {key for name in own for key in context.book.value_sets[name].keys}
    conditions = [
        condition
        for condition in _conditions(context, (_OTHER_SET,))
        if not named.intersection(concept_keys(condition.code))
    ]
    return graded(OTHER, list(_episodes(context, OTHER, conditions)), context.as_of)


def _episodes(context: Context, fact: str, conditions: Iterable[Condition]) -> Iterator[Episode]:
    """The confirmed conditions up to the day asked about, with their grades."""
    scale = _scale(context)
    for condition in conditions:
        if status_of(condition) in _DOUBTED:
            continue
        began = problems.begun(context, condition)
        if problems.not_yet(context, began):
            continue
        over = problems.is_over(condition)
        ended = _end(context, condition, began) if over else None
        if over and began is None and ended is None:
            context.remark(fact, "a reaction that is over and has no usable date was left out")
            continue
        grade, as_sent = _grade(condition, scale)
        codes = frozenset(concept_keys(condition.code))
        yield Episode(began, ended, grade, as_sent, condition.key, codes)


def _end(context: Context, condition: Condition, began: date | None) -> date | None:
    """The first day on which a condition that is over was over.

    An episode of a single day lasted that day. One whose end is not recorded is known to be over
    on the day asked about, and not before.
    """
    period = condition.abatement_period
    ended = context.day_of(condition.abatement_date_time, period.end if period else None)
    if began is None:
        return ended
    next_day = began + timedelta(days=1)
    return max(ended if ended is not None else context.as_of, next_day)


def _scale(context: Context) -> Mapping[CodeKey, int]:
    """The number behind every verified code of a grade or severity."""
    found: dict[CodeKey, int] = {}
    for name in _GRADE_SETS:
        for code in context.book.knowledge.codes.value_sets[name].codes:
            key = code_key(code.system, code.code)
            if code.verified and code.value is not None and key is not None:
                found[key] = code.value
    return found


def _grade(condition: Condition, scale: Mapping[CodeKey, int]) -> tuple[int | None, str]:
    """The highest grade that severity or stage state in codes; words alone state none."""
    concepts: list[CodeableConcept | None] = [condition.severity]
    for stage in condition.stage:
        concepts += [stage.summary, stage.type]
    found: list[tuple[int, str]] = []
    for concept in concepts:
        said = [scale[key] for key in concept_keys(concept) if key in scale]
        label = concept.label if concept is not None else None
        found += [(grade, label or f"grade {grade}") for grade in said]
    if found:
        return max(found, key=lambda item: item[0])
    return None, condition.code.label or "" if condition.code is not None else ""


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


def _severe_bradycardias(context: Context) -> list[Condition]:
    return [
        condition
        for condition in _conditions(context, _BRADYCARDIAS)
        if LIFE_THREATENING in concept_keys(condition.severity)
    ]


def _life_threatening(context: Context) -> Statements | None:
    said = (problems.statement(context, item) for item in _severe_bradycardias(context))
    return problems.in_order(item for item in said if item is not None)


def _repeated(
    context: Context, conditions: Iterable[Condition], running: Sequence[date | None]
) -> Statements | None:
    """A condition that began on two days or more since the first dose.

    An episode that is over counts like one that lasts.
    """
    start = min((day for day in running if day is not None), default=date.min)
    episodes: dict[date, Statement] = {}
    for condition in conditions:
        if problems.statement(context, condition) is None or status_of(condition) == "refuted":
            continue
        day = problems.begun(context, condition)
        if day is not None and start <= day <= context.as_of:
            label = condition.code.label if condition.code is not None else None
            episodes.setdefault(day, Statement("present", day, label or "", condition.key))
    return Statements((episodes[max(episodes)],)) if len(episodes) > 1 else None

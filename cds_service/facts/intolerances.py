"""Allergies and intolerances to an ALK inhibitor as such, whether or not they say what happened.

Some hospitals write them as an alert or as a diagnosis in words: those are read by the drug they
name and by what they say of it.
How a reaction showed is a finding (`finding_readers.allergy`). That an intolerance was recorded at
all is a sign of its own: a record without a reaction would otherwise say nothing to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from cds_service.facts import courses
from cds_service.facts.context import Context
from cds_service.facts.drug_asked_about import INTOLERANCES
from cds_service.facts.finding_readers import flag as alert
from cds_service.facts.finding_readers.allergy import drugs_of, is_over
from cds_service.facts.finding_readers.condition import (
    DOUBTED,
    OVER_STATUSES,
    began_on,
    clinical_status,
)
from cds_service.facts.finding_readings import named
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.event_views import AllergyIntolerance, AllergyReaction, Flag
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Condition
from cds_service.rules import Collection, FactValue, Item, Reason, ReasonKind

WITHOUT_A_REACTION = "without a reaction"
NOT_CONFIRMED = "not confirmed"
_NOT_HELD = frozenset({"refuted", "entered-in-error"})
_IN_WORDS = "intolerance in words"
_LONGEST = 200
"""Characters of a text that is read: a longer one is a letter."""
_DENIED = re.compile(
    r"\b(?:no|not known|none|denie[sd]|excluded|ruled out|keine?|ausgeschlossen|aucune|nessuna)\b",
    re.IGNORECASE,
)


def readers(context: Context) -> dict[str, Callable[[], FactValue | None]]:
    """The fact of this module, worked out when it is asked for."""
    return {INTOLERANCES: lambda: intolerances(context)}


def intolerances(context: Context) -> Collection:
    """Every intolerance to an ALK inhibitor that is neither refuted nor over."""
    complete = "allergies" in context.complete
    missing = Reason.of(ReasonKind.MISSING, INTOLERANCES, "the list was not supplied whole")
    held = (*_recorded(context), *_in_words(context))
    return Collection(held, complete, () if complete else (missing,))


def _recorded(context: Context) -> Iterator[Item]:
    for allergy in context.record.of_type(AllergyIntolerance):
        status = status_of(allergy)
        if status in _NOT_HELD or is_over(allergy):
            continue
        day = context.day_of(allergy.onset_date_time, allergy.recorded_date)
        if day is not None and day > context.as_of:
            continue
        said = {NOT_CONFIRMED} if status in DOUBTED else set()
        told = [reaction for reaction in allergy.reaction if reaction.manifestation]
        substances: list[AllergyReaction | None] = list(told) or [None]
        drugs = frozenset(drug for one in substances for drug in drugs_of(context, allergy, one))
        for drug in sorted(drugs):
            known = () if told else (WITHOUT_A_REACTION,)
            names = frozenset({drug, *courses.generations(context, (drug,)), *known, *said})
            yield Item(names, drug, day, drug, allergy.key)


def _in_words(context: Context) -> Iterator[Item]:
    """What alerts that stand and diagnoses say: nobody can tell from words what happened."""
    for flag in context.record.of_type(Flag):
        if alert.stands(context, flag):
            day = alert.stands_since(context, flag)
            yield from _spoken(context, flag, flag.code, day, NOT_CONFIRMED)
    for condition in context.record.of_type(Condition):
        status = status_of(condition)
        if status in _NOT_HELD or clinical_status(condition) in OVER_STATUSES:
            continue
        day = began_on(context, condition, None)
        doubt = NOT_CONFIRMED if status in DOUBTED else ""
        yield from _spoken(context, condition, condition.code, day, doubt)


def _spoken(
    context: Context,
    record: Resource,
    concept: CodeableConcept | None,
    day: date | None,
    doubt: str,
) -> Iterator[Item]:
    if concept is None or (day is not None and day > context.as_of):
        return
    beginnings = context.book.knowledge.codes.value_sets[_IN_WORDS].match_text
    inhibitors = context.book.knowledge.inhibitors
    drugs: set[str] = set()
    for text in (concept.text, *(coding.display for coding in concept.coding)):
        words = (text or "")[:_LONGEST].lower()
        if any(word in words for word in beginnings) and not _DENIED.search(words):
            drugs |= inhibitors.intersection(context.book.medication_names.in_text(words))
    meaning = named(context, "intolerances", concept)
    told = "" if meaning.names or meaning.possible else WITHOUT_A_REACTION
    for drug in sorted(drugs):
        said = {told, doubt} - {""}
        names = frozenset({drug, *courses.generations(context, (drug,)), *said})
        yield Item(names, drug, day, drug, record.key)

"""Findings from allergies to an ALK inhibitor: what the reaction was, and how severe.

Reactions to other substances are no finding here: they are years old as a rule, and what is
ordered against an allergy is for the EHR to check.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts.context import Context
from cds_service.facts.finding_grades import NO_GRADE, Grade
from cds_service.facts.finding_readers.condition import DOUBTED
from cds_service.facts.finding_readings import (
    OVER,
    PRESENT,
    REFUTED,
    SUSPECTED,
    Reading,
    dated_in_future,
    named,
    reading,
)
from cds_service.facts.grade_scale import FROM_SEVERITY
from cds_service.facts.identifying import identify
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.event_views import AllergyIntolerance, AllergyReaction
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import MedicationRequest
from cds_service.rules.values import A_DRUG

SUBJECT = "allergies"
_SEVERITIES = {"mild": 1, "moderate": 2, "severe": 3}
"""The words of R4's own closed list, which stand for grades like those of a Condition."""
_OVER = frozenset({"inactive", "resolved"})


def read(context: Context) -> Iterator[Reading]:
    """One finding for each way in which a reaction to an ALK inhibitor showed."""
    for allergy in context.record.of_type(AllergyIntolerance):
        for reaction in allergy.reaction:
            drugs = drugs_of(context, allergy, reaction)
            if drugs:
                yield from _read_reaction(context, allergy, reaction, drugs)


def _read_reaction(
    context: Context, allergy: AllergyIntolerance, reaction: AllergyReaction, drugs: frozenset[str]
) -> Iterator[Reading]:
    period = allergy.onset_period
    began = context.day_of(
        reaction.onset,
        allergy.onset_date_time,
        period.start if period is not None else None,
        allergy.last_occurrence,
        allergy.recorded_date,
    )
    if dated_in_future(context, SUBJECT, "an allergy", began):
        return
    verification = status_of(allergy)
    status = OVER if is_over(allergy) else PRESENT
    if verification == "refuted":
        status = REFUTED
    elif verification in DOUBTED:
        status = SUSPECTED
    for item in reaction.manifestation:
        meaning = named(context, SUBJECT, item.said)
        if meaning.denied:
            continue
        yield reading(
            allergy,
            meaning,
            status,
            began,
            as_of=context.as_of,
            said=began,
            grade=_grade(context, reaction),
            causes={A_DRUG, *drugs},
        )


def _grade(context: Context, reaction: AllergyReaction) -> Grade:
    word = (reaction.severity or "").strip().lower()
    if word in _SEVERITIES:
        return Grade(_SEVERITIES[word], FROM_SEVERITY, word)
    return NO_GRADE


def is_over(allergy: AllergyIntolerance) -> bool:
    """Whether the allergy is recorded as one of the past."""
    clinical = allergy.clinical_status
    codes = {coding.code for coding in clinical.coding} if clinical is not None else set()
    return not _OVER.isdisjoint(codes)


def drugs_of(
    context: Context, allergy: AllergyIntolerance, reaction: AllergyReaction | None
) -> frozenset[str]:
    """The ALK inhibitors that the substance is, of the allergy or of one reaction of it."""
    found: set[str] = set()
    for concept in (allergy.code, reaction.substance if reaction is not None else None):
        if isinstance(concept, CodeableConcept):
            use = MedicationRequest(medication_codeable_concept=concept)
            found.update(identify(context, context.record.medication_concept(use)).ingredients)
    return frozenset(found & context.book.knowledge.inhibitors)

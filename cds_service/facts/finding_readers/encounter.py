"""Findings from visits: diagnoses that stand nowhere else, and why the patient came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.condition import NOT_HELD, read_condition, visit_day
from cds_service.facts.finding_readings import (
    OVER,
    PRESENT,
    REFUTED,
    SUSPECTED,
    Named,
    Reading,
    dated_in_future,
    named,
    reading,
)
from cds_service.fhir.datatypes import CodeableConcept, Reference
from cds_service.fhir.references import parse_reference
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Condition, Encounter

SUBJECT = "visits"
_REASON_FOR_DAYS = 180
"""As long as the net under the dose tables calls an event new."""


def read(context: Context) -> Iterator[Reading]:
    """The diagnoses of every visit that was held, as far as no Condition of the record says them.

    A reference that leads nowhere may still name the diagnosis.
    """
    for encounter in context.record.of_type(Encounter):
        if status_of(encounter) in NOT_HELD:
            continue
        day = visit_day(context, encounter)
        if dated_in_future(context, SUBJECT, "a visit", day):
            continue
        for diagnosis in encounter.diagnosis:
            stated = diagnosis.condition
            listed = (stated,) if isinstance(stated, Reference) else tuple(stated or ())
            for item in listed:
                if isinstance(item, Reference):
                    found = _referred(context, encounter, item, day)
                elif item.reference is not None:
                    found = _referred(context, encounter, item.reference, day)
                else:
                    found = _said(context, encounter, item.concept, day)
                if found is not None:
                    yield found
        yield from _reasons(context, encounter, day)


def _reasons(context: Context, encounter: Encounter, day: date | None) -> Iterator[Reading]:
    """What the patient came for: a symptom was there, a disease was at least thought of.

    A reason is no diagnosis. It says nothing new of what the problem list knows already, nothing
    of the tumour, and after half a year nothing of today.
    """
    if day is not None and day < context.as_of - timedelta(days=_REASON_FOR_DAYS):
        return
    for concept in _reason_concepts(context, encounter):
        meaning = named(context, SUBJECT, concept)
        if meaning.denied or not (meaning.label or meaning.keys):
            continue
        if meaning.certainty in ("excluded", "over") or _is_known(context, meaning, day):
            continue
        concepts = context.book.concepts
        if concepts.any_of_chapter(meaning.names | meaning.possible, "cancer"):
            continue
        symptom = concepts.symptoms_only(meaning.names)
        status = PRESENT if symptom else SUSPECTED
        yield reading(
            encounter, meaning, status, day, as_of=context.as_of, note="reason of a visit"
        )


def _reason_concepts(context: Context, encounter: Encounter) -> Iterator[CodeableConcept]:
    """The reasons that no other record of the chart says."""
    yield from encounter.reason_code
    references = list(encounter.reason_reference)
    for reason in encounter.reason:
        for item in reason.value:
            if item.concept is not None:
                yield item.concept
            if item.reference is not None:
                references.append(item.reference)
    for reference in references:
        if reference.display and context.record.resolve(reference, encounter) is None:
            yield CodeableConcept(text=reference.display)


def _is_known(context: Context, meaning: Named, day: date | None) -> bool:
    """Whether a Condition that was there before the visit already says what the reason says."""
    for condition in context.record.of_type(Condition):
        known = read_condition(context, condition)
        if known is None or known.finding.status != PRESENT:
            continue
        began = known.finding.began
        if began is not None and day is not None and began > day:
            continue
        same = meaning.names <= known.names if meaning.names else meaning.keys & known.keys
        if same and (meaning.names or meaning.keys):
            return True
    return False


def _referred(
    context: Context, encounter: Encounter, reference: Reference, day: date | None
) -> Reading | None:
    parsed = parse_reference(reference.reference)
    target = context.record.resolve(reference, encounter)
    if target is None:
        if not reference.display or (parsed is not None and parsed.resource_type == "Procedure"):
            return None
        return _said(context, encounter, CodeableConcept(text=reference.display), day)
    if isinstance(target, Condition) and parsed is not None and parsed.fragment is not None:
        # A Condition of the record is read as one; what a visit contains is read here only.
        return read_condition(context, target, visited=day)
    return None


def _said(
    context: Context, encounter: Encounter, concept: CodeableConcept | None, day: date | None
) -> Reading | None:
    meaning = named(context, SUBJECT, concept)
    if meaning.denied or not (meaning.label or meaning.keys):
        return None
    status = {"suspected": SUSPECTED, "excluded": REFUTED, "over": OVER}.get(meaning.certainty)
    return reading(
        encounter, meaning, status or PRESENT, day, as_of=context.as_of, note="diagnosis of a visit"
    )

"""Findings from visits: diagnoses that stand nowhere else, and why the patient came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.condition import NOT_HELD, read_condition, visit_day
from cds_service.facts.finding_readers.reasons import of_reason
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
from cds_service.fhir.datatypes import CodeableConcept, Reference
from cds_service.fhir.references import parse_reference
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Condition, Encounter

SUBJECT = "visits"


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
    """What the patient came for."""
    for concept in _reason_concepts(context, encounter):
        found = of_reason(context, SUBJECT, encounter, concept, day, "reason of a visit")
        if found is not None:
            yield found


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

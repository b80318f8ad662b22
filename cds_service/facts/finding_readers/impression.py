"""Findings from ClinicalImpressions: what a clinician thought of when seeing the patient.

FHIR calls a finding of an impression possible or likely, whatever the status: it is a suspicion,
never a diagnosis. A symptom was there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import msgspec

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.condition import read_condition
from cds_service.facts.finding_readers.reasons import of_reason
from cds_service.facts.finding_readings import (
    REFUTED,
    Reading,
    dated_in_future,
    named,
    only_told,
    reading,
)
from cds_service.fhir.datatypes import CodeableConcept, Reference
from cds_service.fhir.event_views import ClinicalImpression
from cds_service.fhir.references import parse_reference
from cds_service.fhir.statuses import WITHDRAWN, status_of
from cds_service.fhir.views import Condition

SUBJECT = "impressions"
_NOTE = "finding of a clinical impression"
_NOT_HELD = frozenset({*WITHDRAWN, "not-done", "draft", "preparation"})


def read(context: Context) -> Iterator[Reading]:
    """What every impression considers, by code or name; its summary is enough to ask."""
    for impression in context.record.of_type(ClinicalImpression):
        if status_of(impression) in _NOT_HELD:
            continue
        period = impression.effective_period
        day = context.day_of(
            impression.effective_date_time,
            (period.start or period.end) if period is not None else None,
            impression.date,
        )
        if dated_in_future(context, SUBJECT, "an impression", day):
            continue
        coded: set[str] = set()
        for found in _considered(context, impression, day):
            coded |= found.names | found.possible
            yield found
        told = context.book.concepts.told(impression.summary) - coded
        told |= context.book.concepts.told(impression.description) - coded
        if told:
            yield only_told(context, impression, told, day, "named in the words of an impression")


def _considered(
    context: Context, impression: ClinicalImpression, day: date | None
) -> Iterator[Reading]:
    for finding in impression.finding:
        item = finding.item
        concepts = (finding.item_codeable_concept, item.concept if item is not None else None)
        references = (finding.item_reference, item.reference if item is not None else None)
        # What changes the meaning of a finding in a way nobody knows must not be read as if it
        # were not there, nor be passed over.
        doubtful = bool(impression.modifier_extension or finding.modifier_extension)
        for concept in concepts:
            yield from _said(context, impression, concept, day, doubtful=doubtful)
        for reference in references:
            yield from _referred(context, impression, reference, day, doubtful=doubtful)
    for reference in impression.problem:
        yield from _referred(context, impression, reference, day, doubtful=False)


def _said(
    context: Context,
    impression: ClinicalImpression,
    concept: CodeableConcept | None,
    day: date | None,
    *,
    doubtful: bool,
) -> Iterator[Reading]:
    meaning = named(context, SUBJECT, concept)
    if (meaning.denied or meaning.certainty == "excluded") and meaning.names and not doubtful:
        yield reading(impression, meaning, REFUTED, day, as_of=context.as_of, said=day, note=_NOTE)
        return
    found = of_reason(context, SUBJECT, impression, concept, day, _NOTE)
    if found is None:
        return
    if doubtful:
        left = found.possible | context.book.concepts.lowest(found.names)
        nameless = msgspec.structs.replace(found.finding, names=frozenset())
        found = replace(found, finding=nameless, possible=left)
    yield replace(found, said=day)


def _referred(
    context: Context,
    impression: ClinicalImpression,
    reference: Reference | None,
    day: date | None,
    *,
    doubtful: bool,
) -> Iterator[Reading]:
    """A reference to what the record holds is read there; what is contained is read here."""
    if reference is None:
        return
    target = context.record.resolve(reference, impression)
    parsed = parse_reference(reference.reference)
    if target is None:
        shown = CodeableConcept(text=reference.display) if reference.display else None
        yield from _said(context, impression, shown, day, doubtful=doubtful)
    elif isinstance(target, Condition) and parsed is not None and parsed.fragment is not None:
        found = read_condition(context, target, visited=day)
        if found is not None:
            yield found

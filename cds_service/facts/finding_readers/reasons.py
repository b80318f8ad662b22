"""Reasons: why the patient came, why something was ordered or done, why a medicine was stopped.

A reason is no diagnosis: a disease was at least thought of. It says nothing new of what the problem
list knows already, nothing of the tumour, and after half a year nothing of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import msgspec

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.condition import read_condition
from cds_service.facts.finding_readings import (
    PRESENT,
    SUSPECTED,
    Named,
    Reading,
    named,
    reading,
    says_something,
)
from cds_service.fhir.datatypes import CodeableConcept, Period
from cds_service.fhir.references import parse_reference
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import WITHDRAWN, status_of
from cds_service.fhir.terminology import CodeKey
from cds_service.fhir.views import (
    Condition,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    MedicationUse,
    Procedure,
    ServiceRequest,
)

SUBJECT = "reasons of orders"
_FOR_DAYS = 180
"""As long as the net under the dose tables calls an event new."""
_TREATMENTS = frozenset({"oxygen therapy", "dialysis"})
_NOT_DONE = frozenset({*WITHDRAWN, "not-done", "draft", "revoked"})


def of_reason(
    context: Context,
    subject: str,
    record: Resource,
    concept: CodeableConcept | None,
    day: date | None,
    note: str,
) -> Reading | None:
    """What one reason says: a symptom was there, a disease was thought of; None for nothing new."""
    if day is not None and not context.as_of - timedelta(days=_FOR_DAYS) <= day <= context.as_of:
        return None
    meaning = named(context, subject, concept)
    if meaning.denied or not (meaning.label or meaning.keys):
        return None
    if meaning.certainty in ("excluded", "over") or is_known(context, meaning, day):
        return None
    concepts = context.book.concepts
    if concepts.any_of_chapter(meaning.names | meaning.possible, "cancer"):
        return None
    status = PRESENT if concepts.symptoms_only(meaning.names) else SUSPECTED
    return reading(record, meaning, status, day, as_of=context.as_of, note=note)


def read(context: Context) -> Iterator[Reading]:
    """The diseases for which something was ordered, done, stopped or put on hold.

    A medicine against a symptom is given to prevent it, too: that says nothing. A test is ordered
    to look for a disease: that leaves it possible, and is enough to ask.
    """
    for record, listed, day, note in _reasons(context):
        for concept in listed:
            found = of_reason(context, SUBJECT, record, concept, day, note)
            if found is None or not says_something(named(context, SUBJECT, concept)):
                continue
            if isinstance(record, MedicationUse) and found.finding.status == PRESENT:
                continue
            if isinstance(record, ServiceRequest):
                left = found.possible | context.book.concepts.lowest(found.names)
                nameless = msgspec.structs.replace(found.finding, names=frozenset())
                found = replace(found, finding=nameless, possible=left)
            yield found


def _reasons(
    context: Context,
) -> Iterator[tuple[Resource, Iterable[CodeableConcept], date | None, str]]:
    for request in context.record.of_type(ServiceRequest):
        if status_of(request) not in _NOT_DONE:
            day = context.day_of(request.authored_on, request.occurrence_date_time)
            asked = (request.code,) if request.code is not None else ()
            treatments = [code for code in asked if _is_treatment(context, code)]
            if day is not None:
                yield request, [*_stated(context, request)], day, "reason of an order"
                yield request, treatments, day, "ordered"
    for procedure in context.record.of_type(Procedure):
        if status_of(procedure) not in _NOT_DONE:
            day = context.day_of(
                procedure.performed_date_time,
                procedure.occurrence_date_time,
                _start(procedure.performed_period or procedure.occurrence_period),
            )
            yield procedure, [*_stated(context, procedure)], day, "reason of a procedure"
    for use in context.record.of_type(MedicationUse):
        status = status_of(use)
        if status in (*WITHDRAWN, "draft"):
            continue
        begun = _begun(context, use)
        if begun is not None and status not in _NOT_DONE:
            yield use, [*_stated(context, use)], begun, "reason of a prescription"
        why = "reason for which a medicine was stopped, put on hold or not given"
        yield use, _why_ended(use), _ended(context, use, begun), why


def _stated(
    context: Context, record: ServiceRequest | Procedure | MedicationUse
) -> Iterator[CodeableConcept]:
    """The reasons of a record, as far as no other record of the chart says them.

    A reference that leads nowhere may still name the disease, and what a record contains is read
    nowhere else.
    """
    yield from record.reason_code
    yield from (item.concept for item in record.reason if item.concept is not None)
    further = (item.reference for item in record.reason if item.reference is not None)
    for reference in (*record.reason_reference, *further):
        target = context.record.resolve(reference, record)
        parsed = parse_reference(reference.reference)
        inside = parsed is not None and parsed.fragment is not None
        if target is None and reference.display:
            yield CodeableConcept(text=reference.display)
        elif isinstance(target, Condition) and inside and target.code is not None:
            yield target.code


def _begun(context: Context, use: MedicationUse) -> date | None:
    """The day on which a medicine was ordered, given or begun."""
    if isinstance(use, MedicationRequest):
        return context.day_of(use.authored_on)
    if isinstance(use, MedicationStatement):
        start = _start(use.effective_period)
        return context.day_of(use.effective_date_time, start, use.date_asserted)
    if isinstance(use, MedicationAdministration):
        start = _start(use.effective_period or use.occurence_period)
        return context.day_of(use.effective_date_time, use.occurence_date_time, start)
    if isinstance(use, MedicationDispense):
        return context.day_of(use.when_handed_over, use.when_prepared)
    return None


def _ended(context: Context, use: MedicationUse, begun: date | None) -> date | None:
    """The day on which it was stopped or put on hold, as far as the record says; a single dose or
    supply has one day."""
    updated = use.meta.last_updated if use.meta is not None else None
    if isinstance(use, MedicationRequest):
        period = use.effective_dose_period
        return context.day_of(use.status_changed, period.end if period else None, updated)
    if isinstance(use, MedicationStatement):
        period = use.effective_period
        return context.day_of(period.end if period else None, use.date_asserted, updated)
    return begun


def _why_ended(use: MedicationUse) -> tuple[CodeableConcept, ...]:
    sent = use.status_reason
    ends = sent if isinstance(sent, tuple) else (sent,) if sent is not None else ()
    if isinstance(use, MedicationDispense) and use.status_reason_codeable_concept is not None:
        ends = (*ends, use.status_reason_codeable_concept)
    return ends


def _is_treatment(context: Context, code: CodeableConcept | None) -> bool:
    """Whether what is ordered is itself a sign of how ill somebody is."""
    return not named(context, SUBJECT, code).names.isdisjoint(_TREATMENTS)


def _start(period: Period | None) -> str | None:
    return (period.start or period.end) if period is not None else None


@dataclass(frozen=True)
class _Diagnosed:
    """The diagnoses that are there, read once for all reasons."""

    by_names: Mapping[frozenset[str], date]
    by_key: Mapping[CodeKey, date]
    """The first day of what is known by these concepts, or by this code; without one the first of
    all days."""

    @classmethod
    def of(cls, context: Context) -> _Diagnosed:
        by_names: dict[frozenset[str], date] = {}
        by_key: dict[CodeKey, date] = {}
        for one in context.record.of_type(Condition):
            item = read_condition(context, one)
            if item is None or item.finding.status != PRESENT:
                continue
            began = item.day_order
            by_names[item.names] = min(began, by_names.get(item.names, began))
            for key in item.keys:
                by_key[key] = min(began, by_key.get(key, began))
        return cls(by_names, by_key)

    def since(self, meaning: Named) -> date | None:
        """The first day on which all that a reason says was known; None where it never was."""
        if meaning.names:
            days = [day for names, day in self.by_names.items() if meaning.names <= names]
        else:
            days = [self.by_key[key] for key in meaning.keys if key in self.by_key]
        return min(days, default=None)


def is_known(context: Context, meaning: Named, day: date | None) -> bool:
    """Whether a Condition that was there before already says what the reason says."""
    if not (meaning.names or meaning.keys):
        return False
    since = context.once(_Diagnosed, _Diagnosed.of).since(meaning)
    return since is not None and (day is None or since <= day)

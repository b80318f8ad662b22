"""The days that a chart knows of: of each resource, the newest of all, and that of the birth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.facts.context import Context
from cds_service.facts.medication_orders import OVER, ends_of
from cds_service.fhir.datatypes import Period
from cds_service.fhir.dates import parse_moment
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import MedicationRequest, MedicationUse, ServiceRequest

_WRITTEN = (
    "authored_on", "authored", "status_changed", "date_asserted", "recorded_date", "issued", "date",
    "detected",
    "effective_date_time", "effective_instant", "performed_date_time", "occurrence_date_time",
    "occurence_date_time", "onset_date_time", "last_occurrence", "abatement_date_time",
    "when_prepared", "when_handed_over", "received_time", "deceased_date_time", "recorded_on",
    "timing_date_time",
)  # fmt: skip
_PERIODS = (
    "effective_period", "performed_period", "occurrence_period", "occurence_period",
    "onset_period", "abatement_period", "period", "actual_period", "timing_period",
)  # fmt: skip

_PLANNED = frozenset({"planned", "preparation", "intended"})
"""Statuses of visits, procedures and statements that speak of what is to come."""


class BeforeBirthError(ValueError):
    """The day asked about lies before the patient's birth; the message names the field."""

    def __init__(self, as_of: date) -> None:
        super().__init__(f"the day asked about, {as_of}, lies before Patient.birthDate")


def is_before_birth(context: Context) -> bool:
    """Whether the day asked about lies before the birth, as exactly as that was sent."""
    patient = context.record.patient
    birth = parse_moment(patient.birth_date, context.zone) if patient is not None else None
    return birth is not None and context.as_of < birth.first_day


def newest_day(context: Context, no_later_than: date | None = None) -> date | None:
    """The newest day on which anything in the chart happened or was written down.

    Plans do not count: what is still to come does not show when a chart was read. Days after
    `no_later_than`, the calendar's today, are slips.
    """
    days = [
        moment.first_day
        for resource in context.record.of_type(Resource, withdrawn=True)
        for text in days_of(resource)
        if (moment := parse_moment(text, context.zone)) is not None
    ]
    return max((day for day in days if no_later_than is None or day <= no_later_than), default=None)


def days_of(sent: Resource) -> Iterator[str]:
    """The days on which something of a resource happened or was written down; plans are none."""
    if sent.meta is not None and sent.meta.last_updated:
        yield sent.meta.last_updated
    plan = isinstance(sent, ServiceRequest) or status_of(sent) in _PLANNED
    for name in _WRITTEN:
        text = getattr(sent, name, None)
        if isinstance(text, str) and not (plan and name == "occurrence_date_time"):
            yield text
    if plan:
        return
    lasts = isinstance(sent, MedicationUse) and status_of(sent) not in OVER
    for name in _PERIODS:
        period = getattr(sent, name, None)
        if isinstance(period, Period):
            yield from (text for text in (period.start, None if lasts else period.end) if text)
    if isinstance(sent, MedicationRequest) and not lasts:
        yield from ends_of(sent)

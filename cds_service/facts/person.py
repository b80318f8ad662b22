"""What the Patient resource itself says: sex, and whether the patient has died."""

from __future__ import annotations

from datetime import date, tzinfo

from cds_service.facts.context import Context
from cds_service.fhir.dates import parse_moment
from cds_service.fhir.views import Patient
from cds_service.rules import Statement, Statements


def sex(context: Context) -> Statements | None:
    """The administrative gender, where it is female or male."""
    patient = context.record.patient
    gender = (patient.gender or "").strip().lower() if patient is not None else ""
    if gender not in ("female", "male"):
        return None
    return Statements((Statement(gender, None, gender, "Patient"),))


def death(context: Context) -> Statements | None:
    """Present when the patient is said to have died, absent when that is denied."""
    patient = context.record.patient
    return death_of(patient, context.as_of, context.zone) if patient is not None else None


def death_of(patient: Patient, as_of: date, zone: tzinfo) -> Statements | None:
    """What a Patient resource says of the death, as known on a day.

    A day that cannot be read is still a death; one after the day asked about is not known yet.
    """
    if patient.deceased_date_time is not None:
        moment = parse_moment(patient.deceased_date_time, zone)
        day = moment.day if moment is not None else None
        if day is not None and day > as_of:
            return None
        return Statements((Statement("present", day, "died", "Patient"),))
    if patient.deceased_boolean is None:
        return None
    value = "present" if patient.deceased_boolean else "absent"
    return Statements((Statement(value, None, "died" if value == "present" else "", "Patient"),))

"""Impressions, alerts and devices of an earlier day are read as they stood then."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from cds_service.facts.context import CodeBook, Context
from cds_service.facts.past import as_it_was
from cds_service.fhir.event_views import (
    ClinicalImpression,
    Device,
    DeviceUseStatement,
    Encounter,
    Flag,
)
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from tests.facts.records import AS_OF, Json, day, knowledge, person, resource

LATER = day(-10)
EARLIER = day(10)


def record_then(kind: str, **body: object) -> PatientRecord:
    """The record of the day asked about; the chart was read sixty days after it."""
    made: Json = resource(kind, dict(body))
    if kind == "Device":
        made["patient"] = made.pop("subject")
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": one} for one in (made, person(None, None))],
    }
    record = PatientRecord.build("p", [read_resources(bundle)])
    context = Context(CodeBook.of(knowledge()), record, AS_OF, UTC, frozenset())
    return as_it_was(context, AS_OF + timedelta(days=60)).record


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ClinicalImpression, {"date": LATER}),
        (ClinicalImpression, {"effectivePeriod": {"start": LATER}}),
        (Encounter, {"period": {"start": LATER}}),
        (Flag, {"period": {"start": LATER}}),
        (DeviceUseStatement, {"timingPeriod": {"start": LATER}}),
        (DeviceUseStatement, {"recordedOn": LATER}),
    ],
)
def test_what_is_of_later_is_not_there(kind: type, body: Json) -> None:
    assert record_then(kind.__name__, **body).of_type(kind) == ()


def test_an_impression_of_before_is_there() -> None:
    assert record_then("ClinicalImpression", date=EARLIER).of_type(ClinicalImpression)


@pytest.mark.parametrize("end", [{}, {"end": LATER}])
def test_an_alert_that_was_not_surely_taken_down_stood(end: Json) -> None:
    (flag,) = record_then("Flag", status="inactive", period={"start": EARLIER, **end}).of_type(Flag)
    assert flag.status == "active"
    assert flag.period is not None
    assert flag.period.end is None


def test_an_alert_that_was_taken_down_before_did_not_stand() -> None:
    period = {"start": day(20), "end": EARLIER}
    (flag,) = record_then("Flag", status="inactive", period=period).of_type(Flag)
    assert flag.status == "inactive"


def test_nobody_knows_since_when_somebody_has_a_device_unless_nothing_was_changed() -> None:
    (device,) = record_then("Device", status="active").of_type(Device)
    assert device.status is None
    kept = record_then("Device", status="active", meta={"lastUpdated": f"{EARLIER}T08:00:00Z"})
    assert kept.of_type(Device)[0].status == "active"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "active", "timingPeriod": {"start": EARLIER}}, "active"),
        ({"status": "completed", "timingPeriod": {"start": EARLIER, "end": LATER}}, "active"),
        ({"status": "completed", "timingPeriod": {"start": day(20), "end": EARLIER}}, "completed"),
        ({"status": "stopped", "timingPeriod": {"start": EARLIER}}, "unknown"),
    ],
)
def test_a_device_was_used_until_its_end(body: Json, status: str) -> None:
    (use,) = record_then("DeviceUseStatement", **body).of_type(DeviceUseStatement)
    assert use.status == status

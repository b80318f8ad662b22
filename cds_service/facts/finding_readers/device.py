"""Findings from Devices and the statements of their use: a pacemaker is in place.

A Device that names the patient is one that this patient has; the product alone is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.reasons import of_reason
from cds_service.facts.finding_readings import (
    OVER,
    PRESENT,
    SUSPECTED,
    Reading,
    believed_end,
    dated_in_future,
    named,
    reading,
)
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.event_views import Device, DeviceUseStatement
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import WITHDRAWN, status_of

SUBJECT = "devices"
_USED = {
    "active": PRESENT,
    "completed": OVER,
    "stopped": OVER,
    "on-hold": OVER,
}
"""What R4 says of the use: `completed` means that the device is no longer used. A use that is
intended, or does not say, may be or come."""
_HAD = {"active": PRESENT, "inactive": OVER}


def read(context: Context) -> Iterator[Reading]:
    """Every device of the patient that is a concept by its type or name, and why it is used."""
    for device in context.record.of_type(Device):
        if device.patient is not None and status_of(device) not in WITHDRAWN:
            status = _HAD.get(status_of(device) or "", SUSPECTED)
            yield from _of_device(context, device, _called(device), status, None)
    for use in context.record.of_type(DeviceUseStatement):
        if status_of(use) not in WITHDRAWN:
            yield from _of_use(context, use)


def _of_use(context: Context, use: DeviceUseStatement) -> Iterator[Reading]:
    period = use.timing_period
    began = context.day_of(
        period.start if period is not None else None, use.timing_date_time, use.recorded_on
    )
    if dated_in_future(context, SUBJECT, "the use of a device", began):
        return
    sent = context.day_of(period.end) if period is not None else None
    ended = believed_end(context, SUBJECT, "the use of a device", began, sent)
    status = _USED.get(status_of(use) or "", SUSPECTED)
    if ended is not None and status == PRESENT:
        status = OVER
    target = context.record.resolve(use.device, use)
    shown = use.device.display if use.device is not None else None
    called = _called(target) if isinstance(target, Device) else ()
    names = (*called, CodeableConcept(text=shown)) if shown else called
    yield from _of_device(context, use, names, status, began, ended)
    for concept in use.reason_code:
        found = of_reason(context, SUBJECT, use, concept, began, "reason for a device")
        if found is not None and found.names:
            yield found


def _called(device: Device) -> tuple[CodeableConcept, ...]:
    """The type of a device, else the names it goes by."""
    types = device.type if isinstance(device.type, tuple) else (device.type,)
    texts = (name.name or name.value for name in device.device_name)
    return (
        *(item for item in types if item is not None),
        *(CodeableConcept(text=text) for text in texts if text),
    )


def _of_device(
    context: Context,
    record: Resource,
    names: tuple[CodeableConcept, ...],
    status: str,
    began: date | None,
    ended: date | None = None,
) -> Iterator[Reading]:
    """The first of the names that is a concept."""
    for concept in names:
        meaning = named(context, SUBJECT, concept)
        if meaning.names and not meaning.denied:
            yield reading(
                record,
                meaning,
                status,
                began,
                as_of=context.as_of,
                ended=ended,
                said=ended or began,
                stated=status == OVER,
            )
            return

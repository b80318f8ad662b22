"""Visits, impressions, alerts and devices as they stood on an earlier day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from cds_service.fhir.datatypes import Period
from cds_service.fhir.event_views import (
    ClinicalImpression,
    Device,
    DeviceUseStatement,
    Encounter,
    Flag,
)
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import WITHDRAWN, status_of


class _IsLater(Protocol):
    """Whether any of the days lies after the day asked about."""

    def __call__(self, *texts: str | None) -> bool: ...


@dataclass(frozen=True)
class SignsThen:
    """What each of these resources was on the day asked about; None for what was not there yet.

    `untouched_since` tells whether nothing of a resource was changed after that day.
    """

    is_later: _IsLater
    untouched_since: Callable[[Resource], bool]

    @property
    def changes(self) -> tuple[tuple[type[Resource], Callable[..., Resource | None]], ...]:
        """By type how a resource is taken back to that day."""
        return (
            (Encounter, self._visit),
            (ClinicalImpression, self._impression),
            (Flag, self._flag),
            (Device, self._device),
            (DeviceUseStatement, self._device_use),
        )

    def _visit(self, sent: Encounter) -> Encounter | None:
        period = sent.period or sent.actual_period or Period()
        return None if self.is_later(period.start or period.end) else sent

    def _impression(self, sent: ClinicalImpression) -> ClinicalImpression | None:
        period = sent.effective_period or Period()
        begun = (sent.effective_date_time, period.start or period.end, sent.date)
        return None if self.is_later(*begun) else sent

    def _flag(self, sent: Flag) -> Flag | None:
        """An alert that was taken down later still stood; without an end nobody knows."""
        period = sent.period or Period()
        if self.is_later(period.start):
            return None
        if status_of(sent) != "inactive" or self._had_ended(sent, period.end):
            return sent
        return replace(sent, status="active", period=open_from(sent.period))

    def _device(self, sent: Device) -> Device:
        """No element says since when somebody has a device."""
        return sent if self.untouched_since(sent) else replace(sent, status=None)

    def _device_use(self, sent: DeviceUseStatement) -> DeviceUseStatement | None:
        period = sent.timing_period or Period()
        if self.is_later(period.start, sent.timing_date_time, sent.recorded_on):
            return None
        later = self.is_later(period.end)
        lasts = status_of(sent) in ("active", *WITHDRAWN) and not later
        if lasts or self._had_ended(sent, period.end):
            return sent
        status = "active" if later else "unknown"
        return replace(sent, status=status, timing_period=open_from(sent.timing_period))

    def _had_ended(self, sent: Resource, end: str | None) -> bool:
        """Whether what is over by now is known to have been so on that day."""
        return self.untouched_since(sent) or (bool(end) and not self.is_later(end))


def open_from(period: Period | None) -> Period | None:
    """A period whose end is not known yet."""
    return replace(period, end=None) if period is not None else None

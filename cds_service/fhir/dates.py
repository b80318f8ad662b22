"""FHIR dates with the precision and zone they were sent with."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum

from cds_service.fhir.datatypes import Period
from cds_service.fhir.views import DiagnosticReport, Observation

_MOMENT = re.compile(
    r"(?P<year>\d{4})"
    r"(?:-(?P<month>\d{2})"
    r"(?:-(?P<day>\d{2})"
    r"(?:[Tt ](?P<clock>\d{2}:\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d+)?)?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?"
    r")?)?)?\Z"
)

_BEFORE_ANY_TIME = datetime.min.replace(tzinfo=UTC)


class Precision(StrEnum):
    """How much of the moment was sent."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as sent and as understood.

    `day` is the calendar day at the facility, None when only a year or a month was sent.
    `instant` is set when a time was sent; it always has a zone. `zone_sent` is False when the
    sender left the zone out and the facility's zone was taken.
    """

    day: date | None
    instant: datetime | None
    precision: Precision
    as_sent: str
    zone_sent: bool = True

    @property
    def sort_key(self) -> tuple[date, datetime]:
        """Orders usable moments; a day without a time comes before the times of that day.

        Raises ValueError for a moment that is not usable as a day.
        """
        if self.day is None:
            raise ValueError("a year or a month has no place among days")
        return (self.day, self.instant or _BEFORE_ANY_TIME)

    @property
    def first_day(self) -> date:
        """The day, or the first one of the month or year when no more was sent."""
        if self.day is not None:
            return self.day
        year, _, month = self.as_sent.partition("-")
        return date(int(year), int(month or 1), 1)

    @property
    def last_day(self) -> date:
        """The day, or the last one of the month or year when no more was sent."""
        if self.day is not None:
            return self.day
        first = self.first_day
        if self.precision is Precision.YEAR:
            return date(first.year, 12, 31)
        return date(first.year, first.month, monthrange(first.year, first.month)[1])


def parse_moment(text: str | None, zone: tzinfo = UTC) -> Moment | None:
    """Parse a FHIR date, dateTime or instant; None when it is not one.

    `zone` is the facility's zone: the one assumed when none was sent, and the one in which the
    calendar day is told.
    """
    if not text:
        return None
    text = text.strip()
    match = _MOMENT.match(text)
    if match is None:
        return None
    try:
        return _moment(text, match, zone)
    except (ValueError, OverflowError):
        return None


def _moment(text: str, match: re.Match[str], zone: tzinfo) -> Moment:
    year, month, day, clock, second, fraction, offset = match.groups()
    if day is None:
        # The first day only proves that the month exists; it is not kept as a day.
        date(int(year), int(month or 1), 1)
        precision = Precision.YEAR if month is None else Precision.MONTH
        return Moment(None, None, precision, text)
    if clock is None:
        return Moment(date(int(year), int(month), int(day)), None, Precision.DAY, text)
    seconds = f":{second or '00'}{(fraction or '')[:7]}"
    instant = datetime.fromisoformat(
        f"{year}-{month}-{day}T{clock}{seconds}{(offset or '').upper()}"
    )
    if offset is None:
        instant = instant.replace(tzinfo=zone)
    precision = Precision.MINUTE if second is None else Precision.SECOND
    return Moment(
        instant.astimezone(zone).date(), instant, precision, text, zone_sent=offset is not None
    )


def period_end(period: Period | None, zone: tzinfo = UTC) -> Moment | None:
    """The end of a period, None when it is open or unreadable."""
    return parse_moment(period.end, zone) if period else None


def period_start(period: Period | None, zone: tzinfo = UTC) -> Moment | None:
    """The start of a period, None when it is absent or unreadable."""
    return parse_moment(period.start, zone) if period else None


def own_times(resource: Observation | DiagnosticReport) -> tuple[str | None, ...]:
    """The elements that say when a result was true of the patient, in the order in which they
    count: a period that has no end says its start."""
    period = resource.effective_period
    return (
        resource.effective_date_time,
        (period.end or period.start) if period else None,
        resource.effective_instant if isinstance(resource, Observation) else None,
    )


def effective_moment(
    observation: Observation,
    zone: tzinfo = UTC,
    listed_in: Sequence[Observation | DiagnosticReport] = (),
) -> Moment | None:
    """When the observation was true of the patient.

    Its own effective time, else that of the report or panel that lists it, else when it was
    issued, else when the report was. The first one that was sent decides: one that is unreadable
    is not replaced by another, and reports of different days are no answer.
    """
    for text in _times_sent(observation, zone, listed_in):
        if text and text.strip():
            return parse_moment(text, zone)
    return None


def _times_sent(
    observation: Observation, zone: tzinfo, listed_in: Sequence[Observation | DiagnosticReport]
) -> Iterator[str | None]:
    """What says when an observation was true, in the order in which it counts."""
    yield from own_times(observation)
    for texts in _alike([own_times(holder) for holder in listed_in], zone):
        yield from texts
    yield observation.issued
    for texts in _alike([(holder.issued,) for holder in listed_in], zone):
        yield from texts


def _alike(
    times: Sequence[tuple[str | None, ...]], zone: tzinfo
) -> Sequence[tuple[str | None, ...]]:
    """The times of several holders when they are of one day; else something unreadable."""
    said = [next((text for text in texts if text and text.strip()), None) for texts in times]
    kept = [text for text in said if text is not None]
    moments = [parse_moment(text, zone) for text in kept]
    if len({moment.day if moment else None for moment in moments}) > 1:
        return [("different days",)]
    return [(text,) for text in kept[:1]]

"""Onsets that are no day: a month, a year, a period, an age, words. Between which days they lie.

A day is never guessed. Where all the days that are possible lie on one side of the first dose, the
finding began on that side; where they do not, its day stays unknown, and is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import msgspec

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.condition import recorded_text
from cds_service.facts.finding_readings import ABSENT, REFUTED, Reading
from cds_service.facts.onset_words import Days, days_in_words
from cds_service.fhir.datatypes import Period, Quantity
from cds_service.fhir.dates import Moment, parse_moment
from cds_service.fhir.resources import Resource
from cds_service.fhir.views import Condition

_DAYS = (
    "onset_date_time", "occurrence_date_time", "date", "effective_date_time", "effective_instant",
    "performed_date_time", "detected", "issued", "last_occurrence", "recorded_date",
)  # fmt: skip
_PERIODS = (
    "onset_period", "occurrence_period", "effective_period", "performed_period", "period",
    "actual_period",
)  # fmt: skip
_WRITTEN = ("recorded_date", "issued", "detected")
"""Elements that say when something was written down: by then it had begun."""
_AGES = {"a": 12, "mo": 1}
"""Months in a unit of age, in UCUM."""


def with_possible_days(context: Context, item: Reading) -> Reading | None:
    """A finding with the days between which it began, where no single day was sent.

    None for one that begins after the day asked about. A period in which it began whose first day
    stands for it keeps that day.
    """
    record = item.record
    if item.finding.status in (REFUTED, ABSENT):
        return item
    if item.finding.began is not None and not isinstance(record, Condition):
        return item
    days = _possible(context, record, item.finding.began)
    if days is None:
        return item
    if days.first > context.as_of:
        context.remark("conditions", "a finding dated in the future was left out")
        return None
    last = min(days.last, context.as_of, *_written(context, record, item))
    # Written down before it can have begun: one of the two is a slip.
    return replace(item, between=Days(days.first, last)) if days.first <= last else item


def placed(item: Reading, started: Sequence[date | None]) -> Reading:
    """A finding whose possible days all lie on one side of each first dose, on its last such day.

    One whose days do not has none.
    """
    days = item.between
    if days is None or not started:
        return item
    known = [day for day in started if day is not None]
    decided = len(known) == len(started) and all(
        day < days.first or day > days.last for day in known
    )
    if not decided:
        finding = msgspec.structs.replace(item.finding, began=None)
    elif item.finding.began is not None:
        return item
    else:
        exact = days.first == days.last
        finding = msgspec.structs.replace(item.finding, began=days.last, began_by=not exact)
    return replace(item, finding=finding)


def _possible(context: Context, record: Resource, began: date | None) -> Days | None:
    if isinstance(record, Condition):
        if began is not None:
            return _within(context, record.onset_period, began)
        told = _age(context, record) or _words(context, record)
        if told is not None:
            return told
        if record.onset_age or record.onset_range or record.onset_string:
            return None
    for moment in _moments(context, record):
        # The first that was sent decides. One that cannot be read tells nothing, and a day that
        # was not taken for the beginning is none.
        if moment is None or moment.day is not None:
            return None
        return Days(moment.first_day, moment.last_day)
    return None


def _within(context: Context, period: Period | None, began: date) -> Days | None:
    """A period in which it began, of which both ends are days."""
    ended = parse_moment(period.end, context.zone) if period is not None else None
    if ended is None or period is None or not period.start or ended.last_day <= began:
        return None
    return Days(began, ended.last_day)


def _moments(context: Context, record: Resource) -> Iterator[Moment | None]:
    """The elements that say when it began, in the order in which they count."""
    for name in (*_DAYS[:3], *_PERIODS, *_DAYS[3:]):
        sent = getattr(record, name, None)
        text = (sent.start or None) if isinstance(sent, Period) else sent
        if isinstance(text, str) and text.strip():
            yield parse_moment(text, context.zone)


def _written(context: Context, record: Resource, item: Reading) -> Iterable[date]:
    """The days by which it had begun: it was written down, or was over."""
    for name in _WRITTEN:
        text = getattr(record, name, None)
        if isinstance(record, Condition) and name == "recorded_date":
            text = recorded_text(record)
        moment = parse_moment(text, context.zone) if isinstance(text, str) else None
        if moment is not None:
            yield moment.last_day
    if item.finding.ended is not None:
        yield item.finding.ended


def _words(context: Context, condition: Condition) -> Days | None:
    text = condition.onset_string
    if not text or condition.onset_date_time or condition.onset_period:
        return None
    return days_in_words(text, context.day_of(recorded_text(condition)))


def _age(context: Context, condition: Condition) -> Days | None:
    """The days on which the patient had an age, or one between two."""
    low = high = condition.onset_age
    if condition.onset_range is not None:
        low, high = condition.onset_range.low, condition.onset_range.high
    patient = context.record.patient
    birth = parse_moment(patient.birth_date, context.zone) if patient is not None else None
    first, last = _months(low), _months(high)
    if birth is None or first is None or last is None:
        return None
    begins = _later(birth.first_day, first[0])
    ends = _later(birth.last_day, last[1])
    if begins is None or ends is None or ends <= begins:
        return None
    return Days(begins, ends - timedelta(days=1))


def _months(age: Quantity | None) -> tuple[int, int] | None:
    """The whole months of life in which somebody has an age, from one to before another."""
    if age is None or age.comparator or (age.code or age.unit) not in _AGES:
        return None
    number, months = age.number, _AGES[age.code or age.unit or ""]
    if number is None or number < 0 or number != int(number):
        return None
    return int(number) * months, (int(number) + 1) * months


def _later(day: date, months: int) -> date | None:
    years, month = divmod(day.month - 1 + months, 12)
    if day.year + years > date.max.year:
        return None
    # Who was born on the 29th to 31st gets older on the first day after a shorter month.
    try:
        return date(day.year + years, month + 1, day.day)
    except ValueError:
        years, month = divmod(day.month + months, 12)
        return date(day.year + years, month + 1, 1)

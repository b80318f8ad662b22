"""Whether an order ran on an earlier day: from its dates, and unknown where they do not say.

The status of an order is that of today. An order that is over by now ran on the days between its
beginning and its end; without a day of the end nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property

from msgspec.structs import replace

from cds_service.facts.context import Context
from cds_service.facts.identifying import identify
from cds_service.facts.medication_orders import OVER, dosages_of, end_of, is_order, start_of
from cds_service.facts.supplies import days_supplied
from cds_service.fhir.datatypes import Period
from cds_service.fhir.dates import Moment, parse_moment
from cds_service.fhir.references import parse_reference
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    MedicationUse,
)

Order = MedicationRequest | MedicationStatement
UNKNOWN = "unknown"
"""The status of FHIR for an order of which nobody can tell whether it runs."""
ASKED_ABOUT_DAYS = 365
"""How long after its start another medicine than an ALK inhibitor is asked about whose end has no
day (our own choice)."""


class OrdersThen:
    """The orders and statements of a chart as they stood on `context.as_of`.

    `context.record` is the whole chart, `known_on` the day on which it was read.
    """

    def __init__(self, context: Context, known_on: date) -> None:
        self._context = context
        self._day = context.as_of
        self._known_on = known_on

    def as_it_stood(self, use: Order) -> Order | None:
        """The order with its status on that day; None when it was not written yet."""
        texts = _written(use)
        moments = [self._moment(text) for text in texts or _starts(use)]
        if any(moment is not None and moment.first_day > self._day for moment in moments):
            return None
        status = status_of(use) or ""
        then = self._status_then(use, status)
        return use if then == status else _with_status(self._context, use, then)

    def _status_then(self, use: MedicationUse, status: str) -> str:
        """The status on the day: running, on hold, over or unknown; others never change."""
        if status not in {"active", "on-hold", *OVER} or self._untouched_since(use):
            return status
        start = start_of(self._context, use)
        if start is not None and start > self._day:
            # Written before that day for later; it is not counted yet.
            return status
        changed = _changed(self._context, use)
        if changed is not None and changed <= self._day:
            return status
        if status == "active":
            begun = changed is None and self._had_begun(use, start)
            return status if begun else UNKNOWN
        return self._ended_or_held(use, status, start, changed)

    def _ended_or_held(
        self, use: MedicationUse, status: str, start: date | None, changed: date | None
    ) -> str:
        end = end_of(self._context, use) or self._end_of_period(use)
        if end is not None and end <= self._day:
            return status
        if changed is not None or start == self._day:
            # On the day on which it began it ran, whatever became of it.
            return "active"
        if status == "on-hold":
            return UNKNOWN
        if end is not None and end <= self._known_on:
            return "active"
        valid = _valid_until(self._context, use)
        if valid is not None and valid < self._day:
            return status
        if self._supplied(use):
            return "active"
        if self._was_replaced(use, start) or self._is_long_ago(use, start):
            return status
        return UNKNOWN

    def _end_of_period(self, use: MedicationUse) -> date | None:
        """The end of the order as a whole, where a dosage that was left open hides it."""
        period = _period(use)
        return self._context.day_of(period.end) if period is not None else None

    def _had_begun(self, use: MedicationUse, start: date | None) -> bool:
        if start is not None:
            return True
        moments = [self._moment(text) for text in (*_written(use), *_starts(use))]
        return any(moment is not None and moment.last_day <= self._day for moment in moments)

    def _untouched_since(self, use: MedicationUse) -> bool:
        """Whether the server says that nothing of it was changed after that day.

        A time of change before the day of writing says nothing of the order.
        """
        updated = self._moment(use.meta.last_updated) if use.meta is not None else None
        if updated is None or updated.day is None or updated.day > self._day:
            return False
        written = [self._moment(text) for text in _written(use)]
        return all(moment is None or moment.first_day <= updated.day for moment in written)

    def _supplied(self, use: MedicationUse) -> bool:
        """Whether what was handed over on the order up to that day lasted until then."""
        return use.id is not None and self._supplies.get(use.key, date.min) >= self._day

    @cached_property
    def _supplies(self) -> dict[str, date]:
        """By order the last day of what was handed over on it up to that day."""
        found: dict[str, date] = {}
        for supply in self._context.record.of_type(MedicationDispense):
            day = self._context.day_of(supply.when_handed_over)
            days = days_supplied(supply)
            if day is None or day > self._day or days is None or status_of(supply) != "completed":
                continue
            for reference in supply.authorizing_prescription:
                parsed = parse_reference(reference.reference)
                if parsed is not None and parsed.key is not None:
                    last = day + timedelta(days=days)
                    found[parsed.key] = max(last, found.get(parsed.key, last))
        return found

    def _was_replaced(self, use: MedicationUse, start: date | None) -> bool:
        """Whether a later order of the same medicine had begun: the one before it was over then."""
        own = self._ingredients(use)
        if start is None or not own:
            return False
        return any(start < begun <= self._day for begun in self._begun.get(own, ()))

    @cached_property
    def _begun(self) -> dict[tuple[str, ...], list[date]]:
        found: dict[tuple[str, ...], list[date]] = {}
        for use in self._context.record.of_type(MedicationUse):
            start = start_of(self._context, use) if is_order(use) else None
            written = [self._moment(text) for text in _written(use)]
            late = any(moment is not None and moment.first_day > self._day for moment in written)
            if start is not None and not late:
                found.setdefault(self._ingredients(use), []).append(start)
        return found

    def _is_long_ago(self, use: MedicationUse, start: date | None) -> bool:
        """Whether it began so long before that nobody asks; ALK inhibitors are taken for years."""
        if start is None or self._context.book.knowledge.inhibitors.intersection(
            self._ingredients(use)
        ):
            return False
        return start < self._day - timedelta(days=ASKED_ABOUT_DAYS)

    def _ingredients(self, use: MedicationUse) -> tuple[str, ...]:
        concept = self._context.record.medication_concept(use)
        return tuple(sorted(identify(self._context, concept, dosages_of(use)).ingredients))

    def _moment(self, text: str | None) -> Moment | None:
        return parse_moment(text, self._context.zone)


def _written(use: MedicationUse) -> tuple[str, ...]:
    """When an order was written or a statement made."""
    text = None
    if isinstance(use, MedicationRequest):
        text = use.authored_on
    elif isinstance(use, MedicationStatement):
        text = use.date_asserted
    return (text,) if text else ()


def _period(use: MedicationUse) -> Period | None:
    """The period of the order as a whole."""
    if isinstance(use, MedicationRequest):
        return use.effective_dose_period
    return use.effective_period if isinstance(use, MedicationStatement) else None


def _starts(use: MedicationUse) -> Iterator[str]:
    """The texts that say when an order begins."""
    periods: list[Period | None] = []
    for dosage in dosages_of(use):
        repeat = dosage.timing.repeat if dosage.timing is not None else None
        periods.append(repeat.bounds_period if repeat is not None else None)
    periods.append(_period(use))
    if isinstance(use, MedicationStatement) and use.effective_date_time:
        yield use.effective_date_time
    for period in periods:
        if period is not None and period.start:
            yield period.start


def _changed(context: Context, use: MedicationUse) -> date | None:
    """R5: when the status became what it is."""
    return context.day_of(use.status_changed) if isinstance(use, MedicationRequest) else None


def _valid_until(context: Context, use: MedicationUse) -> date | None:
    """The last day on which something may be supplied on an order."""
    asked = use.supply_asked_for if isinstance(use, MedicationRequest) else None
    period = asked.validity_period if asked is not None else None
    return context.day_of(period.end) if period is not None else None


def _with_status(context: Context, use: Order, status: str) -> Order:
    """The order before its status changed: without the reason, and without an end to come."""
    if isinstance(use, MedicationRequest):
        period = _still_open(context, use.effective_dose_period)
        return replace(
            use, status=status, status_reason=None, status_changed=None,
            effective_dose_period=period,
        )  # fmt: skip
    period = _still_open(context, use.effective_period)
    return replace(use, status=status, status_reason=None, adherence=None, effective_period=period)


def _still_open(context: Context, period: Period | None) -> Period | None:
    end = context.day_of(period.end) if period is not None else None
    if period is None or end is None or end <= context.as_of:
        return period
    return replace(period, end=None)

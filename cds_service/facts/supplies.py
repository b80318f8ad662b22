"""What supplies handed over and doses given say about a medicine that no order explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts import courses
from cds_service.facts.context import Context
from cds_service.facts.identifying import Identified, identify
from cds_service.facts.medication_orders import dosages_of, end_of, is_order
from cds_service.fhir.datatypes import usable_number
from cds_service.fhir.dates import parse_moment
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    MedicationAdministration,
    MedicationDispense,
    MedicationUse,
)
from cds_service.rules import Item

LATE_REFILL_DAYS = 14
"""A supply counts for this long after its last day: refills come late (our own choice)."""
SUPPLY_DAYS = 30
"""How long a supply lasts that does not say so (our own choice)."""
GIVEN_DAYS = 3
"""A dose given this lately, with no order of it, counts as taken now (our own choice)."""
_HANDED = frozenset({"completed", "in-progress", "on-hold"})
_LONGEST_SUPPLY = 400
"""More days than anybody is supplied for at once are a mistake in the field."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one supply or given dose says: active, paused or ended, from when to when."""

    use: MedicationUse
    found: Identified
    status: str
    start: date | None
    end: date | None


def courses_without_order(context: Context) -> tuple[Course, ...]:
    """Supplies and doses of medicines that no order or statement of the record explains.

    An order that runs, is on hold, or was stopped after the supply speaks for itself. Supplies of
    one medicine follow each other: only the newest of them is open.
    """
    uses = context.record.of_type(MedicationUse)
    found = [
        course
        for use in uses
        if isinstance(use, MedicationDispense | MedicationAdministration)
        and (course := _course(context, use)) is not None
    ]
    if not found:
        return ()
    ordered = [
        (identify(context, context.record.medication_concept(use)), use)
        for use in uses
        if is_order(use)
    ]
    left = [course for course in found if not _explained(context, course, ordered)]
    return tuple(_newest_of_each(left))


def given_on_several_days(courses: Iterable[Course]) -> frozenset[str]:
    """The ingredients of which doses were given on two days or more, the last of them lately.

    A ward that writes down what it gives may keep its orders elsewhere.
    """
    days: dict[str, set[date | None]] = {}
    lately: set[str] = set()
    for course in courses:
        if isinstance(course.use, MedicationAdministration):
            for ingredient in course.found.ingredients:
                days.setdefault(ingredient, set()).add(course.start)
                if course.status == "active":
                    lately.add(ingredient)
    return frozenset(name for name in lately if len(days[name]) > 1)


def dose_given(context: Context, use: MedicationAdministration) -> list[Item]:
    """A dose that was given on a known day."""
    day = courses.day_given(context, use)
    if day is None:
        return []
    found = identify(context, context.record.medication_concept(use))
    return [Item(found.names, found.label, day, found.label, use.key)]


def on_no_known_day(
    context: Context, ordered: frozenset[str]
) -> Iterator[tuple[MedicationUse, Identified]]:
    """Supplies and doses without a readable day of what is not ordered: it may be taken now."""
    for use in context.record.of_type(MedicationUse):
        if isinstance(use, MedicationDispense):
            days = [use.when_handed_over, use.when_prepared]
        elif isinstance(use, MedicationAdministration):
            period = use.effective_period or use.occurence_period
            of_period = (period.start, period.end) if period is not None else ()
            days = [use.effective_date_time, use.occurence_date_time, *of_period]
        else:
            continue
        if status_of(use) not in _HANDED or not _may_be_of_now(context, days):
            continue
        found = identify(context, context.record.medication_concept(use), dosages_of(use))
        if not ordered.intersection(found.ingredients):
            yield use, found


def _may_be_of_now(context: Context, days: Sequence[str | None]) -> bool:
    """Whether no text is a day, and none a month or a year that is over or still to come."""
    moments = [moment for text in days if (moment := parse_moment(text, context.zone)) is not None]
    lately = context.as_of - timedelta(days=SUPPLY_DAYS + LATE_REFILL_DAYS)
    return all(
        moment.day is None and moment.first_day <= context.as_of and moment.last_day >= lately
        for moment in moments
    )


def _course(context: Context, use: MedicationDispense | MedicationAdministration) -> Course | None:
    status = status_of(use) or ""
    if isinstance(use, MedicationDispense):
        day = context.day_of(use.when_handed_over, use.when_prepared)
        if status not in ("completed", "on-hold", "stopped") or day is None:
            return None
        last = day + timedelta(days=_days(context, use))
        lasts = last + timedelta(days=LATE_REFILL_DAYS)
    else:
        given = courses.day_given(context, use)
        if status == "on-hold":
            given = _started(context, use)
        if given is None:
            return None
        day = given
        last = context.as_of if status == "in-progress" else given
        lasts = last + timedelta(days=GIVEN_DAYS)
    if day > context.as_of:
        return None
    concept = context.record.medication_concept(use)
    found = identify(context, concept, dosages_of(use))
    if status == "on-hold":
        return Course(use, found, "paused", day, None)
    if status == "stopped":
        return Course(use, found, "ended", day, min(last, context.as_of))
    if lasts >= context.as_of:
        return Course(use, found, "active", day, None)
    return Course(use, found, "ended", day, last)


def _started(context: Context, use: MedicationAdministration) -> date | None:
    period = use.effective_period or use.occurence_period
    return context.day_of(
        use.effective_date_time, period.start if period else None, use.occurence_date_time
    )


def days_supplied(use: MedicationDispense) -> int | None:
    """For how many days a supply is said to last; None when it says nothing usable."""
    supply = use.days_supply
    number = usable_number(supply.number) if supply is not None else None
    return int(number) if number is not None and 0 < number <= _LONGEST_SUPPLY else None


def _days(context: Context, use: MedicationDispense) -> int:
    known = days_supplied(use)
    if known is not None:
        return known
    if use.days_supply is not None:
        context.remark("medications", "a supply says no usable number of days")
    return SUPPLY_DAYS


def _explained(
    context: Context, course: Course, ordered: Iterable[tuple[Identified, MedicationUse]]
) -> bool:
    own = set(course.found.ingredients) or {course.found.label}
    for found, use in ordered:
        if not own & (set(found.ingredients) or {found.label}):
            continue
        status = status_of(use) or ""
        if status in ("active", "on-hold"):
            return True
        over = end_of(context, use)
        if status in ("stopped", "ended") and (over is None or over >= (course.start or over)):
            return True
        if status == "completed" and over is not None and over > (course.start or over):
            # All of it was supplied; the last supply may last longer than the order.
            return course.status != "active"
    return False


def _newest_of_each(found: Iterable[Course]) -> list[Course]:
    """Of several supplies of a medicine the older ones are over when the newer one began."""
    groups: dict[tuple[str, ...], list[Course]] = {}
    for course in found:
        key = tuple(sorted(course.found.ingredients)) or (course.found.label,)
        groups.setdefault(key, []).append(course)
    kept: list[Course] = []
    for group in groups.values():
        group.sort(key=lambda item: (item.start or date.min, item.use.key))
        *older, newest = group
        kept += [
            Course(item.use, item.found, "ended", item.start, newest.start)
            if item.status == "active"
            else item
            for item in older
        ]
        kept.append(newest)
    return kept

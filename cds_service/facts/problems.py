"""Conditions as flags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from cds_service.facts.context import Context
from cds_service.fhir.record import status_of
from cds_service.fhir.views import Condition
from cds_service.rules import Statement, Statements

_OVER = frozenset({"resolved", "inactive", "remission"})
SUSPECTED = frozenset({"provisional", "differential", "unconfirmed"})
"""Verification statuses of what is thought of but not confirmed."""
_LONG_AGO = date.min

_BRAIN_SETS = frozenset({"brain metastases", "central nervous system metastases"})


def clinical_status(condition: Condition) -> str:
    """The clinical status code in lower case, empty when none was sent."""
    concept = condition.clinical_status
    codes = [coding.code for coding in concept.coding if coding.code] if concept else []
    return codes[0].strip().lower() if codes else ""


def is_over(condition: Condition) -> bool:
    """Whether a condition is said to be over; an end without any status says so too."""
    status = clinical_status(condition)
    ended = condition.abatement_date_time or condition.abatement_period
    return status in _OVER or (not status and ended is not None)


def begun(context: Context, condition: Condition) -> date | None:
    """The day a condition began, as far as recorded: onset, else the day it was recorded."""
    period = condition.onset_period
    return context.day_of(
        condition.onset_date_time, period.start if period else None, condition.recorded_date
    )


def not_yet(context: Context, day: date | None) -> bool:
    """Whether a day lies after the day asked about: what is dated so is not known yet."""
    if day is None or day <= context.as_of:
        return False
    context.remark("conditions", "a condition dated in the future was left out")
    return True


def statement(context: Context, condition: Condition) -> Statement | None:
    """Present, absent (refuted, resolved), or None when it is only suspected or in the future.

    A condition that was over later than the day asked about was still there on that day.
    """
    verification = status_of(condition)
    if verification in SUSPECTED:
        return None
    label = (condition.code.label if condition.code is not None else None) or ""
    if verification == "refuted":
        day = context.day_of(condition.recorded_date, condition.onset_date_time)
        if not_yet(context, day):
            return None
        return Statement("absent", day, label, condition.key)
    day = begun(context, condition)
    if not_yet(context, day):
        return None
    if is_over(condition):
        period = condition.abatement_period
        ended = context.day_of(
            condition.abatement_date_time, period.end if period else None, condition.recorded_date
        )
        if ended is None or ended <= context.as_of:
            return Statement("absent", ended, label, condition.key)
    return Statement("present", day, label, condition.key)


def flag(context: Context, value_sets: Sequence[str]) -> Statements | None:
    """What the problem list says about a flag; None when it says nothing.

    Each value set is judged by its newest statements. One that is present makes the flag present.
    The flag is absent when the first set, which stands for the whole, is absent, or when all are:
    a denied syncope does not exclude dizziness.
    """
    newest = [_newest(context, name) for name in value_sets]
    present = [item for group in newest for item in group if item.value == "present"]
    absent = [item for group in newest for item in group if item.value == "absent"]
    if present:
        # Contradictions within one set and day stay visible to the rules.
        days = {item.day for item in present}
        clashing = [item for item in absent if item.day in days and _same_set(newest, item)]
        return in_order([*present, *clashing])
    whole = bool(newest[0]) or all(newest)
    return in_order(absent) if whole and absent else None


def _newest(context: Context, value_set: str) -> list[Statement]:
    """The newest statements of one value set: those of the newest day, and any without a day.

    A condition that is listed as active without a date may be the newest of all.
    """
    said = [
        found
        for condition in conditions_of(context, value_set)
        if (found := statement(context, condition)) is not None
    ]
    if not said:
        return []
    latest = max((item.day for item in said if item.day is not None), default=None)
    return [item for item in said if item.day in (latest, None)]


def conditions_of(context: Context, value_set: str) -> tuple[Condition, ...]:
    """The conditions of a value set, by code, or by the body site of a metastasis without a site.

    mCODE has one code for any secondary cancer and says where it is in `bodySite`.
    """
    sets = context.book.value_sets
    found = context.record.conditions(sets[value_set])
    if value_set not in _BRAIN_SETS | {"other metastases"}:
        return found
    unnamed = context.record.conditions(sets["metastasis of unnamed site"])
    of_the_brain = {
        id(condition): condition
        for condition in unnamed
        if any(context.book.says(site, "brain body site") for site in condition.body_site)
    }
    if value_set == "other metastases":
        return tuple(item for item in found if id(item) not in of_the_brain)
    return tuple({**{id(item): item for item in found}, **of_the_brain}.values())


def _same_set(groups: Iterable[list[Statement]], wanted: Statement) -> bool:
    return any(
        wanted in group and any(item.value == "present" for item in group) for group in groups
    )


def ever(context: Context, value_set: str) -> Statements | None:
    """Whether a condition of a value set was ever confirmed, be it over or not."""
    found: list[Statement] = []
    for condition in conditions_of(context, value_set):
        if status_of(condition) == "refuted" or status_of(condition) in SUSPECTED:
            continue
        label = condition.code.label if condition.code is not None else None
        day = begun(context, condition)
        if not not_yet(context, day):
            found.append(Statement("present", day, label or "", condition.key))
    return in_order(found)


def in_order(statements: Iterable[Statement]) -> Statements | None:
    """Newest first, undated last; None when there are none.

    Of one day "present" stands before "absent", and several that agree are kept.
    """
    ordered = sorted(statements, key=lambda item: item.value, reverse=True)
    ordered.sort(key=lambda item: item.day or _LONG_AGO, reverse=True)
    return Statements(tuple(ordered)) if ordered else None


def suspected(context: Context, value_set: str) -> Statements | None:
    """Conditions of a value set that are recorded as provisional or differential diagnosis."""
    statements = [
        Statement("present", begun(context, condition), "", condition.key)
        for condition in conditions_of(context, value_set)
        if status_of(condition) in SUSPECTED and clinical_status(condition) not in _OVER
    ]
    return in_order(statements)

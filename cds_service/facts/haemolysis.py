"""What the laboratory says of haemolysis, where no diagnosis does.

Present: haptoglobin below its range together with LDH or reticulocytes above theirs, or with a
positive direct antiglobulin test. Absent: haptoglobin not below its range, LDH or reticulocytes
not above theirs, and no positive direct antiglobulin test. Anything else stays open: a raised LDH
alone is common in liver injury and in cancer, and a single normal result excludes nothing.
"""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.facts.context import Context
from cds_service.facts.measurements import laboratory_series
from cds_service.facts.presence_tests import (
    called_high,
    direct_antiglobulin_test,
    low_haptoglobin,
)
from cds_service.rules import Measurement, Statement, Statements

FACT = "haemolysis in the laboratory"
_TOGETHER = timedelta(days=14)
"""How far apart results may lie that are read together (our own choice)."""
_RAISED = {"LDH": "LDH", "reticulocytes": "reticulocytes", "reticulocyte share": "reticulocytes"}


def haemolysis_in_the_laboratory(context: Context) -> Statements | None:
    """The newest haptoglobin with what was measured within 14 days of it."""
    found = low_haptoglobin(context)
    if found is None or found.unknown:
        return None
    newest = found.statements[0]
    if newest.day is None or any(
        item.value != newest.value for item in found.statements if item.day == newest.day
    ):
        return None
    beside = [item for fact in _RAISED if (item := _raised(context, fact, newest.day))]
    antibodies = _antibodies(context, newest.day)
    if antibodies is not None:
        beside.append(antibodies)
    raised = [item for item in beside if item.value == "present"]
    if newest.value == "present" and raised:
        return _said("present", newest, raised)
    excluded = [item for item in beside if item.value == "absent" and item is not antibodies]
    positive = antibodies is not None and antibodies.value == "present"
    if newest.value == "absent" and excluded and not raised and not positive:
        return _said("absent", newest, excluded)
    return None


def _said(value: str, haptoglobin: Statement, beside: list[Statement]) -> Statements:
    used = [haptoglobin, *beside]
    oldest = min(item.day for item in used if item.day is not None)
    shown = ", ".join(item.as_sent for item in used)
    return Statements((Statement(value, oldest, shown, haptoglobin.source),))


def _raised(context: Context, fact: str, day: date) -> Statement | None:
    """Whether the newest result near a day lies above its own upper limit, or else was called high
    by the laboratory; None when unknown."""
    series = laboratory_series(context, fact, fact)
    near = (
        item
        for item in (series.measurements if series is not None else ())
        if abs(item.day - day) <= _TOGETHER
    )
    newest = next(near, None)
    above = _is_above(newest) if newest is not None else None
    if newest is not None and above is not None:
        value = "present" if above else "absent"
        return Statement(value, newest.day, f"{_RAISED[fact]} {newest.as_sent}", newest.source)
    called = called_high(context, fact)
    for said in called.statements if called is not None else ():
        if said.day is not None and abs(said.day - day) <= _TOGETHER:
            # A flag of an older result must not answer for a newer one.
            newer = newest is not None and newest.day > said.day
            word = "called high" if said.value == "present" else "not called high"
            shown = f"{_RAISED[fact]} {word}"
            return None if newer else Statement(said.value, said.day, shown, said.source)
    return None


def _is_above(item: Measurement) -> bool | None:
    """Whether a result lies above its upper limit; None when that cannot be known."""
    if item.value is None or item.upper_limit is None:
        return None
    if item.comparator in ("<", "<="):
        return False if item.value <= item.upper_limit else None
    if item.comparator in (">", ">="):
        return True if item.value >= item.upper_limit else None
    return item.value > item.upper_limit


def _antibodies(context: Context, day: date) -> Statement | None:
    found = direct_antiglobulin_test(context)
    for item in found.statements if found is not None else ():
        if item.day is not None and abs(item.day - day) <= _TOGETHER:
            shown = "positive" if item.value == "present" else "negative"
            return Statement(item.value, item.day, f"direct antiglobulin test {shown}", item.source)
    return None

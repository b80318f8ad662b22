"""Doses per day from a Timing: structured, coded, in words, or contradicting itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cds_service.fhir.datatypes import (
    CodeableConcept,
    Quantity,
    Timing,
    TimingRepeat,
    usable_number,
)
from cds_service.fhir.dates import Precision, period_end, period_start
from cds_service.fhir.dosage_text import parse_frequency_text
from cds_service.fhir.terminology import SNOMED, canonical_system, concept_keys
from cds_service.fhir.units import fold_unit

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800}
_DAYS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}
_WEEK = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_TIMES_OF_DAY = frozenset(
    {
        "MORN",
        "MORN.early",
        "MORN.late",
        "NOON",
        "AFT",
        "AFT.early",
        "AFT.late",
        "EVE",
        "EVE.early",
        "EVE.late",
        "NIGHT",
        "HS",
        "WAKE",
        "CM",
        "CD",
        "CV",
        "ACM",
        "ACD",
        "ACV",
        "PCM",
        "PCD",
        "PCV",
    }
)
_ABBREVIATION_SYSTEMS = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
        "http://hl7.org/fhir/v3/GTSAbbreviation",
    }
)
_ABBREVIATIONS = {
    "QD": Decimal(1),
    "AM": Decimal(1),
    "PM": Decimal(1),
    "BED": Decimal(1),
    "BID": Decimal(2),
    "TID": Decimal(3),
    "QID": Decimal(4),
    "QOD": Decimal("0.5"),
    "Q4H": Decimal(6),
    "Q6H": Decimal(4),
    "Q8H": Decimal(3),
    "Q12H": Decimal(2),
    "Q24H": Decimal(1),
}
_SNOMED_FREQUENCIES = {
    (SNOMED, "229797004"): Decimal(1),
    (SNOMED, "229799001"): Decimal(2),
}


class DoseProblem(StrEnum):
    """Why an amount or a daily dose cannot be told."""

    NO_INSTRUCTION = "no dosage instruction was sent"
    NO_AMOUNT = "no amount per dose was sent"
    UNKNOWN_UNIT = "the dose has a unit that is neither a mass nor a count of pieces"
    STRENGTH_UNKNOWN = "the dose counts pieces whose strength is not known"
    AMOUNTS_DISAGREE = "the amounts stated for one dose disagree"
    AMOUNT_IS_RANGE = "the amount is a range"
    NO_TIMING = "no timing was sent"
    TIMING_NOT_READ = "the timing could not be read"
    TIMINGS_DISAGREE = "the timings stated for one dose disagree"
    TIMING_IS_RANGE = "the number of doses per day is a range"
    NOT_EVERY_DAY = "the dose is not taken every day"
    AS_NEEDED = "the dose is taken as needed"
    ORDER_UNKNOWN = "several instructions without a sequence: together or one after another"
    TEXT_NOT_READ = "the instruction in words is outside the phrases that are read"


@dataclass(frozen=True, slots=True)
class Frequency:
    """Doses per day: equal bounds when certain. `problem` says why there is none."""

    low: Decimal | None = None
    high: Decimal | None = None
    problem: DoseProblem | None = None

    @classmethod
    def exactly(cls, doses: Decimal) -> Frequency:
        """A certain number of doses per day."""
        return cls(doses, doses)


def read_frequency(timing: Timing | None) -> Frequency:
    """Doses per day; structured and coded statements must agree."""
    if timing is None:
        return Frequency(problem=DoseProblem.NO_TIMING)
    structured = _from_repeat(timing.repeat) if timing.repeat else Frequency()
    if structured.problem is not None:
        return structured
    coded = _from_code(timing.code)
    if structured.low is None:
        if coded is not None:
            return Frequency.exactly(coded)
        stated = timing.code is not None and bool(timing.code.coding or timing.code.text)
        return Frequency(problem=DoseProblem.TIMING_NOT_READ if stated else DoseProblem.NO_TIMING)
    if coded is not None and not structured.low <= coded <= (structured.high or structured.low):
        return Frequency(problem=DoseProblem.TIMINGS_DISAGREE)
    return structured


def _from_repeat(repeat: TimingRepeat) -> Frequency:
    days = {day.strip().lower() for day in repeat.day_of_week}
    if days and days != _WEEK:
        return Frequency(problem=DoseProblem.NOT_EVERY_DAY)
    marks = len(set(repeat.time_of_day)) or _counted_events(repeat.when)
    if repeat.frequency is None and repeat.frequency_max is None and repeat.period is None:
        if marks:
            return Frequency.exactly(Decimal(marks))
        return Frequency(problem=DoseProblem.TIMING_NOT_READ) if repeat.when else Frequency()
    stated = _per_day(repeat)
    if stated.low is None:
        return stated
    every_day = repeat.period == 1 and (repeat.period_unit or "").strip() == "d"
    if marks and every_day and repeat.frequency is None and repeat.frequency_max is None:
        return Frequency.exactly(Decimal(marks))
    if marks and not stated.low <= marks <= (stated.high or stated.low):
        # One of them is wrong, for instance frequency 1 beside morning and evening.
        return Frequency(problem=DoseProblem.TIMINGS_DISAGREE)
    return stated


def _per_day(repeat: TimingRepeat) -> Frequency:
    seconds = _SECONDS.get((repeat.period_unit or "").strip())
    given = (repeat.frequency, repeat.frequency_max, repeat.period, repeat.period_max)
    if any(number is not None and usable_number(number) is None for number in given):
        return Frequency(problem=DoseProblem.TIMING_NOT_READ)
    if repeat.period is None or repeat.period <= 0 or seconds is None:
        return Frequency(problem=DoseProblem.TIMING_NOT_READ)
    fewest = repeat.frequency if repeat.frequency is not None else repeat.frequency_max
    # FHIR states that a period without a frequency means once per period.
    fewest = Decimal(1) if fewest is None else fewest
    most = repeat.frequency_max if repeat.frequency_max is not None else fewest
    longest = repeat.period_max if repeat.period_max is not None else repeat.period
    if fewest <= 0 or most < fewest or longest < repeat.period:
        return Frequency(problem=DoseProblem.TIMING_NOT_READ)
    return Frequency(
        fewest * _SECONDS["d"] / (longest * seconds),
        most * _SECONDS["d"] / (repeat.period * seconds),
    )


def _counted_events(when: tuple[str, ...]) -> int:
    """How many times a day the event codes name; 0 when one of them is not a single time."""
    events = {event.strip() for event in when}
    return len(events) if events <= _TIMES_OF_DAY else 0


def _from_code(code: CodeableConcept | None) -> Decimal | None:
    if code is None:
        return None
    for key in concept_keys(code):
        if key in _SNOMED_FREQUENCIES:
            return _SNOMED_FREQUENCIES[key]
    for coding in code.coding:
        if coding.system and canonical_system(coding.system) in _ABBREVIATION_SYSTEMS:
            found = _ABBREVIATIONS.get((coding.code or "").strip().upper())
            if found is not None:
                return found
    for text in (code.text, *(coding.display for coding in code.coding)):
        found = parse_frequency_text(text) if text else None
        if found is not None:
            return found
    return None


def duration_days(timing: Timing | None) -> int | None:
    """Whole days for which the instruction holds; None when open or not told in days."""
    repeat = timing.repeat if timing else None
    if repeat is None:
        return None
    if repeat.bounds_duration is not None:
        return _days_of(repeat.bounds_duration)
    start, end = period_start(repeat.bounds_period), period_end(repeat.bounds_period)
    if start is None or end is None or start.day is None or end.day is None:
        return None
    whole_last_day = 1 if end.precision == Precision.DAY else 0
    days = (end.day - start.day).days + whole_last_day
    return days if days > 0 else None


def _days_of(quantity: Quantity) -> int | None:
    factor = _DAYS.get(fold_unit(quantity.code or quantity.unit or "").lower())
    number = quantity.number
    if factor is None or number is None or number <= 0 or quantity.comparator:
        return None
    days = number * factor
    return int(days) if days == days.to_integral_value() else None

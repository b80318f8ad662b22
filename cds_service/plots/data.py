"""What is plotted: dated values, thresholds, doses, events and tests of one patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PlottedValue:
    """One result. `number` and `upper_limit` are in the unit of its course.

    `comparator` is one of ``<  <=  >  >=`` where only a bound was sent. `number` is None where the
    result could not be used, and `problem` says why.
    """

    day: date
    number: Decimal | None
    upper_limit: Decimal | None = None
    comparator: str = ""
    as_sent: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PlottedThreshold:
    """A limit that a rule asked about: ``operator number unit`` as the rule writes it.

    `level` is the number in the unit of the course; None for a multiple of the upper limit of
    normal (`xULN`), which each result brings with it, and for one of an unknown baseline.
    `meaning` is what it calls for: stop, hold, reduce or resume; empty where it is only asked.
    """

    operator: str
    number: Decimal
    unit: str
    level: Decimal | None = None
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """One measured fact over time, in any order of days. `unit` may be empty.

    `known` counts all results on record where `values` holds only some of them.
    """

    fact: str
    unit: str
    values: tuple[PlottedValue, ...] = ()
    thresholds: tuple[PlottedThreshold, ...] = ()
    known: int = 0


@dataclass(frozen=True, slots=True)
class DosePeriod:
    """One order of one drug: `status` is active, paused or ended; a day not recorded is None."""

    drug: str
    status: str
    start: date | None
    end: date | None = None
    daily_mg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """Something that happened on a day: `kind` is the row of the picture in which it stands."""

    day: date
    kind: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class DatedTest:
    """The days on which one test was done, and the day on which it is due where it is."""

    label: str
    done: tuple[date, ...] = ()
    due: date | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything of one patient that a timeline shows, as of one day."""

    as_of: date
    periods: tuple[DosePeriod, ...] = ()
    courses: tuple[Course, ...] = ()
    events: tuple[DatedEvent, ...] = ()
    tests: tuple[DatedTest, ...] = ()

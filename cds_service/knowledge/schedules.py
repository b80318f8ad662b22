"""Monitoring intervals as the tables write them: ``every 2 weeks for 3 months``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.rules import Span

_PHASE = re.compile(
    r"every (?P<every>\d+) (?P<every_unit>days?|weeks?|months?)"
    r"(?: for (?P<lasts>\d+) (?P<lasts_unit>days?|weeks?|months?))?"
)


@dataclass(frozen=True, slots=True)
class Phase:
    """A test interval, and how long it holds from the first dose (None: to the end)."""

    every: Span
    lasts: Span | None

    def __str__(self) -> str:
        return f"every {self.every}" + (f" for the first {self.lasts}" if self.lasts else "")


def parse_phase(text: str) -> Phase:
    """The phase written in `text`. Raises ValueError when it is not one."""
    found = _PHASE.fullmatch(text.strip())
    if found is None:
        raise ValueError("an interval such as 'every 2 weeks for 3 months'")
    every = Span(int(found["every"]), _plural(found["every_unit"]))
    if found["lasts"] is None:
        return Phase(every, None)
    return Phase(every, Span(int(found["lasts"]), _plural(found["lasts_unit"])))


def check_phase(text: str) -> str | None:
    """What was expected when `text` is not a phase, else None; for table columns."""
    try:
        parse_phase(text)
    except ValueError as error:
        return str(error)
    return None


def within(start: date, span: Span, day: date) -> bool:
    """Whether `day` lies less than or exactly `span` after `start`."""
    return span.before(day) <= start


def next_due(last: date, every: Span) -> date:
    """The first day on which a test last done on `last` is due again."""
    day = last + timedelta(days=_shortest_days(every))
    while every.before(day) < last:
        day += timedelta(days=1)
    return day


def _shortest_days(span: Span) -> int:
    return span.number * {"days": 1, "weeks": 7, "months": 28, "years": 365}[span.unit]


def _plural(unit: str) -> str:
    return unit if unit.endswith("s") else unit + "s"

"""Lengths of time as clinicians write them: days and weeks are exact, months and years calendar."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A length of time such as 14 days or 3 months. ``unit`` is days, weeks, months or years."""

    number: int
    unit: str

    def before(self, day: date) -> date:
        """The day that lies this span before ``day``.

        A calendar month back from a day that the earlier month does not have gives that month's
        last day (one month before 31 March is 28 or 29 February).
        """
        if self.unit == "days":
            return day - timedelta(days=self.number)
        if self.unit == "weeks":
            return day - timedelta(weeks=self.number)
        months = self.number if self.unit == "months" else 12 * self.number
        index = day.year * 12 + (day.month - 1) - months
        year, month = divmod(index, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last))

    def __str__(self) -> str:
        unit = self.unit[:-1] if self.number == 1 else self.unit
        return f"{self.number} {unit}"

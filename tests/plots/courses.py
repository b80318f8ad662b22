"""Values, thresholds and orders for the plots, and a look at what a figure holds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from matplotlib.dates import num2date
from matplotlib.figure import Figure

from cds_service.plots import Course, DosePeriod, PlottedThreshold, PlottedValue

TODAY = date(2026, 11, 20)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def value(days: int, number: str | None, limit: str | None = "40", **more: Any) -> PlottedValue:
    return PlottedValue(
        ago(days),
        Decimal(number) if number is not None else None,
        Decimal(limit) if limit is not None else None,
        **more,
    )


def threshold(
    operator: str, number: str, unit: str = "xULN", level: str | None = None, meaning: str = ""
) -> PlottedThreshold:
    known = Decimal(level) if level is not None else None
    return PlottedThreshold(operator, Decimal(number), unit, known, meaning)


def alt(*values: PlottedValue, asked: tuple[PlottedThreshold, ...] = ()) -> Course:
    return Course("ALT", "U/L", values, asked or (threshold(">", "5"),), len(values))


def order(
    status: str, start: int | None, end: int | None = None, mg: str | None = "1200"
) -> DosePeriod:
    return DosePeriod(
        "alectinib",
        status,
        ago(start) if start is not None else None,
        ago(end) if end is not None else None,
        Decimal(mg) if mg is not None else None,
    )


def artists(figure: Figure, gid: str) -> list[Any]:
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def artist(figure: Figure, gid: str) -> Any:
    """The only artist of that name."""
    (found,) = artists(figure, gid)
    return found


def points(figure: Figure, gid: str) -> list[tuple[date, float]]:
    """The days and heights of drawn marks."""
    line = artist(figure, gid)
    days = [num2date(number).date() for number in line.get_xdata()]
    return list(zip(days, [round(float(height), 6) for height in line.get_ydata()], strict=True))


def results(figure: Figure, fact: str) -> list[tuple[date, float]]:
    """The days and heights of all exact results of a fact, whatever their mark."""
    found = []
    for kind in ("values", "above", "beyond"):
        if artists(figure, f"{kind} {fact}"):
            found += points(figure, f"{kind} {fact}")
    return sorted(found)


def texts(figure: Figure) -> list[str]:
    """Every text that is drawn."""
    found = figure.findobj(lambda item: hasattr(item, "get_text"))
    return [item.get_text() for item in found if item.get_text()]

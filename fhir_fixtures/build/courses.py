"""Runs of clinic visits: the years before, the baseline, and the months on a medicine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_fixtures.build.chart import Chart, wobble
from fhir_fixtures.build.codes import Json
from fhir_fixtures.build.oncology import electrocardiogram

LIVER = ("alt", "ast", "bilirubin", "alp")


@dataclass(frozen=True, slots=True)
class Story:
    """One finished story as the builder writes it."""

    name: str
    paragraph: str
    bundle: Json
    draft_orders: Json | None


def told(chart: Chart, *sentences: str) -> Story:
    """Close a chart with its paragraph, given in pieces to be joined by blanks."""
    return Story(chart.story, " ".join(sentences), chart.bundle(), chart.drafts())


def panel(chart: Chart, day: date, *, skip: Iterable[str] = (), **times_upper_limit: float) -> None:
    """Liver panel and creatinine; abnormal values as multiples of the upper limit by name."""
    left_out = set(skip)
    for name in (*LIVER, "creatinine"):
        if name not in left_out:
            chart.lab(name, day, times_upper_limit=times_upper_limit.get(name))


def vital_signs(chart: Chart, day: date, heart_rate: int | None = None) -> None:
    """Heart rate and blood pressure of one visit."""
    chart.heart_rate(day, heart_rate)
    chart.blood_pressure(day)


def earlier_years(chart: Chart, until: date, years: int, heart_rate: int | None = None) -> None:
    """Two general check-ups a year before ``until``, the kind family practice leaves behind."""
    for back in range(years * 2, 0, -1):
        day = until - timedelta(days=back * 182 + round(wobble(f"{chart.story} {back}", 12)))
        for name in ("alt", "creatinine", "glucose", "haemoglobin"):
            chart.lab(name, day)
        if back % 2 == 0:
            chart.lab("cholesterol", day)
            chart.lab("triglycerides", day)
        vital_signs(chart, day, heart_rate)


def baseline(chart: Chart, day: date, *, skip: Iterable[str] = (), with_ecg: bool = True) -> None:
    """The tests before a first dose; ``skip`` names tests that were forgotten."""
    left_out = set(skip)
    panel(chart, day, skip=left_out)
    for name in ("cpk", "glucose", "haemoglobin", "neutrophils", "ldh", "potassium"):
        if name not in left_out:
            chart.lab(name, day)
    vital_signs(chart, day)
    chart.weight(day, 68.5)
    if with_ecg:
        electrocardiogram(chart, day, qtc=418, pr=162)


def visit_days(start: date, until: date) -> list[date]:
    """Visits every 2 weeks for 12 weeks after ``start`` and every 4 weeks then, to ``until``."""
    days: list[date] = []
    day = start
    while True:
        day += timedelta(days=14 if len(days) < 6 else 28)
        if day > until:
            return days
        days.append(day)


def on_treatment(
    chart: Chart,
    start: date,
    until: date,
    *,
    heart_rate: int | None = None,
    skip: Iterable[str] = (),
    also: Iterable[str] = (),
) -> list[date]:
    """Normal visits from ``start`` to ``until`` with CPK in the first month and every third visit.

    ``also`` names further tests of the first month and every third visit.
    Returns the days of the visits.
    """
    left_out, further = set(skip), tuple(also)
    days = visit_days(start, until)
    for number, day in enumerate(days, start=1):
        panel(chart, day, skip=left_out)
        if "cpk" not in left_out and (number <= 2 or number % 3 == 0):
            chart.lab("cpk", day)
        if number % 3 == 0:
            for name in ("haemoglobin", "neutrophils", "glucose"):
                chart.lab(name, day)
        if number <= 2 or number % 3 == 0:
            for name in further:
                chart.lab(name, day)
        vital_signs(chart, day, heart_rate)
    return days

"""Since when, and at which dose, ALK inhibitors are taken now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from cds_service.facts.medicines import Medicines
from cds_service.facts.patient import TreatmentLine
from cds_service.rules import Event, Events, Measurement, Series


def starts(medicines: Medicines, first_day: Callable[[TreatmentLine], date | None]) -> Events:
    """What counts as the first day of each ALK inhibitor that is taken or paused, newest first."""
    days = [
        Event(day, line.ingredient, line.orders[0].source)
        for line in medicines.lines
        if line.status != "ended" and (day := first_day(line)) is not None
    ]
    days.sort(key=lambda item: item.day, reverse=True)
    return Events(tuple(days), complete=medicines.active.complete)


def current_daily_dose(medicines: Medicines) -> Series | None:
    """Milligrams a day of the ALK inhibitor taken now; None when two are, or none is."""
    active = [line for line in medicines.lines if line.status == "active"]
    if len(active) != 1:
        return None
    dose, start = active[0].current_dose, active[0].start
    daily = dose.daily_mg if dose is not None else None
    if dose is None or daily is None or start is None:
        return None
    words = dose.as_text or f"{daily:f} mg"
    measured = Measurement(daily, start, as_sent=words, source=active[0].orders[-1].source)
    return Series((measured,))

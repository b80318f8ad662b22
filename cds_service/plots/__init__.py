"""Plots of one patient's course: the values behind a decision, and the whole treatment.

Pure functions from dated data to figures. `data`, `scales` and `bars` need nothing but Python; the
modules that draw import matplotlib, so whoever needs a picture imports them when it is asked for.
"""

from __future__ import annotations

from cds_service.plots.data import (
    Course,
    DatedEvent,
    DatedTest,
    DosePeriod,
    PlottedThreshold,
    PlottedValue,
    Timeline,
)

__all__ = [
    "Course",
    "DatedEvent",
    "DatedTest",
    "DosePeriod",
    "PlottedThreshold",
    "PlottedValue",
    "Timeline",
]

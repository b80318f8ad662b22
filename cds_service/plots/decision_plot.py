"""The picture on a decision page: doses and holds above, one panel for each value asked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from matplotlib.figure import Figure

from cds_service.plots.bars import bars
from cds_service.plots.course_drawing import course_title, draw_course
from cds_service.plots.data import Course, DosePeriod
from cds_service.plots.drawing import (
    WIDE,
    Days,
    Sheet,
    Width,
    days_before,
    draw_holds,
    draw_lanes,
    lane_height,
    shown_days,
)
from cds_service.plots.scales import ScaledCourse, scaled, since

_PANEL = 104.0
_GAP = 10.0
_TITLE = 16.0
_TOP = 14.0
_BOTTOM = 26.0
_BEFORE_TREATMENT = 100
"""Days before the first dose that are shown: those in which a baseline may lie, and some room."""


def drawable(courses: Sequence[Course]) -> tuple[ScaledCourse, ...]:
    """The courses that have a result, be it only one that cannot be placed."""
    found = (scaled(course) for course in courses)
    return tuple(course for course in found if course.points or course.left_out)


def decision_figure(
    courses: Sequence[Course],
    periods: Sequence[DosePeriod],
    as_of: date,
    width: Width = WIDE,
) -> Figure | None:
    """The figure; None when no course has a result that can be drawn."""
    shown = drawable(courses)
    if not any(course.points for course in shown):
        return None
    taken = bars(periods, as_of)
    days = _days(shown, periods, as_of)
    shown = tuple(since(course, days.first) for course in shown)
    visible = [bar for bar in taken if bar.end >= days.first]
    drugs = len({bar.drug for bar in visible})
    height = _TOP + _BOTTOM + len(shown) * (_PANEL + _TITLE + _GAP)
    sheet = Sheet(width, height + (lane_height(drugs) + _GAP if drugs else 0), days)
    sheet.as_of_label(f"as of {as_of.day} {as_of:%b %Y}")
    if visible:
        draw_lanes(sheet, visible)
        sheet.space(_GAP)
    for course in shown:
        sheet.title(course_title(course), gid=f"title {course.fact}")
        axes = sheet.panel(_PANEL)
        draw_holds(axes, visible)
        draw_course(axes, course, _PANEL)
        if course is shown[-1]:
            sheet.days_below(axes)
        sheet.space(_GAP)
    return sheet.figure


def _days(shown: Sequence[ScaledCourse], periods: Sequence[DosePeriod], as_of: date) -> Days:
    """From some months before today's drugs, or from the first result where that is later.

    Results from long before would squeeze those that matter; they stay in the table of the page.
    Of every fact the newest result is shown, however old. The first dose is shown where that does
    not squeeze the results.
    """
    found = sorted(point.day for course in shown for point in course.points)
    first = found[0]
    running = {item.drug for item in periods if item.status != "ended"}
    starts = [item.start for item in periods if item.start and item.drug in running]
    if starts:
        begun = min(starts)
        early = days_before(begun, _BEFORE_TREATMENT)
        first = next((day for day in found if day >= early), first)
        first = min([first, *(course.points[-1].day for course in shown if course.points)])
        if as_of - begun <= 2 * (as_of - first):
            first = min(first, begun)
    return shown_days([first], as_of)

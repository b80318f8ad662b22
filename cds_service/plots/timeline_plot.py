"""The timeline as one picture: treatment, events, tests and values, one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cds_service.plots.bars import Bar, bars, undated
from cds_service.plots.course_drawing import MARKS, course_title, draw_course
from cds_service.plots.data import DatedEvent, DatedTest, Timeline
from cds_service.plots.drawing import (
    INK,
    QUIET,
    SMALL,
    THRESHOLD,
    VALUE,
    Days,
    Sheet,
    Width,
    day_number,
    days_before,
    draw_holds,
    draw_lanes,
    lane_height,
    legible,
    shown_days,
)
from cds_service.plots.scales import ScaledCourse, scaled, since
from cds_service.plots.timeline import DISEASE_STATUS

TIMELINE = Width(1000, 44, 150, 9)
COLUMN_TIMELINE = Width(720, 44, 150, 6)
"""As wide as the column of a page that stands beside a form."""
NARROW_TIMELINE = Width(350, 36, 128, 3)
TITLE = "Treatment, tests and findings over time"

_PANEL = 54.0
_ROW = 31.0
_SECTION = 22.0
_AFTER_TITLE = 4.0
_TITLE = 16.0
_BEFORE_TREATMENT = 21
"""Days before the first dose that are drawn; what is earlier is said in words."""

_STATUS_MARKS = {
    "improved": ("^", "△"),
    "stable": ("o", "○"),
    "worse": ("x", "×"),
    "undetermined": ("_", "–"),
    "free of disease": ("*", "☆"),
}
_KEY = ", ".join(f"{sign} {word}" for word, (_, sign) in _STATUS_MARKS.items())
_PROGRESSION = "worse"


def timeline_figure(timeline: Timeline, width: Width = TIMELINE) -> Figure:
    """The figure. What is not recorded is said in words, so that no gap looks like a finding."""
    taken = bars(timeline.periods, timeline.as_of)
    courses = [item for item in map(scaled, timeline.courses) if item.points or item.left_out]
    days = _days(timeline, taken, courses)
    within = [(course, since(course, days.first)) for course in courses]
    recorded = [pair for pair in within if pair[1].points or pair[1].left_out]
    shown = [pair for pair in recorded if _matters(pair[1])]
    others = [course.fact for _, course in recorded if not _matters(course)]
    earlier = [whole.fact for whole, course in within if not course.points and not course.left_out]
    kinds = list(dict.fromkeys(event.kind for event in timeline.events))
    said = _said_of_values(width, drawn=bool(shown), earlier=earlier, others=others)
    height = _height(timeline, taken, len(kinds), len(shown)) + len(said) * _TITLE
    sheet = Sheet(width, height, days)
    sheet.title(TITLE)
    sheet.as_of_label(f"as of {timeline.as_of.day} {timeline.as_of:%b %Y}")
    _treatment(sheet, timeline, taken)
    _section(sheet, "Events")
    for kind in kinds:
        own = [event for event in timeline.events if event.kind == kind]
        _event_row(sheet, kind, own)
    if not kinds:
        sheet.line("no imaging, progression or ALK result recorded")
    sheet.space(_SECTION - _TITLE)
    _section(sheet, "Tests of the drugs taken (| done, ◇ due)")
    for test in timeline.tests:
        _test_row(sheet, test)
    if not timeline.tests:
        sheet.line("no test recorded or due")
    sheet.space(_SECTION - _TITLE)
    _section(sheet, "Values")
    for line in said:
        sheet.line(line)
    sheet.space(_AFTER_TITLE if said else 0)
    last: Axes | None = None
    for whole, course in shown:
        last = _course_panel(sheet, whole, course, taken)
    if last is None and not said:
        sheet.line("no laboratory result or vital sign recorded")
    if last is None:
        last = sheet.panel(4)
        last.set_yticks([])
    sheet.days_below(last)
    return sheet.figure


def _said_of_values(
    width: Width, *, drawn: bool, earlier: Sequence[str], others: Sequence[str]
) -> list[str]:
    """The marks in words, and the values that are not drawn, as lines that fit."""
    lines = width.wrapped(f"Marks: {MARKS}") if drawn else []
    for says, facts in (
        ("Recorded only before these days", earlier),
        ("Recorded, none above its limit and without a limit of these drugs", others),
    ):
        lines += width.wrapped(f"{says}: {', '.join(facts)}") if facts else []
    return lines


def _matters(course: ScaledCourse) -> bool:
    """Whether a course is drawn: the drugs have a limit for it, or a result is out of line."""
    limits = any(not item.is_upper_limit for item in course.levels)
    marked = any(item.above or item.beyond or item.comparator for item in course.points)
    return limits or bool(course.not_drawn) or marked or bool(course.left_out)


def in_words(timeline: Timeline) -> str:
    """What the picture holds, for those who do not see it."""
    drugs = ", ".join(dict.fromkeys(item.drug for item in timeline.periods))
    due = ", ".join(item.label for item in timeline.tests if item.due is not None)
    courses = ", ".join(item.fact for item in timeline.courses)
    return (
        f"As of {timeline.as_of.day} {timeline.as_of:%b %Y}."
        f" ALK inhibitors: {drugs or 'none recorded'}."
        f" Events: {len(timeline.events) or 'none'} recorded."
        f" Tests due: {due or 'none'}."
        f" Values of {courses or 'nothing'} recorded."
    )


def _days(timeline: Timeline, taken: Sequence[Bar], courses: Sequence[ScaledCourse]) -> Days:
    """From some weeks before the first dose; before any treatment, from the first day recorded."""
    if taken:
        found = [days_before(min(bar.begin for bar in taken), _BEFORE_TREATMENT)]
    else:
        found = [event.day for event in timeline.events]
        found += [point.day for course in courses for point in course.points]
    found += [test.due for test in timeline.tests if test.due is not None]
    return shown_days(found, timeline.as_of, least=60)


def _height(
    timeline: Timeline,
    taken: Sequence[Bar],
    kinds: int,
    courses: int,
) -> float:
    """All that will be drawn, in pixels."""
    treatment = lane_height(len({bar.drug for bar in taken})) if taken else _TITLE
    rows = (_ROW * kinds or _TITLE) + (_ROW * len(timeline.tests) or _TITLE)
    panels = courses * (_PANEL + _TITLE + 8) or _TITLE + 1
    # The title, an order without a day, and that nothing was recorded.
    lines = 3 * _TITLE + _AFTER_TITLE
    return 14 + treatment + rows + panels + lines + 4 * (_SECTION + _AFTER_TITLE) + 26


def _treatment(sheet: Sheet, timeline: Timeline, taken: Sequence[Bar]) -> None:
    _section(sheet, "ALK inhibitors (hatched: on hold or no order)")
    if taken:
        draw_lanes(sheet, taken)
    lost = list(dict.fromkeys(item.drug for item in undated(timeline.periods)))
    if lost:
        sheet.line(f"{', '.join(lost)}: ordered, since when is not recorded")
    elif not taken:
        sheet.line("no ALK inhibitor recorded")
    sheet.space(_SECTION - _TITLE)


def _section(sheet: Sheet, title: str) -> None:
    sheet.title(title)
    sheet.space(_AFTER_TITLE)


def _event_row(sheet: Sheet, kind: str, events: Sequence[DatedEvent]) -> None:
    title = f"{kind} ({_KEY})" if kind == DISEASE_STATUS else kind
    earlier = [event.day for event in events if event.day < sheet.days.first]
    events = [event for event in events if event.day >= sheet.days.first]
    if earlier:
        more = f", {len(earlier)} in all" if len(earlier) > 1 else ""
        title += f"; earlier: {_written(max(earlier))}{more}"
    axes = _row(sheet, title)
    words = dict.fromkeys(event.label for event in events)
    for word in words:
        marker = _STATUS_MARKS[word][0] if word in _STATUS_MARKS else "D"
        filled = marker in "xD_"
        axes.plot(
            [day_number(event.day) for event in events if event.label == word],
            [0.5] * sum(event.label == word for event in events),
            linestyle="none", marker=marker, markersize=7, markeredgewidth=1.6,
            color=THRESHOLD if word == _PROGRESSION else VALUE,
            markerfacecolor=VALUE if filled else "none",
            gid=f"events {kind} {word}".strip(),
        )  # fmt: skip


def _test_row(sheet: Sheet, test: DatedTest) -> None:
    axes = _row(sheet, test.label)
    done = [day for day in test.done if day >= sheet.days.first]
    axes.plot(
        [day_number(day) for day in done], [0.5] * len(done), linestyle="none", marker="|",
        markersize=10, markeredgewidth=1.4, color=VALUE, gid=f"done {test.label}",
    )  # fmt: skip
    said = "never recorded" if not test.done else f"last {_written(test.done[-1])}"
    if test.due is not None:
        axes.plot(
            [day_number(test.due)], [0.5], linestyle="none", marker="D", markersize=6,
            markeredgewidth=1.4, color=THRESHOLD, markerfacecolor="none",
            gid=f"due {test.label}",
        )  # fmt: skip
        word = test.status if test.status in ("overdue", "missing") else "due"
        said = f"{word}: {_written(test.due)}" if word != "missing" else "missing"
    axes.annotate(
        said, (1.0, 0.5), xytext=(4, 0), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", va="center_baseline", fontsize=SMALL, color=INK,
        annotation_clip=False, gid=f"said {test.label}",
    )  # fmt: skip


def _row(sheet: Sheet, title: str) -> Axes:
    """A line of marks below its name."""
    axes = sheet.panel(_ROW)
    axes.set_ylim(-0.15, 1.75)
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.axhline(0.5, color=QUIET, alpha=0.4, linewidth=0.6)
    axes.text(
        0.0, 1.1, legible(title, sheet.small_characters), transform=axes.get_yaxis_transform(),
        fontsize=SMALL, color=INK,
    )  # fmt: skip
    return axes


def _course_panel(
    sheet: Sheet, whole: ScaledCourse, course: ScaledCourse, taken: Sequence[Bar]
) -> Axes:
    earlier = len(whole.points) - len(course.points)
    notes = [f"{earlier} earlier not shown"] if earlier else []
    sheet.title(course_title(course, notes), gid=f"title {course.fact}")
    axes = sheet.panel(_PANEL)
    draw_holds(axes, taken)
    draw_course(axes, course, _PANEL)
    sheet.space(8)
    return axes


def _written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"

"""The plot of a decision page: from the stored document to pictures and the table beside them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from markupsafe import Markup

from cds_service.plots import Course, DosePeriod, PlottedThreshold, PlottedValue
from cds_service.plots.scales import GRADE, ScaledCourse, plain_number, scaled, written_unit
from cds_service.web.document import DecisionDocument, Number, PlotPart
from cds_service.web.wording import plain_date

_logger = logging.getLogger("alk_cds.web")

TITLE = "The values behind the recommendation over time"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One result in the table. `multiple` is that of its upper limit, or why it is not drawn."""

    day: str
    as_sent: str
    used: str
    upper_limit: str
    multiple: str


@dataclass(frozen=True, slots=True)
class TableOfCourse:
    """The results of one fact, newest first, with the thresholds in words."""

    fact: str
    unit: str
    thresholds: tuple[str, ...]
    rows: tuple[TableRow, ...]
    known: int


@dataclass(frozen=True, slots=True)
class PagePlot:
    """What the page shows: the same picture for a wide and a narrow screen, tables, and doses.

    `pictures` is empty where no result could be drawn; `failed` says that drawing went wrong.
    """

    pictures: tuple[Markup, ...]
    tables: tuple[TableOfCourse, ...]
    doses: tuple[str, ...]
    failed: bool = False


def page_plot(document: DecisionDocument) -> PagePlot | None:
    """The plot of a document; None for one that was stored without values to plot.

    A picture that cannot be drawn never takes the page away: the tables stay.
    """
    part = document.plot
    as_of = _day(document.as_of)
    if part is None or as_of is None or not part.courses:
        return None
    courses = _courses(part)
    periods = _periods(part)
    try:
        pictures = _pictures(courses, periods, as_of)
        failed = False
    except Exception as error:  # noqa: BLE001 - the text of the error may hold values
        _logger.error("the plot of a decision failed with %s", type(error).__name__)
        pictures, failed = (), True
    tables = tuple(_table(course) for course in courses)
    return PagePlot(pictures, tables, tuple(map(_dose_words, periods)), failed)


def _pictures(
    courses: Sequence[Course], periods: Sequence[DosePeriod], as_of: date
) -> tuple[Markup, ...]:
    # Imported when a page is opened: calls of hooks must not wait for the plotting library.
    from cds_service.plots.decision_plot import decision_figure
    from cds_service.plots.drawing import NARROW, WIDE
    from cds_service.plots.files import drawing_settings, page_svg

    told = " ".join(map(_in_words, map(scaled, courses)))
    found: list[Markup] = []
    for width, name in ((WIDE, "plot-wide"), (NARROW, "plot-narrow")):
        with drawing_settings():
            figure = decision_figure(courses, periods, as_of, width)
            if figure is not None:
                # An XML writer wrote it from our own figure, so every text in it is escaped.
                found.append(Markup(page_svg(figure, TITLE, told, name)))  # noqa: S704
    return tuple(found)


def _in_words(course: ScaledCourse) -> str:
    if not course.points:
        return f"{course.fact}: nothing to draw."
    newest = course.points[-1]
    value = f"{newest.comparator} {newest.height:.3g} {course.unit}".strip()
    if course.unit == GRADE:
        value = f"grade {newest.height:.3g}{' or more' if newest.comparator else ''}"
    lines = ", ".join(item.label for item in course.levels if not item.is_upper_limit)
    count = len(course.points)
    text = f"{course.fact}: {count} result{'' if count == 1 else 's'}, the newest {value}"
    text += f" on {plain_date(newest.day)}{f'; thresholds {lines}' if lines else ''}"
    return f"{text}; {len(course.left_out)} not drawn." if course.left_out else f"{text}."


def _courses(part: PlotPart) -> tuple[Course, ...]:
    found = []
    for course in part.courses:
        values = []
        for item in course.values:
            day = _day(item.day)
            if day is None:
                continue
            number = _number(item.value)
            problem = item.problem or ("" if number is not None else "no number")
            values.append(
                PlottedValue(
                    day,
                    number,
                    _number(item.upper_limit),
                    item.comparator,
                    item.as_sent,
                    problem,
                )
            )
        thresholds = []
        for asked in course.thresholds:
            number = _number(asked.number)
            if number is not None:
                level = _number(asked.level)
                thresholds.append(
                    PlottedThreshold(asked.operator, number, asked.unit, level, asked.meaning)
                )
        found.append(
            Course(course.fact, course.unit, tuple(values), tuple(thresholds), course.known)
        )
    return tuple(found)


def _periods(part: PlotPart) -> tuple[DosePeriod, ...]:
    return tuple(
        DosePeriod(
            line.drug, order.status, _day(order.start), _day(order.end), _number(order.daily_mg)
        )
        for line in part.lines
        for order in line.orders
    )


def _table(course: Course) -> TableOfCourse:
    drawn = scaled(course)
    why = {id(item): reason for item, reason in drawn.left_out}
    rows = [
        TableRow(
            plain_date(item.day),
            item.as_sent,
            f"{item.comparator} {_text(item.number)}".strip(),
            _text(item.upper_limit),
            f"not drawn: {why[id(item)]}" if id(item) in why else _multiple(item),
        )
        for item in sorted(course.values, key=lambda item: item.day, reverse=True)
    ]
    thresholds = [item.label for item in drawn.levels if not item.is_upper_limit]
    thresholds += [f"{label} (not drawn)" for label in drawn.not_drawn]
    known = max(course.known, len(rows))
    return TableOfCourse(
        course.fact, written_unit(course.unit), tuple(thresholds), tuple(rows), known
    )


def _multiple(item: PlottedValue) -> str:
    if item.number is None or not item.upper_limit:
        return ""
    return f"{item.comparator} {item.number / item.upper_limit:.2f}".strip()


def _dose_words(period: DosePeriod) -> str:
    dose = f"{_text(period.daily_mg)} mg a day" if period.daily_mg is not None else "dose not known"
    start = plain_date(period.start) or "a day that is not recorded"
    end = f" to {plain_date(period.end)}" if period.end is not None else ""
    return f"{period.drug}, {dose}, from {start}{end}, {period.status}"


def _text(number: Decimal | None) -> str:
    return "" if number is None else plain_number(number)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _number(sent: Number | None) -> Decimal | None:
    try:
        number = Decimal(str(sent)) if sent is not None else None
    except InvalidOperation:
        return None
    # What no picture can show would only fail later.
    return number if number is not None and number.is_finite() and abs(number) < 10**12 else None

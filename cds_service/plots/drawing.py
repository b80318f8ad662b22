"""The parts that all pictures are made of: lanes with bars and marks, and panels with points.

Positions are in pixels of the finished picture, so that text keeps its size at every width. No
meaning is in a colour alone: bounds, holds and thresholds have shapes, patterns and words.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from cds_service.plots.bars import Bar, BarKind

INK = "#1b1f24"
QUIET = "#75808b"
VALUE = "#2f78b7"
THRESHOLD = "#c4473a"
DOSE = "#7aa6cf"

DPI = 72
"""One pixel is one point."""

TEXT = 11.0
SMALL = 10.0
_BAR_HEIGHT = 15.0
_CHARACTER = 6.2
"""Pixels that a character of small text takes on average, to tell whether a label fits."""


@dataclass(frozen=True, slots=True)
class Width:
    """A picture's width in pixels with its margins; `ticks` is how many days are written."""

    pixels: int
    left: int
    right: int
    ticks: int

    @property
    def inner(self) -> int:
        """Pixels between the margins."""
        return self.pixels - self.left - self.right

    @property
    def small_characters(self) -> int:
        """How many characters of small text fit from the left margin to the right edge."""
        return round((self.pixels - self.left) / _CHARACTER)

    def wrapped(self, text: str) -> list[str]:
        """A long text of small size as lines that fit."""
        return textwrap.wrap(text, self.small_characters)


WIDE = Width(860, 44, 156, 7)
NARROW = Width(350, 36, 132, 3)


@dataclass(frozen=True, slots=True)
class Days:
    """The days that a picture shows, from `first` to `last`, and the day it speaks of."""

    first: date
    last: date
    as_of: date

    @property
    def span(self) -> int:
        """Days from first to last; never 0."""
        return max(1, (self.last - self.first).days)


def shown_days(found: Sequence[date], as_of: date, least: int = 28) -> Days:
    """From the first of the days found to `as_of` or a later one, `least` days or more."""
    first = min((*found, days_before(as_of, least)))
    last = max((*found, as_of))
    room = max(1, round((last - first).days * 0.02))
    return Days(days_before(first, room), last + timedelta(days=room), as_of)


def days_before(day: date, number: int) -> date:
    """The day so many days earlier, or the first day there is: records hold days of the year 1."""
    return date.fromordinal(max(1, day.toordinal() - number))


def legible(text: str, longest: int = 80) -> str:
    """The text without control characters, which no SVG may hold, and not longer than `longest`."""
    kept = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


def written_days(days: Days, most: int) -> list[tuple[date, str]]:
    """At most so many days to write below a picture, with their words.

    Days back from the day of the picture where it is short, else first days of months or years.
    """
    for step in (1, 2, 7, 14):
        count = (days.as_of - days.first).days // step + 1
        if count <= most:
            found = [days.as_of - timedelta(days=step * back) for back in range(count)]
            return [(day, f"{day.day} {day:%b}") for day in reversed(found)]
    months = range(days.first.year * 12 + days.first.month, days.last.year * 12 + days.last.month)
    firsts = [date(month // 12, month % 12 + 1, 1) for month in months]
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240, 1200, 12000):
        kept = [day for day in firsts if (day.year * 12 + day.month - 1) % step == 0]
        if len(kept) <= most:
            return [(day, f"{day:%Y}" if step >= 12 else f"{day:%b %Y}") for day in kept]
    return []


class Sheet:
    """A figure that is filled from the top down. Heights and widths are in pixels."""

    def __init__(self, width: Width, height: float, days: Days) -> None:
        self.figure = Figure(figsize=(width.pixels / DPI, height / DPI), dpi=DPI)
        self.figure.patch.set_alpha(0.0)
        self.width = width
        self.days = days
        self._height = height
        self._from_top = 0.0

    @property
    def small_characters(self) -> int:
        """How many characters of small text fit from the left margin to the right edge."""
        return self.width.small_characters

    def space(self, height: float) -> None:
        """Leave room."""
        self._from_top += height

    def panel(self, height: float) -> Axes:
        """Empty axes of that height below what is there, over the days of the sheet."""
        self._from_top += height
        bounds = (
            self.width.left / self.width.pixels,
            1 - self._from_top / self._height,
            self.width.inner / self.width.pixels,
            height / self._height,
        )
        axes = self.figure.add_axes(bounds)
        axes.patch.set_alpha(0.0)
        axes.set_xlim(day_number(self.days.first), day_number(self.days.last))
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(QUIET)
        axes.tick_params(
            colors=INK, labelsize=SMALL, color=QUIET, length=3, labelbottom=False, bottom=False
        )
        axes.set_xticks([])
        axes.axvline(
            day_number(self.days.as_of),
            color=INK,
            linewidth=1,
            linestyle=(0, (1, 1.5)),
            gid="today",
        )
        return axes

    def title(self, text: str, gid: str = "") -> None:
        """A line of text from the left margin on."""
        self._from_top += 16
        self.figure.text(
            4 / self.width.pixels,
            1 - (self._from_top - 4) / self._height,
            legible(text, round((self.width.pixels - 8) / _CHARACTER)),
            fontsize=TEXT,
            fontweight="bold",
            color=INK,
            gid=gid or None,
        )

    def line(self, text: str) -> None:
        """A line of plain text, such as what is not recorded."""
        self._from_top += 16
        self.figure.text(
            self.width.left / self.width.pixels,
            1 - (self._from_top - 4) / self._height,
            legible(text, self.small_characters),
            fontsize=SMALL,
            color=INK,
            gid="line",
        )

    def days_below(self, axes: Axes) -> None:
        """Write the days under the last panel, and what the dotted line is."""
        ticks = written_days(self.days, self.width.ticks)
        axes.set_xticks([day_number(day) for day, _ in ticks], [text for _, text in ticks])
        axes.tick_params(labelbottom=True, bottom=True)
        self._from_top += 18

    def as_of_label(self, text: str) -> None:
        """Name the dotted line, at the top of the sheet."""
        self._from_top += 14
        share = (day_number(self.days.as_of) - day_number(self.days.first)) / (
            day_number(self.days.last) - day_number(self.days.first)
        )
        self.figure.text(
            (self.width.left + share * self.width.inner) / self.width.pixels,
            1 - (self._from_top - 3) / self._height,
            text,
            fontsize=SMALL,
            color=INK,
            ha="right" if share > 0.5 else "left",
            gid="today label",
        )


def lane_height(drugs: int) -> float:
    """Pixels that the lanes of so many drugs take."""
    return drugs * (_BAR_HEIGHT + 19)


def draw_lanes(sheet: Sheet, found: Sequence[Bar]) -> Axes:
    """One lane for each drug: its name, and its bars with their doses."""
    drugs = list(dict.fromkeys(bar.drug for bar in found))
    height = lane_height(len(drugs))
    axes = sheet.panel(height)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    pixels_per_day = sheet.width.inner / (sheet.days.span)
    for row, drug in enumerate(drugs):
        top = row * (_BAR_HEIGHT + 19)
        axes.text(
            0.0, top + 10, legible(drug, 40), transform=axes.get_yaxis_transform(),
            fontsize=TEXT, fontweight="bold", color=INK, gid=f"drug {drug}",
        )  # fmt: skip
        for bar in (bar for bar in found if bar.drug == drug):
            begin = max(bar.begin, sheet.days.first)
            end = min(bar.end + timedelta(days=1), sheet.days.last)
            if end <= begin:
                continue
            _draw_bar(axes, bar, begin, end, top + 15)
            room = (end - begin).days * pixels_per_day - 6
            label = _that_fits(bar, room)
            if label:
                axes.text(
                    day_number(begin) + 3 / pixels_per_day, top + 15 + _BAR_HEIGHT / 2, label,
                    fontsize=SMALL, color=INK, va="center_baseline", gid=f"dose {drug}",
                )  # fmt: skip
    return axes


def _that_fits(bar: Bar, room: float) -> str:
    """The longest wording of the bar that fits its pixels; empty when none does."""
    dose, _, rest = bar.label.partition(", ")
    if bar.kind in (BarKind.TAKEN, BarKind.END_UNKNOWN):
        short = dose.removesuffix("/day")
        wordings = (bar.label, dose, short, short.removesuffix(" mg"))
    else:
        # That it is on hold matters more than the dose.
        state = (rest or bar.label).partition(",")[0]
        wordings = (bar.label, f"{dose}, {state}" if rest else state, state, "hold")
    return next((text for text in wordings if len(text) * _CHARACTER <= room), "")


_HATCHES = {
    BarKind.TAKEN: "",
    BarKind.ON_HOLD: "////",
    BarKind.HOLD_SOMETIME: "//",
    BarKind.NO_ORDER: "\\\\",
    BarKind.END_UNKNOWN: "",
}


def _draw_bar(axes: Axes, bar: Bar, begin: date, end: date, top: float) -> None:
    solid = bar.kind in (BarKind.TAKEN, BarKind.HOLD_SOMETIME)
    axes.broken_barh(
        [(day_number(begin), day_number(end) - day_number(begin))],
        (top, _BAR_HEIGHT),
        facecolor=(DOSE, 0.45) if solid else "none",
        edgecolor=(VALUE, 0.9) if not bar.is_hold else (QUIET, 0.8),
        linewidth=0.8,
        linestyle="--" if bar.kind is BarKind.END_UNKNOWN else "-",
        hatch=_HATCHES[bar.kind] or None,
        gid=f"{bar.kind} {bar.drug}",
    )


def draw_holds(axes: Axes, found: Sequence[Bar]) -> None:
    """The days of holds as bands behind the points."""
    for bar in found:
        if bar.is_hold:
            axes.axvspan(
                day_number(bar.begin), day_number(bar.end + timedelta(days=1)),
                facecolor=(QUIET, 0.14), edgecolor="none", zorder=0,
                gid=f"hold {bar.drug}",
            )  # fmt: skip


def day_number(day: date) -> float:
    """The place of a day on the axis."""
    return float(date2num(day))  # type: ignore[no-untyped-call]

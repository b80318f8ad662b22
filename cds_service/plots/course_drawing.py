"""The panel of one course: points, thresholds with their words, and what could not be placed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cds_service.plots.drawing import (
    INK,
    QUIET,
    SMALL,
    TEXT,
    THRESHOLD,
    VALUE,
    day_number,
    legible,
)
from cds_service.plots.scales import Level, Point, ScaledCourse

RESUMED = "#3d8b5f"
_LABEL_GAP = 12.0


def course_title(course: ScaledCourse, notes: Sequence[str] = ()) -> str:
    """The name of a fact with its unit, and what the picture of it lacks."""
    found = [*notes]
    if course.left_out:
        count = len(course.left_out)
        found.append(f"{count} result{'' if count == 1 else 's'} not drawn (?)")
    if course.not_drawn:
        found.append(f"limits not drawn: {', '.join(course.not_drawn)}")
    unit = f" ({course.unit})" if course.unit else ""
    return "; ".join((f"{course.fact}{unit}", *found))


_BOUNDS = {">": "^", ">=": "^", "<": "v", "<=": "v"}


def _kind(point: Point) -> tuple[str, str]:
    """What a point is called in the picture, and its shape: no meaning is in a colour alone."""
    if point.comparator:
        upwards = point.comparator in (">", ">=")
        return ("at least" if upwards else "below"), _BOUNDS[point.comparator]
    if point.beyond:
        return "beyond", "s"
    return ("above", "D") if point.above else ("values", "o")


MARKS = "● result, ◆ above the upper limit of normal, ■ at a limit to stop, hold or lower the dose"
"""The shapes of results in words, for pictures and the pages around them."""


def draw_course(axes: Axes, course: ScaledCourse, pixels: float) -> None:
    """Points joined by a line, bounds as open triangles, and thresholds with their words.

    A question mark stands on the day of a result that has no place on the scale: without it a
    newest result that cannot be graded would leave a picture of normal ones.
    """
    _draw_points(axes, course.fact, course.points)
    first, last = axes.get_xlim()
    for item, _ in course.left_out:
        if first <= day_number(item.day) <= last:
            axes.text(
                day_number(item.day), 0.7, "?", transform=axes.get_xaxis_transform(),
                fontsize=TEXT + 2, fontweight="bold", color=THRESHOLD, ha="center", va="center",
                gid=f"not drawn {course.fact}",
            )  # fmt: skip
    heights = [item.height for item in course.points]
    heights += [item.height for item in course.levels]
    low, high = value_range(heights, from_zero=course.in_upper_limits)
    axes.set_ylim(low, high)
    ticks = MaxNLocator(4 if pixels > 80 else 3, integer=high - low > 4).tick_values(low, high)
    # A number at the very top would stand in the title.
    top = high - (high - low) * 7 / pixels
    axes.set_yticks([tick for tick in ticks if low <= tick <= top] if heights else [])
    axes.grid(axis="y", color=QUIET, alpha=0.25, linewidth=0.6)
    places = spread([_pixel(item.height, low, high, pixels) for item in course.levels], pixels)
    for level, place in zip(course.levels, places, strict=True):
        color, style = _level_style(level)
        axes.axhline(
            level.height, color=color, linewidth=1.1, linestyle=style,
            gid=f"threshold {course.fact}",
        )  # fmt: skip
        axes.annotate(
            legible(level.label, 40), (1.0, place / pixels), xytext=(4, 0),
            xycoords="axes fraction", textcoords="offset points", va="center_baseline",
            fontsize=SMALL, color=INK, annotation_clip=False, gid=f"label {course.fact}",
        )  # fmt: skip


def _level_style(level: Level) -> tuple[str, str]:
    """Colour and pattern of a threshold: what it means is told by both, and by its label."""
    if level.is_upper_limit:
        return QUIET, ":"
    if level.meaning == "resume":
        return RESUMED, "-."
    return (THRESHOLD if level.meaning else QUIET), "--"


def _draw_points(axes: Axes, fact: str, points: Sequence[Point]) -> None:
    days = [day_number(item.day) for item in points]
    heights = [item.height for item in points]
    axes.plot(days, heights, color=VALUE, linewidth=1.0, alpha=0.6, gid=f"line {fact}")
    crowded = len(points) > 120
    for kind, marker in dict.fromkeys(map(_kind, points)):
        kept = [index for index, item in enumerate(points) if _kind(item)[0] == kind]
        color = THRESHOLD if any(points[index].beyond for index in kept) else VALUE
        axes.plot(
            [days[index] for index in kept],
            [heights[index] for index in kept],
            linestyle="none",
            marker=marker,
            markersize=2.5 if crowded and kind == "values" else 5,
            color=color,
            markerfacecolor="none" if kind in ("at least", "below") else color,
            markeredgewidth=1.2,
            gid=f"{kind} {fact}",
        )


LEAST_SHARE = 0.8
"""The least height of a panel as a share of its highest value: normal values make no mountains."""


def value_range(heights: Sequence[float], *, from_zero: bool) -> tuple[float, float]:
    """The bottom and top of a panel: from 0 if asked or unless all values lie far above it."""
    if not heights:
        return 0.0, 1.0
    low, high = min(heights), max(heights)
    if from_zero or 0 <= low < 0.5 * high or low == 0:
        return min(low, 0.0), high * 1.15 if high > 0 else 1.0
    room = max((high - low) * 0.15, (LEAST_SHARE * abs(high) - (high - low)) / 2)
    return low - room, high + room


def _pixel(height: float, low: float, high: float, pixels: float) -> float:
    return (height - low) / (high - low) * pixels


def spread(places: Sequence[float], room: float, gap: float = _LABEL_GAP) -> list[float]:
    """The places, ascending, moved apart so that labels do not overlap, within 0 to `room`."""
    moved = list(places)
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    limit = room
    for index in reversed(range(len(moved))):
        moved[index] = min(moved[index], limit)
        limit = moved[index] - gap
    return moved

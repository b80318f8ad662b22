"""From a course to points and levels on one scale, and to the results that have no place on it.

A course is drawn as multiples of the upper limit of normal where its thresholds are such multiples
and a result came with a limit; each result is then divided by its own limit. Otherwise it is drawn
in its unit. What cannot be placed is listed with the reason, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from cds_service.plots.data import Course, PlottedThreshold, PlottedValue
from cds_service.rules.measuring import OPERATORS

X_UPPER_LIMIT = "xULN"
X_BASELINE = "xbaseline"
GRADE = "grade"

_SIGNS = {">=": "≥", "<=": "≤", "!=": "≠"}
_UNITS = {
    X_UPPER_LIMIT: "× ULN",
    X_BASELINE: "× baseline",
    "/min": "per minute",
    "mm[Hg]": "mmHg",
    "10*9/L": "10⁹/L",
    "umol/L": "µmol/L",
}
ACTED_ON = ("stop", "hold", "reduce")
"""Meanings of thresholds at which something is done."""
NO_LIMIT = "came without an upper limit of normal"


@dataclass(frozen=True, slots=True)
class Point:
    """A result on the scale; `comparator` as in PlottedValue.

    `above` says that it lies above its own upper limit of normal, `beyond` that it meets a limit
    to stop, to hold or to lower the dose.
    """

    day: date
    height: float
    comparator: str = ""
    above: bool = False
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold on the scale, as a reader sees it: ``hold > 5 × ULN``; `meaning` as there."""

    height: float
    label: str
    is_upper_limit: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ScaledCourse:
    """A course on one scale. `unit` is what stands beside the name of the fact.

    `left_out` are results that have no place on the scale, each with why; `not_drawn` are the
    thresholds of which that is true. `in_upper_limits` says that heights are multiples of the upper
    limit of normal.
    """

    fact: str
    unit: str
    points: tuple[Point, ...]
    levels: tuple[Level, ...]
    left_out: tuple[tuple[PlottedValue, str], ...]
    not_drawn: tuple[str, ...]
    in_upper_limits: bool = False


def scaled(course: Course) -> ScaledCourse:
    """The course on its scale, points oldest first."""
    values = sorted(course.values, key=lambda item: item.day)
    limits = [item.upper_limit for item in values if _has_limit(item)]
    newest_limit = limits[-1] if limits else None
    asked = {item.unit for item in course.thresholds}
    divisor = newest_limit if X_UPPER_LIMIT in asked or not asked else None
    points: list[Point] = []
    left_out: list[tuple[PlottedValue, str]] = []
    for item in values:
        if item.number is None:
            left_out.append((item, item.problem or "could not be used"))
        elif divisor is None:
            points.append(_point(item, item.number, course.thresholds, None))
        elif not _has_limit(item):
            left_out.append((item, NO_LIMIT))
        else:
            height = item.number / (item.upper_limit or divisor)
            points.append(_point(item, height, course.thresholds, divisor))
    levels, not_drawn = _levels(course.thresholds, divisor)
    return ScaledCourse(
        course.fact,
        _UNITS[X_UPPER_LIMIT] if divisor is not None else written_unit(course.unit),
        tuple(points),
        levels,
        tuple(left_out),
        not_drawn,
        divisor is not None,
    )


def _point(
    item: PlottedValue,
    height: Decimal,
    thresholds: Iterable[PlottedThreshold],
    divisor: Decimal | None,
) -> Point:
    number = item.number if item.number is not None else height
    above = _has_limit(item) and number > (item.upper_limit or number)
    beyond = False
    for asked in thresholds:
        level = _height(asked, divisor)
        if asked.meaning in ACTED_ON and level is not None:
            beyond = beyond or OPERATORS[asked.operator](height, level)
    return Point(item.day, float(height), item.comparator, above, beyond)


def since(course: ScaledCourse, first: date) -> ScaledCourse:
    """The course without the results from before a day."""
    return replace(
        course,
        points=tuple(item for item in course.points if item.day >= first),
        left_out=tuple(item for item in course.left_out if item[0].day >= first),
    )


def _has_limit(item: PlottedValue) -> bool:
    return item.upper_limit is not None and item.upper_limit > 0


def _levels(
    thresholds: Iterable[PlottedThreshold], divisor: Decimal | None
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """Thresholds by height; those of one height and meaning share a line and its label."""
    labels: dict[tuple[Decimal, str, str], list[str]] = {}
    not_drawn: list[str] = []
    for item in thresholds:
        sign = _SIGNS.get(item.operator, item.operator)
        height = _height(item, divisor)
        amount = threshold_amount(item)
        if height is None:
            not_drawn.append(f"{item.meaning} {sign} {amount}".strip())
        elif sign not in labels.setdefault((height, amount, item.meaning), []):
            labels[height, amount, item.meaning].append(sign)
    levels = [
        Level(float(height), f"{meaning} {', '.join(signs)} {amount}".strip(), meaning=meaning)
        for (height, amount, meaning), signs in labels.items()
    ]
    if divisor is not None:
        levels.append(Level(1.0, "ULN", is_upper_limit=True))
    return tuple(sorted(levels, key=lambda item: item.height)), tuple(dict.fromkeys(not_drawn))


def _height(threshold: PlottedThreshold, divisor: Decimal | None) -> Decimal | None:
    if threshold.unit == X_UPPER_LIMIT:
        return threshold.number if divisor is not None else None
    if threshold.level is None:
        return None
    return threshold.level / divisor if divisor is not None else threshold.level


def threshold_amount(threshold: PlottedThreshold) -> str:
    """Number and unit of a threshold for reading, such as ``5 × ULN`` or ``grade 3``."""
    number = plain_number(threshold.number)
    if threshold.unit == GRADE:
        return f"grade {number}"
    return f"{number} {written_unit(threshold.unit)}".strip()


def written_unit(unit: str) -> str:
    """A unit as clinicians write it, where UCUM writes it otherwise."""
    return _UNITS.get(unit, unit)


def plain_number(number: Decimal) -> str:
    """A number without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

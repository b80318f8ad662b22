"""The upper limit of normal, from the ranges a laboratory sent with its result.

A range counts when it is of type normal, or of no type, and applies to this patient. Several
ranges that apply equally are no answer, and neither is one that needs a sex or an age nobody
knows. A range that contradicts itself has no limit: its words say another number or the opposite,
its low end is not below its high end, or its high end is the lower bound that the words name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from cds_service.fhir.datatypes import CodeableConcept, Quantity, ReferenceRange
from cds_service.fhir.range_fit import fit
from cds_service.fhir.remembered import remembered
from cds_service.fhir.units import WithUnit, fold_unit

_NORMAL_TEXT = frozenset({"normal", "normal range", "reference range"})
_LONGEST = 200
"""Characters of a range in words."""
# A comma followed by exactly three digits could separate thousands: that text is not read.
_PART = r"\d+(?:\.\d+|,\d{1,2}(?!\d))?"
_UNIT_PART = r"(?:\s*(?P<unit>[^\W\d_][^\s]*|[%/\[{][^\s]*))?"
_UPPER_TEXT = re.compile(
    rf"\s*(?:<=|=<|<|≤|up to|bis|to)\s*(?P<high>{_PART}){_UNIT_PART}\s*\Z", re.IGNORECASE
)
_SPAN_TEXT = re.compile(
    rf"\s*(?P<low>{_PART})\s*(?:-|–|—|to|bis)\s*(?P<high>{_PART}){_UNIT_PART}\s*\Z",
    re.IGNORECASE,
)
_LOWER_TEXT = re.compile(
    rf"\s*(?:>=|=>|>|≥|from|over|above|greater than|more than|at least|min\.?|ab|über|mindestens)"
    rf"\s*(?P<low>{_PART}){_UNIT_PART}\s*\Z",
    re.IGNORECASE,
)


class LimitOrigin(StrEnum):
    """Which element gave the limit."""

    HIGH = "referenceRange.high"
    TEXT = "referenceRange.text"


class LimitProblem(StrEnum):
    """Why there is no upper limit."""

    NO_RANGE = "no reference range was sent"
    NO_UPPER_LIMIT = "no reference range states a usable upper limit"
    NOT_APPLICABLE = "no reference range applies to this patient"
    AMBIGUOUS = "several reference ranges apply and differ"
    SEX_OR_AGE_UNKNOWN = "choosing the reference range needs the patient's sex or age"


class ReferenceLimit(msgspec.Struct, frozen=True, gc=False):
    """An upper limit of normal with its own unit, or the problem that stands in its place.

    The unit may differ from the result's unit: convert both before dividing. `inherited` says
    that the range had no unit and took the result's.
    """

    number: Decimal | None
    unit: str | None = None
    code: str | None = None
    system: str | None = None
    as_sent: str = ""
    origin: LimitOrigin | None = None
    inherited: bool = False
    problem: LimitProblem | None = None


def upper_limit(
    ranges: Sequence[ReferenceRange],
    measured: WithUnit | None,
    *,
    sex: str | None = None,
    age_years: Decimal | int | None = None,
) -> ReferenceLimit:
    """The upper limit of normal for this result and patient.

    `measured` gives the unit that a limit without unit inherits. `sex` is male or female; other
    values count as unknown. The answer always comes back: look at `problem`.
    """
    if not ranges:
        return _NO_RANGE
    unit = None if measured is None else (measured.unit, measured.code, measured.system)
    if len(ranges) == 1 and _is_plain(ranges[0]):
        # Nearly every result is like this, and needs neither sex nor age.
        sex = age_years = None
    return _known_limit(tuple(ranges), _digits(ranges), unit, sex, age_years)


Unit = tuple[str | None, str | None, str | None]
_NO_RANGE = ReferenceLimit(None, problem=LimitProblem.NO_RANGE)


def _digits(ranges: Sequence[ReferenceRange]) -> str:
    """The numbers as they were sent: 40 and 40.0 are equal, and are not shown alike."""
    return " ".join([f"{entry.low and entry.low.value} {entry.high and entry.high.value}"
                     for entry in ranges])  # fmt: skip


def _characters(
    ranges: tuple[ReferenceRange, ...], digits: str, unit: Unit | None, sex: str | None, _: object
) -> int:
    texts: list[str | None] = [digits, sex, *(unit or ())]
    for entry in ranges:
        texts.append(entry.text)
        for end in (entry.low, entry.high):
            texts += [] if end is None else [end.unit, end.code, end.system]
        for concept in (*entry.applies_to, *([entry.type] if entry.type is not None else ())):
            texts.append(concept.text)
            for coding in concept.coding:
                texts += [coding.system, coding.code, coding.display, coding.version]
    return sum([len(text) for text in texts if text])


@remembered(4096, _characters)
def _known_limit(
    ranges: tuple[ReferenceRange, ...],
    digits: str,
    unit: Unit | None,
    sex: str | None,
    age_years: Decimal | int | None,
) -> ReferenceLimit:
    """A laboratory sends the same few ranges with all its results: each is read once."""
    del digits  # a part of the key alone
    return _upper_limit(ranges, unit, sex, age_years)


def _upper_limit(
    ranges: tuple[ReferenceRange, ...],
    unit: Unit | None,
    sex: str | None,
    age_years: Decimal | int | None,
) -> ReferenceLimit:
    measured = None if unit is None else Quantity(unit=unit[0], code=unit[1], system=unit[2])
    known_sex = sex.strip().lower() if sex else None
    if known_sex not in ("male", "female"):
        known_sex = None
    normal = [entry for entry in ranges if _is_normal(entry.type)]
    limits = [(entry, limit) for entry in normal if (limit := _limit_of(entry, measured))]
    if not limits:
        return ReferenceLimit(None, problem=LimitProblem.NO_UPPER_LIMIT)
    fits = [(fit(entry, known_sex, age_years), limit) for entry, limit in limits]
    possible = [(fit, limit) for fit, limit in fits if fit.possible]
    if not possible:
        return ReferenceLimit(None, problem=LimitProblem.NOT_APPLICABLE)
    if len({_comparable(limit) for _, limit in possible}) == 1 and any(
        fit.certain for fit, _ in possible
    ):
        return possible[0][1]
    if not all(fit.certain for fit, _ in possible):
        return ReferenceLimit(None, problem=LimitProblem.SEX_OR_AGE_UNKNOWN)
    closest = max(fit.specificity for fit, _ in possible)
    best = [limit for fit, limit in possible if fit.specificity == closest]
    if len({_comparable(limit) for limit in best}) > 1:
        return ReferenceLimit(None, problem=LimitProblem.AMBIGUOUS)
    return best[0]


def says_nothing_of_a_limit(ranges: Sequence[ReferenceRange]) -> bool:
    """Whether no range even tries to state an upper limit of normal.

    A range in words that cannot be read does try, and so does one for another group of people.
    """
    return not any(
        _is_normal(entry.type)
        and ((entry.high is not None and entry.high.number != 0) or (entry.text or "").strip())
        for entry in ranges
    )


def _is_plain(entry: ReferenceRange) -> bool:
    """Whether a range is a normal range for everybody."""
    return entry.age is None and not entry.applies_to and _is_normal(entry.type)


def _comparable(limit: ReferenceLimit) -> tuple[Decimal | None, str, str]:
    return (limit.number, fold_unit(limit.unit or ""), fold_unit(limit.code or ""))


def _is_normal(kind: CodeableConcept | None) -> bool:
    if kind is None or (not kind.coding and not (kind.text or "").strip()):
        return True
    codes = {(coding.code or "").strip().lower() for coding in kind.coding} - {""}
    if codes:
        return codes == {"normal"}
    return (kind.label or "").lower() in _NORMAL_TEXT


def lower_limit(
    ranges: Sequence[ReferenceRange], measured: WithUnit | None
) -> ReferenceLimit | None:
    """The lower limit of normal, from the one range for everybody that was sent; else None."""
    if len(ranges) != 1 or not _is_plain(ranges[0]) or _contradicts_itself(ranges[0]):
        return None
    low = ranges[0].low
    if low is None and ranges[0].high is None:
        written = _low_from_text(ranges[0].text)
        return None if written is None else _with_unit(written, measured)
    if low is None or low.number is None or low.number < 0 or low.comparator in ("<", "<="):
        return None
    return _with_unit(
        ReferenceLimit(
            low.number,
            unit=low.unit or None,
            code=low.code or None,
            system=low.system or None,
            as_sent=low.as_sent,
        ),
        measured,
    )


def _limit_of(entry: ReferenceRange, measured: WithUnit | None) -> ReferenceLimit | None:
    if _contradicts_itself(entry):
        return None
    limit = _from_high(entry) or _from_text(entry.text)
    return None if limit is None else _with_unit(limit, measured)


def _contradicts_itself(entry: ReferenceRange) -> bool:
    """Whether two statements of one range cannot both be true: then neither is believed."""
    high = entry.high.number if entry.high is not None else None
    low = entry.low.number if entry.low is not None else None
    if high is None or high <= 0 or entry.high is None:
        return False
    if low is not None and low >= high and _same_unit(entry.low, entry.high):
        return True
    only_lower = _LOWER_TEXT.match(_words(entry.text))
    if only_lower is not None:
        # The words know no upper end; beside the same lower end they only leave it out.
        return low is None or low != _written(only_lower["low"])
    in_words = _from_text(entry.text)
    if in_words is None or in_words.number is None:
        return False
    same_unit = in_words.unit is None or fold_unit(in_words.unit) in (
        fold_unit(entry.high.unit or ""),
        fold_unit(entry.high.code or ""),
    )
    return same_unit and in_words.number != high


def _words(text: str | None) -> str:
    """The words of a range without brackets around the whole, each blank single; none of a text too
    long to be a range."""
    words = "" if text is None or len(text) > _LONGEST else " ".join(text.split())
    return words[1:-1].strip() if words[:1] + words[-1:] in ("()", "[]") else words


def _written(number: str) -> Decimal:
    return Decimal(number.replace(",", "."))


def _with_unit(limit: ReferenceLimit, measured: WithUnit | None) -> ReferenceLimit:
    if limit.unit is None and limit.code is None and measured is not None:
        return msgspec.structs.replace(
            limit,
            unit=measured.unit,
            code=measured.code,
            system=measured.system,
            inherited=True,
        )
    return limit


def _from_high(entry: ReferenceRange) -> ReferenceLimit | None:
    high = entry.high
    number = high.number if high else None
    if high is None or number is None or number <= 0 or high.comparator in (">", ">="):
        return None
    return ReferenceLimit(
        number,
        unit=high.unit or None,
        code=high.code or None,
        system=high.system or None,
        as_sent=high.as_sent,
        origin=LimitOrigin.HIGH,
    )


def _same_unit(low: Quantity | None, high: Quantity) -> bool:
    if low is None:
        return False
    said = (low.unit, low.code), (high.unit, high.code)
    return said[0] == said[1] or (None, None) in said


def _from_text(text: str | None) -> ReferenceLimit | None:
    words = _words(text)
    match = _UPPER_TEXT.match(words) or _SPAN_TEXT.match(words)
    if match is None:
        return None
    found = match.groupdict()
    high = _written(found["high"])
    low = _written(found["low"]) if found.get("low") else None
    if high <= 0 or (low is not None and low >= high):
        return None
    return ReferenceLimit(
        high,
        unit=found["unit"],
        as_sent=(text or "").strip(),
        origin=LimitOrigin.TEXT,
    )


def _low_from_text(text: str | None) -> ReferenceLimit | None:
    """The lower end of a span in words; a text with an upper limit alone has none."""
    match = _SPAN_TEXT.match(_words(text))
    if match is None:
        return None
    low, high = _written(match["low"]), _written(match["high"])
    if low < 0 or low >= high:
        return None
    said = (text or "").strip()
    return ReferenceLimit(low, unit=match["unit"], as_sent=said, origin=LimitOrigin.TEXT)

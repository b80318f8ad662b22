"""Numbers as laboratories send them, and the upper limit of normal they send with them."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

import msgspec

from cds_service.fhir.datatypes import CodeableConcept, Quantity
from cds_service.fhir.reference_ranges import (
    LimitOrigin,
    LimitProblem,
    ReferenceLimit,
    says_nothing_of_a_limit,
    upper_limit,
)
from cds_service.fhir.views import Observation, ObservationComponent

__all__ = [
    "LimitOrigin",
    "LimitProblem",
    "NumberAsSent",
    "NumberProblem",
    "ReferenceLimit",
    "has_value",
    "interpretation_codes",
    "parse_number",
    "read_number",
    "read_quantity",
    "says_nothing_of_a_limit",
    "upper_limit",
]

_LONGEST = 100
"""Characters of a number with its unit in words: a longer text is no number."""
COMPARATORS = frozenset({"<", "<=", ">", ">="})
_SPELLED = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
_NUMBER_TEXT = re.compile(
    r"\s*(?:(?P<comparator><=|>=|=<|=>|<|>|≤|≥)\s*)?"
    r"(?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)"
    r"(?:\s*(?P<unit>[^\W\d_][^\s]*|[%/\[{][^\s]*))?\s*\Z"
)
_MAYBE_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")


class NumberProblem(StrEnum):
    """Why there is no number."""

    NO_VALUE = "no value was sent"
    DATA_ABSENT = "the sender says that the value is absent"
    NOT_NUMERIC = "the value is not a number"
    COMPARATOR = "the comparator is not one of < <= > >="


class NumberAsSent(msgspec.Struct, frozen=True, gc=False):
    """A number with its unit as sent. With a `problem`, `number` is None.

    `unit`, `code` and `system` are the unit elements; `units.UnitTable` converts. `as_sent` is
    for display and may hold a laboratory's words: never log it. `absent_reason` is the code of
    dataAbsentReason.
    """

    number: Decimal | None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None
    system: str | None = None
    as_sent: str = ""
    problem: NumberProblem | None = None
    absent_reason: str | None = None


def parse_number(text: str) -> NumberAsSent:
    """Read "45", "<5", "> 1000", "3.30 mg/dL". Everything else is not numeric, also "1,5", and
    "2.400", which is more than two thousand where a point separates thousands."""
    text = text.strip()
    match = _NUMBER_TEXT.match(text) if len(text) <= _LONGEST else None
    if match is None or _MAYBE_THOUSANDS.fullmatch(match["number"]):
        return NumberAsSent(None, as_sent=text, problem=NumberProblem.NOT_NUMERIC)
    comparator = match["comparator"]
    return NumberAsSent(
        Decimal(match["number"]),
        comparator=_SPELLED.get(comparator, comparator) if comparator else None,
        unit=match["unit"],
        as_sent=text,
    )


def read_quantity(quantity: Quantity) -> NumberAsSent:
    """Read a Quantity, also one with the comparator inside its value."""
    number, unit = quantity.number, quantity.unit
    if number is not None and not quantity.comparator:
        return NumberAsSent(number, None, unit, quantity.code, quantity.system, quantity.as_sent)
    sent_comparator = (quantity.comparator or "").strip()
    comparator: str | None = _SPELLED.get(sent_comparator, sent_comparator) or None
    if number is None and quantity.value_text:
        inside = parse_number(quantity.value_text)
        if inside.problem is not None or (
            inside.comparator and comparator and inside.comparator != comparator
        ):
            return _unusable(quantity, NumberProblem.NOT_NUMERIC)
        if inside.unit is not None and quantity.unit is None and quantity.code is None:
            unit = inside.unit
        elif inside.unit is not None and inside.unit not in (quantity.unit, quantity.code):
            return _unusable(quantity, NumberProblem.NOT_NUMERIC)
        number, comparator = inside.number, inside.comparator or comparator
    if number is None:
        unreadable = quantity.value is not None
        return _unusable(
            quantity, NumberProblem.NOT_NUMERIC if unreadable else NumberProblem.NO_VALUE
        )
    if comparator is not None and comparator not in COMPARATORS:
        return _unusable(quantity, NumberProblem.COMPARATOR)
    return NumberAsSent(
        number,
        comparator=comparator,
        unit=unit,
        code=quantity.code,
        system=quantity.system,
        as_sent=quantity.as_sent,
    )


def _unusable(quantity: Quantity, problem: NumberProblem) -> NumberAsSent:
    return NumberAsSent(
        None,
        unit=quantity.unit,
        code=quantity.code,
        system=quantity.system,
        as_sent=quantity.as_sent,
        problem=problem,
    )


def read_number(source: Observation | ObservationComponent) -> NumberAsSent:
    """The number of an Observation or of one component.

    A dataAbsentReason wins over any value beside it: the sender disowns that value.
    """
    if source.data_absent_reason is not None:
        return NumberAsSent(
            None,
            as_sent=source.data_absent_reason.label or "",
            problem=NumberProblem.DATA_ABSENT,
            absent_reason=_first_code(source.data_absent_reason),
        )
    if source.value_quantity is not None:
        return read_quantity(source.value_quantity)
    if source.value_integer is not None:
        return NumberAsSent(Decimal(source.value_integer), as_sent=str(source.value_integer))
    if source.value_string is not None and source.value_string.strip():
        return parse_number(source.value_string)
    if not has_value(source):
        return NumberAsSent(None, problem=NumberProblem.NO_VALUE)
    label = source.value_codeable_concept.label if source.value_codeable_concept else None
    return NumberAsSent(None, as_sent=label or "", problem=NumberProblem.NOT_NUMERIC)


def has_value(source: Observation | ObservationComponent) -> bool:
    """True when any kind of value was sent."""
    return bool(
        source.value_quantity is not None
        or source.value_codeable_concept is not None
        or (source.value_string and source.value_string.strip())
        or source.value_integer is not None
        or source.value_boolean is not None
        or source.value_date_time is not None
        or source.value_range is not None
        or source.value_ratio is not None
    )


def interpretation_codes(source: Observation | ObservationComponent) -> frozenset[str]:
    """Interpretation codes such as H, HH, L, POS, upper-cased; a flag without a code is left."""
    return frozenset(
        coding.code.strip().upper()
        for concept in source.interpretation
        for coding in concept.coding
        if coding.code and coding.code.strip()
    )


def _first_code(concept: CodeableConcept) -> str | None:
    for coding in concept.coding:
        if coding.code:
            return coding.code.strip()
    return None

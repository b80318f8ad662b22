"""The last step outward: no null and nothing empty leaves the service (R-03, R-04, R-05)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec


class SentNumber(Decimal):
    """A number with a fraction or an exponent that remembers how it was written: ``7.50e2``.

    An order that goes back has to be the order that came, and some systems compare the text.
    """

    spelling: str

    def __new__(cls, spelling: str) -> SentNumber:
        """The number of a JSON text."""
        made = super().__new__(cls, spelling)
        made.spelling = spelling
        return made

    def __copy__(self) -> SentNumber:
        return self

    def __deepcopy__(self, memo: object) -> SentNumber:
        # Like any number it never changes, so that a copy is the number itself.
        return self

    def __reduce__(self) -> tuple[type[SentNumber], tuple[str]]:
        return SentNumber, (self.spelling,)


def _as_sent(value: object) -> msgspec.Raw | dict[Any, Any]:
    """What the encoder does not know itself."""
    if isinstance(value, SentNumber):
        return msgspec.Raw(value.spelling.encode("ascii"))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON type: {type(value).__name__}")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_sent)


def check_json_value(value: Any) -> None:
    """Raise ValueError unless ``value`` is made of JSON types with finite numbers.

    An encoder would write NaN as null, and a dose that turns into null is worse than an error.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number is not finite")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is not finite")
    elif isinstance(value, Mapping):
        for name, member in value.items():
            if not isinstance(name, str):
                raise ValueError("a member name is not text")
            check_json_value(member)
    elif isinstance(value, (list, tuple)):
        for element in value:
            check_json_value(element)
    else:
        raise ValueError("a value is not of a JSON type")


def is_empty(value: Any) -> bool:
    """Say whether the value is null or an empty string, array or object."""
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and len(value) == 0)


def without_empties(value: Any) -> Any:
    """Return a copy of a JSON value without null and empty members, at any depth.

    FHIR pairs an array of primitive values with an array of their extensions by position and
    fills the gaps with null. Those nulls carry meaning (R-07), so an array with such a partner
    keeps its null elements.
    """
    if isinstance(value, Mapping):
        result: dict[str, Any] = {}
        for name, member in value.items():
            partner = name[1:] if name.startswith("_") else f"_{name}"
            positional = isinstance(value.get(partner), (list, tuple))
            cleaned = (
                _clean_array(member, positional) if _is_array(member) else without_empties(member)
            )
            if not is_empty(cleaned):
                result[name] = cleaned
        return result
    if _is_array(value):
        return _clean_array(value, False)
    return value


def _is_array(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _clean_array(value: Any, positional: bool) -> list[Any]:
    cleaned = [without_empties(element) for element in value]
    if positional:
        return [None if is_empty(element) else element for element in cleaned]
    return [element for element in cleaned if not is_empty(element)]


def as_json_types(value: Any) -> Any:
    """Return a copy with every tuple as a list and every mapping as a dict."""
    if isinstance(value, Mapping):
        return {name: as_json_types(member) for name, member in value.items()}
    if _is_array(value):
        return [as_json_types(element) for element in value]
    return value


def encode(value: Any) -> bytes:
    """Return the JSON text of ``value``; a Decimal is written as the same digits it holds,
    a number that was sent as it was sent."""
    return _encoder.encode(value)

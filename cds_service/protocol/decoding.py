"""Strict JSON decoding: one meaning per body, or a 400.

Duplicate member names, NaN and Infinity, comments, trailing commas and text that is not UTF-8
are refused (R-06, D-16), because two readers of such a body can see two different requests.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from cds_service.protocol.errors import BadRequest
from cds_service.protocol.wire import SentNumber

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _MemberName(str):
    """A member name that equals nothing but itself, so that a duplicate stays visible."""

    __slots__ = ()
    __hash__ = object.__hash__

    __eq__ = object.__eq__
    __ne__ = object.__ne__


def _as_member_name(_: type, value: Any) -> Any:
    return _MemberName(value)


_shallow_decoder = msgspec.json.Decoder(dict[_MemberName, msgspec.Raw], dec_hook=_as_member_name)


def check_text(body: bytes) -> bytes:
    """Return ``body`` without a byte order mark, or raise BadRequest if it is not UTF-8."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise BadRequest("The body is not UTF-8 text.") from None
    return body


def members(raw: bytes | msgspec.Raw, expression: str) -> dict[str, bytes]:
    """Return the members of one JSON object, each value as the raw JSON bytes received.

    The whole text is checked for well-formed JSON, but nothing below the first level becomes a
    Python object, which is what keeps a large prefetch cheap. Names that occur twice at this
    level are refused. ``expression`` names the object in the error.
    """
    try:
        decoded = _shallow_decoder.decode(raw)
    except msgspec.ValidationError:
        raise BadRequest("A JSON object is expected here.", expression=expression) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest("The body is not well-formed JSON.") from None
    result = {str(name): bytes(value) for name, value in decoded.items()}
    if len(result) != len(decoded):
        raise BadRequest("A member name occurs twice in this object.", expression=expression)
    return result


class _RepeatedMemberError(ValueError):
    """An object repeated a member name."""


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RepeatedMemberError
    return result


# The standard library's decoder is used for the small parts, where msgspec would be faster but
# keeps the last of two equal names without a word.
_strict_decoder = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_float=SentNumber, parse_constant=_refuse_constant
)


def decode(raw: bytes, expression: str) -> Any:
    """Return the JSON value, fractions as the exact numbers sent; raise BadRequest if unfit."""
    try:
        return _strict_decoder.decode(raw.decode("utf-8"))
    except _RepeatedMemberError:
        raise BadRequest(
            "A member name occurs twice in one object.", expression=expression
        ) from None
    except (ValueError, RecursionError):
        raise BadRequest("The body is not well-formed JSON.", expression=expression) from None


def decode_object(raw: bytes, expression: str) -> dict[str, Any]:
    """Return the JSON object, decoded as by :func:`decode`; another JSON type is refused."""
    value = decode(raw, expression)
    if not isinstance(value, dict):
        raise BadRequest("A JSON object is expected here.", expression=expression)
    return value

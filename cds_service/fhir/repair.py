"""The slow path for one odd resource: the closed list of mendings that cannot change a meaning.

A list where one object belongs, one object where a list belongs, a null, a number where text
belongs, "<5" where a number belongs. Anything else is left as it is, and the resource is then
dropped and reported by `reading`.
"""

from __future__ import annotations

import types
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec

from cds_service.fhir.datatypes import Quantity
from cds_service.fhir.shared import true_hints

_tree_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def repaired(raw: bytes | msgspec.Raw, target: type[msgspec.Struct]) -> bytes:
    """JSON text of the resource with its shape mended towards `target`.

    Raises msgspec.DecodeError when the text is no JSON. Digits of numbers are kept.
    """
    return _encoder.encode(_mend(_tree_decoder.decode(raw), target))


@cache
def _fields(target: type[msgspec.Struct]) -> dict[str, Any]:
    hints = true_hints(target)
    return {
        field.encode_name: hints[field.name]
        for field in msgspec.structs.fields(target)
        if hints[field.name] != tuple[msgspec.Raw, ...]
    }


@cache
def _alternatives(wanted: Any) -> tuple[Any, ...]:
    if get_origin(wanted) in (Union, types.UnionType):
        return tuple(option for option in get_args(wanted) if option is not types.NoneType)
    return (wanted,)


def _mend(value: Any, wanted: Any) -> Any:
    options = _alternatives(wanted)
    lists = [option for option in options if get_origin(option) is tuple]
    structs = [
        option
        for option in options
        if isinstance(option, type) and issubclass(option, msgspec.Struct)
    ]
    if isinstance(value, list):
        if lists:
            inner = get_args(lists[0])[0]
            return [_mend(element, inner) for element in value if element is not None]
        if structs and len(value) == 1:
            return _mend(value[0], wanted)
        return value
    if lists and not structs:
        return [_mend(value, get_args(lists[0])[0])]
    if isinstance(value, dict):
        return _mend_object(value, structs[0]) if len(structs) == 1 else value
    if options == (str,) and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return value


def _mend_object(value: dict[str, Any], target: type[msgspec.Struct]) -> dict[str, Any]:
    fields = _fields(target)
    mended = {
        name: _mend(member, fields[name]) if name in fields else member
        for name, member in value.items()
        if member is not None
    }
    if target is Quantity and isinstance(mended.get("value"), str):
        text = mended["value"]
        if not _is_number(text):
            del mended["value"]
            mended["valueText"] = text
    return mended


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False

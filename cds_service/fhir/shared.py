"""Elements that a chart repeats, read once for each different text of a page.

Two hundred results have some thirty codes and fifteen reference ranges. An element declared as
`Shared[...]` is left as text by the decoder; `settle` reads each different text once and puts what
it says into every resource that sent it. Whoever gets a resource from `reading` never
sees the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec.structs import force_setattr

Element = TypeVar("Element")


@dataclass(frozen=True, slots=True)
class _Mark:
    """What an element is to its readers, noted beside what it is to the decoder."""

    element: Any


if TYPE_CHECKING:
    Shared = Annotated[Element, "shared"]
else:

    class Shared:
        """`Shared[X]`: an X to its readers, raw text to the decoder."""

        def __class_getitem__(cls, element: Any) -> Any:
            return Annotated[msgspec.Raw, _Mark(element)]


def true_hints(target: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of a view's elements as its readers see them."""
    return {
        name: _shared_element(hint) or hint
        for name, hint in get_type_hints(target, include_extras=True).items()
    }


def _shared_element(hint: Any) -> Any:
    marks = getattr(hint, "__metadata__", ())
    return marks[0].element if marks and isinstance(marks[0], _Mark) else None


@cache
def _decoders(target: type[msgspec.Struct]) -> tuple[tuple[str, Callable[[bytes], Any]], ...]:
    hints = get_type_hints(target, include_extras=True)
    shared = {name: _shared_element(hint) for name, hint in hints.items()}
    return tuple(
        (name, msgspec.json.Decoder(element).decode)
        for name, element in shared.items()
        if element is not None
    )


class _Known(dict[bytes, Any]):
    """What each text of one element says, read when it is first met."""

    def __init__(self, decode: Callable[[bytes], Any]) -> None:
        self._decode = decode

    def __missing__(self, text: bytes) -> Any:
        element = self[text] = self._decode(text)
        return element


class Sharing(dict[type[msgspec.Struct], tuple[tuple[str, _Known], ...]]):
    """What was read of one page so far: by class the shared elements with their texts."""

    def __missing__(self, kind: type[msgspec.Struct]) -> tuple[tuple[str, _Known], ...]:
        found = self[kind] = tuple([(name, _Known(decode)) for name, decode in _decoders(kind)])
        return found


def settle(alike: Sequence[msgspec.Struct], sharing: Sharing) -> None:
    """Read the shared elements of resources of one class, or of parts of one class.

    Raises msgspec.ValidationError where one of them has the wrong shape.
    """
    if not alike:
        return
    # Element by element, since most of a chart are results: nothing here is looked up for each.
    for name, known in sharing[type(alike[0])]:
        for one, sent in zip(alike, map(attrgetter(name), alike), strict=True):
            if type(sent) is msgspec.Raw:
                force_setattr(one, name, known[bytes(sent)])


Whole = TypeVar("Whole", bound=msgspec.Struct)


def settled(one: Whole, sharing: Sharing) -> Whole:
    """A single resource with the shared elements of it and of its components read.

    Raises msgspec.ValidationError where one of them has the wrong shape.
    """
    settle((one,), sharing)
    settle(getattr(one, "component", ()), sharing)
    return one

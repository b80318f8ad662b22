"""Elements that a chart repeats, read once for each different text of a page.

Two hundred results have some thirty codes and fifteen reference ranges. An element declared as
`Shared[...]` is left as text by the decoder; `Sharing.settle` reads each different text once and
puts what it says into every resource that sent it. Whoever gets a resource from `reading` never
sees the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
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


class Sharing:
    """What was read of one page so far."""

    def __init__(self) -> None:
        self._read: dict[type[msgspec.Struct], list[tuple[str, Any, dict[bytes, Any]]]] = {}

    def settle(self, one: msgspec.Struct, parts: Iterable[msgspec.Struct] = ()) -> None:
        """Read the shared elements of a resource and of its parts.

        Raises msgspec.ValidationError where one of them has the wrong shape.
        """
        kind = type(one)
        elements = self._read.get(kind)
        if elements is None:
            elements = self._read[kind] = [(name, decode, {}) for name, decode in _decoders(kind)]
        for name, decode, known in elements:
            sent = getattr(one, name)
            if type(sent) is msgspec.Raw:
                text = bytes(sent)
                try:
                    element = known[text]
                except KeyError:
                    element = known[text] = decode(text)
                force_setattr(one, name, element)
        for part in parts:
            self.settle(part)


Whole = TypeVar("Whole", bound=msgspec.Struct)


def settled(one: Whole) -> Whole:
    """A single resource with the shared elements of it and of its components read.

    Raises msgspec.ValidationError where one of them has the wrong shape.
    """
    Sharing().settle(one, getattr(one, "component", ()))
    return one

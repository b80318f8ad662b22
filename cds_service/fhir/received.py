"""A resource exactly as it was sent, for the rare case that all of it has to go back.

The views of `fhir.views` hold what is read here. An update must carry the whole resource, so the
text that came is kept beside the views and searched when somebody asks for one resource of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.fhir.versions import foreign_element

Tree = dict[str, Any]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class AsReceived:
    """The texts of one call: Bundles and resources, as the EHR or its FHIR server sent them."""

    texts: tuple[bytes | msgspec.Raw, ...] = field(default=(), repr=False)
    number: Callable[[str], Decimal] = Decimal
    """What is made of the text of a number; one that remembers the text goes back letter by
    letter."""

    def whole(self, reference: str) -> Tree | None:
        """The resource `Type/id` with every element that came, numbers with all their digits.

        None when it did not come, or came in several copies that differ, only in part (a tag says
        SUBSETTED), or in another FHIR version: whoever sent that back would change more than meant.
        """
        kind, _, identity = reference.partition("/")
        found = [
            one
            for text in self.texts
            for one in _resources_in(text, self.number)
            if one.get("resourceType") == kind and one.get("id") == identity
        ]
        if not kind or not identity or not found or any(one != found[0] for one in found):
            return None
        return None if _in_part(found[0]) or foreign_element(found[0]) else found[0]


def _resources_in(text: bytes | msgspec.Raw, number: Callable[[str], Decimal]) -> Iterator[Tree]:
    try:
        tree = msgspec.json.Decoder(float_hook=number).decode(
            bytes(text).removeprefix(_BYTE_ORDER_MARK).strip()
        )
    except (msgspec.DecodeError, ArithmeticError, RecursionError):
        return
    if not isinstance(tree, dict):
        return
    if tree.get("resourceType") != "Bundle":
        yield tree
        return
    entries = tree.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _in_part(resource: Mapping[str, Any]) -> bool:
    """Whether a resource says that it is not all of it, or says it in a way that is not read."""
    meta = resource.get("meta")
    if meta is None:
        return False
    tags = meta.get("tag", []) if isinstance(meta, Mapping) else None
    if not isinstance(tags, list):
        return True
    return any(not isinstance(tag, Mapping) or tag.get("code") == "SUBSETTED" for tag in tags)

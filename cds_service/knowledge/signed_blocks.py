"""The blocks of a drug's YAML file as things that are signed, each by a name of its own.

A block is what names its `sources`: an indication, a product, the dosing, the ladder. Its name is
made of the drug, the path, and in a list of what tells its members apart, such as
`lorlatinib/products/25` or `lorlatinib/dosing`. The signature stands in `signatures.csv`, like that
of a row, with a digest of what the block said on that day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.verification import Level, Verification, data_digest
from cds_service.knowledge.yaml_files import Frozen

_APART = ("id", "strength_mg", "amount_mg", "jurisdiction")
"""What tells the members of a list apart, the first that all of them have."""
_BASIS = frozenset({"source", "sources", "note", "verified"})
"""What stands behind a block and is no part of what it says."""
_UNSIGNED = frozenset({"label"})
"""Names the edition that the rows rest on: where it was seen, not what it asks for."""
STANDING = "standing"


class Standing(Frozen):
    """How far a block was verified, and the name and digest by which it is signed."""

    block: str = ""
    digest: str = ""
    level: Level = "none"
    may_order: bool = False


def with_standing(
    content: Mapping[str, Any], drug: str, verification: Verification, file: str
) -> dict[str, Any]:
    """The file's content with the standing of each block written into it.

    Raises KnowledgeError for a block that says by itself how far it was verified.
    """
    return {
        key: value if key in _UNSIGNED else _signed(value, f"{drug}/{key}", verification, file)
        for key, value in content.items()
    }


def _signed(value: Any, name: str, verification: Verification, file: str) -> Any:
    if isinstance(value, list):
        return [
            _signed(member, f"{name}/{apart}", verification, file)
            for apart, member in zip(_names(value), value, strict=True)
        ]
    if not isinstance(value, Mapping):
        return value
    found = {
        key: _signed(member, f"{name}/{key}", verification, file) for key, member in value.items()
    }
    if "sources" not in value:
        return found
    for key in ("verified", STANDING):
        if key in value:
            place = name.partition("/")[2].replace("/", ".")
            raise KnowledgeError(file, f"{place}.{key}", "no such word here: a block is signed")
    digest = data_digest(_said(value))
    level = verification.level_of(name, digest)
    sources = [entry for entry in value["sources"] or () if isinstance(entry, str)]
    found[STANDING] = {
        "block": name,
        "digest": digest,
        "level": level,
        "may_order": verification.may_order(level, sources),
    }
    return found


def _names(members: list[Any]) -> Iterator[str]:
    """What each member of a list is called: by what tells them apart, else by its place."""
    for key in _APART:
        own = [str(one[key]) for one in members if isinstance(one, Mapping) and key in one]
        if len(own) == len(members) == len(set(own)):
            return iter(own)
    return iter([str(place) for place in range(1, len(members) + 1)])


def _said(value: Any) -> Any:
    """What a block says, without what stands behind it and behind its parts."""
    if isinstance(value, Mapping):
        return {key: _said(member) for key, member in value.items() if key not in _BASIS}
    if isinstance(value, list):
        return [_said(member) for member in value]
    return value

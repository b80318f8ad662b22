"""What changed between two releases: rows cell by cell, drug facts, and everything else in YAML.

The files are compared as they are written, not as loaded, so that a release with other columns or
other tables than this version of the program knows can still be compared.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Literal

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.yaml_files import read_mapping

Kind = Literal["added", "removed", "changed"]
_NAMES = ("id", "code", "level", "amount_mg", "setting", "strength_mg")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell or fact; None where it was not there."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a table, or one YAML file, with what differs in it.

    `file` is the path inside the release, `row` the row's id and empty for a YAML file. An added
    or removed row lists all of its cells that are not empty.
    """

    file: str
    row: str
    kind: Kind
    cells: tuple[Cell, ...]


def differences(old: Traversable, new: Traversable) -> tuple[Difference, ...]:
    """Everything that differs, by file and then in the order of the rows.

    Raises KnowledgeError for a file that cannot be read at all.
    """
    before, after = dict(_files(old)), dict(_files(new))
    found: list[Difference] = []
    for name in sorted({*before, *after}):
        if name.endswith(".csv"):
            found += _of_rows(name, _rows(before.get(name)), _rows(after.get(name)))
        else:
            found += _of_facts(name, _facts(before.get(name)), _facts(after.get(name)))
    return tuple(found)


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            if not entry.name.startswith(("_", ".")):
                yield from _files(entry, f"{name}/")
        elif name.endswith((".csv", ".yaml")):
            yield name, entry


def _rows(file: Traversable | None) -> Mapping[str, Mapping[str, str]]:
    if file is None:
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        records = list(csv.DictReader(lines, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KnowledgeError(str(file), "", "well-formed CSV in UTF-8") from error
    found: dict[str, Mapping[str, str]] = {}
    for record in records:
        cells = {str(key): (value or "").strip() for key, value in record.items() if key}
        # A table without ids, such as a list of products, is known by its whole row.
        found[cells.get("id") or ", ".join(cells.values())] = cells
    return found


def _of_rows(
    name: str, old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> Iterator[Difference]:
    for row in dict.fromkeys([*new, *old]):
        before, after = old.get(row), new.get(row)
        cells = _cells(before or {}, after or {})
        if before is None:
            yield Difference(name, row, "added", cells)
        elif after is None:
            yield Difference(name, row, "removed", cells)
        elif cells:
            yield Difference(name, row, "changed", cells)


def _cells(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Cell, ...]:
    names = dict.fromkeys([*new, *old])
    # A column that came or went without holding anything is no news about the row.
    return tuple(
        Cell(name, old.get(name) or None, new.get(name) or None)
        for name in names
        if (old.get(name) or "") != (new.get(name) or "")
    )


def _facts(file: Traversable | None) -> Mapping[str, str] | None:
    return None if file is None else dict(_flat("", read_mapping(file)))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), member)
    elif isinstance(value, list) and any(isinstance(member, Mapping) for member in value):
        for position, member in enumerate(value):
            yield from _flat(f"{path}[{_name(member, position)}]", member)
    elif isinstance(value, list):
        yield path, "; ".join(str(member) for member in value)
    else:
        yield path, str(value)


def _name(member: Any, position: int) -> str:
    # A member is followed by its own name, so that one put in front changes nothing behind it.
    if isinstance(member, Mapping):
        for name in _NAMES:
            if name in member:
                return str(member[name])
    return str(position)


def _of_facts(
    name: str, old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> Iterator[Difference]:
    cells = _cells(old or {}, new or {})
    if cells:
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        yield Difference(name, "", kind, cells)

"""Cells that say in whose label a row stands: `EU`, or `EU; JP`, and which rows it takes over from.

A row without the first stands everywhere, as far as is known: the tables follow the US label. A row
of one label may stand in place of such a row, which is left out there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cds_service.knowledge.table_files import Row, Table

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "US": "the United States",
        "EU": "the European Union",
        "UK": "the United Kingdom",
        "CH": "Switzerland",
        "JP": "Japan",
        "CN": "China",
        "CA": "Canada",
        "AU": "Australia",
    }
)
"""The jurisdictions that a site may name, and how cards call them."""

ELSEWHERE = ""
"""Stands for every jurisdiction that no row names."""


def check_jurisdiction(entry: str) -> str | None:
    """What was expected in place of the name of a jurisdiction; None when it is one."""
    return None if entry in NAMES else f"one of {', '.join(NAMES)}"


def stands_in(row: Row, jurisdiction: str) -> bool:
    """Whether a row stands in the label of a jurisdiction."""
    named = row.entries("jurisdiction")
    return not named or jurisdiction in named


def rows_under(table: Table, jurisdiction: str) -> Table:
    """The table as it stands in one jurisdiction."""
    rows = [row for row in table if stands_in(row, jurisdiction)]
    replaced = {name for row in rows for name in row.entries("instead_of")}
    return Table(table.name, tuple(row for row in rows if row.identifier not in replaced))


def views(table: Table) -> tuple[Table, ...]:
    """The table as it stands in each jurisdiction that a row of it names, and in all others."""
    if not table.by_jurisdiction:
        return (table,)
    named = {name for row in table for name in row.entries("jurisdiction")}
    return tuple(rows_under(table, name) for name in (ELSEWHERE, *sorted(named)))


def wrongly_replaced(table: Table) -> Iterable[tuple[Row, str]]:
    """Rows whose cell `instead_of` cannot be used, with what was expected there."""
    everywhere = {row.identifier for row in table if not row.cells.get("jurisdiction")}
    for row in table:
        if not row.cells.get("instead_of"):
            continue
        if not row.cells["jurisdiction"]:
            yield row, "nothing: only a row of one jurisdiction stands in place of another"
        for name in row.entries("instead_of"):
            if name not in everywhere:
                yield row, f"the id of a row of this table that stands everywhere, not {name!r}"

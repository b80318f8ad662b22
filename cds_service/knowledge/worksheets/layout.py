"""What stands on a worksheet: one sheet a table of the drug, one line a row, the same both ways.

The sheet that comes back is compared with the one that would be written now, so that nothing is
changed that nobody changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.schemas import drug_columns
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.verification import LEVELS
from cds_service.rules.syntax import Episodes, FoundEpisodes, counted_episodes, predicates

ID = "id"
SOURCE = "source"
RECURRENCE = "recurrence"
LEVEL = "level"
READ_IN = "read in"
VERSION = "version"
REVIEWER = "reviewer"
DATE = "date"
COMMENT = "comment"
SIGNATURE = (LEVEL, READ_IN, VERSION, REVIEWER, DATE)

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "dose_changes": {
        "reaction": "finding",
        "when": "hold when",
        "until": "resume when",
        "resume": "dose",
        "recheck_days": "look again after days",
        "ask": "to settle",
    },
    "monitoring": {"test": "finding", "when": "only when"},
    "interactions": {"group": "finding"},
    "populations": {"ask": "to settle"},
}
"""What a pharmacist calls the columns of each table; another keeps its name."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet; `column` is that of the table, empty for what stands elsewhere."""

    heading: str
    column: str = ""
    locked: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One table of a drug as a sheet; `lines` are its cells by the id of the row."""

    release: str
    drug: str
    name: str
    fields: tuple[Field, ...]
    lines: Mapping[str, Sequence[str]]

    @property
    def file(self) -> str:
        """The file of the table inside the release."""
        return f"drugs/{self.drug}/{self.name}.csv"

    @property
    def fingerprint(self) -> str:
        """A digest of everything on it: another one means that the tables read otherwise now."""
        headings = [field.heading for field in self.fields]
        said = [self.release, self.drug, self.name, headings, list(self.lines.items())]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def head(self) -> tuple[str, ...]:
        """The first line of the sheet."""
        return ("release", self.release, "drug", self.drug, "table", self.name, "fingerprint",
                self.fingerprint)  # fmt: skip

    def place(self, heading: str) -> int:
        """The position of a field, from 0."""
        return [field.heading for field in self.fields].index(heading)


def worksheets_of(knowledge: Knowledge, drug: str) -> tuple[Worksheet, ...]:
    """The sheets of a drug, one for each table that it has. Raises KeyError for another drug."""
    tables = knowledge.drugs[drug]
    found = {
        "dose_changes": tables.dose_changes,
        "monitoring": tables.monitoring,
        "interactions": tables.interactions,
        "populations": tables.populations,
    }
    return tuple(
        _worksheet(knowledge, drug, name, table)
        for name, table in found.items()
        if table is not None
    )


def _worksheet(knowledge: Knowledge, drug: str, name: str, table: Table) -> Worksheet:
    fields = tuple(_fields(knowledge, name))
    lines = {row.identifier: tuple(_line(knowledge, fields, row)) for row in table}
    return Worksheet(knowledge.release.version, drug, name, fields, lines)


def _fields(knowledge: Knowledge, name: str) -> Iterator[Field]:
    headings = _HEADINGS[name]
    yield Field(ID, "id", locked=True)
    for column in drug_columns(frozenset(knowledge.tests))[name]:
        # The points of the written algorithm are no matter of a label.
        if column.name not in ("id", "rule"):
            choices = () if column.many else tuple(sorted(column.choices))
            heading = headings.get(column.name, column.name.replace("_", " "))
            yield Field(heading, column.name, choices=choices)
    if name == "dose_changes":
        yield Field(RECURRENCE, locked=True)
    yield Field(SOURCE, "source")
    yield Field(LEVEL, choices=LEVELS)
    for heading in SIGNATURE[1:]:
        yield Field(heading)
    yield Field(COMMENT, "note")


def _line(knowledge: Knowledge, fields: Sequence[Field], row: Row) -> Iterator[str]:
    signed = knowledge.signatures.get(row.identifier)
    said = {LEVEL: row.level, RECURRENCE: _recurrence(row)}
    # A signature of what the row said before is none of what stands on the sheet.
    if signed is not None and row.level != "none":
        said |= {READ_IN: signed.source, VERSION: signed.version, REVIEWER: signed.by,
                 DATE: signed.read_on.isoformat()}  # fmt: skip
    for field in fields:
        yield row.cells[field.column] if field.column else said.get(field.heading, "")


def _recurrence(row: Row) -> str:
    """Which time of an event the rule of a row speaks of; empty when it does not count."""
    counted = (
        counted_episodes(leaf.counting, leaf.number)
        for rule in (row.rules.get("when"),)
        if rule is not None
        for leaf in predicates(rule.expression)
        if isinstance(leaf, Episodes | FoundEpisodes)
    )
    return ", ".join(dict.fromkeys(counted))

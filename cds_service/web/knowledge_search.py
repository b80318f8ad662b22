"""Finding rows of the tables: by words, their stems and synonyms, and what their classes hold.

The index is SQLite's own full-text search (FTS5, with the Porter stemmer), in memory.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from markupsafe import Markup

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.addresses import page_of_drug, place_of, title_of
from cds_service.knowledge.rendering.markdown import anchor, html_name
from cds_service.knowledge.search_words import SearchWords
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.verification import LEVELS
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS
from cds_service.web.full_text import TOKENIZER, any_of, excerpt, marked_pattern

LONGEST_QUERY = 200
"""Characters of a query that are looked at."""

_SHOWN_FIRST = ("summary", "says", "detail", "ask", "when")
_NOT_SHOWN = frozenset({"id", "rule", "source"})
_ALL = """
    SELECT rowid FROM rows
    WHERE ? IN ('', drug) AND ? IN ('', tbl) AND ? IN ('', level) ORDER BY rowid
"""
_MATCHING = """
    SELECT rowid FROM rows
    WHERE rows MATCH ? AND ? IN ('', drug) AND ? IN ('', tbl) AND ? IN ('', level) ORDER BY rowid
"""
MEMBERS = "medicines of its classes"


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that holds every part of the query, or a word that stands for it."""

    identifier: str
    table: str
    address: str
    """Of the row, below the address of the knowledge pages."""
    level: str
    """How far it was verified, in words."""
    verified: bool
    sources: tuple[str, ...]
    excerpts: tuple[tuple[str, Markup], ...]
    """Names of cells with their text, the words of the query marked."""


@dataclass(frozen=True, slots=True)
class DrugHit:
    """A drug whose name or brand is one of the words."""

    name: str
    brand: str
    address: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What rows are looked at: of one drug, one table, one level; empty for all."""

    drug: str = ""
    table: str = ""
    level: str = ""

    def __bool__(self) -> bool:
        return bool(self.drug or self.table or self.level)


class RowSearch:
    """All rows of a release as text, indexed once."""

    def __init__(self, knowledge: Knowledge, words: SearchWords) -> None:
        self._knowledge = knowledge
        self._words = words
        self._members = _members(knowledge)
        self._rows = [(table, row) for table in knowledge.all_tables() for row in table]
        self._lock = Lock()
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute(
            "CREATE VIRTUAL TABLE rows USING fts5(text, drug UNINDEXED, tbl UNINDEXED, level"
            f" UNINDEXED, tokenize = '{TOKENIZER}')"
        )
        self._index.executemany(
            "INSERT INTO rows (rowid, text, drug, tbl, level) VALUES (?, ?, ?, ?, ?)",
            (
                (number, self._text(table, row), *_place(table), row.level)
                for number, (table, row) in enumerate(self._rows)
            ),
        )

    @property
    def tables(self) -> tuple[tuple[str, str], ...]:
        """The tables that rows can be looked for in: name and title."""
        named = {_place(table)[1]: title_of(table) for table, _ in self._rows}
        return tuple(named.items())

    @property
    def levels(self) -> tuple[tuple[str, str], ...]:
        """The levels that rows can be looked for by: name and words."""
        return tuple((level, LEVEL_WORDS[level]) for level in LEVELS)

    def drugs(self, query: str) -> tuple[DrugHit, ...]:
        """The drugs that the query names."""
        asked = {word.lower() for part in self._words.asked(query) for word in part}
        return tuple(
            DrugHit(name, tables.drug.brand, html_name(page_of_drug(name)))
            for name, tables in self._knowledge.drugs.items()
            if asked & {name.lower(), tables.drug.brand.lower()}
        )

    def rows(self, query: str, filters: Filters = Filters()) -> tuple[Hit, ...]:
        """The rows in which every part of the query stands, or a word for it; case is ignored.

        Without a query all rows that the filters leave, without either none.
        """
        parts = list(self._words.asked(query[:LONGEST_QUERY]))
        if not parts and not filters:
            return ()
        given = [filters.drug, filters.table, filters.level]
        with self._lock:
            if parts:
                asked = " AND ".join(any_of(part) for part in parts)
                found = self._index.execute(_MATCHING, [asked, *given]).fetchall()
            else:
                found = self._index.execute(_ALL, given).fetchall()
        pattern = marked_pattern([word for part in parts for word in part])
        return tuple(self._hit(number, pattern) for (number,) in found)

    def _hit(self, number: int, pattern: re.Pattern[str]) -> Hit:
        table, row = self._rows[number]
        cells = [*_cells(row), (MEMBERS, self._members_of(row))]
        excerpts = tuple(
            (name.replace("_", " "), excerpt(cell, pattern))
            for name, cell in cells
            if name in ("summary", "says") or pattern.search(cell)
        )
        return Hit(
            row.identifier,
            _table_title(table),
            f"{html_name(place_of(table))}#{anchor(row.identifier)}",
            LEVEL_WORDS[row.level],
            row.verified,
            tuple(self._knowledge.sources[name].citation.rstrip(".") for name in row.sources),
            excerpts,
        )

    def _members_of(self, row: Row) -> str:
        asked = " ".join(rule.text for rule in row.rules.values())
        held = [members for name, members in self._members.items() if name in asked]
        return "; ".join(held)

    def _text(self, table: Table, row: Row) -> str:
        citations = (self._knowledge.sources[name].citation for name in row.sources)
        folder = table.name.replace("/", " ").replace("_", " ")
        level = LEVEL_WORDS[row.level]
        return "\n".join((folder, *row.cells.values(), *citations, level, self._members_of(row)))


def _members(knowledge: Knowledge) -> Mapping[str, str]:
    """By class of medicines its members, each with the brands and spellings that lead to it."""
    spelt: dict[str, list[str]] = {}
    for item in knowledge.codes.medicine_names.names:
        for ingredient in item.ingredients:
            spelt.setdefault(ingredient, []).append(item.name)
    return {
        name: f"{name}: "
        + ", ".join(
            f"{member} ({', '.join(spelt[member])})" if member in spelt else member
            for member in medication_class.ingredients
        )
        for name, medication_class in knowledge.codes.medication_classes.items()
    }


def _place(table: Table) -> tuple[str, str]:
    folder, _, rest = table.name.partition("/")
    drug, _, name = rest.partition("/")
    return (drug, name) if folder == "drugs" else ("", table.name)


def _cells(row: Row) -> Iterator[tuple[str, str]]:
    names = [name for name in _SHOWN_FIRST if name in row.cells]
    names += [name for name in row.cells if name not in _NOT_SHOWN and name not in names]
    for name in names:
        if row.cells[name]:
            yield name, row.cells[name]


def _table_title(table: Table) -> str:
    drug, _ = _place(table)
    return f"{drug}, {title_of(table).lower()}" if drug else title_of(table)

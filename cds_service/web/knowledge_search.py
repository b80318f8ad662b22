"""Finding rows of the tables by whole words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.markdown import anchor, html_name
from cds_service.knowledge.rendering.pages import page_of_drug, place_of, title_of
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS

LONGEST_QUERY = 200
"""Characters of a query that are looked at."""

_WORD = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")
_SHOWN_FIRST = ("summary", "says", "detail", "ask", "when")
_NOT_SHOWN = frozenset({"id", "rule", "source"})
_AROUND = 160


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that holds every word of the query."""

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


class RowSearch:
    """All rows of a release as text, read once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._rows = [
            (table, row, _all_text(knowledge, table, row))
            for table in knowledge.all_tables()
            for row in table
        ]

    def drugs(self, query: str) -> tuple[DrugHit, ...]:
        """The drugs that the query names."""
        asked = {word.lower() for word in words_of(query)}
        return tuple(
            DrugHit(name, tables.drug.brand, html_name(page_of_drug(name)))
            for name, tables in self._knowledge.drugs.items()
            if asked & {name.lower(), tables.drug.brand.lower()}
        )

    def rows(self, query: str) -> tuple[Hit, ...]:
        """The rows in which every word of the query stands as a whole word; case is ignored."""
        words = words_of(query)
        if not words:
            return ()
        patterns = [_whole(word) for word in words]
        return tuple(
            self._hit(table, row, words)
            for table, row, text in self._rows
            if all(pattern.search(text) for pattern in patterns)
        )

    def _hit(self, table: Table, row: Row, words: Sequence[str]) -> Hit:
        pattern = _whole(*words)
        excerpts = tuple(
            (name.replace("_", " "), _excerpt(cell, pattern))
            for name, cell in _cells(row)
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


def words_of(query: str) -> tuple[str, ...]:
    """The different words of a query, in their order."""
    return tuple(dict.fromkeys(_WORD.findall(query[:LONGEST_QUERY])))


def _whole(*words: str) -> re.Pattern[str]:
    listed = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE)


def _cells(row: Row) -> Iterator[tuple[str, str]]:
    names = [name for name in _SHOWN_FIRST if name in row.cells]
    names += [name for name in row.cells if name not in _NOT_SHOWN and name not in names]
    for name in names:
        if row.cells[name]:
            yield name, row.cells[name]


def _all_text(knowledge: Knowledge, table: Table, row: Row) -> str:
    citations = (knowledge.sources[name].citation for name in row.sources)
    folder = table.name.replace("/", " ").replace("_", " ")
    return "\n".join((folder, *row.cells.values(), *citations))


def _table_title(table: Table) -> str:
    folder, _, rest = table.name.partition("/")
    drug = rest.partition("/")[0]
    return f"{drug}, {title_of(table).lower()}" if folder == "drugs" else title_of(table)


def _excerpt(text: str, pattern: re.Pattern[str]) -> Markup:
    """The text around the first hit, cut at blanks; every hit in it is marked."""
    found = pattern.search(text)
    at = found.start() if found else 0
    start = 0 if at < _AROUND else text.find(" ", at - _AROUND) + 1
    end = len(text) if len(text) - at < 2 * _AROUND else text.rfind(" ", at, at + 2 * _AROUND)
    end = end if end > at else len(text)
    shown, parts, done = text[start:end], [], 0
    for hit in pattern.finditer(shown):
        parts += [escape(shown[done : hit.start()]), Markup("<mark>%s</mark>") % hit.group()]
        done = hit.end()
    parts.append(escape(shown[done:]))
    before, after = "… " if start else "", " …" if end < len(text) else ""
    return Markup("").join([escape(before), *parts, escape(after)])

"""The signed worksheet taken back: what it changes in the tables and in the signatures.

Everything is tried on a copy of the release first, so that a sheet is taken whole or not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.signing import Reading, sign
from cds_service.knowledge.table_edits import row_at, with_cells
from cds_service.knowledge.table_files import Row, split
from cds_service.knowledge.verification import FILE, LEVELS, meaning_digest, problem_of
from cds_service.knowledge.worksheets.layout import (
    DATE,
    LEVEL,
    READ_IN,
    RECURRENCE,
    REVIEWER,
    SIGNATURE,
    VERSION,
    Worksheet,
    worksheets_of,
)
from cds_service.knowledge.worksheets.workbooks import (
    Line,
    drug_of,
    opened,
    read_workbook,
    refused,
)

_EARLIEST = date(2000, 1, 1)
_FOLDERS_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py", "*.pyc")


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a sheet changes in one row: cells by column, and whether it was read again or no more.

    `withdrawn` says that its signature goes: the row says something else now, or the reviewer
    took the level back.
    """

    row: str
    file: str
    """Of the table, inside the release."""
    cells: Mapping[str, str]
    reading: Reading | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """The changes of a sheet, tried out in `tried`; nothing is written before `write`."""

    folder: Path
    tried: Path
    old: Knowledge
    changes: tuple[RowChange, ...]

    def write(self) -> tuple[Path, ...]:
        """Write what differs into the release, each file whole. Raises OSError."""
        written = []
        for file in self.files():
            beside = file.with_suffix(".csv.new")
            shutil.copyfile(self.tried / file.relative_to(self.folder), beside)
            beside.replace(file)
            written.append(file)
        return tuple(written)

    def files(self) -> tuple[Path, ...]:
        """The files of the release that become others."""
        named = (*sorted({change.file for change in self.changes if change.cells}), FILE)
        return tuple(
            self.folder / name
            for name in named
            if _bytes(self.tried / name) != _bytes(self.folder / name)
        )


Lines = Mapping[str, Mapping[str, Line]]
"""The lines of a workbook by sheet and id."""


def changes_of(
    knowledge: Knowledge, file: Path, today: date
) -> tuple[tuple[Worksheet, ...], Lines, tuple[RowChange, ...]]:
    """The sheets that the workbook `file` should have, its lines, and what they change.

    Raises KnowledgeError with file, sheet, row and column for what cannot be taken.
    """
    book = opened(file)
    drug = drug_of(file, book)
    if drug not in knowledge.drugs:
        raise refused(file, "", f"a drug with tables of its own, not {drug!r}", 1, 4)
    sheets = worksheets_of(knowledge, drug)
    lines = read_workbook(file, book, sheets)
    rows = {row.identifier: row for table in knowledge.all_tables() for row in table}
    taken = _Taking(file, knowledge, today)
    changes = tuple(
        change
        for sheet in sheets
        for identifier, line in lines[sheet.name].items()
        if (change := taken.change(sheet, rows[identifier], line)) is not None
    )
    return sheets, lines, changes


@contextmanager
def proposal(folder: Path, file: Path, today: date) -> Iterator[Proposal]:
    """What the workbook `file` changes in the release in `folder`.

    Raises KnowledgeError with file, sheet, row and column for what cannot be taken.
    """
    old = load_knowledge(folder)
    sheets, lines, changes = changes_of(old, file, today)
    with TemporaryDirectory(prefix="alk-cds-") as name:
        tried = Path(name) / "release"
        shutil.copytree(folder, tried, ignore=_FOLDERS_LEFT_OUT)
        if changes:
            try:
                _try(tried, changes)
            except KnowledgeError as error:
                raise _on_the_sheet(error, file, tried, sheets, lines) from error
        yield Proposal(folder, tried, old, changes)


class _Taking:
    """Reads line by line what a reviewer changed."""

    def __init__(self, file: Path, knowledge: Knowledge, today: date) -> None:
        self._file = file
        self._knowledge = knowledge
        self._today = today

    def change(self, sheet: Worksheet, row: Row, line: Line) -> RowChange | None:
        """What a line changes; None where nothing does."""
        written = [" ".join(cell.split()) for cell in sheet.lines[row.identifier]]
        differ = {
            field.heading: said
            for field, said, was in zip(sheet.fields, line.cells, written, strict=True)
            # An empty level is no other than none.
            if said != was and not (field.heading == LEVEL and {said, was} == {"", "none"})
        }
        if not differ:
            return None
        if RECURRENCE in differ:
            expected = "what the rule says: a recurrence is changed where the row holds"
            raise self._refused(sheet, line, RECURRENCE, expected)
        cells = {field.column: differ[field.heading] for field in sheet.fields
                 if field.column and field.heading in differ}  # fmt: skip
        now = {**row.cells, **cells}
        other = meaning_digest(now) != meaning_digest(row.cells)
        if any(heading in differ for heading in SIGNATURE):
            reading = self._reading(sheet, row, line, now)
            signed = row.identifier in self._knowledge.signatures
            withdrawn = reading is None and signed
            return RowChange(row.identifier, sheet.file, cells, reading, withdrawn)
        if row.level != "none" and not other:
            self._still_cited(sheet, row, line, now)
        return RowChange(row.identifier, sheet.file, cells, withdrawn=other and row.level != "none")

    def _reading(
        self, sheet: Worksheet, row: Row, line: Line, now: Mapping[str, str]
    ) -> Reading | None:
        said = {heading: line.cells[sheet.place(heading)] for heading in SIGNATURE}
        level = said[LEVEL] or "none"
        if level not in LEVELS:
            raise self._refused(sheet, line, LEVEL, f"one of {', '.join(LEVELS)}")
        if level == "none":
            if any(said[heading] for heading in SIGNATURE[1:]):
                expected = "the level at which it was read, or neither reviewer, date nor source"
                raise self._refused(sheet, line, LEVEL, expected)
            return None
        for heading, expected in (
            (READ_IN, "the source that was read: without it there is no level"),
            (DATE, "the day on which the source was read: without it there is no level"),
            (REVIEWER, "who read it: without a name there is no level"),
        ):
            if not said[heading]:
                raise self._refused(sheet, line, heading, expected)
        if said[READ_IN] not in split(now["source"]):
            expected = f"a source that the row cites ({', '.join(split(now['source']))})"
            raise self._refused(sheet, line, READ_IN, expected)
        problem = problem_of(level, said[READ_IN], self._knowledge.sources)
        if problem is not None:
            raise self._refused(sheet, line, LEVEL, problem)
        if len(said[REVIEWER]) < 2:
            raise self._refused(sheet, line, REVIEWER, "a name")
        day = self._day(sheet, line, said[DATE])
        return Reading(row.identifier, level, said[READ_IN], said[VERSION], said[REVIEWER], day)

    def _day(self, sheet: Worksheet, line: Line, said: str) -> date:
        try:
            day = date.fromisoformat(said)
        except ValueError:
            raise self._refused(sheet, line, DATE, "a day such as 2026-11-30") from None
        # A bare number is a day of 1900 to a spreadsheet.
        if not _EARLIEST <= day <= self._today:
            expected = f"a day from {_EARLIEST} to today, {self._today}"
            raise self._refused(sheet, line, DATE, expected)
        return day

    def _still_cited(self, sheet: Worksheet, row: Row, line: Line, now: Mapping[str, str]) -> None:
        source = self._knowledge.signatures[row.identifier].source
        if source not in split(now["source"]):
            expected = f"another source, level and date: the row no longer cites {source}"
            raise self._refused(sheet, line, READ_IN, expected)

    def _refused(self, sheet: Worksheet, line: Line, heading: str, expected: str) -> KnowledgeError:
        column = sheet.place(heading) + 1
        return refused(self._file, sheet.name, expected, line.number, column, heading)


def _try(tried: Path, changes: tuple[RowChange, ...]) -> None:
    by_file: dict[Path, dict[str, Mapping[str, str]]] = {}
    for change in changes:
        if change.cells:
            by_file.setdefault(tried / change.file, {})[change.row] = change.cells
    for file, cells in by_file.items():
        file.write_bytes(with_cells(file.read_bytes().decode(), cells).encode())
    readings = [change.reading for change in changes if change.reading is not None]
    withdrawn = [change.row for change in changes if change.withdrawn]
    if readings or withdrawn:
        sign(tried, readings, withdrawn)
    else:
        load_knowledge(tried)


def _on_the_sheet(
    error: KnowledgeError,
    file: Path,
    tried: Path,
    sheets: Sequence[Worksheet],
    lines: Lines,
) -> KnowledgeError:
    """A fault that the loading of the changed tables found, where the reviewer can mend it."""
    for sheet in sheets:
        table = tried / sheet.file
        if error.file != str(table) or error.row is None:
            continue
        identifier = row_at(table.read_bytes().decode(), error.row)
        headings = [field.heading for field in sheet.fields if field.column == error.column]
        if identifier in lines[sheet.name] and headings:
            column = sheet.place(headings[0]) + 1
            number = lines[sheet.name][identifier].number
            return refused(file, sheet.name, error.expected, number, column, headings[0])
    return KnowledgeError(str(file), error.where, error.expected)


def _bytes(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""

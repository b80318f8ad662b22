"""Changing cells of a rule table as a file: every other row stays as it is, byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

ID = "id"


def with_cells(text: str, changes: Mapping[str, Mapping[str, str]]) -> str:
    """The text of a table with other cells, by the id of the row and the column.

    Raises KeyError for a row or a column that the table does not have.
    """
    kept, missing = [], set(changes)
    columns: Sequence[str] = ()
    for _, cells, written in _records(text):
        columns = columns or cells
        row = dict(zip(columns, cells, strict=False))
        if cells is not columns and row.get(ID) in changes:
            missing.discard(row[ID])
            written = _line(columns, row, changes[row[ID]], written)
        kept.append(written)
    if missing:
        raise KeyError(min(missing))
    return "".join(kept)


def row_at(text: str, line: int) -> str:
    """The id of the row that begins on a line, counted from 1; empty where none does."""
    columns: Sequence[str] = ()
    for number, cells, _ in _records(text):
        columns = columns or cells
        if number == line:
            return dict(zip(columns, cells, strict=False)).get(ID, "")
    return ""


def _records(text: str) -> Iterator[tuple[int, Sequence[str], str]]:
    """Each record with the line on which it begins and as it is written."""
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    done = 0
    for cells in reader:
        yield done + 1, cells, "".join(lines[done : reader.line_num])
        done = reader.line_num


def _line(
    columns: Sequence[str], row: Mapping[str, str], changes: Mapping[str, str], written: str
) -> str:
    unknown = set(changes) - set(columns)
    if unknown:
        raise KeyError(min(unknown))
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(
        [changes.get(name, row.get(name, "")) for name in columns]
    )
    return out.getvalue() + written[len(written.rstrip("\r\n")) :]

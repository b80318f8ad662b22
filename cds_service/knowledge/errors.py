"""The one error that every table of knowledge raises when it cannot be read or believed."""

from __future__ import annotations

from typing import ClassVar


class KnowledgeError(ValueError):
    """A knowledge file is missing, malformed or contradicts itself.

    `file` is the file as the reader named it, `where` the place inside it (a path such as
    `labs.ALT.units` or `row 7, column when`), `expected` what should have stood there.
    `row` (1-based line or row) and `column` (name of the column or field) are given when known.
    Values of the file are not repeated, so the message is safe to log.
    """

    safe_to_log: ClassVar[bool] = True

    def __init__(
        self,
        file: str,
        where: str,
        expected: str,
        *,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        self.file = file
        self.where = where
        self.expected = expected
        self.row = row
        self.column = column
        place = where or _place(row, column)
        super().__init__(f"{file}: at {place or 'the top'}: expected {expected}")


def _place(row: int | None, column: str | None) -> str:
    parts = []
    if row is not None:
        parts.append(f"row {row}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)

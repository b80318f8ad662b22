"""Worksheets as files for tests: one that was written, and what somebody did to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

DRUG = "lorlatinib"
TODAY = date(2026, 11, 30)
SHEET = "dose_changes"
HELD = "lorlatinib-lipids-hold"
"""A row that was signed as read in a copy."""
UNREAD = "lorlatinib-lung-hold"
"""A row that nobody read."""
COPY = "lorlatinib-monograph-medscape"
FIRST = 3
"""The line of the first row of a sheet."""

Edit = Callable[[Any], None]


WHOLE = {"level": "copy", "read in": COPY, "source": COPY, "reviewer": "A. Pharmacist",
         "date": date(2026, 11, 29)}  # fmt: skip


def edited(written: Path, folder: Path, *edits: Edit) -> Path:
    """The worksheet as it came back, with what somebody did to it."""
    book = load_workbook(written)
    for edit in edits:
        edit(book)
    file = folder / "reviewed.xlsx"
    book.save(file)
    return file


def headings(page: Any) -> list[str]:
    return [cell.value for cell in page[2]]


def cell(page: Any, row: str, heading: str) -> Any:
    for line in page.iter_rows(min_row=FIRST):
        if line[0].value == row:
            return line[headings(page).index(heading)]
    raise LookupError(row)


def put(row: str, said: Mapping[str, object], sheet: str = SHEET) -> Edit:
    def edit(book: Any) -> None:
        for heading, value in said.items():
            cell(book[sheet], row, heading).value = value

    return edit

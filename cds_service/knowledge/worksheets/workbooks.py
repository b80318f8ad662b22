"""Worksheets as XLSX files: written with what may be changed unlocked, and read without trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.worksheets.layout import DATE, ID, Field, Worksheet

_HEAD, _HEADINGS = 1, 2
"""The lines above the rows of the table."""
_TEXT, _DAY = "@", "yyyy-mm-dd"
_WIDTHS = {ID: 30, "says": 60, "to settle": 40, "comment": 40, "hold when": 60, "when": 60,
           "resume when": 45, "source": 35}  # fmt: skip
_USUAL_WIDTH = 18
_LARGEST = 20_000_000
"""Bytes of a file that are looked at; a worksheet of a drug has some ten thousand."""


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of one row as they came back, and where they stand on the sheet."""

    number: int
    cells: Sequence[str]


def file_name(drug: str, release: str) -> str:
    """What the workbook of a drug is called."""
    return f"{drug}-{release}.xlsx"


def refused(
    file: Path, sheet: str, expected: str, row: int | None = None, column: int | None = None,
    heading: str = "",
) -> KnowledgeError:  # fmt: skip
    """A fault with file, sheet, row and column; columns are counted from 1."""
    letter = "" if column is None else get_column_letter(column)
    parts = [f"sheet {sheet}"] if sheet else []
    parts += [] if row is None else [f"row {row}"]
    parts += [f"column {letter}" + (f" ({heading})" if heading else "")] if letter else []
    return KnowledgeError(str(file), ", ".join(parts), expected, row=row, column=letter or None)


def write_workbook(file: Path, sheets: Sequence[Worksheet]) -> None:
    """Write the sheets of one drug. Raises OSError."""
    book = Workbook()
    for old in list(book.worksheets):
        book.remove(old)
    for sheet in sheets:
        _write(book.create_sheet(sheet.name), sheet)
    book.save(file)


def read_workbook(
    file: Path, book: Any, sheets: Sequence[Worksheet]
) -> Mapping[str, Mapping[str, Line]]:
    """The lines of each sheet by the id of their row.

    Raises KnowledgeError with file, sheet, row and column for what is no worksheet of these tables:
    another release or drug, a row or a heading that was added, changed or taken away, merged cells,
    a formula, and anything that is not text.
    """
    known = {sheet.name: sheet for sheet in sheets}
    for name in book.sheetnames:
        if name not in known:
            raise refused(file, name, f"no sheet but {', '.join(known)}")
    found: dict[str, Mapping[str, Line]] = {}
    for sheet in sheets:
        if sheet.name not in book.sheetnames:
            raise refused(file, sheet.name, "this sheet; it is gone")
        found[sheet.name] = _lines(file, book[sheet.name], sheet)
    return found


def drug_of(file: Path, book: Any) -> str:
    """The drug that a workbook says it is of. Raises KnowledgeError."""
    for page in book.worksheets:
        value = page.cell(_HEAD, 4).value
        if page.cell(_HEAD, 3).value != "drug" or not isinstance(value, str):
            raise refused(file, page.title, "the drug, as the worksheet had it", _HEAD, 4)
        return value
    raise refused(file, "", "a sheet")


def _write(page: Any, sheet: Worksheet) -> None:
    for column, said in enumerate(sheet.head, start=1):
        page.cell(_HEAD, column, said).font = Font(color="666666")
    for column, field in enumerate(sheet.fields, start=1):
        head = page.cell(_HEADINGS, column, field.heading)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor="DDE6F0")
        width = _WIDTHS.get(field.heading, _USUAL_WIDTH)
        page.column_dimensions[get_column_letter(column)].width = width
    last = _HEADINGS + len(sheet.lines)
    for number, cells in enumerate(sheet.lines.values(), start=_HEADINGS + 1):
        for column, (field, said) in enumerate(zip(sheet.fields, cells, strict=True), start=1):
            _put(page.cell(number, column), field, said)
    for column, field in enumerate(sheet.fields, start=1):
        if field.choices and last > _HEADINGS:
            listed = DataValidation("list", formula1=f'"{",".join(field.choices)}"')
            listed.errorTitle, listed.error = field.heading, f"One of {', '.join(field.choices)}"
            listed.showErrorMessage = True
            letter = get_column_letter(column)
            listed.add(f"{letter}{_HEADINGS + 1}:{letter}{last}")
            page.add_data_validation(listed)
    page.freeze_panes = page.cell(_HEADINGS + 1, 2)
    page.auto_filter.ref = f"A{_HEADINGS}:{get_column_letter(len(sheet.fields))}{last}"
    # Locks against slips alone: what matters is compared when the sheet comes back.
    page.protection.sheet = True
    for allowed in ("formatColumns", "formatRows", "formatCells", "autoFilter", "sort"):
        setattr(page.protection, allowed, False)


def _put(cell: Any, field: Field, said: str) -> None:
    if field.heading == DATE and said:
        cell.value = date.fromisoformat(said)
    elif said:
        cell.value = said
        # What begins like a formula is text here.
        cell.data_type = "s"
    cell.number_format = _DAY if field.heading == DATE else _TEXT
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.protection = Protection(locked=field.locked)
    if field.locked:
        cell.fill = PatternFill("solid", fgColor="EEEEEE")


def opened(file: Path) -> Any:
    """The workbook in a file. Raises KnowledgeError for any other file."""
    expected = "a worksheet as XLSX, as `alk-cds knowledge worksheet` writes it"
    try:
        if file.stat().st_size > _LARGEST:
            raise refused(file, "", f"{expected}; this is larger than any")
        return load_workbook(file, keep_links=False)
    except (OSError, BadZipFile, InvalidFileException, ParseError, KeyError, ValueError,
            TypeError) as error:  # fmt: skip
        if isinstance(error, KnowledgeError):
            raise
        raise refused(file, "", expected) from error


def _lines(file: Path, page: Any, sheet: Worksheet) -> Mapping[str, Line]:
    for merged in page.merged_cells.ranges:
        raise refused(file, sheet.name, "no merged cells", merged.min_row, merged.min_col)
    width = len(sheet.fields)
    for number, head in ((_HEAD, sheet.head), (_HEADINGS, [one.heading for one in sheet.fields])):
        for column in range(1, max(width, page.max_column) + 1):
            wanted = head[column - 1] if column <= len(head) else ""
            if _text(file, sheet.name, page.cell(number, column), "") == wanted:
                continue
            raise refused(file, sheet.name, _of_head(sheet, number, column), number, column)
    found: dict[str, Line] = {}
    for number in range(_HEADINGS + 1, page.max_row + 1):
        cells = tuple(_cells(file, page, sheet, number))
        if any(cells):
            identifier = cells[0]
            if identifier not in sheet.lines:
                expected = "the id of a row of this table: ids are kept, and no row is added here"
                raise refused(file, sheet.name, expected, number, 1, ID)
            if identifier in found:
                raise refused(file, sheet.name, f"each row once: {identifier}", number, 1, ID)
            found[identifier] = Line(number, cells)
    for number, identifier in enumerate(sheet.lines, start=_HEADINGS + 1):
        if identifier not in found:
            raise refused(file, sheet.name, f"the row {identifier}, which is gone", number, 1, ID)
    return found


def _cells(file: Path, page: Any, sheet: Worksheet, number: int) -> Iterator[str]:
    for column in range(1, max(len(sheet.fields), page.max_column) + 1):
        cell = page.cell(number, column)
        if column > len(sheet.fields):
            if cell.value is not None:
                expected = "nothing behind the last column of the worksheet"
                raise refused(file, sheet.name, expected, number, column)
            continue
        yield _text(file, sheet.name, cell, sheet.fields[column - 1].heading)


def _text(file: Path, sheet: str, cell: Any, heading: str) -> str:
    """A cell as the tables write it; blanks and line breaks are one blank."""
    value = cell.value
    if cell.data_type == "f" or (cell.data_type != "s" and str(value or "").startswith("=")):
        raise refused(file, sheet, "a value, no formula", cell.row, cell.column, heading)
    if value is None:
        return ""
    if isinstance(value, datetime | date) and heading == DATE:
        day = value.date() if isinstance(value, datetime) else value
        return day.isoformat()
    if isinstance(value, str) and cell.data_type != "e":
        return " ".join(value.split())
    if isinstance(value, int | float) and not isinstance(value, bool) and heading != DATE:
        number = Decimal(str(value))
        return str(int(number)) if number == number.to_integral_value() else f"{number:f}"
    expected = "a day such as 2026-11-30" if heading == DATE else "text; this is something else"
    raise refused(file, sheet, expected, cell.row, cell.column, heading)


def _of_head(sheet: Worksheet, number: int, column: int) -> str:
    if number == _HEADINGS:
        return "the headings of the worksheet as they were written"
    wanted = sheet.head[column - 1] if column <= len(sheet.head) else ""
    if sheet.head[column - 2 : column - 1] == ("fingerprint",):
        return (
            "a sheet of these tables: they read otherwise than when it was written; write a new"
            " worksheet and carry the answers over"
        )
    what = sheet.head[column - 2] if column % 2 == 0 and column <= len(sheet.head) else ""
    return f"the {what} {wanted}, whose tables these are" if what else "this line as it was written"

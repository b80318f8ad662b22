"""Worksheets of pharmacists: written whole, taken back exactly, refused where they were bent."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.signing import Reading
from cds_service.knowledge.verification import LEVELS
from cds_service.knowledge.worksheets import (
    changes_of,
    file_name,
    worksheets_of,
    write_workbook,
)
from tests.knowledge.worksheet_files import (
    COPY,
    DRUG,
    FIRST,
    HELD,
    SHEET,
    TODAY,
    UNREAD,
    WHOLE,
    Edit,
    cell,
    edited,
    headings,
    put,
)
from tests.packaged import released_knowledge


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return released_knowledge()


@pytest.fixture(scope="module")
def written(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("worksheets") / file_name(DRUG, knowledge.release.version)
    write_workbook(file, worksheets_of(knowledge, DRUG))
    return file


def change(knowledge: Knowledge, file: Path) -> Any:
    (found,) = changes_of(knowledge, file, TODAY)[2]
    return found


# -- written ---------------------------------------------------------------------------------------


def test_a_worksheet_has_a_sheet_for_each_table_and_a_line_for_each_row(
    knowledge: Knowledge, written: Path
) -> None:
    book = load_workbook(written)
    tables = knowledge.drugs[DRUG]
    for name in ("dose_changes", "monitoring", "interactions", "populations"):
        table = getattr(tables, name)
        shown = [line[0].value for line in book[name].iter_rows(min_row=FIRST)]
        assert shown == [row.identifier for row in table]
        head = [cell.value for cell in book[name][1]]
        assert head[:6] == ["release", knowledge.release.version, "drug", DRUG, "table", name]


def test_a_worksheet_asks_for_finding_hold_resume_dose_recurrence_and_who_read_it_where(
    written: Path,
) -> None:
    asked = headings(load_workbook(written)[SHEET])
    for heading in ("id", "finding", "hold when", "resume when", "dose", "recurrence", "source",
                    "level", "reviewer", "date", "comment"):  # fmt: skip
        assert asked.count(heading) == 1


def test_ids_are_locked_answers_are_not_and_the_level_is_chosen_from_a_list(
    written: Path,
) -> None:
    for page in load_workbook(written).worksheets:
        assert page.protection.sheet
        locked = {
            heading
            for heading, one in zip(headings(page), page[FIRST], strict=True)
            if one.protection.locked
        }
        assert locked == ({"id", "recurrence"} if page.title == SHEET else {"id"})
        level = page[FIRST][headings(page).index("level")]
        lists = [rule.formula1 for rule in page.data_validations.dataValidation
                 if level.coordinate in rule.sqref]  # fmt: skip
        assert lists == [f'"{",".join(LEVELS)}"']


def test_a_recurrence_is_said_as_the_rule_counts_it(written: Path) -> None:
    page = load_workbook(written)[SHEET]
    assert cell(page, "lorlatinib-lipids-hold-again", "recurrence").value == (
        "second or later episode"
    )
    assert cell(page, HELD, "recurrence").value is None


def test_a_row_that_changed_since_it_was_signed_shows_no_level_and_no_reader(
    knowledge: Knowledge,
) -> None:
    tables = knowledge.drugs[DRUG]
    assert tables.dose_changes is not None
    rows = tuple(
        replace(row, level="none") if row.identifier == HELD else row for row in tables.dose_changes
    )
    stale = replace(tables, dose_changes=replace(tables.dose_changes, rows=rows))
    (sheet, *_) = worksheets_of(replace(knowledge, drugs={DRUG: stale}), DRUG)
    shown = dict(zip((field.heading for field in sheet.fields), sheet.lines[HELD], strict=True))
    assert [shown[name] for name in ("level", "read in", "reviewer", "date")] == [
        "none", "", "", ""
    ]  # fmt: skip


# -- taken back ------------------------------------------------------------------------------------


@pytest.mark.deep
@pytest.mark.parametrize("drug", sorted(released_knowledge().drugs))
def test_a_worksheet_that_nobody_touched_changes_nothing(
    knowledge: Knowledge, tmp_path: Path, drug: str
) -> None:
    file = tmp_path / "untouched.xlsx"
    write_workbook(file, worksheets_of(knowledge, drug))
    assert changes_of(knowledge, file, TODAY)[2] == ()
    # A spreadsheet program writes the file anew.
    load_workbook(file).save(file)
    assert changes_of(knowledge, file, TODAY)[2] == ()


def test_sorting_widening_and_blanks_around_an_answer_change_nothing(
    knowledge: Knowledge, written: Path, tmp_path: Path
) -> None:
    def turned(book: Any) -> None:
        page = book[SHEET]
        lines = [[one.value for one in line] for line in page.iter_rows(min_row=FIRST)]
        for number, line in enumerate(reversed(lines), start=FIRST):
            for column, value in enumerate(line, start=1):
                page.cell(number, column).value = f" {value}\n" if column == 4 else value
        page.column_dimensions["A"].width = 80

    assert changes_of(knowledge, edited(written, tmp_path, turned), TODAY)[2] == ()


def test_an_answer_is_taken_as_the_row_and_the_reading_it_says(
    knowledge: Knowledge, written: Path, tmp_path: Path
) -> None:
    said = {"level": "copy", "read in": COPY, "reviewer": "A. Pharmacist",
            "date": date(2026, 11, 29), "version": "2025-10", "comment": "read beside\nthe label",
            "source": COPY}  # fmt: skip
    found = change(knowledge, edited(written, tmp_path, put(UNREAD, said)))
    assert (found.row, found.file) == (UNREAD, "drugs/lorlatinib/dose_changes.csv")
    assert found.cells == {"source": COPY, "note": "read beside the label"}
    assert found.reading == Reading(
        UNREAD, "copy", COPY, "2025-10", "A. Pharmacist", date(2026, 11, 29)
    )


def test_a_number_typed_as_a_number_is_the_text_of_the_table(
    knowledge: Knowledge, written: Path, tmp_path: Path
) -> None:
    file = edited(written, tmp_path, put(HELD, {"look again after days": 14}))
    assert changes_of(knowledge, file, TODAY)[2] == ()
    file = edited(written, tmp_path, put(HELD, {"look again after days": 7.0}))
    assert change(knowledge, file).cells == {"recheck_days": "7"}


def test_a_row_that_says_something_else_loses_its_level_until_somebody_signs_it(
    knowledge: Knowledge, written: Path, tmp_path: Path
) -> None:
    other = "total cholesterol > 500 mg/dL or triglycerides > 900 mg/dL"
    found = change(knowledge, edited(written, tmp_path, put(HELD, {"hold when": other})))
    assert (found.cells, found.reading, found.withdrawn) == ({"when": other}, None, True)
    signed = {"hold when": other, "date": "2026-11-30", "reviewer": "A. Pharmacist"}
    found = change(knowledge, edited(written, tmp_path, put(HELD, signed)))
    assert found.reading is not None
    assert (found.reading.level, found.withdrawn) == ("copy", False)


def test_a_comment_alone_takes_no_level_away(
    knowledge: Knowledge, written: Path, tmp_path: Path
) -> None:
    found = change(knowledge, edited(written, tmp_path, put(HELD, {"comment": "as the label"})))
    assert (found.cells, found.withdrawn) == ({"note": "as the label"}, False)


def test_a_level_can_be_taken_back(knowledge: Knowledge, written: Path, tmp_path: Path) -> None:
    nothing = dict.fromkeys(("read in", "version", "reviewer", "date"), None)
    for level in ("none", None):
        file = edited(written, tmp_path, put(HELD, {"level": level, **nothing}))
        found = change(knowledge, file)
        assert (found.cells, found.reading, found.withdrawn) == ({}, None, True)


# -- refused ---------------------------------------------------------------------------------------


def on(sheet: str, edit: Edit) -> Edit:
    return lambda book: edit(book[sheet])


def merged(page: Any) -> None:
    page.merge_cells("B4:B6")


def removed(page: Any) -> None:
    page.delete_rows(FIRST + 1)


def twice(page: Any) -> None:
    for column, one in enumerate([copy(one.value) for one in page[FIRST]], start=1):
        page.cell(page.max_row if column > 1 else page.max_row + 1, column).value = one


def added(page: Any) -> None:
    page.cell(page.max_row + 1, 1).value = "lorlatinib-something-new"


def without_id(page: Any) -> None:
    page.cell(page.max_row + 1, 3).value = "ALT > 5 xULN"


def gone(book: Any) -> None:
    del book["monitoring"]


def at(address: str, value: object) -> Edit:
    def edit(page: Any) -> None:
        page[address].value = value

    return edit


def unsigned(**said: object) -> Edit:
    return put(UNREAD, {**WHOLE, **{name.replace("_", " "): what for name, what in said.items()}})


@pytest.mark.deep
@pytest.mark.parametrize(
    ("edit", "place", "expected"),
    [
        (on(SHEET, at("A4", "lorlatinib-renamed")), "row 4, column A (id)", "ids are kept"),
        (on(SHEET, added), "row {last}, column A (id)", "no row is added"),
        (on(SHEET, without_id), "row {last}, column A (id)", "no row is added"),
        (on(SHEET, removed), "row 4, column A (id)", "which is gone"),
        (on(SHEET, twice), "row {last}, column A (id)", "each row once"),
        (on(SHEET, at("E5", "=1+1")), "row 5, column E (hold when)", "no formula"),
        (on(SHEET, merged), "row 4, column B", "no merged cells"),
        (on(SHEET, at("B1", "2026.9.0")), "row 1, column B", "the release 2026"),
        (on(SHEET, at("F1", "monitoring")), "row 1, column F", "the table dose_changes"),
        (on(SHEET, at("H1", "0" * 16)), "row 1, column H", "they read otherwise"),
        (on(SHEET, at("C2", "stop when")), "row 2, column C", "the headings"),
        (on(SHEET, at("Z9", "by the way")), "row 9, column Z", "behind the last column"),
        (on(SHEET, at("Z2", "more")), "row 2, column Z", "the headings"),
        (unsigned(level="expert"), "column O (level)", "one of regulator"),
        (unsigned(level=None), "column O (level)", "the level at which"),
        (unsigned(level="none"), "column O (level)", "the level at which"),
        (unsigned(level="regulator"), "column O (level)", "at most copy"),
        (unsigned(date=None), "column S (date)", "the day on which the source was read"),
        (unsigned(date="yesterday"), "column S (date)", "a day such as"),
        (unsigned(date=45), "column S (date)", "a day from 2000-01-01"),
        (unsigned(date=date(2026, 12, 1)), "column S (date)", "to today, 2026-11-30"),
        (unsigned(reviewer=None), "column R (reviewer)", "who read it"),
        (unsigned(reviewer="A"), "column R (reviewer)", "a name"),
        (unsigned(read_in=None), "column P (read in)", "the source that was read"),
        (unsigned(read_in="alex-2017"), "column P (read in)", "a source that the row cites"),
        (unsigned(version=date(2026, 1, 1)), "column Q (version)", "something else"),
        (put(UNREAD, {"says": True}), "column L (says)", "something else"),
        (put(HELD, {"source": "general-knowledge"}), "column P (read in)", "no longer cites"),
        (put(HELD, {"recurrence": "second episode"}), "column M (recurrence)", "what the rule"),
    ],
)  # fmt: skip
def test_a_sheet_that_is_not_as_it_was_written_is_refused_with_sheet_row_and_column(
    knowledge: Knowledge, written: Path, tmp_path: Path, edit: Edit, place: str, expected: str
) -> None:
    file = edited(written, tmp_path, edit)
    page = load_workbook(file)[SHEET]
    with pytest.raises(KnowledgeError) as caught:
        changes_of(knowledge, file, TODAY)
    assert caught.value.file == str(file)
    assert f"sheet {SHEET}, row " in caught.value.where
    assert place.format(last=page.max_row) in caught.value.where
    assert expected in caught.value.expected
    assert caught.value.row is not None
    assert caught.value.column in place


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (gone, "sheet monitoring: expected this sheet"),
        (lambda book: book.create_sheet("my notes"), "sheet my notes: expected no sheet but"),
        (on(SHEET, at("D1", "aspirin")), "row 1, column D: expected a drug with tables"),
        (on("monitoring", at("D1", "alectinib")), "sheet monitoring, row 1, column D: expected"),
    ],
)  # fmt: skip
def test_a_workbook_with_other_sheets_or_of_another_drug_is_refused(
    knowledge: Knowledge, written: Path, tmp_path: Path, edit: Edit, said: str
) -> None:
    with pytest.raises(KnowledgeError, match=r"reviewed\.xlsx") as caught:
        changes_of(knowledge, edited(written, tmp_path, edit), TODAY)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"id,level\n", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_workbook_is_refused(
    knowledge: Knowledge, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "reviewed.xlsx"
    file.write_bytes(content)
    with pytest.raises(KnowledgeError, match="a worksheet as XLSX"):
        changes_of(knowledge, file, TODAY)

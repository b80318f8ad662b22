"""A row counts as read only as far as somebody signed what it says now."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.commands import commands
from cds_service.knowledge.checks import check_knowledge, check_what_is_read
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.sources import Source
from cds_service.knowledge.table_files import Row
from cds_service.knowledge.verification import (
    COLUMNS,
    FILE,
    LEVELS,
    WORDS,
    Level,
    OrderPolicy,
    Verification,
    level_of_source,
    load_signatures,
    meaning_digest,
    written,
)
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

ROW = "alectinib-liver-hold"
DOSES = "drugs/alectinib/dose_changes.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged release."""
    place = tmp_path / "knowledge"
    shutil.copytree(
        str(knowledge_folder()), place, ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    return place


def rows_of(knowledge: Knowledge) -> Iterator[Row]:
    return (row for table in knowledge.all_tables() for row in table)


def row_of(knowledge: Knowledge, identifier: str = ROW) -> Row:
    return next(row for row in rows_of(knowledge) if row.identifier == identifier)


def verification() -> Verification:
    knowledge = packaged_knowledge()
    return Verification(knowledge.signatures, knowledge.release.one_click_orders, knowledge.sources)


def change(folder: Path, column: str, value: str, row: str = ROW) -> None:
    file = folder / DOSES
    with file.open(encoding="utf-8", newline="") as lines:
        cells = list(csv.reader(lines))
    (line,) = (line for line in cells if line[0] == row)
    line[cells[0].index(column)] = value
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(cells)


# -- what a signature holds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("when", "(ALT > 4 xULN or AST > 5 xULN) and total bilirubin <= 2 xULN"),
        ("action", "ask"),
        ("until", "ALT <= 2 xULN and AST <= 2 xULN"),
        ("says", "Something else."),
        ("recheck_days", "8"),
    ],
)
def test_a_row_that_says_something_else_than_was_signed_is_read_by_nobody(
    column: str, value: str
) -> None:
    row, signed = row_of(packaged_knowledge()), verification()
    assert signed.level(ROW, row.cells) == "copy"
    assert signed.level(ROW, {**row.cells, column: value}) == "none"


@pytest.mark.slow
def test_the_check_finds_a_row_that_changed_since_it_was_signed(folder: Path) -> None:
    change(folder, "says", "Something else.")
    changed = load_knowledge(folder)
    name = "drugs/alectinib/dose_changes"
    (table,) = check_knowledge(changed, folder, only=name)
    found = [str(error) for error in table.errors]
    assert any("changed since it was signed" in error and ROW in error for error in found)


@pytest.mark.parametrize("column", ["note", "source"])
def test_what_stands_beside_the_meaning_may_change(column: str) -> None:
    cells = row_of(packaged_knowledge()).cells
    assert verification().level(ROW, {**cells, column: "hys-law-fda-2009"}) == "copy"


def test_a_signature_of_a_row_that_is_gone_is_found() -> None:
    knowledge = packaged_knowledge()
    signed = next(iter(knowledge.signatures.values()))
    more = {**knowledge.signatures, "gone": signed.model_copy(update={"row": "gone"})}
    found = check_what_is_read(replace(knowledge, signatures=more)).errors
    assert [error.rows for error in found if error.kind == "signature of no row"] == [("gone",)]


def test_no_row_of_our_own_design_gives_a_dose() -> None:
    for row in rows_of(packaged_knowledge()):
        assert row.level != "design" or not row.cells.get("dose"), row.identifier


# -- what a source can give ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "publisher", "level"),
    [
        ("label", "regulator", "regulator"),
        ("record", "regulator", "regulator"),
        ("label", "manufacturer", "manufacturer"),
        ("label", "compendium", "copy"),
        ("guideline", "society", "guideline"),
        ("guideline", "newspaper", "copy"),
        ("trial", "journal", "trial"),
        ("review", "journal", "trial"),
        ("review", "insurer", "copy"),
        ("label copy", "compendium", "copy"),
        ("monograph", "hospital", "copy"),
        ("label copy", "seller", "none"),
        ("label", "seller", "none"),
        ("review", "machine", "none"),
        ("trial", "unknown", "none"),
        ("design", None, "design"),
        ("terminology", None, "none"),
    ],
)
def test_a_source_verifies_no_more_than_it_is(kind: str, publisher: str | None, level: str) -> None:
    content = {"id": "x", "citation": "Somewhere or other.", "kind": kind, "publisher": publisher,
               "date_checked": "2026-11-20", "url": "https://example.org/x"}  # fmt: skip
    source = Source.model_validate(content)
    assert level_of_source(source) == level
    assert (source.address is None) is (publisher in ("seller", "machine", "unknown", None))


def test_a_source_names_who_answers_for_it() -> None:
    with pytest.raises(ValueError, match="a publisher"):
        Source.model_validate({"id": "x", "citation": "Somewhere or other.", "kind": "label copy",
                               "date_checked": "2026-11-20", "nct": "NCT00000000"})  # fmt: skip


@pytest.mark.parametrize(
    ("level", "copies", "orders"),
    [
        ("regulator", 0, True),
        ("manufacturer", 0, True),
        ("guideline", 0, True),
        ("trial", 0, True),
        ("copy", 1, False),
        ("copy", 2, True),
        ("none", 2, False),
        ("design", 0, False),
    ],
)
def test_a_copy_carries_an_order_only_beside_another(
    level: Level, copies: int, orders: bool
) -> None:
    sources = packaged_knowledge().sources
    good = ["alectinib-monograph-2024-09", "alecensa-label-copy-prescriberpoint"][:copies]
    seller = ["alecensa-label-copy-2024-04"]
    asked = Verification({}, OrderPolicy(), sources)
    assert asked.may_order(level, [*good, *seller]) is orders


def test_two_sections_of_one_page_are_one_copy() -> None:
    one = packaged_knowledge().sources["alectinib-monograph-2024-09"]
    both = {"one": one, "other": one.model_copy(update={"id": "other"})}
    assert not Verification({}, OrderPolicy(), both).may_order("copy", ["one", "other"])


def test_every_level_has_four_words_or_fewer() -> None:
    assert set(WORDS) == set(LEVELS)
    assert all(len(words.split()) <= 4 for words in WORDS.values())


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "column", "expected"),
    [
        ({"level": "seen"}, "", "regulator"),
        ({"source": "my-notebook"}, "source", "an id of sources.yaml"),
        ({"source": "lorlatinib-restated-label-10273"}, "source", "verifies something"),
        ({"level": "regulator"}, "source", "at most copy"),
        ({"level": "design"}, "source", "copy"),
        ({"read_on": "yesterday"}, "", "date"),
        ({"digest": "1"}, "", "pattern"),
        ({"by": ""}, "", "2 characters"),
    ],
)
def test_a_signature_with_a_slip_stops_the_start(
    tmp_path: Path, changed: dict[str, str], column: str, expected: str
) -> None:
    signed = packaged_knowledge().signatures[ROW]
    cells = dict(zip(COLUMNS, signed.cells(), strict=True)) | changed
    text = f"{','.join(COLUMNS)}\n{','.join(cells.values())}\n"
    (tmp_path / FILE).write_text(text, encoding="utf-8")

    with pytest.raises(KnowledgeError) as caught:
        load_signatures(tmp_path, packaged_knowledge().sources)
    assert FILE in caught.value.file
    assert caught.value.row == 2 or "row 2" in caught.value.where
    assert expected in caught.value.expected
    assert column in (caught.value.column or "")


@pytest.mark.parametrize("content", [b"\xff\xfe", b'row,level\n"open', b"", b"row,level\n"])
def test_a_file_of_signatures_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(KnowledgeError) as caught:
        load_signatures(tmp_path, packaged_knowledge().sources)
    assert FILE in caught.value.file


def test_a_row_is_signed_once(tmp_path: Path) -> None:
    signed = packaged_knowledge().signatures[ROW]
    twice = written([signed, signed])
    (tmp_path / FILE).write_text(twice, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="signed once"):
        load_signatures(tmp_path, packaged_knowledge().sources)


@pytest.mark.slow
def test_a_release_without_signatures_orders_nothing(folder: Path) -> None:
    (folder / FILE).unlink()
    found = list(rows_of(load_knowledge(folder)))
    assert not any(row.verified or row.may_order for row in found)


# -- signing ---------------------------------------------------------------------------------------


def signing(folder: Path, *rows: str, **options: str) -> tuple[int, str]:
    given = {"level": "copy", "source": "alectinib-monograph-2024-09", "by": "A. Pharmacist",
             "read-on": "2026-11-29", "folder": str(folder)} | options  # fmt: skip
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    done = CliRunner().invoke(commands, ["knowledge", "sign", *words, *rows])
    return done.exit_code, done.output


@pytest.mark.slow
def test_a_changed_row_is_trusted_again_when_somebody_signs_it(folder: Path) -> None:
    change(folder, "recheck_days", "8")
    code, said = signing(folder, ROW)

    assert (code, said) == (
        0, f"{ROW}: {WORDS['copy']}, alectinib-monograph-2024-09, 2026-11-29\n"
    )  # fmt: skip
    knowledge = load_knowledge(folder)
    assert row_of(knowledge).level == "copy"
    assert knowledge.signatures[ROW].by == "A. Pharmacist"
    assert knowledge.signatures[ROW].read_on == date(2026, 11, 29)
    assert knowledge.signatures[ROW].digest == meaning_digest(row_of(knowledge).cells)
    assert len(knowledge.signatures) == len(packaged_knowledge().signatures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (("no-such-row",), {}, "the id of a row"),
        ((ROW,), {"level": "regulator"}, "at most copy"),
        ((ROW,), {"source": "alex-2017"}, "a source that it cites"),
        ((ROW, "no-such-row"), {}, "the id of a row"),
        ((ROW,), {"level": "none"}, "'none' is not one of"),
        ((ROW,), {"by": ""}, "by"),
    ],
)
def test_what_cannot_be_signed_is_refused_in_a_sentence_and_nothing_is_written(
    folder: Path, rows: tuple[str, ...], options: dict[str, str], said: str
) -> None:
    before = (folder / FILE).read_bytes()
    code, output = signing(folder, *rows, **options)
    assert code != 0
    assert [file.name for file in folder.glob("signatures*")] == [FILE]
    assert said in output
    assert "Traceback" not in output
    assert (folder / FILE).read_bytes() == before

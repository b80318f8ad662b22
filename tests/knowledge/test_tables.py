"""A slip in a rule table stops the start and says in which file, row and column, and why."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.table_files import split
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

DOSES = "drugs/alectinib/dose_changes.csv"
MONITORING = "drugs/alectinib/monitoring.csv"
GATES = "algorithm/gates.csv"
CHECKS = "algorithm/order_checks.csv"
FIRST_LINE = "algorithm/first_line.csv"
ADJUVANT = "algorithm/adjuvant.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged tables."""
    _copy(knowledge_folder(), tmp_path)
    return tmp_path


def _copy(source: Traversable, target: Path) -> None:
    for entry in source.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            (target / entry.name).mkdir()
            _copy(entry, target / entry.name)
        elif entry.name.endswith((".csv", ".yaml")):
            (target / entry.name).write_bytes(entry.read_bytes())


def _rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def _write(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)


def _set(file: Path, row: int, column: str, value: str) -> None:
    """Change one cell; `row` is the line number, the header being 1."""
    rows = _rows(file)
    rows[row - 1][rows[0].index(column)] = value
    _write(file, rows)


def _refused(folder: Path) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)
    return caught.value


def test_the_copied_tables_load_like_the_packaged_ones(folder: Path) -> None:
    copied, packaged = load_knowledge(folder), packaged_knowledge()
    assert [(table.name, len(table)) for table in copied.all_tables()] == [
        (table.name, len(table)) for table in packaged.all_tables()
    ]


CELLS = [
    (DOSES, 3, "action", "pause", "one of ask, continue, reduce, stop, withhold"),
    (DOSES, 3, "resume", "half", "one of next lower"),
    (DOSES, 4, "when", "", "a value; the cell is empty"),
    (DOSES, 4, "when", "ALT > 5 xULN and", "at character 17"),
    (DOSES, 4, "when", "ALTT > 5 xULN", "ALT"),
    (DOSES, 4, "when", "ALT > 5 mg/dL", "U/L"),
    (DOSES, 4, "when", "setting is advance", "advanced"),
    (DOSES, 5, "until", "ALT <= 3", "ALT in U/L"),
    (DOSES, 5, "tests", "liver tests;spleen tests", "a test in tests.yaml"),
    (DOSES, 5, "recheck_days", "soon", "a whole number above 0"),
    (DOSES, 5, "recheck_days", "0", "a whole number above 0"),
    (DOSES, 2, "source", "", "a value; the cell is empty"),
    (DOSES, 2, "source", " ; ", "a value; the cell is empty"),
    (DOSES, 2, "source", "my-notebook", "an id of sources.yaml"),
    (DOSES, 2, "rule", ";", "a value; the cell is empty"),
    (DOSES, 2, "says", " ", "a value; the cell is empty"),
    (MONITORING, 2, "first_phase", "every second week", "an interval such as"),
    (MONITORING, 2, "later_phase", "monthly", "an interval such as"),
    (MONITORING, 2, "test", "urine", "a test in tests.yaml"),
    (GATES, 2, "stops", "everything", "one of nothing, selection"),
    (GATES, 2, "severity", "red", "one of critical, info, warning"),
    (GATES, 2, "summary", "x" * 140, "at most 139 characters"),
    (CHECKS, 2, "undecided", "maybe", "one of ask, silent"),
    (
        CHECKS,
        2,
        "offers",
        "remove order;sign order",
        "one of end running orders, first line, remove order",
    ),
    (FIRST_LINE, 2, "drug", "aspirin", "a drug with a folder of its own"),
    (FIRST_LINE, 2, "evidence", "alex-pfs-imagined", "a result in evidence.yaml"),
    (FIRST_LINE, 2, "evidence", "", "a value; the cell is empty"),
    (ADJUVANT, 2, "months", "24 months", "a whole number above 0"),
    (DOSES, 2, "says", "Hold at \u202e3 x ULN", "characters that are seen (found U+202E)"),
    (DOSES, 2, "says", "Hold\u200b at 3 x ULN", "characters that are seen (found U+200B)"),
    (DOSES, 2, "when", "ALT >\u00ad 5 xULN", "characters that are seen (found U+00AD)"),
    (DOSES, 2, "says", "Hold <script>alert(1)</script>", "text without markup (found '<script')"),
    (GATES, 2, "summary", "Is it <b>so</b>?", "text without markup (found '<b')"),
    (DOSES, 2, "says", "Hold. " * 400, "at most 2000 characters"),
]


@pytest.mark.deep
@pytest.mark.parametrize(("file", "row", "column", "value", "expected"), CELLS)
def test_a_wrong_cell_is_named_with_what_was_expected(
    folder: Path, file: str, row: int, column: str, value: str, expected: str
) -> None:
    _set(folder / file, row, column, value)
    error = _refused(folder)
    assert error.file == str(folder / file)
    assert (error.row, error.column) == (row, column)
    assert expected in error.expected
    assert f"{file}: at row {row}, column {column}: expected " in str(error)


def _drop_column(rows: list[list[str]]) -> list[list[str]]:
    return [row[:-2] + row[-1:] for row in rows]


def _add_column(rows: list[list[str]]) -> list[list[str]]:
    return [[*row, "colour" if index == 0 else "red"] for index, row in enumerate(rows)]


def _swap_columns(rows: list[list[str]]) -> list[list[str]]:
    return [[row[1], row[0], *row[2:]] for row in rows]


@pytest.mark.deep
@pytest.mark.parametrize("spoil", [_drop_column, _add_column, _swap_columns])
def test_other_columns_than_the_schema_are_refused(
    folder: Path, spoil: Callable[[list[list[str]]], list[list[str]]]
) -> None:
    file = folder / GATES
    _write(file, spoil(_rows(file)))
    error = _refused(folder)
    assert (error.file, error.row) == (str(file), 1)
    assert "the columns id,rule,when,stops" in error.expected


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("drugs/alectinib/drug.yaml", "label.sources"),
        ("drugs/neladalkib/status.yaml", "approval.sources"),
    ],
)
def test_a_source_of_a_drug_that_nobody_declared_is_named(
    folder: Path, file: str, place: str
) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    changed = text.replace("  sources: [", "  sources: [my-notebook, ", 1)
    (folder / file).write_text(changed, encoding="utf-8")
    error = _refused(folder)
    assert (error.file, error.where) == (file, place)
    assert "my-notebook" in error.expected


def test_a_missing_cell_is_refused(folder: Path) -> None:
    file = folder / DOSES
    rows = _rows(file)
    rows[6].pop()
    _write(file, rows)
    error = _refused(folder)
    assert error.row == 7
    assert error.expected == "15 cells, found 14"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("jurisdiction", "Europe", "one of US, EU, UK, CH, JP, CN, CA, AU (found 'Europe')"),
        ("instead_of", "alectinib-liver-hold",
         "nothing: only a row of one jurisdiction stands in place of another"),
    ],
)  # fmt: skip
def test_a_label_that_nobody_knows_is_refused(
    folder: Path, column: str, value: str, expected: str
) -> None:
    _set(folder / DOSES, 3, column, value)
    error = _refused(folder)
    assert (error.row, error.column, error.expected) == (3, column, expected)


def test_a_row_can_take_the_place_only_of_one_of_its_table_that_stands_everywhere(
    folder: Path,
) -> None:
    _set(folder / DOSES, 3, "jurisdiction", "EU; JP")
    _set(folder / DOSES, 3, "instead_of", "alectinib-monitor-liver")
    error = _refused(folder)
    assert (error.row, error.column) == (3, "instead_of")
    assert "'alectinib-monitor-liver'" in error.expected


def test_an_id_given_twice_is_refused_also_across_tables(folder: Path) -> None:
    taken = _rows(folder / GATES)[1][0]
    _set(folder / CHECKS, 3, "id", taken)
    error = _refused(folder)
    assert (error.row, error.column) == (3, "id")
    assert taken in error.expected
    assert f"{GATES} row 2" in error.expected


def test_an_open_quotation_mark_is_refused(folder: Path) -> None:
    file = folder / GATES
    text = file.read_text(encoding="utf-8").rstrip("\n")
    file.write_text(f'{text}\ngate-new,"G-01,ALK unknown\n', encoding="utf-8")
    error = _refused(folder)
    assert error.row == len(_rows_of(text)) + 1
    assert "well-formed CSV" in error.expected


def _rows_of(text: str) -> list[str]:
    return text.splitlines()


def test_a_line_number_counts_lines_also_after_a_cell_of_two_lines(folder: Path) -> None:
    file = folder / GATES
    _set(file, 2, "detail", "One line.\nAnother line.")
    rows = _rows(file)
    rows[2][rows[0].index("severity")] = "red"
    _write(file, rows)
    assert _refused(folder).row == 4


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / GATES).write_bytes(b"\xff\xfe\x00")
    assert _refused(folder).expected == "a readable UTF-8 file"


@pytest.mark.deep
@pytest.mark.parametrize("file", [GATES, FIRST_LINE, "release.yaml", "vocabulary.yaml"])
def test_a_missing_file_is_refused(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert _refused(folder).file == str(folder / file)


def test_monitoring_without_dose_changes_is_refused(folder: Path) -> None:
    (folder / DOSES).unlink()
    assert "dose_changes.csv beside monitoring.csv" in str(_refused(folder))


def test_a_reaction_that_the_drug_does_not_know_is_refused(folder: Path) -> None:
    file = "drugs/alectinib/interactions.csv"
    _set(folder / file, 3, "brings", "lipids")
    said = str(_refused(folder))
    assert file in said
    assert "brings" in said
    assert "a reaction of dose_changes.csv (found 'lipids')" in said


def test_a_drug_without_tables_is_incomplete_and_not_empty(folder: Path) -> None:
    shutil.copy(folder / MONITORING, folder / "kept.csv")
    (folder / DOSES).unlink()
    (folder / MONITORING).unlink()
    tables = load_knowledge(folder).drugs["alectinib"]
    assert tables.dose_changes is None
    assert not tables.complete


@pytest.mark.deep
@pytest.mark.parametrize(
    ("section", "line", "expected"),
    [
        ("quantities:", "  pulse: {analyte: no such test, describes: x}", "labs or vitals"),
        ("quantities:", "  pulse: {describes: x}", "either analyte or unit"),
        ("collections:", "  things: {members_from: [nowhere], describes: x}", "ALK inhibitors"),
        ("states:", "  mood: {values: [good], describes: x}", "at least 2"),
        ("events:", "  sex: {describes: x}", "usable names"),
        ("flags:", "  tiredness: {colour: red, describes: x}", "a field of the schema"),
    ],
)
def test_a_wrong_fact_of_the_vocabulary_is_refused(
    folder: Path, section: str, line: str, expected: str
) -> None:
    file = folder / "vocabulary.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"\n{section}\n", f"\n{section}\n{line}\n"), encoding="utf-8")
    assert expected in str(_refused(folder))


def test_a_test_that_no_fact_shows_is_refused(folder: Path) -> None:
    file = folder / "tests.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        f"{text}\nhair test:\n  label: hair\n  data: [laboratory]\n  verified: true\n"
        "  sources: [lhc-flowsheet]\n",
        encoding="utf-8",
    )
    assert "facts, events or states" in str(_refused(folder))


def test_a_list_cell_keeps_its_order_and_drops_blanks() -> None:
    assert split(" liver tests ; CPK;; ") == ("liver tests", "CPK")


@pytest.fixture(scope="module")
def packaged() -> Knowledge:
    return packaged_knowledge()


def test_every_table_has_rows_and_every_row_its_sources(packaged: Knowledge) -> None:
    for table in packaged.all_tables():
        assert len(table) > 0, table.name
        for row in table:
            assert row.sources, row.identifier
            assert row.algorithm_ids, row.identifier


def test_every_written_rule_prints_back_to_itself(packaged: Knowledge) -> None:
    for table in packaged.all_tables():
        for row in table:
            for rule in row.rules.values():
                again = packaged.compiler.compile(str(rule.expression))
                assert again.expression == rule.expression

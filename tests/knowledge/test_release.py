"""The release as a whole: what it holds, and what the checks find in good and in bad tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cds_service.knowledge.checks import (
    PLACEHOLDER_LENGTH,
    SETTLED_BY_ORDER,
    CheckedTable,
    TableFinding,
    check_knowledge,
    load_coverage,
)
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.schemas import ACTIONS
from cds_service.knowledge.table_files import Row, Table
from tests.packaged import packaged_knowledge

DOSES = "drugs/alectinib/dose_changes"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return packaged_knowledge()


@pytest.fixture(scope="module")
def checked(knowledge: Knowledge) -> tuple[CheckedTable, ...]:
    return check_knowledge(knowledge)


# -- the packaged release ------------------------------------------------------------------------


@pytest.mark.slow
def test_the_packaged_tables_have_no_error(checked: tuple[CheckedTable, ...]) -> None:
    assert [str(finding) for table in checked for finding in table.errors] == []
    assert all(table.clean for table in checked)


def test_every_table_is_checked(knowledge: Knowledge, checked: tuple[CheckedTable, ...]) -> None:
    assert [table.name for table in checked] == [table.name for table in knowledge.all_tables()]


def test_an_overlap_that_the_file_order_settles_is_listed_and_the_safer_row_stands_first(
    knowledge: Knowledge, checked: tuple[CheckedTable, ...]
) -> None:
    (doses,) = [table for table in checked if table.name == DOSES]
    pairs = {finding.rows for finding in doses.findings if finding.kind == SETTLED_BY_ORDER}
    assert (
        "alectinib-bradycardia-life-threatening-hold",
        "alectinib-bradycardia-culprit-adjusted",
    ) in pairs
    lines = {row.identifier: row for row in _doses(knowledge)}
    for first, second in pairs:
        assert lines[first].line < lines[second].line


def test_the_release_names_itself_and_says_that_nobody_reviewed_it_yet(
    knowledge: Knowledge,
) -> None:
    assert re.fullmatch(r"\d{4}\.\d{1,2}\.\d+", knowledge.release.version)
    assert knowledge.release.changes
    assert knowledge.release.reviewers or knowledge.release.review_note


def test_a_result_is_found_by_its_id(knowledge: Knowledge) -> None:
    study, result = knowledge.result("alex-overall-survival-2025")
    assert study.name == "ALEX"
    assert result.values == {"alectinib": "81.1", "crizotinib": "54.2"}
    with pytest.raises(KeyError):
        knowledge.result("alex-imagined")


def test_the_investigators_median_never_stands_beside_the_other_hazard_ratio(
    knowledge: Knowledge,
) -> None:
    shown = {name for row in knowledge.tables["first_line"] for name in row.entries("evidence")}
    assert "alex-pfs-investigator-2020" in shown
    assert "alex-pfs-independent-2017" not in shown


def test_a_drug_with_monitoring_has_dose_changes_too(knowledge: Knowledge) -> None:
    for name, tables in knowledge.drugs.items():
        assert (tables.monitoring is None) or (tables.dose_changes is not None), name
    assert knowledge.drugs["alectinib"].complete


def test_a_hold_says_how_it_ends_or_asks(knowledge: Knowledge) -> None:
    for row in _doses(knowledge):
        if row.text("action") == "withhold":
            assert row.text("until") or row.text("ask"), row.identifier
        if row.text("resume"):
            assert row.text("until"), row.identifier
        if row.text("action") == "stop":
            assert not row.text("resume"), row.identifier


# -- deliberately bad tables ---------------------------------------------------------------------


def _doses(knowledge: Knowledge) -> Table:
    table = knowledge.drugs["alectinib"].dose_changes
    assert table is not None
    return table


def _row(knowledge: Knowledge, table: Table, line: int, **cells: str) -> Row:
    """The first row of a table with some cells replaced."""
    first = table.rows[0]
    written = {**first.cells, "id": f"row-{line}", **cells}
    rules = {
        name: knowledge.compiler.compile(written[name]) for name in ("when",) if written.get(name)
    }
    return Row(table.name, written["id"], line, written, rules)


def _with_doses(knowledge: Knowledge, rows: Sequence[Row]) -> Knowledge:
    tables = replace(knowledge.drugs["alectinib"], dose_changes=Table(DOSES, tuple(rows)))
    return replace(knowledge, drugs={**knowledge.drugs, "alectinib": tables})


def _with(knowledge: Knowledge, name: str, **cells: str) -> Knowledge:
    """One algorithm table whose first row has some cells replaced."""
    table = knowledge.tables[name]
    spoiled = Table(name, (_row(knowledge, table, 2, **cells), *table.rows[1:]))
    return replace(knowledge, tables={**knowledge.tables, name: spoiled})


@pytest.fixture
def nothing_promised(tmp_path: Path) -> Path:
    """A folder whose coverage file promises nothing."""
    (tmp_path / "coverage.yaml").write_text(f"{DOSES}: []\n", encoding="utf-8")
    return tmp_path


def _found(knowledge: Knowledge, name: str, folder: Path | None = None) -> list[TableFinding]:
    (table,) = check_knowledge(knowledge, folder, only=name)
    # The words of these rows are those of others, and their exceptions are not in every folder:
    # tests/knowledge/test_prose.py.
    of_words = {"number that the rule does not have", "exception that nothing needs"}
    return [finding for finding in table.findings if finding.kind not in of_words]


def _reaction(knowledge: Knowledge, *rows: tuple[str, str, str]) -> Knowledge:
    """A dose-change table of one reaction from (action, resume, when)."""
    built = [
        _row(knowledge, _doses(knowledge), number, reaction="liver", action=action, resume=resume,
             when=when, until="")
        for number, (action, resume, when) in enumerate(rows, start=2)
    ]  # fmt: skip
    return _with_doses(knowledge, built)


def test_rows_of_equal_action_that_differ_are_listed_but_are_no_error(
    knowledge: Knowledge, nothing_promised: Path
) -> None:
    spoiled = _reaction(
        knowledge,
        ("withhold", "next lower", "ALT > 5 xULN"),
        ("withhold", "same", "AST > 5 xULN"),
    )
    (finding,) = _found(spoiled, DOSES, nothing_promised)
    assert (finding.level, finding.kind) == ("info", SETTLED_BY_ORDER)
    assert finding.rows == ("row-2", "row-3")
    assert "latest ALT in xULN" in finding.situation


def test_rows_of_equal_action_and_outcome_may_overlap(
    knowledge: Knowledge, nothing_promised: Path
) -> None:
    same = _reaction(
        knowledge,
        ("withhold", "same", "ALT > 5 xULN"),
        ("withhold", "same", "AST > 5 xULN"),
    )
    assert _found(same, DOSES, nothing_promised) == []


def test_the_safer_action_settles_an_overlap(knowledge: Knowledge, nothing_promised: Path) -> None:
    settled = _reaction(
        knowledge,
        ("withhold", "same", "ALT > 5 xULN"),
        ("stop", "", "ALT > 5 xULN and total bilirubin > 2 xULN"),
    )
    assert _found(settled, DOSES, nothing_promised) == []
    assert ACTIONS == ("stop", "withhold", "reduce", "ask", "continue")


def test_a_row_that_never_leads_is_found(knowledge: Knowledge, nothing_promised: Path) -> None:
    spoiled = _reaction(
        knowledge,
        ("withhold", "same", "ALT > 3 xULN"),
        ("ask", "", "ALT > 5 xULN"),
    )
    (finding,) = _found(spoiled, DOSES, nothing_promised)
    assert (finding.level, finding.kind, finding.rows) == ("error", "never leads", ("row-3",))


def test_a_dose_change_that_never_fires_is_found(
    knowledge: Knowledge, nothing_promised: Path
) -> None:
    spoiled = _reaction(knowledge, ("stop", "", "ALT > 5 xULN and ALT <= 5 xULN"))
    (finding,) = _found(spoiled, DOSES, nothing_promised)
    assert (finding.level, finding.kind, finding.rows) == ("error", "never fires", ("row-2",))


@pytest.mark.parametrize("name", ["gates", "order_checks", "choice_modifiers", "adjuvant"])
def test_a_row_of_another_table_that_never_fires_is_found(
    knowledge: Knowledge, tmp_path: Path, name: str
) -> None:
    (tmp_path / "coverage.yaml").write_text("gates: []\n", encoding="utf-8")
    spoiled = _with(knowledge, name, when="setting is advanced and setting is resected")
    assert [(item.kind, item.rows) for item in _found(spoiled, name, tmp_path)] == [
        ("never fires", ("row-2",))
    ]


def test_a_promise_that_no_row_keeps_is_a_gap_with_its_situation(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    (tmp_path / "coverage.yaml").write_text(
        f'{DOSES}: ["ALT > 3 xULN", "ALT > 7 xULN"]\n', encoding="utf-8"
    )
    spoiled = _reaction(knowledge, ("stop", "", "ALT > 5 xULN"))
    (finding,) = _found(spoiled, DOSES, tmp_path)
    assert (finding.level, finding.kind, finding.rows) == ("error", "gap", ("ALT > 3 xULN",))
    assert "between 3 and 5 xULN" in finding.situation


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        ("no such table: []\n", "no such table", "the name of a rule table"),
        ('gates: ["ALTT > 3 xULN"]\n', "gates.0", "ALT"),
        ("gates: 7\n", "gates", "valid tuple"),
        ("- gates\n", "the top", "a mapping"),
    ],
)
def test_a_coverage_file_with_a_slip_is_refused(
    knowledge: Knowledge, tmp_path: Path, text: str, where: str, expected: str
) -> None:
    (tmp_path / "coverage.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_coverage(knowledge, tmp_path)
    assert where in caught.value.where
    assert expected in caught.value.expected


@pytest.mark.deep
@pytest.mark.parametrize(
    ("table", "cells", "kind", "situation"),
    [
        ("gates", {"source": " ; "}, "no source", "every row"),
        ("gates", {"source": "a-notebook"}, "unknown source", "a-notebook"),
        ("gates", {"detail": "Median 25.7 months, HR 0.47."},
         "numbers that do not belong together", "0.47 and 25.7"),
        ("gates", {"detail": "Brain response 83 % against 40 %."},
         "numbers that do not belong together", "40 and 83"),
        ("gates", {"detail": "Crizotinib: response 74 %, median 10.4 months."},
         "numbers that do not belong together", "10.4 and 74"),
        ("gates", {"detail": "Alectinib is superior."}, "words that must not be printed",
         "superiority"),
        ("gates", {"detail": "Response 82.9 % was higher than 75.5 %."},
         "words that must not be printed", "not significant"),
        ("gates", {"detail": "NCCN preferred."}, "words that must not be printed", "licensed"),
        ("gates", {"summary": "Category 1 option"}, "words that must not be printed", "licensed"),
        ("gates", {"detail": "Complete response in 27 % of brain metastases."},
         "words that must not be printed", "pretreated"),
        ("gates", {"detail": "79.4 % stayed on the dose."}, "words that must not be printed",
         "no source"),
        ("gates", {"detail": "Response in 64.35 %."}, "number without evidence", "64.35"),
        ("gates", {"detail": "Median 34.9 months."}, "number without evidence", "34.9"),
        ("gates", {"detail": "In 9999 patients."}, "number without evidence", "9999"),
        ("gates", {"detail": "Hazard ratio 0.11."}, "number without evidence", "0.11"),
        ("gates", {"summary": "{ordered} " + "x" * 119}, "summary too long", "140"),
        ("first_line", {"evidence": "alex-pfs-investigator-2017;alex-pfs-independent-2017"},
         "numbers that do not belong together", "0.47"),
    ],
)  # fmt: skip
def test_the_audit_finds_what_must_not_be_shown(
    knowledge: Knowledge, table: str, cells: dict[str, str], kind: str, situation: str
) -> None:
    found = [
        item
        for item in _found(_with(knowledge, table, **cells), table)
        if item.rows == ("row-2",) and item.kind != "gap"
    ]
    assert {item.level for item in found} == {"error"}
    assert kind in {item.kind for item in found}
    assert any(situation in item.situation for item in found if item.kind == kind)


def test_a_result_kept_only_as_a_warning_may_not_be_cited(knowledge: Knowledge) -> None:
    hidden = next(
        result.id
        for study in knowledge.evidence.values()
        for result in study.results
        if not result.display
    )
    found = _found(_with(knowledge, "first_line", evidence=hidden), "first_line")
    assert "result that must not be shown" in {item.kind for item in found}


def test_a_summary_of_just_the_allowed_length_is_accepted(knowledge: Knowledge) -> None:
    longest = "{ordered} " + "x" * (138 - PLACEHOLDER_LENGTH)
    found = _found(_with(knowledge, "gates", summary=longest), "gates")
    assert "summary too long" not in {item.kind for item in found}


def test_a_finding_reads_as_one_line() -> None:
    finding = TableFinding("error", "gap", ("ALT > 3 xULN",), "latest ALT exactly 4 xULN")
    assert str(finding) == "error: gap: ALT > 3 xULN (latest ALT exactly 4 xULN)"

"""`alk-cds knowledge worksheet` and `import`: a sheet is taken whole, when asked, or not at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from cds_service.commands import commands
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.verification import FILE, meaning_digest
from cds_service.knowledge.worksheets import file_name, worksheets_of, write_workbook
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.knowledge.worksheet_files import (
    COPY,
    DRUG,
    HELD,
    SHEET,
    UNREAD,
    WHOLE,
    cell,
    edited,
    put,
)
from tests.packaged import released_knowledge


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    knowledge = released_knowledge()
    file = tmp_path_factory.mktemp("worksheets") / file_name(DRUG, knowledge.release.version)
    write_workbook(file, worksheets_of(knowledge, DRUG))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "release"
    shutil.copytree(Path(str(knowledge_folder())), found)
    return found


def run(*words: object, answer: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["knowledge", *map(str, words)], input=answer)
    return done.exit_code, done.output


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


@pytest.mark.slow
def test_a_worksheet_of_each_drug_is_written_once_and_never_over_answers(
    folder: Path, tmp_path: Path
) -> None:
    code, said = run("worksheet", "--to", tmp_path / "sheets", "--folder", folder)
    assert code == 0
    files = sorted((tmp_path / "sheets").iterdir())
    assert [file.name.partition("-")[0] for file in files] == sorted(released_knowledge().drugs)
    assert all(f"{file}: " in said for file in files)
    code, said = run("worksheet", DRUG, "--to", tmp_path / "sheets", "--folder", folder)
    assert code == 1
    assert "is there already" in said
    code, said = run("worksheet", "aspirin", "--to", tmp_path / "more")
    assert (code, "no drug of this release" in said) == (1, True)


@pytest.mark.slow
def test_an_unchanged_worksheet_leaves_the_release_as_it_is_to_the_byte(
    folder: Path, written: Path
) -> None:
    before = contents(folder)
    assert run("import", written, "--folder", folder) == (0, "The worksheet changes nothing.\n")
    assert contents(folder) == before


@pytest.mark.slow
def test_a_signed_worksheet_is_shown_asked_about_and_written(
    folder: Path, written: Path, tmp_path: Path
) -> None:
    other = "total cholesterol > 500 mg/dL or triglycerides > 900 mg/dL"
    file = edited(
        written,
        tmp_path,
        put(UNREAD, WHOLE),
        put(HELD, {"hold when": other}),
        put("lorlatinib-monitor-lipids", {"comment": "as the label says"}, "monitoring"),
    )
    before = contents(folder)

    code, said = run("import", file, "--folder", folder, answer="n\n")
    assert code == 1
    assert f"when: total cholesterol > 500 mg/dL or triglycerides > 1000 mg/dL -> {other}" in said
    assert f"level: none -> copy (read in {COPY} on 2026-11-29 by A. Pharmacist)" in said
    assert "level: copy -> none" in said
    assert "between 900 and 1000 mg/dL" in said
    assert contents(folder) == before

    code, said = run("import", file, "--folder", folder, "--yes")
    assert code == 0
    after = contents(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        "drugs/lorlatinib/dose_changes.csv", "drugs/lorlatinib/monitoring.csv", FILE,
    }  # fmt: skip
    for name in changed:
        old, new = before[name].splitlines(), after[name].splitlines()
        assert len(set(new) - set(old)) <= 2
    knowledge = load_knowledge(folder)
    rows = {row.identifier: row for table in knowledge.all_tables() for row in table}
    assert rows[HELD].level == "none"
    assert HELD not in knowledge.signatures
    assert rows[UNREAD].level == "copy"
    assert knowledge.signatures[UNREAD].digest == meaning_digest(rows[UNREAD].cells)
    assert knowledge.signatures[UNREAD].by == "A. Pharmacist"

    code, said = run("import", file, "--folder", folder, "--yes")
    assert code == 1
    assert "row 1, column H: expected a sheet of these tables" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"hold when": "triglycerides > many"}, "column E (hold when)"),
        ({"dose": "as before"}, "column H (dose)"),
        ({"source": "no-such-source"}, "column N (source)"),
        ({"says": None}, "column L (says)"),
        ({"says": "Hold at \u202e3 x ULN"}, "column L (says)"),
        ({"says": "Hold <script>alert(1)</script>"}, "column L (says)"),
    ],
)
def test_what_no_table_may_say_is_refused_where_it_stands_on_the_sheet(
    folder: Path, written: Path, tmp_path: Path, said: Mapping[str, object], place: str
) -> None:
    file = edited(written, tmp_path, put(UNREAD, said))
    number = cell(load_workbook(file)[SHEET], UNREAD, "id").row
    before = contents(folder)
    code, output = run("import", file, "--folder", folder, "--yes")
    assert code == 1
    assert f"{file}: at sheet {SHEET}, row {number}, {place}: expected" in output
    assert contents(folder) == before


@pytest.mark.slow
def test_the_spreadsheet_library_is_loaded_for_a_worksheet_alone() -> None:
    program = "import sys, cds_service.app, cds_service.cli; sys.exit('openpyxl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

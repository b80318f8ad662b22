"""Choosing which of the kept releases answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.kept_releases import BROKEN, BROKEN_FILE, BROKEN_LINE, LATER, choose, kept
from tests.packaged import released_knowledge

pytestmark = pytest.mark.slow

OWN = released_knowledge().release.version


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("site") / "releases")


@pytest.fixture
def folder(releases: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (releases / "in-use.json").unlink(missing_ok=True)
    monkeypatch.setenv("ALK_CDS_RELEASES_FOLDER", str(releases))
    return releases


def chosen(folder: Path) -> list[str | None]:
    written = json.loads((folder / "in-use.json").read_text(encoding="utf-8"))
    return [release and release["version"] for release in (written["now"], written["before"])]


def test_a_release_is_chosen_by_its_version_and_the_one_before_answers_when_asked_back(
    run: Command, folder: Path
) -> None:
    done = run("knowledge", "use", LATER)

    assert done.exit_code == 0, done.output
    assert f"Release {LATER} answers from now on; before it {OWN}." in done.output
    assert chosen(folder) == [LATER, OWN]

    choose(folder, LATER)
    assert chosen(folder) == [LATER, OWN]

    done = run("knowledge", "use", "--back")

    assert done.exit_code == 0, done.output
    assert chosen(folder) == [OWN, LATER]
    assert run("knowledge", "use", "--back").exit_code == 0
    assert chosen(folder) == [LATER, OWN]


def test_a_release_with_a_rule_that_cannot_be_read_is_refused_with_its_file_and_row(
    run: Command, folder: Path
) -> None:
    choose(folder, LATER)

    done = run("knowledge", "use", BROKEN)

    assert done.exit_code == 1
    said = "".join(done.output.split())
    assert f"{BROKEN}/{BROKEN_FILE}" in said
    assert f"row:{BROKEN_LINE}" in said
    assert "column:when" in said
    assert "Nothing was changed" in done.output
    assert chosen(folder) == [LATER, OWN]


def test_a_release_with_something_to_mend_is_refused(run: Command, folder: Path) -> None:
    place = folder / "2099.3.1"
    shutil.copytree(folder / LATER, place)
    release = place / "release.yaml"
    text = release.read_text(encoding="utf-8").replace(f"version: {LATER}", "version: 2099.3.1")
    release.write_text(text.replace("date: 20", "date: 19", 1), encoding="utf-8")
    try:
        done = run("knowledge", "use", "2099.3.1")
    finally:
        shutil.rmtree(place)

    assert done.exit_code == 1
    assert "Refused" in done.output
    assert not (folder / "in-use.json").exists()


def test_a_version_that_is_not_there_or_twice_is_refused(run: Command, folder: Path) -> None:
    assert "2031.1.1" in run("knowledge", "use", "2031.1.1").output
    copy = folder / "copy"
    shutil.copytree(folder / LATER, copy)
    try:
        done = run("knowledge", "use", LATER)
    finally:
        shutil.rmtree(copy)

    assert done.exit_code == 1
    assert "not 2099.1.1 and copy" in " ".join(done.output.split())


def test_the_list_names_every_release_and_the_one_in_use(run: Command, folder: Path) -> None:
    choose(folder, LATER)

    said = run("knowledge", "releases").output

    assert f"in use     {LATER}: {LATER}" in said
    assert f"before     {OWN}: came with the program" in said
    assert BROKEN in said


def test_a_rule_that_stays_in_the_shadow_must_be_in_the_release(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_SHADOW_RULES", "no-such-rule")

    done = run("knowledge", "use", LATER)

    assert done.exit_code == 1
    assert "no-such-rule" in done.output


def test_without_a_folder_of_releases_it_says_which_setting_is_missing(run: Command) -> None:
    done = run("knowledge", "use", LATER)

    assert done.exit_code == 1
    assert "ALK_CDS_RELEASES_FOLDER" in done.output


def test_other_commands_answer_with_the_release_that_was_chosen(
    run: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_ENVIRONMENT", "development")
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'records.sqlite3'}")
    choose(folder, LATER)

    assert f"knowledge: release {LATER}" in run("doctor").output

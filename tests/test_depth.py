"""No case is dropped: what the quick suite leaves out, the slow one runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.depth import QUICK_SHARE
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
A_FILE = """
import pytest
from hypothesis import given, settings, strategies as st
from tests.depth import DEPTH, examples, rotated

@pytest.mark.deep
@pytest.mark.parametrize("number", range(20))
def test_table(number): pass

@pytest.mark.parametrize("number", range(20))
def test_every_time(number): pass

@pytest.mark.deep
@pytest.mark.parametrize("drug", ["one", "other"])
@settings(max_examples=examples(80))
@given(number=st.integers())
def test_property(drug, number): pass

@pytest.mark.slow
def test_server(): pass

@pytest.mark.slow
@pytest.mark.parametrize("story", rotated(["a", "b", "c", "d", "e"]))
def test_turn(story): pass

@pytest.mark.long
def test_fuzz(): pass
"""
SUITES = {
    "quick": "not slow and not long",
    "slow": "(slow or deep) and not long",
    "long": "long",
    "sample": "long",
}


def collected(folder: Path, depth: str, *named: str, turn: str = "0") -> list[str]:
    """The tests of the file that a suite would run, as `make` asks for them."""
    file = folder / "test_a_file.py"
    file.write_text(A_FILE, encoding="utf-8")
    (folder / "conftest.py").write_text(
        (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    command = [
        sys.executable, "-m", "pytest", "--collect-only", "-q", "--strict-markers",
        "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", "-p", "no:cacheprovider",
        "-m", SUITES[depth], *(named or (str(file),)),
    ]  # fmt: skip
    answer = subprocess.run(
        command, cwd=ROOT,
        env={"TEST_DEPTH": depth, "TEST_TURN": turn, "PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert answer.returncode in (0, 5), answer.stdout + answer.stderr
    return re.findall(r"::(\S+)$", answer.stdout, re.MULTILINE)


def test_the_quick_suite_takes_a_part_of_a_deep_table_and_every_property(tmp_path: Path) -> None:
    found = collected(tmp_path, "quick")

    assert [name for name in found if name.startswith("test_table")] == [
        f"test_table[{number}]" for number in range(0, 20, QUICK_SHARE)
    ]
    assert len([name for name in found if name.startswith("test_every_time")]) == 20
    assert len([name for name in found if name.startswith("test_property")]) == 2
    assert not {"test_server", "test_fuzz"} & set(found)


def test_the_slow_suite_runs_every_case_that_the_quick_one_left_out(tmp_path: Path) -> None:
    found = collected(tmp_path, "slow")

    assert len([name for name in found if name.startswith("test_table")]) == 20
    assert {"test_server", "test_property[one]", "test_property[other]"} <= set(found)
    assert "test_fuzz" not in found


def test_of_cases_that_take_turns_the_slow_suite_runs_some_and_the_long_one_all(
    tmp_path: Path,
) -> None:
    turns = [collected(tmp_path, "slow", turn=str(number)) for number in range(4)]
    found = [{name for name in names if name.startswith("test_turn")} for names in turns]

    assert found[0] == {"test_turn[a]", "test_turn[e]"}
    assert set().union(*found) == {f"test_turn[{story}]" for story in "abcde"}


def test_what_takes_long_is_run_by_its_own_command(tmp_path: Path) -> None:
    assert collected(tmp_path, "sample") == ["test_fuzz"]


def test_the_long_suite_asks_every_property_of_new_examples(tmp_path: Path) -> None:
    assert collected(tmp_path, "long") == [
        "test_property[one]",
        "test_property[other]",
        *(f"test_turn[{story}]" for story in "abcde"),
        "test_fuzz",
    ]


def test_a_case_that_is_named_is_run_whatever_the_suite(tmp_path: Path) -> None:
    named = f"{tmp_path / 'test_a_file.py'}::test_table[3]"

    assert collected(tmp_path, "quick", named) == ["test_table[3]"]


@pytest.mark.parametrize("suite", ["test", "test-slow", "test-long"])
def test_the_commands_ask_for_the_suites_as_they_are_described_here(suite: str) -> None:
    recipe = re.search(rf"^{suite}:.*?\n\n", (ROOT / "Makefile").read_text(), re.M | re.S)
    depth = suite.removeprefix("test").strip("-") or "quick"

    assert recipe is not None
    assert SUITES[depth] in recipe[0]
    assert "TEST_DEPTH" in recipe[0]

"""The hazard log names a cause, a control and a test for each harm, and the tests are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "safety.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_ROWS_AT_LEAST = 20


def rows() -> Iterator[list[str]]:
    """The cells of each harm."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| H-"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_harm_has_a_number_of_its_own_a_cause_a_control_and_a_test() -> None:
    found = list(rows())

    assert len(found) >= _ROWS_AT_LEAST
    assert [row[0] for row in found] == [f"H-{number:02}" for number in range(1, len(found) + 1)]
    for row in found:
        number, harm, cause, control, shown = row
        assert all((harm, cause, control)), number
        assert _TEST.search(shown), number


def test_every_test_that_the_hazard_log_names_exists() -> None:
    named = _TEST.findall(PAGE.read_text(encoding="utf-8"))
    assert named
    lost = []
    for file, name in named:
        path = ROOT / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        here = {item.name for item in ast.walk(tree) if isinstance(item, ast.FunctionDef)}
        if name not in here:
            lost.append(f"{file}::{name}")
    assert lost == []

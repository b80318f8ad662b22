"""The lint rule that keeps patterns out in which a text can send the engine astray."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.check_patterns import compiled, faults, written


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(?:\w+\s*)*x",
        r"(?:\s*\w\s*)+x",
        r"(?:a|ab*)*c(?:b*)*",
        r"(?:a{2,})*b",
        r"\s*,?\s*x",
        r"\d+\.?\d*x",
        r".*foo.*\w*",
        r"(?i:a)*A*",
        r"a{0,500}a*",
        r"(?=\s*\s*x)a",
    ],
)
def test_repetitions_that_share_their_characters_are_found(pattern: str) -> None:
    assert faults(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\s*(?:,\s*)?x",
        r"\d+(?:\.\d+)?x",
        r"(?:,\s*\w+)*",
        r"(?:\s+\w+)*\s*x",
        r"(?:a++)*b",
        r"(?>a+)a*",
        r"\w+\s+\w+",
        r"a{0,3}a*",
        r"[^()]*\([^()]*\)",
    ],
)
def test_repetitions_that_can_fit_in_one_way_only_are_let_through(pattern: str) -> None:
    assert not faults(pattern, re.ASCII)


def test_a_pattern_is_seen_where_it_is_compiled_and_where_a_call_names_it(tmp_path: Path) -> None:
    package = tmp_path / "patterns_to_find"
    package.mkdir()
    (package / "__init__.py").touch()
    text = 'import re\nA = re.compile("a" + "+" * 1)\ndef f(t):\n    return re.sub(r"b*", "", t)\n'
    (package / "one.py").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(tmp_path)
        assert compiled(["patterns_to_find"]) == {("a+", re.UNICODE): "patterns_to_find.one:2"}
    assert written([package]) == {("b*", 0): f"{package / 'one.py'}:4"}

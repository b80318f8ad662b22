"""Every clause of CDS Hooks has an answer, and every answer is true."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from cds_service.conformance import clauses
from cds_service.conformance.clauses import IDENTIFIER
from docs import conformance
from docs.conformance import Answer, answers, each_test, is_kept, proof_of

ROOT = Path(__file__).resolve().parents[2]
LAST = {"R": 216, "C": 42, "D": 21, "E": 58, "S": 24, "I": 57, "N": 90}


def marked() -> Iterator[tuple[str, str]]:
    """Every id that a test's marker names, with the file."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "clause"
            ):
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), file
                    yield str(argument.value), file.name


def test_the_list_of_clauses_is_whole() -> None:
    for letter, last in LAST.items():
        numbers = [int(name[2:]) for name in clauses() if name.startswith(f"{letter}-")]
        assert max(numbers) == last
        assert len(set(numbers)) == len(numbers)
    counted = {letter: sum(name[0] == letter for name in clauses()) for letter in LAST}
    assert counted == {"R": 146, "C": 37, "D": 21, "E": 44, "S": 24, "I": 42, "N": 24}


def test_no_clause_is_without_test_check_or_reason() -> None:
    silent = [
        name
        for name in clauses()
        if not is_kept(name)
        and not answers().get(name, Answer()).not_applicable
        and not answers().get(name, Answer()).not_yet
    ]

    assert silent == []


def test_no_clause_that_does_not_apply_is_proved_by_a_test() -> None:
    both = [name for name, answer in answers().items() if answer.not_applicable and proof_of(name)]

    assert both == []


def test_what_is_still_to_come_has_no_proof_yet() -> None:
    assert [name for name, answer in answers().items() if answer.not_yet and is_kept(name)] == []


def test_an_answer_is_about_a_clause_and_gives_one_reason() -> None:
    assert sorted(set(answers()) - set(clauses())) == []
    for name, answer in answers().items():
        assert not (answer.not_applicable and (answer.not_yet or answer.says)), name
        assert answer != Answer(), name


def test_tests_and_files_that_an_answer_names_exist() -> None:
    for name, answer in answers().items():
        for path, _, test in (item.partition("::") for item in answer.tests):
            assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), (name, test)
        assert [path for path in answer.where if not (ROOT / path).exists()] == []


def test_a_marker_names_clauses_that_exist() -> None:
    unknown = [
        (name, file)
        for name, file in marked()
        if IDENTIFIER.fullmatch(name) and name not in clauses()
    ]

    assert unknown == []


def test_the_proof_is_read_from_markers_and_where_the_protocol_is_tested_from_the_lines() -> None:
    source = (
        "import pytest\n"
        "CASES = ['R-102']\n"
        "@pytest.mark.clause('R-100')\n"
        "@pytest.mark.parametrize('case', CASES)\n"
        "def test_one(case):\n"
        "    '''R-101.'''\n"
    )

    ((name, text),) = each_test(source, numbered=True)
    ((_, marks),) = each_test(source, numbered=False)

    assert name == "test_one"
    assert {item for item in ("R-100", "R-101", "R-102") if item in text} == {
        "R-100", "R-101", "R-102"
    }  # fmt: skip
    assert {item for item in ("R-100", "R-101", "R-102") if item in marks} == {"R-100"}


def test_the_page_shows_every_clause_once(pages: Mapping[str, str]) -> None:
    page = pages["docs/conformance.md"]

    assert [name for name in clauses() if page.count(f"\n| {name} |") != 1] == []
    assert conformance.page().rstrip() in page, "run: python -m docs.generate"

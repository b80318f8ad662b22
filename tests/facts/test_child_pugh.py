"""The Child-Pugh class, as an answer of the score or as a diagnosis."""

from __future__ import annotations

import pytest

from tests.facts.records import coded, condition, facts_of, stated


@pytest.mark.parametrize("letter", ["A", "B", "C"])
def test_a_class_that_stands_on_the_problem_list_is_read(letter: str) -> None:
    name = f"Child-Pugh class {letter}"
    has = condition("cirrhosis", 5, code=coded(name))
    assert stated(facts_of(has), "Child-Pugh class") == letter


def test_a_refuted_class_says_nothing() -> None:
    refuted = condition("cirrhosis", 5, code=coded("Child-Pugh class C"), verification="refuted")
    assert stated(facts_of(refuted), "Child-Pugh class") is None

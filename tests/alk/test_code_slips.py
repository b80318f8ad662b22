"""The sampler of slips in the code: what it changes, and that the draw can be repeated."""

from __future__ import annotations

import ast

from benchmarks.code_mutation import changes, mutant, sample

SOURCE = '''
def older(first: int, second: int) -> bool:
    """Whether the first comes before."""
    if not first and second > 0:
        return first < second
    return True
'''


def test_every_change_makes_another_program() -> None:
    found = changes(SOURCE)
    sources = [mutant(SOURCE, change)[2] for change in found]
    assert {what for _, what in found} == {
        "the other branch", "and for or", "not dropped", "another comparison", "one more",
        "nothing returned", "the other truth",
    }  # fmt: skip
    assert len(set(sources)) == len(sources)
    for text in sources:
        assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(SOURCE))


def test_a_change_says_where_it_is() -> None:
    change = next(change for change in changes(SOURCE) if change[1] == "not dropped")
    line, said, text = mutant(SOURCE, change)
    assert (line, said) == (4, "not dropped in not first")
    assert "if not not first" in text


def test_the_same_seed_draws_the_same_sample() -> None:
    assert sample(5, 1) == sample(5, 1) != sample(5, 2)

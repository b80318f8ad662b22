"""What the rule language accepts, in which canonical form, and what it says about slips."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_samples import VOCABULARY, compiled

from cds_service.rules import (
    CollectionOf,
    Quantity,
    RuleCompiler,
    RuleError,
    State,
    Vocabulary,
    flag,
)

DATA = Path(__file__).parent / "data"


def _rows(name: str) -> list[list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


@pytest.mark.parametrize("row", _rows("accepted.tsv"), ids=lambda row: row[0])
def test_an_accepted_text_has_one_canonical_form(row: list[str]) -> None:
    text, canonical = row
    rule = compiled(text.replace("\\t", "\t"))
    assert str(rule.expression) == canonical
    assert compiled(canonical).expression == rule.expression


@pytest.mark.parametrize("row", _rows("rejected.tsv"), ids=lambda row: row[0] or "(nothing)")
def test_a_rejected_text_says_where_and_what_was_expected(row: list[str]) -> None:
    text, column, expected = row
    with pytest.raises(RuleError) as caught:
        compiled(text)
    assert caught.value.column == int(column)
    assert expected in caught.value.expected
    assert text in str(caught.value)


def test_the_tables_of_texts_have_enough_rows() -> None:
    assert len(_rows("accepted.tsv")) >= 40
    assert len(_rows("rejected.tsv")) >= 40


def test_every_column_of_the_rejected_table_lies_in_the_text_or_just_behind_it() -> None:
    for text, column, _ in _rows("rejected.tsv"):
        assert 1 <= int(column) <= len(text) + 1


def test_a_rule_lists_the_facts_it_names() -> None:
    rule = compiled("ALT > 5 xULN and not (no resection or unknown whether brain metastases)")
    assert rule.facts_named == {"ALT", "resection", "brain metastases"}


def test_a_rule_keeps_its_text_as_written() -> None:
    assert compiled("alt  > 5.0 xuln").text == "alt  > 5.0 xuln"


def test_brackets_decide_what_belongs_together() -> None:
    loose = compiled("brain metastases or pregnancy and ALT known")
    tight = compiled("(brain metastases or pregnancy) and ALT known")
    assert loose.expression != tight.expression
    assert loose.expression == compiled("brain metastases or (pregnancy and ALT known)").expression


def test_a_fact_whose_name_starts_like_a_keyword_is_read_whole() -> None:
    assert str(compiled("no node positive").expression) == "node positive absent"


def test_the_longest_fact_name_wins() -> None:
    compiler = RuleCompiler(Vocabulary([flag("ALK"), flag("ALK status"), flag("ALK status old")]))
    assert str(compiler.compile("ALK status old").expression) == "ALK status old present"
    assert str(compiler.compile("ALK").expression) == "ALK present"


def test_a_fact_name_inside_a_longer_word_is_not_a_fact() -> None:
    with pytest.raises(RuleError):
        compiled("ALTitude > 5 xULN")
    with pytest.raises(RuleError):
        compiled("ALT-1 > 5 xULN")


def test_a_vocabulary_without_values_still_makes_a_parser() -> None:
    compiler = RuleCompiler(Vocabulary([Quantity("weight", "kg")]))
    assert str(compiler.compile("weight > 60 kg").expression) == "weight > 60 kg"


def test_a_vocabulary_without_units_still_makes_a_parser() -> None:
    compiler = RuleCompiler(Vocabulary([flag("brain metastases")]))
    assert str(compiler.compile("no brain metastases").expression) == "brain metastases absent"


@pytest.mark.parametrize("name", ["", "no pain", "Any cough", "x ray?", " ALT", "ALT  high", "(x)"])
def test_a_malformed_fact_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="fact name"):
        Vocabulary([flag(name)])


def test_a_malformed_value_is_refused() -> None:
    with pytest.raises(ValueError, match="value name"):
        Vocabulary([State("setting", ("in situ", "invasive"))])
    with pytest.raises(ValueError, match="value name"):
        Vocabulary([CollectionOf("medications", frozenset({"a, b"}))])


def test_two_facts_of_one_name_are_refused_whatever_their_case() -> None:
    with pytest.raises(ValueError, match="two facts"):
        Vocabulary([flag("pregnancy"), flag("Pregnancy")])


def test_the_vocabulary_finds_names_in_any_case_and_spacing() -> None:
    assert "TOTAL   bilirubin" in VOCABULARY
    assert VOCABULARY.find("total  Bilirubin").name == "total bilirubin"
    assert "AST" not in VOCABULARY
    with pytest.raises(KeyError):
        VOCABULARY.find("AST")

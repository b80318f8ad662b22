"""Rules in plain words: what a pharmacist reads beside the rule language."""

from __future__ import annotations

import pytest

from cds_service.knowledge.release import Knowledge
from cds_service.rules.syntax import predicates
from cds_service.rules.words import in_words
from tests.packaged import packaged_knowledge


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return packaged_knowledge()


def said(knowledge: Knowledge, text: str) -> list[str]:
    lines = in_words(knowledge.compiler.compile(text).expression)
    return [f"{'  ' * depth}{line}" for depth, line in lines]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("ALT > 5 xULN", "ALT above 5 times the upper limit of normal"),
        ("ALT >= 5 xULN", "ALT at least 5 times the upper limit of normal"),
        ("ALT <= 1 xbaseline", "ALT at most 1 times the patient's own baseline"),
        ("ALT >= 60 U/L above baseline", "ALT at least 60 U/L above the patient's own baseline"),
        ("heart rate < 60 bpm", "heart rate below 60 bpm"),
        ("eGFR < 30 mL/min/{1.73_m2}", "eGFR below 30 mL/min/1.73 m2"),
        ("any ALT > 3 xULN in the last 4 weeks",
         "any value of ALT above 3 times the upper limit of normal, in the last 4 weeks"),
        ("cholestasis present", "cholestasis: recorded"),
        ("no cholestasis", "cholestasis: known to be absent"),
        ("setting is not advanced", "setting is something other than advanced"),
        ("setting in {advanced, resected}", "setting is advanced or resected"),
        ("cancers do not include non-small cell lung cancer",
         "cancers: surely not non-small cell lung cancer"),
        ("no active ALK inhibitors", "active ALK inhibitors: surely none"),
        ("any active ALK inhibitors", "active ALK inhibitors: at least one"),
        ("ALK unknown", "nothing usable is recorded for ALK"),
        ("unknown whether ALT > 3 xULN",
         "the record leaves open whether ALT above 3 times the upper limit of normal"),
        ("not ALT > 3 xULN", "it is not so that ALT above 3 times the upper limit of normal"),
    ],
)  # fmt: skip
def test_a_condition_is_told_in_words(knowledge: Knowledge, rule: str, words: str) -> None:
    assert said(knowledge, rule) == [words]


def test_parts_stand_below_what_joins_them(knowledge: Knowledge) -> None:
    assert said(knowledge, "(ALT > 5 xULN or AST > 5 xULN) and no cholestasis") == [
        "all of these hold:",
        "  at least one of these holds:",
        "    ALT above 5 times the upper limit of normal",
        "    AST above 5 times the upper limit of normal",
        "  cholestasis: known to be absent",
    ]


def test_what_is_denied_as_a_whole_keeps_its_parts(knowledge: Knowledge) -> None:
    assert said(knowledge, "unknown whether (no cholestasis and no haemolysis)") == [
        "the record leaves open whether all of these hold:",
        "  cholestasis: known to be absent",
        "  haemolysis: known to be absent",
    ]


def test_every_rule_of_the_release_is_told_with_every_fact_it_names(knowledge: Knowledge) -> None:
    for table in knowledge.all_tables():
        for row in table:
            for rule in row.rules.values():
                text = " ".join(line for _, line in in_words(rule.expression))
                named = {leaf.fact for leaf in predicates(rule.expression)}
                assert {fact for fact in named if fact not in text} == set(), row.identifier

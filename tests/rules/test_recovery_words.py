"""A rule in the words of the ward, made from the rule."""

from __future__ import annotations

import re

import pytest

from cds_service.rules.compile import RuleCompiler
from cds_service.rules.recovery_words import in_words
from tests.packaged import packaged_knowledge

_LANGUAGE = re.compile(
    r"[<>={}\"]|xULN|xbaseline|10\*|\babsent\b|\bpresent\b|\binclude\b|on treatment|unknown whether"
)


def words(rule: str) -> str:
    return in_words(RuleCompiler(packaged_knowledge().vocabulary).compile(rule).expression)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "(ALT <= 3 xULN and AST <= 3 xULN) or (ALT <= 1 xbaseline and AST <= 1 xbaseline)",
            "ALT and AST are at most 3 x ULN, or back at the patient's baseline",
        ),
        (
            ("((ALT <= 3 xULN and AST <= 3 xULN) or (ALT <= 1 xbaseline and AST <= 1 xbaseline))"
            " and total bilirubin <= 2 xULN"),
            ("ALT and AST are at most 3 x ULN, or back at the patient's baseline, and total"
            " bilirubin is at most 2 x ULN"),
        ),
        (
            ("(lipase <= 1.5 xULN or lipase <= 1 xbaseline)"
            " and (amylase <= 1.5 xULN or amylase <= 1 xbaseline)"),
            "lipase and amylase are at most 1.5 x ULN or back at the patient's baseline",
        ),
        ("CPK <= 5 xULN or CPK <= 1 xbaseline",
         "CPK is at most 5 x ULN or back at the patient's baseline"),
        ("creatinine <= 3 xbaseline", "creatinine is at most 3 x the patient's baseline"),
        ("QTc >= 60 ms above baseline", "QTc is at least 60 ms above baseline"),
        ("neutrophils >= 1 10*9/L", "neutrophils are at least 1 x 10^9/L"),
        ("interstitial lung disease on treatment absent",
         "there is no interstitial lung disease any more"),
        ("no gastrointestinal symptoms on treatment grade >= 2",
         "gastrointestinal symptoms are at most grade 1"),
        ("no skin reaction on treatment grade >= 1", "there is no skin reaction any more"),
        (
            "bradycardia symptoms absent or heart rate >= 60 bpm",
            "there are no bradycardia symptoms any more or heart rate is at least 60 bpm",
        ),
        (
            ("skin reaction on treatment absent"
            " or unknown whether episode of skin reaction on treatment grade >= 3"),
            "nothing is left of skin reaction that reached grade 3",
        ),
        ("every CPK <= 5 xULN", "every value of CPK at most 5 times the upper limit of normal"),
    ],
)  # fmt: skip
def test_a_condition_is_said_as_a_clinician_says_it(rule: str, said: str) -> None:
    assert words(rule) == said


def test_no_recovery_of_a_dose_table_is_said_in_the_rule_language() -> None:
    for tables in packaged_knowledge().drugs.values():
        for row in tables.dose_changes:
            until = row.rules.get("until")
            if until is not None:
                assert not _LANGUAGE.search(in_words(until.expression)), until.text


def test_the_numbers_of_a_recovery_are_those_of_its_rule() -> None:
    for tables in packaged_knowledge().drugs.values():
        for row in tables.dose_changes:
            until = row.rules.get("until")
            if until is None or "grade" in until.text:
                continue
            numbers = set(re.findall(r"\d+(?:\.\d+)?", until.text.replace("10*9", "")))
            said = in_words(until.expression).replace("10^9", "")
            # Once baseline is the baseline itself.
            assert set(re.findall(r"\d+(?:\.\d+)?", said)) >= numbers - {"1"}, until.text


def test_every_condition_of_every_table_can_be_said() -> None:
    knowledge = packaged_knowledge()
    tables = [table for drug in knowledge.drugs.values() for table in drug.by_name.values()]
    for row in (row for table in tables for row in table if "when" in row.rules):
        assert not re.search(r"[<>=]|xULN", in_words(row.when.expression)), row.when.text

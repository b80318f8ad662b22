"""No text of a chart makes a pattern work without end. Steps are counted, no time is measured."""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
from collections.abc import Iterator

import pytest

import cds_service.facts
import cds_service.fhir
from cds_service.fhir.dosage_text import parse_dose_text
from cds_service.fhir.values import parse_number
from tests.counted_steps import Counting, TooManyStepsError, attacks
from tests.depth import SEED, share

CHARACTERS = 80
GROWTH = 20
"""How many times the steps may be when the text is twice as long: 4 where they grow with its
square, 16 with its fourth power; where each repetition doubles them it is more than any number."""


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern that a module of these rooms holds by a name."""
    for room in (cds_service.facts, cds_service.fhir):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            held = vars(importlib.import_module(module.name))
            for name, value in held.items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{module.name.removeprefix('cds_service.')}.{name}", value


ALL = dict(patterns())


def grows_beyond_bounds(pattern: re.Pattern[str]) -> str:
    """The text whose doubling makes a pattern take too many steps; empty when none does."""
    for before, text in attacks(pattern):
        short = Counting(pattern, _hostile(before, text, CHARACTERS), 300_000).steps
        try:
            Counting(pattern, _hostile(before, text, 2 * CHARACTERS), GROWTH * short + 1000)
        except TooManyStepsError:
            return before + text
    return ""


def _hostile(before: str, text: str, characters: int) -> str:
    return before + text * ((characters - len(before)) // len(text)) + "\x00"


@pytest.mark.long
@pytest.mark.parametrize("name", random.Random(SEED).sample(sorted(ALL), share(len(ALL))))
def test_the_work_of_a_pattern_does_not_double_with_each_repetition(name: str) -> None:
    assert not grows_beyond_bounds(ALL[name])


@pytest.mark.slow
def test_the_count_finds_a_pattern_that_does() -> None:
    doubling = re.compile(r"mg(?:\s*,?\s*(?:with food|fasting))*\Z")
    assert grows_beyond_bounds(doubling)
    assert not grows_beyond_bounds(re.compile(r"mg(?: ?(?:, ?)?(?:with food|fasting))*\Z"))


def test_an_instruction_that_repeats_itself_is_read_or_refused_at_once() -> None:
    once = parse_dose_text("600 mg twice daily with food")
    assert once is not None
    assert parse_dose_text("600 mg twice daily" + " with food" * 18) == once
    assert parse_dose_text("600 mg twice daily" + " with food" * 18 + " x") is None
    assert parse_dose_text("600 mg twice daily , with food, swallowed whole") == once


@pytest.mark.parametrize("text", ["1" * 101, " " * 5000 + "x", "> " + " " * 5000 + "5 U/L x"])
def test_a_long_text_is_no_number(text: str) -> None:
    assert parse_number(text).number is None


def test_blanks_around_a_number_are_nothing() -> None:
    assert parse_number(" " * 5000 + "5 U/L").number == 5

"""No text that a chart may hold makes a pattern work for long, however long the text is.

Each pattern is taken as it is used: whether it looks at the beginning of a text or everywhere, and
with the longest text that reaches it. Steps are counted, no time is measured.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counted_steps import Counting, TooManyStepsError, attacks
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LONG = 20_000
"""Characters behind each text; what arrives whole is taken to come at any length."""
CHARTS = (
    "alectinib-alt-six-times", "brigatinib-early-pneumonitis", "lorlatinib-clarithromycin-ordered",
    "alk-discordant-results",
)  # fmt: skip
MOST_STEPS = 30_000_000
"""About half a second of the engine."""
STEEPEST = 1.35
"""The power with which the steps may grow where a text has no limit: a little above a line,
because short texts are counted."""
SHORT = 40


def used() -> Iterator[tuple[re.Pattern[str], bool, int]]:
    """Each pattern with where it looks and the longest text that reached it."""
    command = [sys.executable, "-m", "tests.facts.recorded_patterns", str(LONG), " a1", *CHARTS]
    answer = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    for pattern, flags, everywhere, longest in json.loads(answer.stdout):
        yield re.compile(pattern, flags), everywhere, longest


def problem(pattern: re.Pattern[str], *, everywhere: bool, longest: int) -> str:
    """The repeated text over which a pattern works too long; empty where there is none."""
    for before, repeated in attacks(pattern):
        counted = []
        for length in (0, SHORT, 2 * SHORT):
            text = before + repeated * (length // len(repeated)) + "\x00"
            try:
                counted.append(Counting(pattern, text, 1_000_000, everywhere=everywhere).steps)
            except TooManyStepsError:
                return f"{before + repeated!r}: more steps than can be counted"
        first, short, double = counted
        power = math.log2(max(double - first, 1) / max(short - first, 1))
        steps = first + (double - first) * (longest / (2 * SHORT)) ** max(power, 0)
        if steps > MOST_STEPS or (longest >= LONG and power > STEEPEST):
            return f"{before + repeated!r}: {steps:.0f} steps, power {power:.2f}, of {longest}"
    return ""


def test_no_pattern_works_long_on_the_longest_text_that_reaches_it() -> None:
    found = list(used())
    assert len(found) > 100
    problems = {
        pattern.pattern: said
        for pattern, everywhere, longest in found
        if (said := problem(pattern, everywhere=everywhere, longest=longest))
    }
    assert not problems


@pytest.mark.parametrize(
    ("pattern", "longest", "is_one"),
    [
        (r"[ *]+\Z", LONG, True),
        (r"[ *]+\Z", 300, False),
        (r" *x *(?:y)? *ULN", LONG, True),
        (r" ?x ?(?:y)? ?ULN", LONG, False),
        (r"(?:a+)+b", 100, True),
        (r" +", LONG, False),
    ],
)
def test_the_count_tells_what_grows_too_fast_from_what_does_not(
    pattern: str, longest: int, is_one: bool
) -> None:
    assert bool(problem(re.compile(pattern), everywhere=True, longest=longest)) is is_one

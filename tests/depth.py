"""How deep the tests go: a sample in the quick suite, everything in the slow one.

`make test` asks each property of a few examples and each exhaustive table of a part of its
cases; `make test-slow` asks the same tests (marked `deep`) of all of them; `make test-long` runs
what needs longer still, and `.ci/run` takes a fresh sample of that each time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

DEPTH = os.environ.get("TEST_DEPTH", "slow")
"""`quick`, `slow`, `sample` (of the long tests) or `long`; pytest by itself leaves nothing out."""
SEED = int(os.environ.get("TEST_SEED", "20261120"))
"""Where the long tests begin; `.ci/run` chooses another one each time and prints it."""

TURN = int(os.environ.get("TEST_TURN", "0"))
"""Whose turn it is among cases that take turns; `.ci/run` chooses and prints it."""

QUICK_SHARE = 10
"""The quick suite takes one in so many examples and cases."""
LONG_TIMES = 4
"""The long suite asks the properties of the slow one again, of so many times as many examples."""
SAMPLE_SHARE = 10
"""A sample of the long tests takes one in so many."""
ROTATED_SHARE = 4
"""Of cases that take turns the slow suite takes one in so many, others each turn."""

if DEPTH not in ("quick", "slow", "sample", "long"):
    raise ValueError(f"TEST_DEPTH is {DEPTH!r}, not one of quick, slow, sample, long")


def examples(number: int) -> int:
    """How many examples of `number` a property is asked of in this suite."""
    if DEPTH == "quick":
        return max(5, number // QUICK_SHARE)
    return number * LONG_TIMES if DEPTH == "long" else number


def share(number: int) -> int:
    """How many of the `number` runs of a long test are made: all, or a sample of them."""
    return number if DEPTH == "long" else max(1, number // SAMPLE_SHARE)


def rotated(cases: Sequence[str]) -> list[Any]:
    """Cases that take turns: in the slow suite one in four, by the turn; in the long one all."""
    if DEPTH == "long":
        return [pytest.param(case, marks=pytest.mark.long) for case in cases]
    return list(cases[TURN % ROTATED_SHARE :: ROTATED_SHARE])


def is_property(item: pytest.Item) -> bool:
    """Whether a test draws its own examples."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def left_for_the_slow_suite(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Of each test marked `deep` all but one in so many cases, from the first one on.

    A property says by `examples` how much of it is quick, and keeps its cases.
    """
    seen: dict[str, int] = {}
    for item in items:
        if item.get_closest_marker("deep") is None or not hasattr(item, "callspec"):
            continue
        if is_property(item):
            continue
        test = item.nodeid.partition("[")[0]
        number = seen[test] = seen.get(test, -1) + 1
        if number % QUICK_SHARE:
            yield item


_WHOLE = re.compile(r"^pytestmark = pytest\.mark\.(slow|long)$", re.MULTILINE)


def is_left_whole(file: Path) -> bool:
    """Whether a file says in a line of its own that all its tests are slow, or long."""
    return _WHOLE.search(file.read_text(encoding="utf-8")) is not None

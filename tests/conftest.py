"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cds_service.alk import section
from cds_service.alk.decision import Failure
from cds_service.cards import build, guard
from tests.depth import DEPTH, examples, is_left_whole, is_property, left_for_the_slow_suite

# No test measures time: an example may take as long as the machine needs. The quick and the slow
# suite ask the same examples each time, so that they pass or fail by the code alone;
# `make test-long` draws new ones.
settings.register_profile(
    "suite", deadline=None, max_examples=examples(100), derandomize=DEPTH in ("quick", "slow")
)
settings.load_profile("suite")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """The quick suite does not import a file of which every test is left for another suite."""
    if DEPTH == "quick" and collection_path.suffix == ".py":
        return is_left_whole(collection_path) or None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The quick suite takes a part of the cases of each test marked `deep`; the long one asks each
    property again, of examples that no other suite has seen."""
    if DEPTH == "long":
        for item in items:
            if is_property(item):
                item.add_marker("long")
    if DEPTH != "quick" or any("[" in argument for argument in config.args):
        return
    left = set(left_for_the_slow_suite(items))
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session", autouse=True)
def _what_breaks_fails_the_test() -> Iterator[None]:
    """In service a broken part becomes a card; in a test it must not hide behind one."""

    def told(name: str, error: Exception) -> Failure:
        raise AssertionError(f"a part of the check broke: {name}") from error

    def not_worded(_group: object, _context: object, error: Exception) -> build.BuiltCard:
        raise AssertionError("a card could not be written") from error

    def contradicted(_card: object, _kept: object, found: object) -> build.BuiltCard:
        raise AssertionError(f"a card orders what another card speaks against: {found}")

    def not_looked_at(_cards: object, error: Exception) -> list[build.BuiltCard]:
        raise AssertionError("the last look at the answer failed") from error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(guard, "taken_out", contradicted)
        patched.setattr(guard, "without_orders", not_looked_at)
        patched.setattr(section, "failure", told)
        patched.setattr(build, "unworded", not_worded)
        yield


_unworded = build.unworded
_taken_out = guard.taken_out
_without_orders = guard.without_orders


@pytest.fixture
def parts_may_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that breaks becomes a card, as in service."""
    monkeypatch.setattr(section, "failure", Failure)
    monkeypatch.setattr(build, "unworded", _unworded)
    monkeypatch.setattr(guard, "taken_out", _taken_out)
    monkeypatch.setattr(guard, "without_orders", _without_orders)

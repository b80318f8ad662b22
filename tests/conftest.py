"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.alk import parts
from cds_service.alk.decision import Failure
from cds_service.cards import build


@pytest.fixture(scope="session", autouse=True)
def _what_breaks_fails_the_test() -> Iterator[None]:
    """In service a broken part becomes a card; in a test it must not hide behind one."""

    def told(name: str, error: Exception) -> Failure:
        raise AssertionError(f"a part of the check broke: {name}") from error

    def not_worded(_group: object, _context: object, error: Exception) -> build.BuiltCard:
        raise AssertionError("a card could not be written") from error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "failure", told)
        patched.setattr(build, "unworded", not_worded)
        yield


_unworded = build.unworded


@pytest.fixture
def parts_may_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that breaks becomes a card, as in service."""
    monkeypatch.setattr(parts, "failure", Failure)
    monkeypatch.setattr(build, "unworded", _unworded)

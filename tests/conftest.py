"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.alk import parts
from cds_service.alk.decision import Failure


@pytest.fixture(scope="session", autouse=True)
def _a_part_that_breaks_fails_the_test() -> Iterator[None]:
    """In service a broken part becomes a card; in a test it must not hide behind one."""

    def told(name: str, error: Exception) -> Failure:
        raise AssertionError(f"a part of the check broke: {name}") from error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "failure", told)
        yield


@pytest.fixture
def parts_may_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that breaks becomes a card, as in service."""
    monkeypatch.setattr(parts, "failure", Failure)

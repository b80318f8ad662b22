"""One application for all tables of faults."""

from __future__ import annotations

import pytest

from tests.faults.door import Door, open_door


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Door:
    """The application behind its HTTP door."""
    return open_door(tmp_path_factory.mktemp("faults") / "records.sqlite3")

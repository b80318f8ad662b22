"""The real application with the bench turned on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.calling import Service, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the bench, on one fixed day."""
    database = tmp_path_factory.mktemp("bench") / "decisions.sqlite3"
    with running_service(database, bench=True) as found:
        yield found

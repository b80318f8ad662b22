"""The real application and the real fixture FHIR server, each on a port, on one fixed day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_fixtures.server import create_fixture_server
from tests.services.calling import DAY, CountingServer, Service, running_service, serving


@pytest.fixture(scope="session")
def fhir_server() -> Iterator[CountingServer]:
    """The stories as a FHIR server that counts the requests it got."""
    counting = CountingServer(create_fixture_server(DAY))
    with serving(counting.app) as url:
        counting.url = url
        yield counting


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application with a database of its own."""
    with running_service(tmp_path_factory.mktemp("service") / "decisions.sqlite3") as found:
        yield found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a service of one test may keep its records."""
    return tmp_path / "decisions.sqlite3"

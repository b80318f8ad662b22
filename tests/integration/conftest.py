"""Real FHIR servers, started once, with every story on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.commands import commands
from fhir_fixtures.server import create_fixture_server
from tests.fhir_servers.hapi_server import hapi_server
from tests.fhir_servers.starting import ServerMissingError
from tests.services.calling import DAY, Service, running_service, serving

SERVERS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {"hapi": hapi_server}


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in SERVERS],
)
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The base address of a FHIR server that others wrote, with every story loaded onto it."""
    start = SERVERS[request.param](tmp_path_factory.mktemp("server"))
    try:
        address = start.__enter__()
    except ServerMissingError as missing:
        pytest.skip(f"real FHIR server {request.param}: {missing}")
    try:
        day = DAY.isoformat()
        loaded = CliRunner().invoke(
            commands, ["fixtures", "load", "--fhir-server", address, "--as-of", day]
        )
        assert loaded.exit_code == 0, loaded.output
        yield address
    finally:
        start.__exit__(None, None, None)


@pytest.fixture(scope="session")
def own_server() -> Iterator[str]:
    """Our own fixture server, which the prefetched calls may ask for a Medication."""
    with serving(create_fixture_server(DAY)) as url:
        yield url


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application; a busy test machine gets more time than a hospital would allow."""
    database = tmp_path_factory.mktemp("service") / "decisions.sqlite3"
    with running_service(database, fhir_deadline_seconds=30.0) as found:
        yield found

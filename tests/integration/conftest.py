"""FHIR servers that others wrote, started once, with every story on them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.commands import commands
from fhir_fixtures import story_names
from fhir_fixtures.server import create_fixture_server
from tests.fhir_servers.hapi_server import hapi_server
from tests.fhir_servers.medplum_server import medplum_server
from tests.fhir_servers.starting import ServerMissingError
from tests.services.calling import DAY, Json, Service, running_service, serving, told_apart

_ZEROS = re.compile(r"(?<=\d)(?:\.0+|(\.\d*[1-9])0+)(?![\d.])")


@dataclass(frozen=True)
class Kind:
    """One implementation and how it differs.

    `separate`: each story has a base address of its own, and transactions are limited in size.
    `keeps_digits`: a 2.0 that was stored is 2.0 when it is read, as FHIR asks, and not 2.
    """

    start: Callable[[Path], AbstractContextManager[str]]
    separate: bool
    keeps_digits: bool


KINDS = {
    "hapi": Kind(hapi_server, separate=False, keeps_digits=True),
    "medplum": Kind(medplum_server, separate=True, keeps_digits=False),
}


@dataclass(frozen=True)
class RealServer:
    """A running server with the stories on it."""

    address: str
    kind: Kind

    def base(self, story: str) -> str:
        """The base address under which a story's chart is found."""
        return f"{self.address}/{story}" if self.kind.separate else self.address

    def comparable(self, cards: list[Json]) -> list[Json]:
        """Cards without what differs at every call, nor by the digits that the server lost, nor
        by what it says of its own copy of an order that is sent back as it was received."""
        steady = told_apart(cards)
        for card in steady:
            for suggestion in card.get("suggestions", ()):
                for action in suggestion["actions"]:
                    action.get("resource", {}).pop("meta", None)
        if self.kind.keeps_digits:
            return steady
        plain: list[Json] = json.loads(_ZEROS.sub(r"\1", json.dumps(steady)))
        return plain


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in KINDS]
)
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """A FHIR server that others wrote, with every story loaded by our own command."""
    kind = KINDS[request.param]
    start = kind.start(tmp_path_factory.mktemp("server"))
    try:
        server = RealServer(start.__enter__(), kind)
    except ServerMissingError as missing:
        pytest.skip(f"real FHIR server {request.param}: {missing}")
    try:
        load_stories(server)
        yield server
    finally:
        start.__exit__(None, None, None)


def load_stories(server: RealServer) -> None:
    """Every story by `alk-cds fixtures load`, in transactions where the server has no limit."""
    day = ("--as-of", DAY.isoformat())
    if not server.kind.separate:
        run("fixtures", "load", "--fhir-server", server.address, *day)
        return
    for story in story_names():
        base = server.base(story)
        run("fixtures", "load", "--fhir-server", base, "--story", story, "--batch", *day)


def run(*arguments: str) -> str:
    """What a command printed, which must have succeeded."""
    result = CliRunner().invoke(commands, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder run in one process, so that each server is started once."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("real-servers"))

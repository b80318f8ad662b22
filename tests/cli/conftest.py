"""The command line inside the test's process, and in one of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from cds_service.commands import commands
from cds_service.commands.running import LocalServer
from fhir_fixtures import REFERENCE_DATE
from fhir_fixtures.server import create_fixture_server

Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ALK_CDS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def run() -> Command:
    """Runs one command line and gives its output and exit code."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(commands, list(arguments))

    return invoke


@pytest.fixture(scope="session")
def fhir_server() -> Iterator[str]:
    """The stories on their own day."""
    server = LocalServer()
    server.start(create_fixture_server(REFERENCE_DATE))
    yield server.url
    server.close()

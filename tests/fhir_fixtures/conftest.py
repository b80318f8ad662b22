"""One running fixture server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_fixtures.server import create_fixture_server
from tests.fhir_fixtures.served import serving


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The base URL of a server over all stories."""
    with serving(create_fixture_server()) as url:
        yield url

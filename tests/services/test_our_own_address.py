"""Where the service leads, and the names it answers under, do not depend on the caller."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from cds_service.commands.running import LocalServer, development_app
from tests.packaged import packaged_knowledge
from tests.services.calling import TIMEOUT, Service, running_service

STRANGER = {"Host": "stranger.example.org"}


def redirect(service: Service, path: str) -> requests.Response:
    return requests.get(
        f"{service.url}{path}", headers=STRANGER, allow_redirects=False, timeout=TIMEOUT
    )


@pytest.mark.parametrize("path", ["/knowledge", "/knowledge?q=liver"])
def test_a_redirect_leads_to_the_public_address_not_to_the_one_that_was_asked(
    tmp_path: Path, path: str
) -> None:
    public = "https://cds.example.org/alk"
    with running_service(tmp_path / "kept.sqlite3", public_url=public) as service:
        answer = redirect(service, path)

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{public}{path.replace('knowledge', 'knowledge/')}"
    assert "stranger" not in answer.text


def test_without_a_public_address_a_redirect_stays_where_it_was_asked(tmp_path: Path) -> None:
    with running_service(tmp_path / "kept.sqlite3", public_url=None) as service:
        answer = redirect(service, "/knowledge")

    assert answer.headers["Location"] == "/knowledge/"


@pytest.fixture
def development(tmp_path: Path) -> LocalServer:
    server = LocalServer()
    server.start(
        development_app(
            server,
            tmp_path,
            knowledge=packaged_knowledge(),
            public_url="https://tunnel.example.org",
        )
    )
    return server


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8000", 200),
        ("tunnel.example.org", 200),
        ("stranger.example.org", 400),
        ("localhost.stranger.example.org", 400),
        ("127.0.0.1.stranger.example.org", 400),
    ],
)
def test_a_service_without_a_door_answers_only_under_names_of_its_machine(
    development: LocalServer, host: str, status: int
) -> None:
    answer = requests.get(f"{development.url}/health", headers={"Host": host}, timeout=TIMEOUT)
    development.close()

    assert answer.status_code == status
    if status == 400:
        assert "not started for that host name" in answer.text

"""`alk-cds doctor` names what is wrong and what to do, and changes nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, text

from cds_service.records import upgrade
from tests.waiting import PATIENCE

Command = Callable[..., Result]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, httpserver: HTTPServer) -> Path:
    """A production site whose public address and EHR are one small server."""
    client = {
        "name": "hospital",
        "iss": "https://ehr.example.org",
        "jwks_url": httpserver.url_for("/jwks"),
        "fhir_servers": [httpserver.url_for("/fhir")],
        "allow_private_addresses": True,
    }
    (tmp_path / "clients.yaml").write_text(json.dumps({"clients": [client]}), encoding="utf-8")
    for name, value in {
        "CLIENTS_FILE": str(tmp_path / "clients.yaml"),
        "LINK_SECRET": "0123456789abcdef0123456789abcdef",
        "PUBLIC_URL": httpserver.url_for("").rstrip("/"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'kept.sqlite3'}",
    }.items():
        monkeypatch.setenv(f"ALK_CDS_{name}", value)
    return tmp_path


def test_a_site_in_order_is_told_so_line_by_line(
    run: Command, site: Path, httpserver: HTTPServer
) -> None:
    key = {"kty": "EC", "kid": "1", "crv": "P-384", "x": "AA", "y": "AA"}
    httpserver.expect_request("/jwks").respond_with_json({"keys": [key]})
    httpserver.expect_request("/fhir/metadata").respond_with_json({})
    httpserver.expect_request("/health/live").respond_with_json({})
    told = run("doctor").output
    for name in ("settings", "knowledge", "database", "disk", "keys of hospital",
                 "FHIR server of hospital", "public address"):  # fmt: skip
        assert f"ok     {name}: " in told, told
    assert not (site / "kept.sqlite3").exists()


@contextmanager
def server_of_another_year() -> Iterator[str]:
    """It answers once, with a clock of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2020 10:00:00 GMT\r\n"
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(PATIENCE)


def test_what_is_wrong_is_named_with_host_and_reason_and_the_rest_is_looked_at(
    run: Command, site: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    monkeypatch.setenv("ALK_CDS_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    httpserver.expect_request("/jwks").respond_with_data("[" * 100)
    httpserver.expect_request("/fhir/metadata").respond_with_data("", status=503)
    with server_of_another_year() as address:
        monkeypatch.setenv("ALK_CDS_PUBLIC_URL", address)
        result = run("doctor")
    assert result.exit_code == 1
    for line in (
        "WRONG  database: PostgreSQL at 127.0.0.1:1 cannot be reached",
        "WRONG  Redis: 127.0.0.1 does not answer",
        "WRONG  keys of hospital: ",
        "nested too deeply",
        "answers 503",
        "WRONG  public address: the clock here",
    ):
        assert line in result.output, result.output
    assert result.output.count("->") >= 5
    assert "secret" not in result.output


def test_settings_that_contradict_each_other_are_all_that_is_told(
    run: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_FHIR_DEADLINE_SECONDS", "20")
    result = run("doctor")
    assert result.exit_code == 1
    assert "REQUEST_DEADLINE_SECONDS must be longer" in result.output


def test_a_database_of_a_newer_version_is_told_before_the_start(run: Command, site: Path) -> None:
    address = f"sqlite:///{site / 'kept.sqlite3'}"
    upgrade(address)
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert "changed by a newer version" in run("doctor").output


def test_a_setting_that_is_wrong_is_explained_from_the_table_of_settings(
    run: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALK_CDS_PUBLIC_URL")
    monkeypatch.setenv("ALK_CDS_WORKERS", "many")

    done = run("doctor")

    assert done.exit_code == 1
    assert "ALK_CDS_WORKERS takes whole number. Number of worker processes." in done.output
    monkeypatch.delenv("ALK_CDS_WORKERS")
    told = run("doctor").output
    assert "Without it: cards lead to no page, and production does not start." in told

"""A disk that is full, or can only be read: cards come all the same, and nobody is told wrongly."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from cds_service.records.engines import open_engine, read_url
from fhir_fixtures.requests import load_request
from tests.packaging.test_native_server import (
    COMMAND,
    environment,
    free_port,
    wait_until_it_answers,
)
from tests.serving.conftest import Server
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

STORED = load_request("full-order-sign")
SERVICE = STORED["service"]


@pytest.fixture(scope="module", autouse=True)
def own_mounts() -> None:
    """Skip where no process may have mounts of its own."""
    tools = all(map(shutil.which, ("unshare", "nsenter", "mount")))
    if not tools or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("this machine lets no process have mounts of its own, so no disk can be filled")


def begun(folder: Path, prepared: str) -> tuple[subprocess.Popen[bytes], Server]:
    """A server whose database and queue stand on a disk of 4 MB that nobody else sees."""
    disk = folder / "disk"
    disk.mkdir()
    port = free_port()
    given = environment(
        ALK_CDS_ENVIRONMENT="development",
        ALK_CDS_BIND=f"127.0.0.1:{port}",
        ALK_CDS_PUBLIC_URL=f"http://127.0.0.1:{port}",
        ALK_CDS_DATABASE_URL=f"sqlite:///{disk / 'records.sqlite3'}",
        ALK_CDS_WORKERS="1",
    )
    where = shlex.quote(str(disk))
    script = (
        f"mount -t tmpfs -o size=4m none {where} && {prepared.format(disk=where)} exec {COMMAND}"
    )
    printed = folder / "printed.txt"
    with printed.open("wb") as stream:
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script],
            cwd=folder, env=given, stdout=stream, stderr=stream,
        )  # fmt: skip
    return process, Server(f"http://127.0.0.1:{port}", port, process, printed)


@contextmanager
def on_a_small_disk(folder: Path) -> Iterator[Server]:
    process, server = begun(folder, "")
    try:
        wait_until_it_answers(process, server.url, server.printed)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def inside(server: Server, script: str) -> None:
    """Run a command among the mounts of the server."""
    subprocess.run(
        ["nsenter", "-t", str(server.process.pid), "-m", "sh", "-c", script],
        check=False,
        capture_output=True,
        timeout=PATIENCE,
    )


def cards(server: Server) -> list[dict[str, Any]]:
    answer = requests.post(
        f"{server.url}/cds-services/{SERVICE}", json=STORED["body"], timeout=PATIENCE
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cards"]
    return found


def delivered(server: Server, card: str) -> requests.Response:
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
    return requests.post(
        f"{server.url}/cds-services/{SERVICE}/feedback", json={"feedback": [item]}, timeout=PATIENCE
    )


def stored(server: Server, folder: Path, query: str) -> set[str]:
    """What a copy of the file holds: from here the disk itself is not to be seen."""
    copied = folder / "copied"
    shutil.rmtree(copied, ignore_errors=True)
    copied.mkdir()
    inside(
        server, f"cp {shlex.quote(str(folder))}/disk/records.sqlite3* {shlex.quote(str(copied))}"
    )
    engine = open_engine(read_url(f"sqlite:///{copied / 'records.sqlite3'}"), pooled=False)
    try:
        with engine.connect() as connection:
            return set(connection.execute(text(query)).scalars())
    finally:
        engine.dispose()


def test_a_full_disk_costs_no_card_and_no_acknowledged_feedback(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with on_a_small_disk(tmp_path) as server:
        before = cards(server)[0]["uuid"]
        assert delivered(server, before).status_code == 200
        inside(server, f"dd if=/dev/zero of={shlex.quote(str(disk))}/filler bs=4k")

        acknowledged = {before}

        def is_refused() -> bool:
            # What little room an open file still has is used up by the first of them.
            card = cards(server)[0]["uuid"]
            answer = delivered(server, card)
            if answer.status_code == 200:
                acknowledged.add(card)
                return False
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            return True

        until(is_refused, "feedback that cannot be kept is asked for again")
        assert cards(server)
        health = f"{server.url}/health/ready"
        until(
            lambda: requests.get(health, timeout=PATIENCE).json()["status"] != "ready",
            "it says that something is wrong",
        )

        inside(server, f"rm {shlex.quote(str(disk))}/filler")
        until(lambda: delivered(server, before).status_code == 200, "feedback is taken again")
        after = cards(server)[0]["uuid"]
        until(
            lambda: {*acknowledged, after} <= stored(server, tmp_path, "SELECT uuid FROM cards"),
            "decisions are stored again",
        )
        assert acknowledged <= stored(server, tmp_path, "SELECT card FROM feedback")
        assert "Traceback" not in server.log()


def test_a_disk_that_can_only_be_read_stops_the_start_with_a_reason(tmp_path: Path) -> None:
    process, server = begun(tmp_path, "mount -o remount,ro {disk} &&")
    try:
        assert process.wait(timeout=PATIENCE) != 0
    finally:
        process.kill()
    assert "ALK_CDS_DATABASE_URL" in server.log()
    assert "cannot be written to" in server.log()
    assert "Traceback" not in server.log()

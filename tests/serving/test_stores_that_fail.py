"""Databases that hang or are locked cost an answer a moment, and never its cards or a record."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from sqlalchemy import create_engine, text

from cds_service.records import Records
from fhir_fixtures.requests import load_request
from tests.serving.conftest import Server, Start
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

KEY = ec.generate_private_key(ec.SECP384R1())
STORED = load_request("full-order-sign")
SERVICE = STORED["service"]


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """Settings under which every call needs a token that is new."""
    public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
    client = {"name": "hospital", "iss": "https://ehr.example.org", "jwks": {"keys": [public]}}
    file = tmp_path / "clients.yaml"
    file.write_text(json.dumps({"clients": [client]}), encoding="utf-8")
    return {
        "environment": "production",
        "clients_file": str(file),
        "link_secret": "0123456789abcdef0123456789abcdef",
        "metrics_token": "fedcba9876543210fedcba9876543210",
    }


def token(server: Server, path: str) -> str:
    now = int(time.time())
    claims = {"iss": "https://ehr.example.org", "aud": f"{server.url}/cds-services/{path}",
              "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}  # fmt: skip
    return jwt.encode(claims, KEY, algorithm="ES384", headers={"kid": "one"})


def post(server: Server, path: str, body: Any, bearer: str | None = None) -> requests.Response:
    return requests.post(
        f"{server.url}/cds-services/{path}",
        json=body,
        headers={"Authorization": f"Bearer {bearer or token(server, path)}"},
        timeout=PATIENCE,
    )


def cards(server: Server) -> list[dict[str, Any]]:
    answer = post(server, SERVICE, STORED["body"])
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cards"]
    assert found
    return found


def feedback(card: dict[str, Any]) -> dict[str, Any]:
    return {"feedback": [{"card": card["uuid"], "outcome": "overridden",
                          "overrideReason": {"userComment": "seen"},
                          "outcomeTimestamp": "2026-11-20T10:05:31Z"}]}  # fmt: skip


def waiting(server: Server, production: dict[str, str]) -> int:
    bearer = {"Authorization": f"Bearer {production['metrics_token']}"}
    told = requests.get(f"{server.url}/metrics", headers=bearer, timeout=PATIENCE).text
    lines = [line for line in told.splitlines() if line.startswith("alk_cds_decisions_waiting")]
    return int(float(lines[-1].rsplit(" ", 1)[1]))


def ready(server: Server) -> dict[str, Any]:
    answer = requests.get(f"{server.url}/health/ready", timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Another program holds the write lock, as a backup tool or an editor does."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


@contextmanager
def locked_tables(url: str) -> Iterator[None]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE decisions, cards, feedback, used_tokens"))
        try:
            yield
        finally:
            holder.rollback()
    engine.dispose()


@contextmanager
def hung(folder: Path) -> Iterator[None]:
    """PostgreSQL stops where it stands: its connections stay open, and nothing comes."""
    main = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    parents = {
        int(entry.name): int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        for entry in Path("/proc").glob("[0-9]*")
        if (entry / "stat").exists()
    }
    stopped = [main, *(child for child, parent in parents.items() if parent == main)]
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


Locking = Callable[[], Any]


def holds(server: Server, url: str, production: dict[str, str], locking: Locking) -> None:
    """What is true of each store that fails for a while."""
    (before, *_) = cards(server)
    used = token(server, SERVICE)
    with locking():
        began = time.monotonic()
        shown = [cards(server)[0] for _ in range(5)]
        # Generous for a machine that others use; docs/reliability.md has what was measured.
        assert time.monotonic() - began < 5
        assert post(server, SERVICE, STORED["body"], used).status_code == 200
        assert post(server, SERVICE, STORED["body"], used).status_code == 401
        refused = post(server, f"{SERVICE}/feedback", feedback(before))
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert refused.json()["resourceType"] == "OperationOutcome"
        assert waiting(server, production) >= 5
        until(lambda: ready(server)["status"] == "degraded", "it says what is wrong")
        link = shown[0]["links"][0]["url"]
        assert requests.get(link, timeout=PATIENCE).status_code == 200
    until(lambda: waiting(server, production) == 0, "the queue is carried over")
    until(lambda: ready(server)["status"] == "ready", "it says that all is well")
    records = Records(url)
    for card in shown:
        assert records.card(card["uuid"]) is not None
    assert post(server, f"{SERVICE}/feedback", feedback(shown[0])).status_code == 200
    (stored,) = records.feedback(card=shown[0]["uuid"])
    assert stored.decision_id == records.card(shown[0]["uuid"])[1]
    records.close()


def test_a_locked_sqlite_file(start: Start, tmp_path: Path, production: dict[str, str]) -> None:
    path = tmp_path / "records.sqlite3"
    with start(**production) as server:
        holds(server, f"sqlite:///{path}", production, lambda: locked_file(path))


def test_a_postgresql_with_locked_tables_and_one_that_hangs(
    start: Start, production: dict[str, str], postgresql_url: str, postgresql_folder: Path
) -> None:
    with start(**production, database_url=postgresql_url) as server:
        holds(server, postgresql_url, production, lambda: locked_tables(postgresql_url))
        holds(server, postgresql_url, production, lambda: hung(postgresql_folder))

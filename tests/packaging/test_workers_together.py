"""Servers of one site as they are run: one use of a token, feedback after a kill, a deadline."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_service.records import Records
from fhir_fixtures.requests import load_request
from tests.packaging.test_native_server import (
    COMMAND,
    environment,
    free_port,
    wait_until_it_answers,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

PUBLIC = "https://cds.example.org/cds-services"
KEY = ec.generate_private_key(ec.SECP384R1())


@dataclass
class Running:
    """One server with its worker processes."""

    url: str
    process: subprocess.Popen[bytes]

    def post(self, path: str, body: Any, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{self.url}/cds-services/{path}", json=body, headers=headers,
                             timeout=PATIENCE)  # fmt: skip


def token(path: str = "", **claims: Any) -> str:
    now = int(time.time())
    payload = {"iss": "https://ehr.example.org", "aud": f"{PUBLIC}/{path}".rstrip("/"), "iat": now,
               "exp": now + 300, "jti": str(uuid.uuid4()), **claims}  # fmt: skip
    return jwt.encode(payload, KEY, algorithm="ES384", headers={"kid": "one"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what the servers of one site share."""
    folder = tmp_path_factory.mktemp("site")
    public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
    clients = {"clients": [{"name": "Example Hospital", "iss": "https://ehr.example.org",
                            "jwks": {"keys": [public]}}]}  # fmt: skip
    (folder / "clients.yaml").write_text(json.dumps(clients), encoding="utf-8")
    (folder / "database").write_text(f"sqlite:///{folder / 'kept.sqlite3'}\n", encoding="utf-8")
    return folder


@contextmanager
def running(site: Path, **settings: str) -> Iterator[Running]:
    port = free_port()
    log = site / f"log-{port}"
    given = environment(
        ALK_CDS_PUBLIC_URL="https://cds.example.org",
        ALK_CDS_CLIENTS_FILE=str(site / "clients.yaml"),
        ALK_CDS_DATABASE_URL_FILE=str(site / "database"),
        ALK_CDS_LINK_SECRET="0123456789abcdef0123456789abcdef",
        ALK_CDS_BIND=f"127.0.0.1:{port}",
        **{"ALK_CDS_WORKERS": "1", **settings},
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(shlex.split(COMMAND), cwd=site, env=given, stdout=stream,
                                   stderr=stream, start_new_session=True)  # fmt: skip
    try:
        wait_until_it_answers(process, f"http://127.0.0.1:{port}", log)
        yield Running(f"http://127.0.0.1:{port}", process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def servers(site: Path) -> Iterator[tuple[Running, Running]]:
    with running(site) as first, running(site) as second:
        yield first, second


def ask(server: Running, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{server.url}{path}", headers=headers, timeout=PATIENCE).status_code


@pytest.mark.clause("R-173", "N-06")
def test_a_token_used_at_one_worker_is_refused_by_the_other(
    servers: tuple[Running, Running],
) -> None:
    first, second = servers
    used, fresh = token(), token()
    assert ask(first, "/cds-services", used) == 200
    assert ask(second, "/cds-services", used) == 401
    assert ask(first, "/cds-services", used) == 401
    assert ask(second, "/cds-services", fresh) == 200


@pytest.mark.clause("R-173")
def test_a_token_used_before_a_restart_is_refused_after_it(site: Path) -> None:
    used = token()
    with running(site) as server:
        assert ask(server, "/cds-services", used) == 200
    with running(site) as server:
        assert ask(server, "/cds-services", used) == 401


def test_the_metrics_of_one_worker_count_for_all_of_them(site: Path) -> None:
    secret = "fedcba9876543210fedcba9876543210"
    stored = load_request("full-order-sign")
    service = stored["service"]
    with running(site, ALK_CDS_WORKERS="2", ALK_CDS_METRICS_TOKEN=secret) as server:
        for _ in range(12):
            assert server.post(service, stored["body"], token(service)).status_code == 200
        scrapes = [
            requests.get(
                f"{server.url}/metrics",
                headers={"Authorization": f"Bearer {secret}"},
                timeout=PATIENCE,
            ).text
            for _ in range(4)
        ]
    counted = f'alk_cds_requests_total{{hook="order-sign",service="{service}",status="200"}} 12.0'
    assert all(counted in scrape for scrape in scrapes)
    assert all('alk_cds_knowledge_release{version="' in scrape for scrape in scrapes)


@pytest.mark.clause("R-190", "R-191", "C-30", "C-35")
def test_feedback_that_was_acknowledged_is_there_after_kill_9(site: Path) -> None:
    stored = load_request("full-order-sign")
    service = stored["service"]
    records = Records((site / "database").read_text(encoding="utf-8").strip())
    with running(site) as server:
        answer = server.post(service, stored["body"], token(service))
        card = answer.json()["cards"][0]["uuid"]
        reason = {"code": "tumour-board-decision", "system": "urn:alk-cds:override-reason"}
        given = {"reason": reason, "userComment": "decided on Monday"}
        item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:15:00Z",
                "overrideReason": given}  # fmt: skip
        unknown = {"card": "another", "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}],
                   "outcomeTimestamp": "2026-11-20T10:15:00Z"}  # fmt: skip
        sent = server.post(
            f"{service}/feedback",
            {"feedback": [item, unknown, item]},
            token(f"{service}/feedback"),
        )
        os.killpg(server.process.pid, signal.SIGKILL)
        assert (sent.status_code, sent.json()) == (200, {"received": 3})
        assert server.process.wait(timeout=PATIENCE) == -signal.SIGKILL
    kept, other = records.feedback()
    assert (kept.card, kept.outcome, kept.reason_code) == (
        card,
        "overridden",
        "tumour-board-decision",
    )
    assert (kept.user_comment, kept.client, kept.service_id) == (
        "decided on Monday",
        "Example Hospital",
        service,
    )
    assert kept.decision_id is not None
    decision = records.decision(kept.decision_id)
    assert decision is not None
    assert card in {known.uuid for known in decision.cards}
    assert (other.card, other.is_card_known) == ("another", False)


def test_a_client_that_stops_sending_is_answered_at_the_deadline(site: Path) -> None:
    with running(site, ALK_CDS_REQUEST_DEADLINE_SECONDS="1") as server:
        port = int(server.url.rsplit(":", 1)[1])
        path = "alk-order-sign"
        head = (
            f"POST /cds-services/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
            f"Authorization: Bearer {token(path)}\r\nContent-Type: application/json\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(head.encode() + b'{"hook":')
            answer = connection.makefile("rb").read().decode()
        assert answer.startswith("HTTP/1.1 408 ")
        assert '"code":"timeout"' in answer
        assert "nothing was checked" in answer
        # The only worker serves the next call.
        assert ask(server, "/cds-services", token()) == 200


@pytest.mark.clause("R-173")
def test_a_database_that_cannot_be_written_is_a_503_and_not_an_open_door(
    tmp_path: Path, site: Path
) -> None:
    (tmp_path / "clients.yaml").write_bytes((site / "clients.yaml").read_bytes())
    address = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    (tmp_path / "database").write_text(address, encoding="utf-8")
    with running(tmp_path) as server:
        assert ask(server, "/cds-services", token()) == 200
        for file in tmp_path.glob("kept.sqlite3*"):
            file.write_bytes(b"no database any more")
        late = token()
        headers = {"Authorization": f"Bearer {late}"}
        answer = requests.get(f"{server.url}/cds-services", headers=headers, timeout=PATIENCE)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["issue"][0]["code"] == "transient"
        assert ask(server, "/cds-services", token(iss="https://stranger.example.org")) == 401

"""Who waits for a FHIR server, or sends slowly, holds up nobody else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from fhir_fixtures.requests import load_request
from tests.serving.conftest import Server, Start
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

STORED = load_request("full-order-sign")
PATH = f"/cds-services/{STORED['service']}"
ASKED_FOR = ("patient", "conditions", "medications")


def cards(server: Server, body: Any = STORED["body"]) -> list[dict[str, Any]]:
    answer = requests.post(f"{server.url}{PATH}", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cards"]
    return found


@contextmanager
def silent_fhir_server() -> Iterator[str]:
    """It takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from tests.serving.conftest import started

    with started(
        tmp_path_factory.mktemp("one-worker"),
        workers="1",
        fhir_deadline_seconds="6",
        request_deadline_seconds="8",
        allow_private_fhir_servers="true",
    ) as server:
        yield server


def test_complete_calls_are_answered_while_twenty_wait_for_a_server_that_never_answers(
    one_worker: Server,
) -> None:
    with silent_fhir_server() as fhir:
        prefetch = {name: STORED["body"]["prefetch"][name] for name in ASKED_FOR}
        token = {"access_token": "x", "token_type": "Bearer", "expires_in": 300,
                 "scope": "patient/*.rs", "subject": "cds"}  # fmt: skip
        asking = {**STORED["body"], "prefetch": prefetch, "fhirServer": fhir,
                  "fhirAuthorization": token}  # fmt: skip
        answered: list[int] = []
        callers = [
            threading.Thread(target=lambda: answered.append(len(cards(one_worker, asking))))
            for _ in range(20)
        ]
        for caller in callers:
            caller.start()
        for _ in range(3):
            assert cards(one_worker)
        assert not answered
        for caller in callers:
            caller.join(PATIENCE)
    # Each waited beside the others: one after the other they would take two minutes.
    assert len(answered) == 20
    assert all(answered)


def test_connections_that_send_nothing_or_a_byte_now_and_then_hold_no_thread(
    one_worker: Server,
) -> None:
    """There are 64 threads, and 200 such connections; without a proxy in front."""
    body = json.dumps(STORED["body"]).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with ExitStack() as open_connections:
        slow: list[socket.socket] = []
        for beginning in (b"", head[:20], head, head + body[:-1]):
            for _ in range(50):
                connection = socket.create_connection(("127.0.0.1", one_worker.port))
                open_connections.enter_context(connection)
                connection.settimeout(PATIENCE)
                connection.sendall(beginning)
                slow.append(connection)
        assert cards(one_worker)
        whole = slow[-1]
        whole.sendall(body[-1:])
        assert whole.recv(12) == b"HTTP/1.1 200"
        late = [slow[50].recv(12), slow[100].recv(12), slow[150].recv(12)]
        assert late == [b"HTTP/1.1 408"] * 3
        assert slow[0].recv(12) == b""
    assert cards(one_worker)


@pytest.mark.parametrize("coding", ["chunks", "chunks with a trailer", "expect", "pipelined"])
def test_every_way_of_sending_a_body_is_read(one_worker: Server, coding: str) -> None:
    body = json.dumps(STORED["body"]).encode()
    fields = ["Host: cds", "Content-Type: application/json"]
    sent = body
    if coding.startswith("chunks"):
        fields.append("Transfer-Encoding: chunked")
        end = b"0\r\nX-Sum: 1\r\n\r\n" if "trailer" in coding else b"0\r\n\r\n"
        parts = [body[start : start + 5_000] for start in range(0, len(body), 5_000)]
        sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end
    else:
        fields.append(f"Content-Length: {len(body)}")
    if coding == "expect":
        fields.append("Expect: 100-continue")
    head = (f"POST {PATH} HTTP/1.1\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode()
    times = 2 if coding == "pipelined" else 1
    with socket.create_connection(("127.0.0.1", one_worker.port)) as connection:
        connection.settimeout(PATIENCE)
        received = b""
        if coding == "expect":
            connection.sendall(head)
            received = connection.recv(100)
            assert received.startswith(b"HTTP/1.1 100")
            connection.sendall(sent)
        else:
            connection.sendall((head + sent) * times)
        until_read: list[bytes] = [received]

        def whole() -> bool:
            part = connection.recv(65_536)
            until_read.append(part)
            told = b"".join(until_read)
            return told.count(b'"cards"') >= times or not part

        until(whole, "the answer comes")
    assert b"".join(until_read).count(b"HTTP/1.1 200") == times


def test_a_worker_that_is_told_to_stop_answers_what_it_has(start: Start) -> None:
    with (
        silent_fhir_server() as fhir,
        start(fhir_deadline_seconds="1.5", allow_private_fhir_servers="true") as server,
    ):
        prefetch = {name: STORED["body"]["prefetch"][name] for name in ASKED_FOR}
        asking = {**STORED["body"], "prefetch": prefetch, "fhirServer": fhir}
        answered: list[int] = []
        caller = threading.Thread(target=lambda: answered.append(len(cards(server, asking))))
        caller.start()
        until(lambda: cards(server) != [], "the call is in hand")
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        caller.join(PATIENCE)
        assert answered
        assert answered[0]

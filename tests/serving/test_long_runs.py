"""What only shows after many times: a thousand kills, and two hundred clients at once.

`make test-long` runs them whole, `.ci/run` a tenth of them.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from cds_service.records.engines import open_engine, read_url
from fhir_fixtures.requests import load_request
from tests.depth import SEED, share
from tests.serving.conftest import Server, Start
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.slow, pytest.mark.long]

KILLS = 1_000
CLIENTS = 200
CALLS_OF_EACH = 30
GROWTH = 1.2
"""By how much the memory of the workers may have grown from a tenth of the calls to the end."""

STORED = load_request("full-order-sign")
SERVICE = STORED["service"]


def workers(server: Server) -> list[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def resident(server: Server) -> int:
    """Bytes of memory that the workers hold."""
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in workers(server)]
    return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")


def post(server: Server, path: str, body: Any) -> requests.Response:
    return requests.post(f"{server.url}/cds-services/{path}", json=body, timeout=PATIENCE)


def feedback(card: str) -> dict[str, Any]:
    """Without a reason, so that the card comes again with the next call."""
    return {"feedback": [{"card": card, "outcome": "overridden",
                          "outcomeTimestamp": "2026-11-20T10:05:31Z"}]}  # fmt: skip


def test_nothing_acknowledged_is_lost_to_kills_during_decisions_and_feedback(
    start: Start, tmp_path: Path
) -> None:
    shown: list[str] = []
    given: list[str] = []
    over = threading.Event()

    def client(server: Server) -> None:
        while not over.is_set():
            try:
                answer = post(server, SERVICE, STORED["body"])
                if answer.status_code != 200:
                    continue
                cards = [card["uuid"] for card in answer.json()["cards"]]
                shown.extend(cards)
                if post(server, f"{SERVICE}/feedback", feedback(cards[0])).status_code == 200:
                    given.append(cards[0])
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                # Torn away by a kill: not acknowledged.
                continue

    chance = random.Random(SEED)
    with start(workers="2") as server, ThreadPoolExecutor(4) as pool:
        running = [pool.submit(client, server) for _ in range(4)]
        try:
            for _ in range(share(KILLS)):
                answered = len(shown)
                until(lambda seen=answered: len(shown) > seen, "calls are answered between kills")
                until(lambda: bool(workers(server)), "a worker is there")
                os.kill(chance.choice(workers(server)), signal.SIGKILL)
        finally:
            over.set()
            for one in running:
                one.result(timeout=PATIENCE)
        engine = open_engine(read_url(f"sqlite:///{tmp_path / 'records.sqlite3'}"), pooled=False)

        def kept(query: str) -> set[str]:
            with engine.connect() as connection:
                return set(connection.execute(text(query)).scalars())

        until(lambda: set(shown) <= kept("SELECT uuid FROM cards"), "each shown card is stored")
        assert set(given) <= kept("SELECT card FROM feedback")
        engine.dispose()
    assert given


def test_many_clients_at_once_see_no_error_and_memory_stays(start: Start) -> None:
    statuses: list[int] = []

    def client(server: Server, calls: int) -> None:
        # On a connection of its own each time: one that is kept may be closed by the server as idle
        # in the moment in which a busy client sends on it.
        for _ in range(calls):
            statuses.append(post(server, SERVICE, STORED["body"]).status_code)

    # Two hundred wait for two cores: on a busy machine longer than a call may by default.
    patient = {"request_deadline_seconds": "120", "threads": "128", "rate_limit": "off"}
    with start(workers="2", **patient) as server, ThreadPoolExecutor(CLIENTS) as pool:

        def all_call(calls: int) -> int:
            for one in [pool.submit(client, server, calls) for _ in range(CLIENTS)]:
                one.result()
            return resident(server)

        calls = share(CALLS_OF_EACH)
        warm = all_call(max(1, calls // 10))
        after = all_call(calls)
    assert set(statuses) == {200}
    assert after <= warm * GROWTH

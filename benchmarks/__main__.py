"""Compare the service with applications that decide nothing: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.payload import BODIES, SERVICE_ID, WHOLE, observation_count
from benchmarks.report import DOCUMENT, Comparison, bodies_section, comparison_section, rewrite
from benchmarks.rounds import Measured, measure
from benchmarks.servers import WORKERS, Server
from cds_service.knowledge.release import load_knowledge

SERVERS = (
    ("service", "cds_service.app:create_app()"),
    ("parsing echo", "benchmarks.echo:parsing()"),
    ("receiving echo", "benchmarks.echo:receiving()"),
)

HEALTHCHAIN = ("HealthChain", "benchmarks.healthchain_cards:application()")
HEALTHCHAIN_OPTIONS = ("--workers", str(WORKERS), "--worker-class", "uvicorn.workers.UvicornWorker")
HEALTHCHAIN_PATH = "/cds/cds-services"
OTHERS = tuple(body for body in BODIES if body != WHOLE and body.service_id == SERVICE_ID)
"""Bodies that are measured beside the one that everything is said of."""
LONG_CHART = 1_000
"""Observations from which on a request takes so long that few of them make a round."""


def main() -> int:
    """Run the rounds, print the result and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="most rounds (default 12)")
    parser.add_argument("--requests", type=int, default=120, help="requests a server and round")
    parser.add_argument(
        "--seconds", type=float, default=60, help="no round of a body begins after this"
    )
    parser.add_argument("--one-body", action="store_true", help="leave out the other bodies")
    parser.add_argument("--healthchain", help="the Python of an environment that has HealthChain")
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    asked = parser.parse_args()
    started = time.monotonic()
    knowledge, today = load_knowledge(), datetime.now(UTC).date()
    body = WHOLE.request(knowledge, today)
    others: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        servers: list[Server] = []
        for name, application in SERVERS:
            folder = Path(temporary) / name.replace(" ", "-")
            folder.mkdir()
            servers.append(running.enter_context(Server(name, application, folder)))
        if asked.healthchain is not None:
            folder = Path(temporary) / "healthchain"
            folder.mkdir()
            peer = Server(
                *HEALTHCHAIN, folder, asked.healthchain, HEALTHCHAIN_OPTIONS, HEALTHCHAIN_PATH
            )
            servers.append(running.enter_context(peer))
        cards = len(orjson.loads(servers[0].post(body)[1])["cards"])
        found = measure(servers, body, asked.rounds, asked.requests, asked.seconds)
        seconds = time.monotonic() - started
        for other in () if asked.one_body else OTHERS:
            requests = max(1, asked.requests // (20 if other.observations >= LONG_CHART else 2))
            sent = other.request(knowledge, today)
            others[other.name] = measure(
                servers, sent, asked.rounds, requests, asked.seconds / 2, warm_up=requests
            )
    comparison = Comparison(
        observation_count(body), len(body), cards, asked.requests, seconds, found
    )
    text = comparison_section(comparison)
    if others:
        text += "\n\n" + bodies_section(others)
    sys.stdout.write(text + "\n")
    if asked.write:
        rewrite("comparison", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

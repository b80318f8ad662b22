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

from benchmarks.payload import observation_count, order_sign_request
from benchmarks.report import DOCUMENT, Comparison, comparison_section, rewrite
from benchmarks.rounds import measure
from benchmarks.servers import Server
from cds_service.knowledge.release import load_knowledge

SERVERS = (
    ("service", "cds_service.app:create_app()"),
    ("parsing echo", "benchmarks.echo:parsing()"),
    ("receiving echo", "benchmarks.echo:receiving()"),
)


def main() -> int:
    """Run the rounds, print the result and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="most rounds (default 12)")
    parser.add_argument("--requests", type=int, default=120, help="requests a server and round")
    parser.add_argument("--seconds", type=float, default=60, help="no round begins after this")
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    asked = parser.parse_args()
    started = time.monotonic()
    body = order_sign_request(load_knowledge(), datetime.now(UTC).date())
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        servers: list[Server] = []
        for name, application in SERVERS:
            folder = Path(temporary) / name.replace(" ", "-")
            folder.mkdir()
            servers.append(running.enter_context(Server(name, application, folder)))
        cards = len(orjson.loads(servers[0].post(body)[1])["cards"])
        found = measure(servers, body, asked.rounds, asked.requests, asked.seconds)
    comparison = Comparison(
        observation_count(body), len(body), cards, asked.requests, time.monotonic() - started, found
    )
    text = comparison_section(comparison)
    sys.stdout.write(text + "\n")
    if asked.write:
        rewrite("comparison", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

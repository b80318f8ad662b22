"""Requests that come when they come: `python -m benchmarks.open_loop`.

A clinic does not wait for one answer before it asks the next question. Requests arrive by chance,
so many a second on average, each on a connection of its own, whether or not those before them were
answered. A latency is counted from the moment at which a request should have been sent, so that a
server that falls behind cannot hide it. The load is made on the same processors as the answers.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from threading import Lock

from benchmarks.payload import WHOLE
from benchmarks.report import DOCUMENT, machine, rewrite
from benchmarks.rounds import WARM_UP_REQUESTS, Measured
from benchmarks.servers import WORKERS, Server
from cds_service.knowledge.release import load_knowledge

SERVICE = ("service", "cds_service.app:create_app()")
SENDERS = 64
SEED = 20261130


@dataclass
class Arrived:
    """What became of the requests of one rate; latencies in milliseconds."""

    rate: float
    measured: Measured = field(default_factory=Measured)
    failed: int = 0
    lock: Lock = field(default_factory=Lock)


def arrivals(rate: float, seconds: float, chance: random.Random) -> list[float]:
    """Seconds from the beginning at which requests come, so many a second on average."""
    at, found = chance.expovariate(rate), []
    while at < seconds:
        found.append(at)
        at += chance.expovariate(rate)
    return found


def run(server: Server, body: bytes, rate: float, seconds: float) -> Arrived:
    """Send the body as often as it arrives by chance, and wait for every answer."""
    result = Arrived(rate)
    due = arrivals(rate, seconds, random.Random(SEED))  # noqa: S311  no secret
    used = server.cpu_milliseconds()
    started = time.monotonic()

    def send(at: float) -> None:
        try:
            server.post(body)
        except (OSError, RuntimeError, HTTPException):
            with result.lock:
                result.failed += 1
            return
        with result.lock:
            result.measured.latency.append((time.monotonic() - started - at) * 1000)

    with ThreadPoolExecutor(SENDERS) as senders:
        for at in due:
            time.sleep(max(0.0, started + at - time.monotonic()))
            senders.submit(send, at)
    result.measured.cpu.append((server.cpu_milliseconds() - used) / max(1, len(due)))
    return result


def table(found: list[Arrived]) -> str:
    """The rates as Markdown."""
    lines = [
        f"Measured {machine()}; {WORKERS} workers, the load on the same processors.",
        "",
        (
            "| requests a second | answered | failed | latency p50, ms | p99, ms | longest, ms"
            " | CPU a request, ms |"
        ),
        "| --- " * 7 + "|",
    ]
    for one in found:
        answered = len(one.measured.latency)
        cells = [f"{one.rate:g}", str(answered), str(one.failed)]
        if answered:
            cells += [f"{one.measured.percentile(share):.0f}" for share in (0.5, 0.99, 1.0)]
        else:
            cells += ["", "", ""]
        lines.append("| " + " | ".join([*cells, f"{one.measured.cpu[0]:.1f}"]) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run each rate, print the result and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.open_loop", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[25.0, 50.0, 100.0])
    parser.add_argument("--seconds", type=float, default=30, help="how long each rate lasts")
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    asked = parser.parse_args()
    body = WHOLE.request(load_knowledge(), datetime.now(UTC).date())
    with (
        tempfile.TemporaryDirectory() as temporary,
        Server(*SERVICE, Path(temporary)) as server,
    ):
        for _ in range(WARM_UP_REQUESTS):
            server.post(body)
        found = [run(server, body, rate, asked.seconds) for rate in asked.rates]
    text = table(found)
    sys.stdout.write(text + "\n")
    if asked.write:
        rewrite("open loop", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the workers hold in memory over many requests: `python -m benchmarks.memory`.

Each request carries the chart of another patient, with ids of its own, since a memory that grows
with what is sent would not be seen with the same body a hundred thousand times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.open_loop import SERVICE
from benchmarks.payload import Body
from benchmarks.report import DOCUMENT, machine, rewrite
from benchmarks.servers import Server
from cds_service.knowledge.release import load_knowledge

BODY = Body("50 Observations", observations=50)
READINGS = 10


def another(body: bytes, name: str, number: int) -> bytes:
    """The same chart of another patient, whose name is that of the first and a number."""
    return body.replace(name.encode(), f"{name}-{number}".encode())


def table(found: list[tuple[int, float]]) -> str:
    """The readings as Markdown."""
    lines = [
        f"Measured {machine()}; both workers together.",
        "",
        "| requests answered | memory, MiB |",
        "| --- | --- |",
    ]
    return "\n".join([*lines, *(f"| {count:,} | {held:.0f} |" for count, held in found)])


def main() -> int:
    """Send the requests, print the readings and, if asked, write them to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    asked = parser.parse_args()
    body = BODY.request(load_knowledge(), datetime.now(UTC).date())
    found: list[tuple[int, float]] = []
    every = max(1, asked.requests // READINGS)
    with (
        tempfile.TemporaryDirectory() as temporary,
        Server(*SERVICE, Path(temporary)) as server,
    ):
        for number in range(asked.requests + 1):
            if number % every == 0:
                found.append((number, server.memory_mebibytes()))
            if number < asked.requests:
                server.post(another(body, BODY.story, number))
    text = table(found)
    sys.stdout.write(text + "\n")
    if asked.write:
        rewrite("memory", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

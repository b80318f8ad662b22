"""Instructions that one answer costs, counted by callgrind: `python -m benchmarks.instructions`.

A count repeats to about one in a hundred, on a busy machine too, where a time does not. Each of
the five bodies is answered by the whole application without a server, and by the application that
only parses it. The counts are kept in `benchmarks/instructions.json`; with `--check` a body that
costs more than a twentieth more than that file says fails. Needs valgrind; counts of another Python
or processor differ, so that the file says of which it is.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import orjson
from flask.testing import FlaskClient

from benchmarks.echo import parsing
from benchmarks.payload import BODIES, Body
from benchmarks.report import machine, rewrite
from cds_service import answering
from cds_service.app import create_app
from cds_service.knowledge.release import load_knowledge
from cds_service.operations.logs import configure_logging
from cds_service.settings import load_settings

KEPT = Path("benchmarks/instructions.json")
DAY = date(2026, 11, 21)
WARM_UP = 6
CALLS = 4
LONG_CHART = 1_000
"""Observations from which on one call is enough: what a call adds by chance is lost in it."""
GROWTH = 1.05
"""How much more than the file says a body may cost."""
_TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counted:
    """Instructions of one call, in millions: of the service and of the application that parses."""

    service: float
    echo: float

    @property
    def ratio(self) -> float:
        """How many times the parsing the service costs."""
        return self.service / self.echo


def main() -> int:
    """Count, print, and check or write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the counts to {KEPT}")
    parser.add_argument("--check", action="store_true", help=f"fail where {KEPT} says less")
    parser.add_argument("--only", help="count the bodies whose name holds this")
    parser.add_argument("--be-counted", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.be_counted:
        _answer_on_demand(sys.stdin, sys.stdout)
        return 0
    bodies = [body for body in BODIES if not asked.only or asked.only in body.name]
    found = count(bodies)
    sys.stdout.write(table(found) + "\n")
    if asked.write:
        KEPT.write_bytes(orjson.dumps(_document(found), option=orjson.OPT_INDENT_2) + b"\n")
        rewrite("instructions", f"Counted {machine()}.\n\n{table(found)}")
    return _grown(found) if asked.check else 0


def table(found: dict[str, Counted]) -> str:
    """The counts as Markdown."""
    lines = [
        "| body | instructions of the service, millions | of the parsing echo | ratio |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {item.service:.1f} | {item.echo:.1f} | {item.ratio:.2f} |"
        for name, item in found.items()
    ]
    return "\n".join(lines)


def _document(found: dict[str, Counted]) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "millions": {
            name: {"service": round(item.service, 1), "parsing echo": round(item.echo, 1)}
            for name, item in found.items()
        },
    }


def _grown(found: dict[str, Counted]) -> int:
    kept = orjson.loads(KEPT.read_bytes())
    here = _document({})
    if (kept["python"], kept["machine"]) != (here["python"], here["machine"]):
        sys.stdout.write(
            f"NOT COMPARED: {KEPT} was counted with Python {kept['python']} on {kept['machine']}\n"
        )
        return 0
    grown = 0
    for name, item in found.items():
        said = kept["millions"].get(name)
        if said is None:
            sys.stderr.write(f"{name}: not in {KEPT}\n")
        elif item.service > said["service"] * GROWTH:
            sys.stderr.write(
                f"{name}: {item.service:.1f} million instructions, {KEPT} says {said['service']}\n"
            )
        else:
            continue
        grown = 1
    if grown:
        sys.stderr.write(
            "Either make it cheaper, or count again with `make bench-instructions` and say in the"
            " commit why it may cost more.\n"
        )
    return grown


def count(bodies: list[Body]) -> dict[str, Counted]:
    """The instructions of one call for each body. Raises RuntimeError when valgrind fails.

    Two processes count at once, the long chart in one and the others in the other: a count does
    not hang on what else the machine does.
    """
    long = [body for body in bodies if body.observations >= LONG_CHART]
    groups = [group for group in (long, [one for one in bodies if one not in long]) if group]
    with ThreadPoolExecutor(len(groups) or 1) as pool:
        found = {name: item for part in pool.map(_counted, groups) for name, item in part.items()}
    return {body.name: found[body.name] for body in bodies}


def _counted(bodies: list[Body]) -> dict[str, Counted]:
    """The same of bodies that one process answers, one after the other."""
    with tempfile.TemporaryDirectory() as temporary, _valgrind(Path(temporary)) as counted:
        return {
            body.name: Counted(
                counted(f"service {body.name}") / _calls(body),
                counted(f"echo {body.name}") / _calls(body),
            )
            for body in bodies
        }


def _calls(body: Body) -> int:
    return CALLS if body.observations < LONG_CHART else 1


@contextmanager
def _valgrind(folder: Path) -> Iterator[Callable[[str], float]]:
    """A process under callgrind that answers bodies; what it costs, in millions."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ALK_CDS_")}
    process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
        [  # noqa: S607  wherever the system keeps it
            "valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
            f"--callgrind-out-file={folder / 'counted'}",
            sys.executable, "-m", "benchmarks.instructions", "--be-counted",
        ],
        env={**kept, "PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("valgrind was started without pipes")
    told, answers = process.stdin, process.stdout

    def expect(word: str) -> None:
        line = answers.readline().strip()
        if line != word:
            raise RuntimeError(f"expected {word!r} of the counted process, not {line!r}")

    def control(*options: str) -> None:
        subprocess.run(  # noqa: S603
            ["callgrind_control", *options, str(process.pid)],  # noqa: S607
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    def counted(what: str) -> float:
        before = set(folder.iterdir())
        told.write(f"{what}\n")
        told.flush()
        expect("warm")
        control("-i", "on")
        control("-z")
        told.write("go\n")
        told.flush()
        expect("done")
        control("-d")
        control("-i", "off")
        (dump,) = set(folder.iterdir()) - before
        totals = _TOTALS.search(dump.read_text(encoding="utf-8", errors="replace"))
        if totals is None:
            raise RuntimeError("callgrind wrote no totals")
        return int(totals[1]) / 1e6

    try:
        expect("ready")
        yield counted
    finally:
        told.close()
        process.wait(timeout=120)


def _answer_on_demand(told: IO[str], answers: IO[str]) -> None:
    """Answer each body that is asked for on `told`: some times to be warm, then to be counted."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (folder / "log.txt").open("w", encoding="utf-8") as log:
            configure_logging("INFO", log)
            # Under callgrind a second of computing is a minute.
            answering.COMPUTING_SECONDS = 600.0
            knowledge = load_knowledge()
            settings = load_settings(
                environment="development",
                public_url="http://localhost",
                database_url=f"sqlite:///{folder / 'decisions.sqlite3'}",
                rate_limit="off",
            ).model_copy(update={"request_deadline_seconds": 3600.0})
            clients = {
                "service": create_app(
                    settings, knowledge=knowledge, today=lambda: DAY
                ).test_client(),
                "echo": parsing().test_client(),
            }
            bodies = {body.name: body for body in BODIES}
            gc.collect()
            gc.freeze()
            _say(answers, "ready")
            for line in told:
                which, _, name = line.strip().partition(" ")
                body, client = bodies[name], clients[which]
                sent = body.request(knowledge, DAY)
                _call(client, body, sent, WARM_UP if body.observations < LONG_CHART else 2)
                _say(answers, "warm")
                told.readline()
                _call(client, body, sent, _calls(body))
                _say(answers, "done")


def _call(client: FlaskClient, body: Body, sent: bytes, times: int) -> None:
    for _ in range(times):
        response = client.post(
            f"/cds-services/{body.service_id}", data=sent, content_type="application/json"
        )
        if response.status_code != 200:
            raise RuntimeError(f"status {response.status_code}")


def _say(answers: IO[str], word: str) -> None:
    answers.write(f"{word}\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())

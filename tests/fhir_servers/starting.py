"""What every foreign FHIR server needs: its tools, a build in a scratch folder, a ready process."""

from __future__ import annotations

import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE

SOURCES = Path(__file__).parent
# What a package manager says when the artifacts cannot be had here; anything else is our fault.
_OUT_OF_REACH = (
    "could not be resolved",
    "Could not resolve",
    "Could not transfer",
    "Could not find artifact",
    "Unknown host",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ENOTCACHED",
    "E404",
    "ETARGET",
)
_READY = "ready "
_LAST_WORDS = 2000


class ServerMissingError(Exception):
    """The server cannot be had on this machine; the message says what is missing."""


def needed(program: str, purpose: str) -> str:
    """The path of a program. Raises ServerMissingError."""
    found = shutil.which(program)
    if found is None:
        raise ServerMissingError(f"{program} is not installed ({purpose})")
    return found


def copied(name: str, folder: Path) -> Path:
    """The sources of one server in a folder of the test run, so that the checkout stays clean."""
    return Path(
        shutil.copytree(
            SOURCES / name,
            folder / name,
            ignore=shutil.ignore_patterns("target", "node_modules"),
        )
    )


def built(command: Sequence[str], folder: Path, *, seconds: float) -> None:
    """Run a build. Raises ServerMissingError without its downloads, RuntimeError if it is wrong."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise ServerMissingError(
            f"{Path(command[0]).name} did not finish its downloads within {seconds:.0f} s"
        ) from None
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    lost = [
        line.strip() for line in said.splitlines() if any(word in line for word in _OUT_OF_REACH)
    ]
    if lost:
        raise ServerMissingError(f"{Path(command[0]).name}: {lost[0][:300]}")
    raise RuntimeError(f"{' '.join(command)} failed:\n{said[-_LAST_WORDS:]}")


@contextmanager
def running(command: Sequence[str], folder: Path, *, seconds: float) -> Iterator[str]:
    """The base address that the process prints as `ready ADDRESS`. Raises RuntimeError."""
    log = folder / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    lines: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield _address(lines, log, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=PATIENCE)


def _address(lines: queue.Queue[str | None], log: Path, seconds: float) -> str:
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            line = None
        if line is None:
            said = log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]
            raise RuntimeError(f"the server was not ready within {seconds:.0f} s or ended:\n{said}")
        if line.startswith(_READY):
            return line.removeprefix(_READY).strip()

"""Running an application under gunicorn as shipped, and reading what its workers cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.payload import SERVICE_ID

WORKERS = 2
_START_SECONDS = 90
_REQUEST_SECONDS = 60
_KIBIBYTES = os.sysconf("SC_PAGE_SIZE") // 1024
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """One application under gunicorn with two workers on the loopback interface.

    Use it as a context manager. `folder` takes its log and, for the service, its database.
    `python` is the interpreter that runs it, `options` those of gunicorn, the ones that are shipped
    by themselves. `path` is where its services stand.
    """

    name: str
    application: str
    folder: Path
    python: str = sys.executable
    options: tuple[str, ...] = ("--config", "python:cds_service.operations.gunicorn_conf")
    path: str = "/cds-services"
    port: int = field(init=False)
    workers: tuple[int, ...] = field(init=False, default=())

    def __enter__(self) -> Self:
        self.port = _free_port()
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ALK_CDS_")},
            "ALK_CDS_ENVIRONMENT": "development",
            "ALK_CDS_BIND": f"127.0.0.1:{self.port}",
            "ALK_CDS_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "ALK_CDS_WORKERS": str(WORKERS),
            "ALK_CDS_DATABASE_URL": f"sqlite:///{self.folder / 'decisions.sqlite3'}",
            "ALK_CDS_RATE_LIMIT": "off",
            "BENCHMARK_SERVICE_ID": SERVICE_ID,
        }
        own = self.python == sys.executable
        bound = () if own else ("--bind", f"127.0.0.1:{self.port}")
        with (self.folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                [
                    self.python, "-m", "gunicorn", *self.options,
                    *bound, self.application,
                ],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self._await_workers()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def post(self, body: bytes) -> tuple[float, bytes]:
        """Send the request on a new connection; the milliseconds it took, and the answer.

        Each call comes on its own, as from another client. Raises RuntimeError for another status
        than 200.
        """
        headers = {"Content-Type": "application/json"}
        started = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_SECONDS)
        try:
            connection.request("POST", f"{self.path}/{SERVICE_ID}", body, headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        elapsed = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise RuntimeError(f"{self.name} answered with status {response.status}")
        return elapsed, answer

    def memory_mebibytes(self) -> float:
        """What the workers hold in memory together. Raises RuntimeError as `cpu_milliseconds`."""
        if _children(self._process.pid) != self.workers:
            raise RuntimeError(f"{self.name}: a worker was replaced during the measurement")
        return sum(_pages(worker) for worker in self.workers) * _KIBIBYTES / 1024

    def cpu_milliseconds(self) -> float:
        """User and system time that the workers have used since they started.

        Raises RuntimeError if gunicorn replaced a worker, because its time would be lost.
        """
        if _children(self._process.pid) != self.workers:
            raise RuntimeError(f"{self.name}: a worker was replaced during the measurement")
        return sum(_ticks(worker) for worker in self.workers) * 1000 / _TICKS_A_SECOND

    def _await_workers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            self.workers = _children(self._process.pid)
            if len(self.workers) == WORKERS and self._answers():
                return
            time.sleep(0.1)
        log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"{self.name} did not start:\n{log[-2000:]}")

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_SECONDS)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> tuple[int, ...]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return tuple(sorted(int(child) for child in listed.split()))


def _pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])


def _ticks(pid: int) -> int:
    # The name in parentheses may hold spaces; user and system time follow it as fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])

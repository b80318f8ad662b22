"""The service as it runs in a hospital: gunicorn and its workers as processes of their own."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.test_native_server import (
    COMMAND,
    environment,
    free_port,
    wait_until_it_answers,
)
from tests.records.conftest import postgresql_folder, postgresql_url
from tests.waiting import PATIENCE

__all__ = ["postgresql_folder", "postgresql_url"]


@dataclass(frozen=True)
class Server:
    """A running gunicorn with its workers."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    printed: Path

    def log(self) -> str:
        """All that it wrote so far."""
        return self.printed.read_text(encoding="utf-8")


Start = Callable[..., AbstractContextManager[Server]]


def launched(folder: Path, **settings: str) -> tuple[subprocess.Popen[bytes], Path, int]:
    """gunicorn with these settings, in lower case and without their prefix."""
    port = free_port()
    chosen = {
        "environment": "development",
        "bind": f"127.0.0.1:{port}",
        "public_url": f"http://127.0.0.1:{port}",
        "database_url": f"sqlite:///{folder / 'records.sqlite3'}",
        "workers": "1",
        **settings,
    }
    given = environment(**{f"ALK_CDS_{name.upper()}": value for name, value in chosen.items()})
    printed = folder / f"printed-{port}.txt"
    with printed.open("wb") as stream:
        process = subprocess.Popen(
            shlex.split(COMMAND), cwd=folder, env=given, stdout=stream, stderr=stream
        )
    return process, printed, port


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Server]:
    """A server that answers, and is gone afterwards."""
    process, printed, port = launched(folder, **settings)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(process, url, printed)
        yield Server(url, port, process, printed)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a server with settings of its own."""
    return lambda **settings: started(tmp_path, **settings)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that change nothing of it."""
    with started(tmp_path_factory.mktemp("serving"), bench="true") as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder run in one process, with one common server."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("serving"))

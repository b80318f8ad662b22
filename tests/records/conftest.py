"""Real databases for the records tests: an SQLite file, and a PostgreSQL server of our own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.protocol import FeedbackRequest
from cds_service.records import CardRecord, DecisionRecord, Pages, Records
from tests.waiting import PATIENCE

PAGES = Pages("a secret for the tests that is long")


def _server_programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root, so root hands over to the package's own user."""
    return "postgres" if os.geteuid() == 0 else None


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    """The socket folder of a PostgreSQL server that lives as long as the tests."""
    programs = _server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs are not on this machine")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg, the PostgreSQL driver, is not installed")
    user = _unprivileged_user()
    if user is not None and not _has_user(user):
        pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="records-"))
    if user is not None:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run(
            command, user=user, cwd=folder, check=True, capture_output=True, timeout=PATIENCE
        )

    data = folder / "data"
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    control = str(programs / "pg_ctl")
    run(str(programs / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-N")
    run(control, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield folder
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'records.sqlite3'}"


@pytest.fixture
def postgresql_url(postgresql_folder: Path) -> str:
    import psycopg

    name = f"records_{uuid.uuid4().hex}"
    with psycopg.connect(
        host=str(postgresql_folder), user="tester", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://tester@/{name}?host={postgresql_folder}"


# A PostgreSQL server of its own is started for the tests: that is left for the slow suite.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    store = Records(database_url, pages=PAGES)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def sqlite_records(sqlite_url: str) -> Iterator[Records]:
    store = Records(sqlite_url, pages=PAGES)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def make_decision() -> Callable[..., DecisionRecord]:
    def make(**changes: Any) -> DecisionRecord:
        content: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "created_at": datetime(2026, 11, 20, 9, 30, 15, 123456, UTC),
            "service_id": "alk-order-sign",
            "hook": "order-sign",
            "hook_instance": str(uuid.uuid4()),
            "client": "Example Hospital",
            "as_of": date(2026, 11, 20),
            "release": "2026.11.0",
            "patient_key": "f" * 64,
            "rule_ids": ("ALECTINIB-LIVER-1", "GATE-2"),
            "cards": (
                CardRecord(str(uuid.uuid4()), "ALECTINIB-LIVER-1", "critical"),
                CardRecord(str(uuid.uuid4()), "GATE-2", "info"),
            ),
            "document": {
                "recommendations": [{"summary": "ALT ×6: “withhold” 保留 \u0000", "drug": None}],
                "undecided": [],
            },
        }
        return DecisionRecord(**{**content, **changes})

    return make


@pytest.fixture
def make_feedback() -> Callable[..., FeedbackRequest]:
    def make(*items: dict[str, Any]) -> FeedbackRequest:
        return FeedbackRequest.model_validate({"feedback": list(items)})

    return make

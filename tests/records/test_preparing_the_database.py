"""Migrations: shipped with the package, safe when several workers start at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from cds_service.records import DecisionRecord, Records, RecordsError, upgrade
from cds_service.records.engines import open_engine, read_url
from cds_service.records.migrate import _ADVISORY_LOCK
from cds_service.records.tables import metadata
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

MakeDecision = Callable[..., DecisionRecord]


def _head() -> str:
    config = Config()
    config.set_main_option("script_location", "cds_service.records:migrations")
    (head,) = ScriptDirectory.from_config(config).get_heads()
    return head


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(database_url: str) -> None:
    upgrade(database_url)
    engine = open_engine(read_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == _head()
    engine.dispose()


def test_preparing_again_changes_nothing(records: Records, make_decision: MakeDecision) -> None:
    record = make_decision()
    records.save_decision(record)
    records.prepare()
    assert records.decision(record.id) == record


def test_workers_that_start_at_once_prepare_the_database_once(database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    workers = [spawn.Process(target=_prepare, args=(database_url, start)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    engine = open_engine(read_url(database_url))
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    engine.dispose()
    assert [row.version_num for row in versions] == [_head()]


def test_on_postgresql_a_worker_waits_for_the_one_that_prepares(postgresql_url: str) -> None:
    """SQLite locks its file by itself; here the workers agree on a lock of their own."""
    engine = open_engine(read_url(postgresql_url))
    with ThreadPoolExecutor(1) as pool, engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        waiting = pool.submit(upgrade, postgresql_url)
        time.sleep(0.5)
        assert not waiting.done()
        other.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _ADVISORY_LOCK})
        waiting.result(timeout=PATIENCE)
    engine.dispose()


def _prepare(url: str, start: object) -> None:
    start.wait(PATIENCE)  # type: ignore[attr-defined]  # multiprocessing's barrier has no public type
    Records(url).prepare()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    upgrade(database_url)
    engine = create_engine(read_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    engine.dispose()
    with pytest.raises(RecordsError, match="newer version"):
        upgrade(database_url)


def test_sqlite_keeps_a_write_ahead_log_and_checks_foreign_keys(
    sqlite_url: str, sqlite_records: Records
) -> None:
    for synchronous, number in (("NORMAL", 1), ("FULL", 2)):
        engine = open_engine(read_url(sqlite_url), synchronous=synchronous)  # type: ignore[arg-type]  # both are allowed words
        with engine.connect() as connection:
            for pragma, value in (
                ("journal_mode", "wal"),
                ("synchronous", number),
                ("foreign_keys", 1),
                ("busy_timeout", 5000),
            ):
                found = connection.execute(text(f"PRAGMA {pragma}")).scalar_one()
                assert (pragma, found) == (pragma, value)
        engine.dispose()


def test_a_new_sqlite_file_is_for_its_owner_only(tmp_path: Path, sqlite_records: Records) -> None:
    (file,) = tmp_path.glob("*.sqlite3")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_existing_file_keeps_its_mode(tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "records.sqlite3"
    file.touch(mode=0o640)
    file.chmod(0o640)
    upgrade(sqlite_url)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, sqlite_url: str
) -> None:
    file = tmp_path / "records.sqlite3"
    content = b"this is somebody's spreadsheet, not a database\n" * 100
    file.write_bytes(content)
    with pytest.raises(RecordsError):
        upgrade(sqlite_url)
    assert file.read_bytes() == content


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path, sqlite_url: str) -> None:
    """A table of somebody else is in the way of the last of ours."""
    file = tmp_path / "records.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE feedback (a)")
    connection.close()
    with pytest.raises(RecordsError):
        upgrade(sqlite_url)
    connection = sqlite3.connect(file)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
    assert names == ["feedback"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must be a file"),
        ("mysql://user:secret@host/name", "SQLite or PostgreSQL"),
        ("user:secret", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_quoted(
    url: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Records(url)
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__}"


def test_a_password_is_in_no_error_when_the_server_is_away() -> None:
    pytest.importorskip("psycopg", reason="psycopg, the PostgreSQL driver, is not installed")
    records = Records("postgresql://user:secret@127.0.0.1:1/name")
    with pytest.raises(RecordsError) as caught:
        records.prepare()
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__}"


def test_a_driver_that_is_not_installed_is_named() -> None:
    records = Records("postgresql+pg8000://user:secret@127.0.0.1:1/name")
    with pytest.raises(RecordsError, match="pg8000 is not installed"):
        records.prepare()

"""Bringing a database to the tables of this version."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from cds_service.records.engines import open_engine, read_url, writing
from cds_service.records.errors import RecordsError, told_plainly

_SCRIPTS = "cds_service.records:migrations"

_ADVISORY_LOCK = 0x414C4B43
"""An arbitrary number of our own that PostgreSQL sessions agree to lock on."""

_WAIT_SECONDS = 30.0
_LONGEST_REASON = 300
_NEWER = "the database was changed by a newer version of this service; use that version"


def upgrade(url: str | URL) -> None:
    """Create or change the tables of the database at ``url`` to what this version needs.

    Several processes may call it at once: the first one works, the others wait and then find
    nothing to do. Nothing is left half done, because it is all one transaction. A new SQLite
    file is readable by its owner only.

    Raises ValueError for an address that cannot be used, RecordsError for a database that
    cannot be reached or that a newer version of this service has changed.
    """
    address = read_url(url) if isinstance(url, str) else url
    engine = open_engine(address, synchronous="FULL", pooled=False)
    try:
        with told_plainly("preparing the database"):
            if engine.dialect.name == "sqlite":
                make_file(address)
                use_write_ahead_log(engine)
            with writing(engine) as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
                    )
                _run(connection)
    finally:
        engine.dispose()


def look_at(url: str) -> str:
    """What stands at this address, in words, without changing anything.

    Raises ValueError for an address that cannot be used, RecordsError naming host and reason for
    a database that cannot be reached. Before anything is stored its own words hold no patient.
    """
    address = read_url(url)
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "")
        if not address.query.get("uri") and not path.exists():
            if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
                raise RecordsError(f"there is no folder for {path}, or it cannot be written to")
            return f"SQLite file {path}, made at the start"
        where = f"SQLite file {path}"
    else:
        host = address.host or address.query.get("host") or "this machine"
        where = f"PostgreSQL at {host}" + (f":{address.port}" if address.port else "")
    engine = open_engine(address, pooled=False, prompt=True)
    try:
        with engine.connect() as connection:
            version = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())[:_LONGEST_REASON]
        raise RecordsError(f"{where} cannot be reached: {reason}") from None
    finally:
        engine.dispose()
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise RecordsError(f"{where}: {_NEWER}")
    return where


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config


def _run(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise RecordsError(_NEWER) from None


def make_file(url: URL) -> None:
    """A new SQLite file is readable by its owner only. Raises RecordsError."""
    path = Path(url.database or "")
    if url.query.get("uri") or path.exists():
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise RecordsError(f"the database file could not be made: {type(error).__name__}") from None


def use_write_ahead_log(engine: Engine) -> None:
    """Turn it on; whoever reads then never waits for who writes. Raises RecordsError."""
    # The change of mode does not always wait for other connections, as every other write does.
    deadline = time.monotonic() + _WAIT_SECONDS
    while not _is_write_ahead_log_on(engine):
        if time.monotonic() > deadline:
            raise RecordsError("the database file allows no write-ahead log")
        time.sleep(0.05)


def _is_write_ahead_log_on(engine: Engine) -> bool:
    # A transaction would forbid the change, so this goes past SQLAlchemy, which begins one.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        return bool(cursor.fetchall() == [("wal",)])
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise RecordsError(f"preparing the database failed: {type(error).__name__}") from None
        return False
    finally:
        connection.close()

"""Database engines: how SQLite and PostgreSQL are opened, and one engine per process.

SQLite runs with a write-ahead log, so that readers never wait for the writer. A write takes the
write lock at its start: a transaction that began by reading could not wait for the lock later.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cds_service.records.errors import RecordsError
from cds_service.records.prompt import ANSWER_SECONDS

BUSY_SECONDS = 5.0
"""How long a write waits for another process to finish its own."""

_PROMPT_BUSY_SECONDS = {"NORMAL": ANSWER_SECONDS, "FULL": 2.0}
_PROMPT_CONNECT = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
_PROMPT_SESSION = ("SET lock_timeout = 1500", "SET statement_timeout = 2500",
                   "SET idle_in_transaction_session_timeout = 10000")  # fmt: skip
"""A table that somebody has locked, or a statement that takes long, ends on the server too."""

_WRITE = "alk_cds_write"

Synchronous = Literal["NORMAL", "FULL"]


def read_url(text: str) -> URL:
    """Return the database address, with the driver this project uses for PostgreSQL.

    Raises ValueError, without quoting the address, when it is no address, names another kind of
    database, or names an SQLite database in memory, which would forget what was acknowledged.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("the database address cannot be read") from None
    kind = url.get_backend_name()
    if kind == "sqlite":
        if not url.database or url.database == ":memory:" or "mode=memory" in text:
            raise ValueError("an SQLite database must be a file")
        return url
    if kind == "postgresql":
        bare = url.drivername == "postgresql"
        return url.set(drivername="postgresql+psycopg") if bare else url
    raise ValueError("the database must be SQLite or PostgreSQL")


def open_engine(
    url: URL, *, synchronous: Synchronous = "NORMAL", pooled: bool = True, prompt: bool = False
) -> Engine:
    """Return an engine that quotes no value in its errors.

    ``prompt`` is for work that somebody waits for: nothing in it may take long.

    ``synchronous`` is SQLite's: NORMAL survives the death of the process, FULL also a power cut.
    Raises RecordsError when the database's driver is not installed.
    """
    options: dict[str, Any] = {"hide_parameters": True}
    if not pooled:
        options["poolclass"] = NullPool
    elif url.get_backend_name() == "postgresql":
        # A connection that the server closed meanwhile must not cost a hook call.
        options["pool_pre_ping"] = True
        if prompt:
            options["pool_timeout"] = 1
            options["connect_args"] = _PROMPT_CONNECT
    if url.get_backend_name() == "sqlite":
        busy = _PROMPT_BUSY_SECONDS[synchronous] if prompt else BUSY_SECONDS
        options["connect_args"] = {"timeout": busy}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise RecordsError(f"the database driver {error.name} is not installed") from None
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine, synchronous)
    elif prompt:
        _set_up_prompt_sessions(engine)
    return engine


def _set_up_prompt_sessions(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            for setting in _PROMPT_SESSION:
                cursor.execute(setting)
        connection.commit()


def _set_up_sqlite(engine: Engine, synchronous: Synchronous) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        # Python's module would start transactions of its own; they are started below instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write; committed at the end, undone by an error."""
    with engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
        yield connection


class ProcessEngines:
    """The engines of this process, made at first use.

    gunicorn loads the application and then forks. A connection carried into a child would be
    used by two processes at once, so a child makes engines of its own.
    """

    def __init__(self, url: URL, *, prompt: bool = False) -> None:
        self._url = url
        self._prompt = prompt
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._engines: dict[Synchronous, Engine] = {}
        # Engines of the parent. Letting them go would close the parent's SQLite file in the
        # child, and with it the parent's locks; so they are kept and never touched.
        self._inherited: list[Engine] = []

    def get(self, synchronous: Synchronous) -> Engine:
        """The engine of this process with that setting."""
        if self._process == os.getpid() and (engine := self._engines.get(synchronous)):
            return engine
        with self._lock:
            if self._process != os.getpid():
                self._inherited.extend(self._engines.values())
                self._engines = {}
                self._process = os.getpid()
            if synchronous not in self._engines:
                self._engines[synchronous] = open_engine(
                    self._url, synchronous=synchronous, prompt=self._prompt
                )
            return self._engines[synchronous]

    def close(self) -> None:
        """Close the connections of this process; the next use opens new ones."""
        with self._lock:
            if self._process == os.getpid():
                for engine in self._engines.values():
                    engine.dispose()
                self._engines = {}

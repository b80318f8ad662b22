"""An SQLite file of this machine that the service keeps beside its database."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Engine, Table
from sqlalchemy.engine import URL

from cds_service.records.engines import ProcessEngines, Synchronous
from cds_service.records.errors import told_plainly
from cds_service.records.migrate import make_file, use_write_ahead_log


class OwnFile:
    """One file with one table, shared by the workers of a machine; made at first use."""

    def __init__(self, path: Path, table: Table) -> None:
        """Nothing is opened yet."""
        self._url = URL.create("sqlite", database=str(path))
        self._path = path
        self._table = table
        self._engines = ProcessEngines(self._url, prompt=True)
        self._lock = threading.Lock()
        self._is_ready = False

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written to it."""
        return self._path.exists()

    def get(self, synchronous: Synchronous = "NORMAL") -> Engine:
        """The engine of this process, with the table there. Raises RecordsError."""
        engine = self._engines.get(synchronous)
        if not self._is_ready:
            with self._lock, told_plainly("preparing a file"):
                make_file(self._url)
                use_write_ahead_log(engine)
                self._table.create(engine, checkfirst=True)
                self._is_ready = True
        return engine

    def close(self) -> None:
        """Close this process's connections."""
        self._engines.close()

"""Decisions that the database could not take in time, kept on this machine's disk until it can.

They stand in an SQLite file of their own, so that neither a hung server nor a locked file of
records touches them; all workers of the machine share it. They are carried over in the order in
which they came. How many may wait is bounded, and beyond that one is refused and counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import orjson
from sqlalchemy import Column, Integer, MetaData, String, Table, Text, delete, func, select
from sqlalchemy.dialects import sqlite

from cds_service.records.engines import writing
from cds_service.records.errors import RecordsError, told_plainly
from cds_service.records.own_file import OwnFile
from cds_service.records.retention import overwriting
from cds_service.records.rows import Rows
from cds_service.records.tables import KEPT

MOST_WAITING = 10_000
"""Decisions kept at most: at 200 kB each, 2 GB of disk."""

_PAUSE_SECONDS = 1.0
_AT_ONCE = 20

waiting_table = Table(
    "waiting",
    MetaData(),
    Column(
        "place",
        Integer,
        primary_key=True,
        autoincrement=True,
        doc="Number in the order of arrival.",
    ),
    Column("decision_id", String(36), nullable=False, unique=True, doc="Id of the decision."),
    Column(
        "content",
        Text,
        nullable=False,
        doc="The rows of the decision and its cards, as they are stored afterwards.",
    ),
    info={KEPT: "Until the database takes them, seconds after it is back."},
)


class Waiting:
    """The queue. Safe to share between threads and processes."""

    def __init__(self, path: Path, most: int = MOST_WAITING) -> None:
        """Nothing is opened yet."""
        self._file = OwnFile(path, waiting_table)
        self._most = most

    def put(self, rows: Rows) -> None:
        """Keep one decision at the end of the queue. Raises RecordsError, also when it is full."""
        content = orjson.dumps([rows.decision, rows.cards]).decode()
        row = {"decision_id": rows.decision["id"], "content": content}
        with told_plainly("queueing a decision"), writing(self._file.get()) as disk:
            if (
                disk.execute(select(func.count()).select_from(waiting_table)).scalar_one()
                >= self._most
            ):
                raise RecordsError("too many decisions wait for the database")
            disk.execute(sqlite.insert(waiting_table).values(row).on_conflict_do_nothing())

    def oldest(self) -> list[Rows]:
        """The next ones to be carried over, in their order."""
        if not self._file.is_there:
            return []
        query = select(waiting_table).order_by(waiting_table.c.place).limit(_AT_ONCE)
        with told_plainly("reading the queue"), self._file.get().connect() as disk:
            return [_rows(row.content, row.place) for row in disk.execute(query)]

    def find(self, decision_id: str) -> Rows | None:
        """The decision with that id, if it waits here."""
        if not self._file.is_there:
            return None
        query = select(waiting_table).where(waiting_table.c.decision_id == decision_id)
        with told_plainly("reading the queue"), self._file.get().connect() as disk:
            row = disk.execute(query).first()
            return None if row is None else _rows(row.content, row.place)

    def done(self, places: Sequence[int]) -> None:
        """Take out what has been carried over."""
        with told_plainly("emptying the queue"), overwriting(self._file.get()) as disk:
            disk.execute(delete(waiting_table).where(waiting_table.c.place.in_(list(places))))

    def forget(self, patient_keys: Sequence[str]) -> int:
        """Take out the decisions about a patient with one of these keys, and say how many."""
        if not self._file.is_there:
            return 0
        with told_plainly("emptying the queue"), overwriting(self._file.get()) as disk:
            places = [
                row.place
                for row in disk.execute(select(waiting_table))
                if _rows(row.content, row.place).decision["patient_key"] in patient_keys
            ]
            disk.execute(delete(waiting_table).where(waiting_table.c.place.in_(places)))
        return len(places)

    def depth(self) -> int:
        """How many decisions wait."""
        if not self._file.is_there:
            return 0
        with told_plainly("reading the queue"), self._file.get().connect() as disk:
            return int(disk.execute(select(func.count()).select_from(waiting_table)).scalar_one())

    def close(self) -> None:
        """Close this process's connections."""
        self._file.close()


class Draining:
    """Carries over what waits, in a thread that lives as long as there is something."""

    def __init__(self, waiting: Waiting, store: Callable[[Sequence[Rows]], None]) -> None:
        """``store`` writes rows to the database, whether or not it has some of them already."""
        self._waiting = waiting
        self._store = store
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pause = threading.Event()

    def wake(self) -> None:
        """Begin, unless it has begun."""
        with self._lock:
            # A thread does not come along into a child process, and does not count as alive there.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                batch = self._waiting.oldest()
                if not batch:
                    with self._lock:
                        # Whoever put one since then found this thread alive, and began none.
                        if not self._waiting.oldest():
                            self._thread = None
                            return
                    continue
                self._store(batch)
                self._waiting.done([rows.place for rows in batch])
            except RecordsError:
                self._pause.wait(_PAUSE_SECONDS)


def _rows(content: str, place: int) -> Rows:
    decision, cards = orjson.loads(content)
    decision["created_at"] = datetime.fromisoformat(decision["created_at"])
    decision["as_of"] = date.fromisoformat(decision["as_of"])
    return Rows(decision, cards, place)

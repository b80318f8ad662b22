"""Deleting what is older than a site wants to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Engine, Table, delete, func, select

from cds_service.records.engines import writing
from cds_service.records.entries import require_aware
from cds_service.records.errors import RecordsError, told_plainly
from cds_service.records.tables import decisions, feedback

_AT_ONCE = 500
"""Rows deleted in one transaction: workers that store a decision wait for it to end."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many decisions (each with its cards) and feedback entries were deleted."""

    decisions: int
    feedback: int


def count_before(engine: Engine, moment: datetime) -> Purged:
    """What :func:`purge_before` would delete."""
    require_aware(moment)
    _require_database(engine)
    with told_plainly("counting old records"), engine.connect() as connection:
        found = [
            connection.execute(select(func.count()).where(column < moment)).scalar_one()
            for column in (decisions.c.created_at, feedback.c.received_at)
        ]
    return Purged(*found)


def purge_before(engine: Engine, moment: datetime) -> Purged:
    """Delete the decisions and the feedback from before ``moment``, an aware time.

    Feedback that came later than ``moment`` stays, also if its decision goes. With SQLite the
    deleted rows are overwritten in the file and in its write-ahead log, as far as no other
    process reads at that time. Raises RecordsError, ValueError for a naive time.
    """
    require_aware(moment)
    _require_database(engine)
    with told_plainly("deleting old records"):
        gone = Purged(
            sum(_delete(engine, decisions, decisions.c.id, decisions.c.created_at, moment)),
            sum(_delete(engine, feedback, feedback.c.id, feedback.c.received_at, moment)),
        )
        if engine.dialect.name == "sqlite":
            _empty_log(engine)
    return gone


def _require_database(engine: Engine) -> None:
    # SQLite would make an empty file, which everybody could read, out of a mistyped address.
    url = engine.url
    is_file = engine.dialect.name == "sqlite" and not url.query.get("uri")
    if is_file and not Path(url.database or "").exists():
        raise RecordsError("there is no database at this address")


def _delete(
    engine: Engine,
    table: Table,
    key: Column[str] | Column[int],
    time: Column[datetime],
    moment: datetime,
) -> Iterator[int]:
    old = select(key).where(time < moment).limit(_AT_ONCE).scalar_subquery()
    while True:
        with writing(engine) as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            count = connection.execute(delete(table).where(key.in_(old))).rowcount
        yield count
        if count < _AT_ONCE:
            return


def _empty_log(engine: Engine) -> None:
    # A transaction would forbid it, so this goes past SQLAlchemy, which begins one.
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()

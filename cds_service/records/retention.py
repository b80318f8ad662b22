"""Deleting what is older than a site wants to keep, and all that there is of one patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    delete,
    func,
    select,
    update,
)

from cds_service.records.engines import writing
from cds_service.records.entries import require_aware
from cds_service.records.errors import RecordsError, told_plainly
from cds_service.records.rows import kept_text
from cds_service.records.tables import cards, decisions, feedback

_AT_ONCE = 500
"""Rows deleted in one transaction: workers that store a decision wait for it to end."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many decisions (each with its cards) and feedback entries were deleted.

    ``pages`` of decisions that stay were emptied.
    """

    decisions: int
    feedback: int
    pages: int = 0


def count_before(engine: Engine, moment: datetime, pages: datetime) -> Purged:
    """What :func:`purge_before` would delete and empty."""
    require_aware(moment)
    require_aware(pages)
    _require_database(engine)
    with told_plainly("counting old records"), engine.connect() as connection:
        found = [
            connection.execute(select(func.count()).where(column < moment)).scalar_one()
            for column in (decisions.c.created_at, feedback.c.received_at)
        ]
        expired = _has_page(pages) & (decisions.c.created_at >= moment)
        found.append(connection.execute(select(func.count()).where(expired)).scalar_one())
    return Purged(*found)


def purge_before(engine: Engine, moment: datetime, pages: datetime) -> Purged:
    """Delete the decisions and the feedback from before ``moment``, and empty the pages of
    decisions from before ``pages``; both are aware times.

    Feedback that came later than ``moment`` stays, also if its decision goes. With SQLite the
    deleted rows are overwritten in the file and in its write-ahead log, as far as no other
    process reads at that time. Raises RecordsError, ValueError for a naive time.
    """
    require_aware(moment)
    require_aware(pages)
    _require_database(engine)
    with told_plainly("deleting old records"):
        gone = Purged(
            sum(_delete(engine, decisions, decisions.c.id, decisions.c.created_at, moment)),
            sum(_delete(engine, feedback, feedback.c.id, feedback.c.received_at, moment)),
            sum(_empty_pages(engine, pages)),
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
        with overwriting(engine) as connection:
            count = connection.execute(delete(table).where(key.in_(old))).rowcount
        yield count
        if count < _AT_ONCE:
            return


def _has_page(moment: datetime) -> ColumnElement[bool]:
    """Decisions from before ``moment`` that still quote the chart.

    Those of a version without pages quote it in their document.
    """
    quotes = decisions.c.page.is_not(None) | decisions.c.document.contains('"as_sent"')
    return (decisions.c.created_at < moment) & quotes


def _empty_pages(engine: Engine, moment: datetime) -> Iterator[int]:
    some = select(decisions.c.id, decisions.c.document).where(_has_page(moment)).limit(_AT_ONCE)
    while True:
        with overwriting(engine) as connection:
            found = connection.execute(some).all()
            for row in found:
                kept = {"page": None, "document": kept_text(orjson.loads(row.document))}
                connection.execute(update(decisions).where(decisions.c.id == row.id).values(kept))
        yield len(found)
        if len(found) < _AT_ONCE:
            return


def purge_patient(engine: Engine, keys: Sequence[str]) -> Purged:
    """Delete all decisions about a patient with one of these keys, and the feedback on them.

    Raises RecordsError.
    """
    _require_database(engine)
    about = decisions.c.patient_key.in_(list(keys))
    gone = Purged(0, 0)
    with told_plainly("deleting the records of a patient"):
        while True:
            with overwriting(engine) as connection:
                query = select(decisions.c.id).where(about).limit(_AT_ONCE)
                ids = connection.execute(query).scalars().all()
                made = select(cards.c.uuid).where(cards.c.decision_id.in_(ids))
                # Also what was said of these cards and never counted as an answer to them.
                said = feedback.c.decision_id.in_(ids) | func.lower(feedback.c.card).in_(made)
                answers = connection.execute(delete(feedback).where(said)).rowcount
                connection.execute(delete(decisions).where(decisions.c.id.in_(ids)))
            gone = Purged(gone.decisions + len(ids), gone.feedback + answers)
            if len(ids) < _AT_ONCE:
                break
        if engine.dialect.name == "sqlite":
            _empty_log(engine)
    return gone


@contextmanager
def overwriting(engine: Engine) -> Iterator[Connection]:
    """A connection that writes; with SQLite what is deleted is overwritten in the file."""
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield connection


def _empty_log(engine: Engine) -> None:
    # A transaction would forbid it, so this goes past SQLAlchemy, which begins one.
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()

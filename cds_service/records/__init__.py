"""Decisions and feedback in SQL: what the service said, what became of it, and used tokens.

SQLite by default, PostgreSQL by address. Nothing here holds a name, a record number, an address
or a token: the caller gives an opaque key for the patient. :class:`Records` is the whole door.
"""

from __future__ import annotations

from cds_service.records.entries import CardAnswer, CardRecord, DecisionRecord, FeedbackRecord
from cds_service.records.errors import RecordsError
from cds_service.records.migrate import look_at, upgrade
from cds_service.records.outcomes import Asked, Outcome
from cds_service.records.pages import Pages
from cds_service.records.prompt import Promptly
from cds_service.records.replays import (
    RedisReplayStore,
    SqlReplayStore,
    SteadyReplayStore,
    TokenFile,
)
from cds_service.records.retention import Purged
from cds_service.records.store import Records
from cds_service.records.waiting import Waiting

__all__ = [
    "Asked",
    "CardAnswer",
    "CardRecord",
    "DecisionRecord",
    "FeedbackRecord",
    "Outcome",
    "Pages",
    "Promptly",
    "Purged",
    "Records",
    "RecordsError",
    "RedisReplayStore",
    "SqlReplayStore",
    "SteadyReplayStore",
    "TokenFile",
    "Waiting",
    "look_at",
    "upgrade",
]

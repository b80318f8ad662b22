"""Which stores the settings ask for: records, what waits for them, and used tokens."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy.engine import make_url

from cds_service.operations.health import Check, NotReadyError, check_disk
from cds_service.protocol import ReplayStore, ReplayStoreError
from cds_service.records import (
    Pages,
    Promptly,
    Records,
    RedisReplayStore,
    SteadyReplayStore,
    TokenFile,
    Waiting,
)
from cds_service.settings import Settings


def open_records(settings: Settings, secret: str | None = None) -> Records:
    """The records of the service, with the queue on disk; nothing is opened yet.

    ``secret`` seals and opens what the pages of decisions show.
    """
    pages = None if secret is None else Pages(secret)
    return Records(settings.database_url, Waiting(_own(settings, "waiting")), pages)


def replay_store(settings: Settings, records: Records) -> ReplayStore:
    """Where used tokens are remembered.

    Machines that can share a store do, and fall back on their own file while it is away. Beside an
    SQLite database it is always a file of its own, so that a lock on the records closes no door.
    """
    own = TokenFile(_own(settings, "tokens"))
    redis_url = settings.redis_url
    if redis_url is not None:
        shared = RedisReplayStore(redis_url.get_secret_value())
        return SteadyReplayStore(shared, own, Promptly())
    if records.is_server:
        return SteadyReplayStore(records.replay_store(), own, records.promptly)
    return own


def store_checks(settings: Settings, records: Records, tokens: ReplayStore) -> dict[str, Check]:
    """What readiness asks of the stores."""

    def ask_tokens() -> None:
        try:
            # Nobody has this token: it is there to be written and forgotten at once.
            tokens.remember("alk-cds", str(uuid4()), time.time() + 1)
        except ReplayStoreError as error:
            raise NotReadyError(str(error)) from None

    def ask_database() -> None:
        records.check()
        waiting = records.waiting()
        if waiting:
            raise NotReadyError(f"{waiting} decisions wait on disk", is_fatal=False)

    return {
        "database": ask_database,
        "token store": ask_tokens,
        "disk": partial(check_disk, queue_folder(settings)),
    }


def queue_folder(settings: Settings) -> Path:
    """The folder for what this machine keeps for itself."""
    if settings.queue_folder is not None:
        return settings.queue_folder
    url = make_url(settings.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database and not url.query.get("uri")
    return Path(url.database).parent if is_file and url.database else Path()


def _own(settings: Settings, what: str) -> Path:
    url = make_url(settings.database_url)
    is_file = url.get_backend_name() == "sqlite" and bool(url.database)
    name = Path(url.database or "").name if is_file else "alk-cds"
    return queue_folder(settings) / f"{name}-{what}"

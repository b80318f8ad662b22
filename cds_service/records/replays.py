"""Used tokens, remembered for all workers together (R-173): in the database or in Redis.

Only a digest of issuer and token id is kept, and only until the token has expired. A store that
cannot be asked raises ReplayStoreError: nobody is let in on a guess.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.protocol import MemoryReplayStore, PastTime, ReplayStore, ReplayStoreError
from cds_service.records.engines import ProcessEngines, writing
from cds_service.records.errors import RecordsError, told_plainly
from cds_service.records.own_file import OwnFile
from cds_service.records.prompt import Promptly
from cds_service.records.tables import used_tokens

_logger = logging.getLogger("alk_cds.records")

_SWEEP_SECONDS = 60.0
REDIS_SECONDS = 0.1
"""How long an answer waits for Redis, which keeps everything in memory."""


def _digest(issuer: str, token_id: str) -> str:
    # A surrogate half, which JSON can name, has no UTF-8 form and still tells two ids apart.
    pair = [issuer, token_id.encode("utf-8", "surrogatepass").hex()]
    return hashlib.sha256(orjson.dumps(pair)).hexdigest()


class SqlReplayStore:
    """A :class:`cds_service.protocol.ReplayStore` in the database of the records.

    The primary key decides between callers at the same moment, in whatever process they are.
    Survives the death of a process; after a power cut the last tokens may be forgotten.
    """

    def __init__(self, engines: ProcessEngines | OwnFile) -> None:
        self._engines = engines
        self._past = PastTime()
        self._lock = threading.Lock()
        self._next_sweep = 0.0

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        """Record the token until ``expires_at`` (seconds since 1970); False if it is known."""
        past = self._past.now()
        row = {"digest": _digest(issuer, token_id), "expires_at": math.ceil(expires_at)}
        try:
            engine = self._engines.get("NORMAL")
            make = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
            insert = make(used_tokens).values(row)
            # One whose time is over is forgotten, whether it was swept away already or not.
            unless_known = insert.on_conflict_do_update(
                index_elements=["digest"],
                set_={"expires_at": row["expires_at"]},
                where=used_tokens.c.expires_at <= past,
            ).returning(used_tokens.c.digest)
            with told_plainly("storing a used token"), writing(engine) as connection:
                is_new = connection.execute(unless_known).first() is not None
                if self._is_time_to_sweep():
                    connection.execute(delete(used_tokens).where(used_tokens.c.expires_at <= past))
        except RecordsError as error:
            raise ReplayStoreError(str(error)) from None
        return is_new

    def _is_time_to_sweep(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if now < self._next_sweep:
                return False
            self._next_sweep = now + _SWEEP_SECONDS
            return True


class TokenFile(SqlReplayStore):
    """Used tokens in a file of this machine, which a locked or hung database does not touch."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        super().__init__(OwnFile(path, used_tokens))


class SteadyReplayStore:
    """Asks a store beyond a network, and this machine's own file while that one is away.

    What this process let in before is remembered here too, so that it is refused in both times.
    """

    def __init__(self, shared: ReplayStore, own: ReplayStore, promptly: Promptly) -> None:
        """``promptly`` is that of everything that stands in the shared store."""
        self._shared = shared
        self._own = own
        self._lately = MemoryReplayStore()
        self._promptly = promptly

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        """Record the token until ``expires_at`` (seconds since 1970); False if it is known."""
        given = (issuer, token_id, expires_at)
        is_new_here = self._lately.remember(*given)
        try:
            is_new = self._promptly.do(lambda: self._asked(given))
        except RecordsError:
            _logger.error("replay-store-away")
            is_new = self._own.remember(*given)
        return is_new and is_new_here

    def _asked(self, given: tuple[str, str, float]) -> bool:
        try:
            return self._shared.remember(*given)
        except ReplayStoreError as error:
            raise RecordsError(str(error)) from None


class RedisReplayStore:
    """A :class:`cds_service.protocol.ReplayStore` in Redis, which forgets by itself.

    Redis must not evict keys for lack of memory (``maxmemory-policy noeviction``).
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError for an address that is none, ImportError without redis-py."""
        import redis

        self._errors = (redis.RedisError, OSError)
        self._redis: Any = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            # The library tries again, with pauses of up to ten seconds.
            retry=None,
            retry_on_timeout=False,
        )

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        """Record the token until ``expires_at`` (seconds since 1970); False if it is known."""
        key = f"alk-cds:token:{_digest(issuer, token_id)}"
        seconds = max(1, math.ceil(expires_at - time.time()))
        try:
            return bool(self._redis.set(key, b"1", nx=True, ex=seconds))
        except self._errors as error:
            raise ReplayStoreError(f"Redis failed: {type(error).__name__}") from None

"""How many calls one client may make (D-11), counted in this process or in a shared Redis."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Any

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from cds_service.protocol.errors import TooManyRequests

OFF = "off"
"""What a setting says instead of a rate when nothing shall be limited."""

_REDIS_SECONDS = 0.1
_AWAY_SECONDS = 2.0
"""How long nobody asks a Redis that failed: each call would wait for it again."""

_logger = logging.getLogger("alk_cds.protocol")


def read_rate(text: str) -> RateLimitItem | None:
    """Return the rate that ``text`` names, such as ``6000/minute``; None for ``off``.

    Raises ValueError for anything else.
    """
    if text == OFF:
        return None
    rates = parse_many(text)
    if len(rates) != 1 or rates[0].amount <= 0:
        raise ValueError("one rate above zero is expected")
    return rates[0]


class _ProcessStorage(Storage):
    """Counts in a dictionary.

    The library's own memory storage starts a thread whenever a call is counted, which costs more
    than the rest of a call and does not go with a server that forks.
    """

    STORAGE_SCHEME = ["alk-cds-process"]  # noqa: RUF012 - declared without ClassVar above

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._next_sweep = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._lock:
            now = time.time()
            if now >= self._next_sweep:
                self._counts = {k: v for k, v in self._counts.items() if v[1] > now}
                self._next_sweep = now + 60.0
            count, ends_at = self._counts.get(key, (0, 0.0))
            if ends_at <= now:
                count, ends_at = 0, now + expiry
            self._counts[key] = (count + amount, ends_at)
            return count + amount

    def get(self, key: str) -> int:
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._lock:
            held = len(self._counts)
            self._counts = {}
            return held

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)


class RateLimits:
    """Refuses a client that calls too often, and an address that is refused too often.

    ``client_rate`` and ``refused_rate`` are as :func:`read_rate` takes them. Each worker process
    counts for itself, unless ``redis_url`` names a Redis that all of them share; while that
    cannot be reached, each counts for itself again. Raises ValueError for a rate or an address
    that cannot be used, and ImportError when Redis is asked for and its client is not installed.
    """

    def __init__(
        self, client_rate: str = OFF, refused_rate: str = OFF, *, redis_url: str | None = None
    ) -> None:
        self._client_rate = read_rate(client_rate)
        self._refused_rate = read_rate(refused_rate)
        self._own = FixedWindowRateLimiter(_ProcessStorage())
        self._away_until = 0.0
        self._shared = None if redis_url is None else FixedWindowRateLimiter(_redis(redis_url))

    def count_client(self, name: str) -> None:
        """Count one call of a client that was let in. Raises TooManyRequests."""
        self._count(self._client_rate, "client", name)

    def count_refused(self, address: str) -> None:
        """Count one call that was not let in, by its network address. Raises TooManyRequests.

        It is asked after the token was refused, never before: behind a proxy all callers have
        one address, and a stranger must not close the door for the others.
        """
        self._count(self._refused_rate, "refused", address)

    def _count(self, rate: RateLimitItem | None, kind: str, who: str) -> None:
        if rate is None:
            return
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                _hit(self._shared, rate, kind, who)
            except StorageError:
                self._away_until = time.monotonic() + _AWAY_SECONDS
                _logger.error("rate-limit-store-failed")
            else:
                return
        _hit(self._own, rate, kind, who)


def _hit(limiter: FixedWindowRateLimiter, rate: RateLimitItem, kind: str, who: str) -> None:
    if limiter.hit(rate, "alk-cds", kind, who):
        return
    reset_time = limiter.get_window_stats(rate, "alk-cds", kind, who).reset_time
    raise TooManyRequests(math.ceil(reset_time - time.time()))


def _redis(url: str) -> Any:
    # The library would try again, with pauses of up to ten seconds.
    options: dict[str, Any] = {"retry": None}
    return storage_from_string(
        url,
        wrap_exceptions=True,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
        **options,
    )

"""What is surely past, on a machine whose clock somebody may set."""

from __future__ import annotations

import threading
import time

DRIFT_SECONDS = 60.0
"""A clock that goes ahead by less between two looks was corrected, not set."""
ACCEPTED_SECONDS = 24 * 3600.0
"""After this long a clock that was set ahead is taken to be right: no token lives so long."""


class PastTime:
    """The moment up to which things may be forgotten that are only kept until they expire.

    That is the time of day, except after the clock was set ahead: should it be set back, what
    had seemed to be expired is good again, and must still be known.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set_at(time.time(), time.monotonic())

    def _set_at(self, told: float, passed: float) -> None:
        self._told, self._passed = told, passed
        self._ahead_since: float | None = None

    def now(self) -> float:
        """Seconds since 1970; never later than the clock tells."""
        with self._lock:
            told, passed = time.time(), time.monotonic()
            expected = self._told + (passed - self._passed)
            if told <= expected + DRIFT_SECONDS:
                self._set_at(told, passed)
                return told
            if self._ahead_since is None:
                self._ahead_since = passed
            if passed - self._ahead_since < ACCEPTED_SECONDS:
                return expected
            self._set_at(told, passed)
            return told

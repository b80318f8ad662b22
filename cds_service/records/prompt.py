"""Work on a store that no answer waits for longer than it can afford.

A database that is hung, locked or far away must not hold the cards back. A task gets a short time;
when that is over the caller goes on without it, and for a moment nobody else tries.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from cds_service.records.errors import RecordsError

ANSWER_SECONDS = 0.2
"""What one answer gives to a store; after that the store counts as away."""

_PAUSE_SECONDS = 2.0

Result = TypeVar("Result")


class Promptly:
    """Runs tasks on one store. ``apart`` runs them in threads of their own.

    That is for a store beyond a network, where a task can hang without an end: nobody can stop it
    from outside, but the caller need not wait. As long as one hangs, no other is begun.
    """

    def __init__(self, seconds: float = ANSWER_SECONDS, *, apart: bool = False) -> None:
        self._seconds = seconds
        self._apart = apart
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._away_until = 0.0
        self._hanging = 0

    @property
    def is_away(self) -> bool:
        """Whether the store failed so lately that nobody asks it now."""
        with self._lock:
            if self._process != os.getpid():
                self._process, self._hanging, self._away_until = os.getpid(), 0, 0.0
            return self._hanging > 0 or time.monotonic() < self._away_until

    def recovered(self) -> None:
        """Somebody else saw the store answer: it is asked again at once."""
        with self._lock:
            self._away_until = 0.0

    def do(
        self,
        task: Callable[[], Result],
        seconds: float | None = None,
        *,
        also_after_a_failure: bool = False,
    ) -> Result:
        """What the task returns. Raises RecordsError, also for a task that takes too long.

        ``also_after_a_failure`` is for what nothing can stand in for; it too waits for no other
        task that hangs.
        """
        is_away = self.is_away
        if is_away and not (also_after_a_failure and self._hanging == 0):
            raise RecordsError("the store did not answer a moment ago")
        try:
            return task() if not self._apart else self._beside(task, seconds or self._seconds)
        except RecordsError:
            with self._lock:
                self._away_until = time.monotonic() + _PAUSE_SECONDS
            raise

    def _beside(self, task: Callable[[], Result], seconds: float) -> Result:
        errand: _Errand[Result] = _Errand(task, self._ended)
        threading.Thread(target=errand.run, name="store", daemon=True).start()
        if errand.wait(seconds):
            return errand.result()
        with self._lock:
            if errand.leave():
                self._hanging += 1
        raise RecordsError("the store took too long")

    def _ended(self) -> None:
        with self._lock:
            self._hanging = max(0, self._hanging - 1)


class _Errand(Generic[Result]):
    """One task in a thread of its own, and whether somebody still waits for it."""

    def __init__(self, task: Callable[[], Result], ended_late: Callable[[], None]) -> None:
        self._task = task
        self._ended_late = ended_late
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._left = False
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._task()
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
            self._error = error
        with self._lock:
            self._done.set()
            late = self._left
        if late:
            self._ended_late()

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def leave(self) -> bool:
        """Nobody waits any more; whether the task still runs."""
        with self._lock:
            self._left = not self._done.is_set()
            return self._left

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        value: Result = self._value
        return value

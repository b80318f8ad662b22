"""One computation at a time in a process, and none while it waits for somebody else.

Threads of one Python process share one interpreter: two that compute at once take turns every few
milliseconds, and both are slow. So a call takes the turn for as long as it computes, and gives it
up while it waits for a FHIR server. Who comes back from such a wait lets those go first that have
all their data: they are quick, and must not pay for a server that they do not need.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_STEP_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 1.0
"""After this long, who comes back from a wait goes first."""
_LOST_SECONDS = 60.0
"""A turn is never held so long: no request lasts, so whoever held it was torn away."""


class _Waiter:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.since = time.monotonic()
        self.called = threading.Event()


class Turns:
    """Who computes. Safe to carry through a fork while nobody does.

    An exception may come at any step, when the time of a request is over. So who holds the turn
    stands in one place, and leaving is right whether or not it was taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._held_since = 0.0
        self._new: deque[_Waiter] = deque()
        self._returning: deque[_Waiter] = deque()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Compute alone inside the block."""
        try:
            self._take(self._new)
            yield
        finally:
            self._leave()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others compute inside the block, if this thread has the turn."""
        if self._holder != threading.get_ident():
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._take(self._returning)

    def _take(self, queue: deque[_Waiter]) -> None:
        with self._lock:
            if self._holder is None:
                self._give(threading.get_ident())
                return
            waiter = _Waiter()
            queue.append(waiter)
        # In short steps: a request whose time is over is told so between two of them.
        while not waiter.called.wait(_STEP_SECONDS):
            with self._lock:
                if time.monotonic() - self._held_since > _LOST_SECONDS:
                    self._call_next()

    def _leave(self) -> None:
        me = threading.get_ident()
        with self._lock:
            for queue in (self._new, self._returning):
                for waiter in [one for one in queue if one.thread == me]:
                    queue.remove(waiter)
            if self._holder == me:
                self._call_next()

    def _call_next(self) -> None:
        self._holder = None
        waited = time.monotonic() - self._returning[0].since if self._returning else 0.0
        overdue = waited > _LONGEST_WAIT_SECONDS
        first = self._returning if overdue or not self._new else self._new
        if first:
            waiter = first.popleft()
            self._give(waiter.thread)
            waiter.called.set()

    def _give(self, thread: int) -> None:
        self._holder = thread
        self._held_since = time.monotonic()

"""An end for one request as a whole, whatever it is doing."""

from __future__ import annotations

import ctypes
import heapq
import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class OutOfTime(BaseException):
    """The request's time is over. No Exception, so that nobody handles it as a fault of his own."""


class TooCostly(OutOfTime):
    """The request took more computing than any chart is worth."""


@dataclass
class _Limit:
    """One limit on one thread: at `ends_at`, or when the thread has computed for `computing`."""

    thread: int
    kind: type[OutOfTime]
    ends_at: float
    computing: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: bool = False
    is_raised: bool = False

    def left(self, now: float) -> float:
        """Seconds until it can have been passed; nothing when it has been."""
        if self.computing is None:
            return self.ends_at - now
        clock = time.pthread_getcpuclockid(self.thread)
        return self.computing - time.clock_gettime(clock)

    def pass_(self) -> None:
        """Raise its kind in the thread, as soon as that runs Python code."""
        with self.lock:
            if not self.is_over:
                self.is_raised = True
                _raise_in(self.thread, self.kind)


class _Watch:
    """One thread of the process that looks at all limits when they are due."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._due: list[tuple[float, int, _Limit]] = []
        self._numbers = itertools.count()
        self._process = 0

    def add(self, limit: _Limit, due: float) -> None:
        with self._condition:
            if self._process != os.getpid():
                # A thread does not come along into a child process.
                self._process = os.getpid()
                self._due = []
                threading.Thread(target=self._run, name="time limits", daemon=True).start()
            heapq.heappush(self._due, (due, next(self._numbers), limit))
            if self._due[0][2] is limit:
                self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._due or self._due[0][0] > time.monotonic():
                    pause = self._due[0][0] - time.monotonic() if self._due else None
                    self._condition.wait(pause)
                _, number, limit = heapq.heappop(self._due)
                if limit.is_over:
                    continue
                left = limit.left(time.monotonic())
                if left > 0:
                    heapq.heappush(self._due, (time.monotonic() + left, number, limit))
                    continue
            limit.pass_()


_watch = _Watch()


@contextmanager
def time_limit(seconds: float | None, computing: float | None = None) -> Iterator[None]:
    """Raise OutOfTime inside the block after ``seconds``; None sets no limit.

    With ``computing`` TooCostly is raised when this thread alone has used so many seconds of a
    processor inside the block: waiting, and what other programs use, do not count. Both come at
    the next step of Python code; a wait for a network needs a limit of its own.
    """
    if seconds is None and computing is None:
        yield
        return
    thread, now = threading.get_ident(), time.monotonic()
    limits: list[_Limit] = []
    if seconds is not None:
        limits.append(_Limit(thread, OutOfTime, now + seconds))
        _watch.add(limits[-1], now + seconds)
    if computing is not None:
        limits.append(_Limit(thread, TooCostly, 0, computing + time.thread_time()))
        _watch.add(limits[-1], now + computing)
    try:
        yield
    finally:
        for limit in limits:
            with limit.lock:
                limit.is_over = True
                if limit.is_raised:
                    # One that was raised and has not come yet must not come after the block.
                    _raise_in(thread, None)


def _raise_in(thread: int, kind: type[OutOfTime] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if kind is None else ctypes.py_object(kind)
    )

"""Waiting in tests: for an event, never for a span of time.

No test asks how long anything takes; `make bench` does. A limit here is only there so that
something that hangs ends with a name, on a machine however busy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 300
"""Seconds after which something is taken to hang."""


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for an event; fails with `what` did not happen when nothing comes of it."""
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends, f"still waiting after {PATIENCE} s: {what}"
        time.sleep(0.02)


class Held:
    """An answer that a server holds back until the test lets it go.

    What comes while it is held did not wait for it: that is how a deadline is seen without a clock.
    """

    def __init__(self) -> None:
        self._let_go = threading.Event()

    def wait(self) -> None:
        """Called by the server before it answers."""
        self._let_go.wait(PATIENCE)

    def let_go(self) -> None:
        """Called by the test: the server may answer."""
        self._let_go.set()

    @property
    def is_held(self) -> bool:
        """Whether the server is still not allowed to answer."""
        return not self._let_go.is_set()


@contextmanager
def held() -> Iterator[Held]:
    """An answer held back for the time of a test, and let go at its end, however it ends."""
    found = Held()
    try:
        yield found
    finally:
        found.let_go()

"""Connections that whoever waits for an answer can end, however slowly the other side sends.

A time limit on a socket counts from byte to byte: a server that drips one now and then is never
late, and a thread that reads from it never ends. So the connection itself is ended when the time
for the whole errand is over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class EndableSockets:
    """The connections of one errand. As a context it ends them with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._is_over = False

    def hold(self, connected: socket.socket) -> socket.socket:
        """Remember a connection, before any TLS on it starts; one that comes too late is ended."""
        # A copy of its own: what encrypts the connection takes the first one away.
        own = connected.dup()
        with self._lock:
            if not self._is_over:
                self._held.append(own)
                return connected
        _end(own)
        return connected

    def end(self) -> None:
        """End every connection; whoever reads from one gets its end at once."""
        with self._lock:
            self._is_over = True
            held, self._held = self._held, []
        for own in held:
            _end(own)

    def __enter__(self) -> EndableSockets:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()


def _end(own: socket.socket) -> None:
    with contextlib.suppress(OSError), own:
        own.shutdown(socket.SHUT_RDWR)

"""The gunicorn worker: requests are received whole before a thread is given to them.

gunicorn's threaded worker gives a thread to a connection as soon as it is there. Whoever sends
nothing, or a byte now and then, then holds one of a few threads. Here the loop that waits for
connections also takes in what they send, without a thread; a thread gets a request when its head
and body are there. What takes longer than the deadline is told so and closed.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

_CHUNK_BYTES = 262_144
_LONGEST_HEAD = 65_536
_MOST_HELD_BYTES = 256_000_000
"""Of all requests of one worker that have not come whole."""

_SEND_SECONDS = 10
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_TOLD = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"timeout",'
    b'"diagnostics":"The request came too slowly, so nothing was checked."}]}'
)
_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TOLD), _TOLD)
)


class _Arriving:
    """What one connection has sent so far of its next request."""

    def __init__(self, most_body: int) -> None:
        self.received = bytearray()
        self._most_body = most_body
        self._head_ends = -1
        self._body_bytes: int | None = None
        self.wants_leave_to_send = False

    def add(self, data: bytes) -> None:
        searched = max(0, len(self.received) - 3)
        self.received += data
        if self._head_ends < 0:
            found = self.received.find(b"\r\n\r\n", searched)
            if found >= 0:
                self._read_head(found + 4)

    def _read_head(self, ends: int) -> None:
        self._head_ends = ends
        head = bytes(self.received[:ends])
        length = _LENGTH.search(head)
        if _CODING.search(head) is None:
            self._body_bytes = int(length[1]) if length is not None else 0
        self.wants_leave_to_send = _EXPECT.search(head) is not None

    @property
    def is_whole(self) -> bool:
        """Whether a thread can read it without waiting, or can refuse it."""
        if self._head_ends < 0:
            return len(self.received) > _LONGEST_HEAD
        so_far = len(self.received) - self._head_ends
        if so_far > self._most_body:
            return True
        if self._body_bytes is None:
            # Chunks: the last one is empty. A trailer behind it is seen when the client is late.
            body = self.received[max(self._head_ends, len(self.received) - 7) :]
            return body.endswith(b"\r\n0\r\n\r\n") or bytes(body) == b"0\r\n\r\n"
        return self._body_bytes > self._most_body or so_far >= self._body_bytes

    @property
    def has_begun(self) -> bool:
        return bool(self.received)

    @property
    def may_be_whole(self) -> bool:
        """Whether only a thread can tell: a body in chunks whose end was not recognised."""
        return self._head_ends >= 0 and self._body_bytes is None


class Worker(ThreadWorker):
    """gunicorn's threaded worker, which takes requests in before it gives them a thread."""

    receive_seconds = 10.0
    most_body_bytes = 20_000_000

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._arriving: dict[TConn, _Arriving] = {}

    def accept(self, listener: Any) -> None:
        """Take a connection in, without a thread."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        # Kernel limits: a client that reads nothing must not hold the thread that answers it.
        pause = struct.pack("ll", _SEND_SECONDS, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, pause)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, pause)
        self._expect(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """A kept connection sends its next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._expect(conn)

    def _expect(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.receive_seconds
        self._arriving[conn] = _Arriving(self.most_body_bytes)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, 1, partial(self._receive, conn))
        self._receive(conn, conn.sock)

    def _receive(self, conn: Any, client: Any) -> None:
        arriving = self._arriving[conn]
        try:
            data = client.recv(_CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            # The client sends no more: what it sent is for the parser to judge.
            if arriving.has_begun:
                self._dispatch(conn, client)
            else:
                self._forget(conn, client)
                conn.close()
            return
        arriving.add(data)
        if arriving.is_whole or self._held_bytes() > _MOST_HELD_BYTES:
            self._dispatch(conn, client)
        elif arriving.wants_leave_to_send:
            arriving.wants_leave_to_send = False
            try:
                client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                self._forget(conn, client)
                conn.close()

    def _held_bytes(self) -> int:
        return sum(len(arriving.received) for arriving in self._arriving.values())

    def _dispatch(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        conn.data_ready = True
        self.enqueue_req(conn)

    def _forget(self, conn: Any, client: Any) -> None:
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        del self._arriving[conn]
        self.nr_conns -= 1

    def murder_pending(self) -> None:
        """Tell those that are too late, and close them."""
        now = time.monotonic()
        while self.pending_conns and (self.pending_conns[0].timeout or 0) <= now:
            conn = self.pending_conns[0]
            arriving = self._arriving[conn]
            if arriving.may_be_whole:
                conn.sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 100_000)
                )
                self._dispatch(conn, conn.sock)
                continue
            self._forget(conn, conn.sock)
            if arriving.has_begun:
                with contextlib.suppress(OSError):
                    conn.sock.send(_LATE)
            conn.close()

    def handle(self, conn: Any) -> Any:
        """Answer a request that has come, in a thread."""
        arriving = self._arriving.pop(conn, None)
        if arriving is not None:
            conn.sock.setblocking(True)
            conn.init()
            conn.parser.unreader.unread(bytes(arriving.received))
        return super().handle(conn)

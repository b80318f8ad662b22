"""Requests that no honest client makes are told what is wrong with them; none is a 500."""

from __future__ import annotations

import contextlib
import socket

import pytest
import requests

from tests.serving.conftest import Server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

SIGN = "/cds-services/alk-order-sign"
BROKEN_CODINGS = {
    "a chunk size that is no number": b"ZZ\r\nabc\r\n0\r\n\r\n",
    "a chunk size below zero": b"-1\r\nabc\r\n",
    "a chunk longer than its size": b"3\r\nabcXX0\r\n\r\n",
    "a chunk shorter than its size": b"5\r\nab",
    "a trailer that is none": b"0\r\nbad trailer\r\n\r\n",
    "lines that end otherwise": b"3\nabc\n0\n\n",
}


def answer(port: int, path: str, kind: str, chunks: bytes) -> bytes:
    """All that the server says to a body sent in chunks."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: cds\r\nContent-Type: {kind}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + chunks)
        # The server may hang up on what it does not read; what it said comes first.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                said += part
    return said


@pytest.mark.parametrize("chunks", BROKEN_CODINGS.values(), ids=BROKEN_CODINGS)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (SIGN, "application/json"),
        (f"{SIGN}/feedback", "application/json"),
        ("/bench", "application/x-www-form-urlencoded"),
        ("/bench", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_whose_coding_is_broken_is_a_400(
    server: Server, path: str, kind: str, chunks: bytes
) -> None:
    said = answer(server.port, path, kind, chunks)
    assert said.startswith(b"HTTP/1.1 400"), said[:200]
    assert requests.get(f"{server.url}/health", timeout=PATIENCE).ok

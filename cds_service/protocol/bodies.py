"""Bodies that cannot be read to their end, told the same way by whatever server reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.exceptions import BadRequest, HTTPException

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_Read = TypeVar("_Read")


class UnreadableBody(BadRequest):
    """400: the transfer coding of the body is broken, so that nobody knows what was sent."""

    description = "The body cannot be read."


class ReadableBodies:
    """WSGI middleware: a fault of the transfer coding is a 400, wherever the body is read.

    A server reads a chunked body only when the application asks for it, and raises errors of its
    own there, which would read as faults of this service. Use it as
    ``app.wsgi_app = ReadableBodies(app.wsgi_app)``.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return self._application(environ, start_response)


class _Body:
    """The server's stream; whatever it raises besides a lost connection is one error."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return _told(lambda: bytes(self._stream.read() if size < 0 else self._stream.read(size)))

    def readline(self, size: int = -1) -> bytes:
        return _told(
            lambda: bytes(self._stream.readline() if size < 0 else self._stream.readline(size))
        )

    def readlines(self, hint: int = -1) -> list[bytes]:
        return _told(lambda: list(self._stream.readlines(*(() if hint < 0 else (hint,)))))

    def __iter__(self) -> _Body:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


def _told(read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except (OSError, HTTPException, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - each server has its own; reading does nothing else
        raise UnreadableBody from None

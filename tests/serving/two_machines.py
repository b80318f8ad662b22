"""Two servers of one site behind a proxy, each with a folder of its own and one common database."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.packaging.test_native_server import free_port
from tests.serving.conftest import Server, started
from tests.waiting import PATIENCE

_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding"})


class Proxy:
    """Gives each request to the next server; one that takes no connection is passed over.

    What a server began and did not end is a 502 and goes to no other one: only the client knows
    whether it may be asked twice.
    """

    def __init__(self) -> None:
        self.targets: list[str] = []
        self._turn = itertools.count()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._pass_on()

            def do_POST(self) -> None:
                self._pass_on()

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sent = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in _OF_ONE_CONNECTION
                }
                status, headers, content = proxy.ask(self.command, self.path, sent, body)
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in {*_OF_ONE_CONNECTION, "content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing: the servers write logs of their own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the next server answered, or 502."""
        first = next(self._turn)
        for position in range(len(self.targets)):
            target = urlsplit(self.targets[(first + position) % len(self.targets)]).netloc
            connection = http.client.HTTPConnection(target, timeout=PATIENCE)
            try:
                connection.connect()
            except OSError:
                continue
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except (OSError, http.client.HTTPException):
                return 502, [], b""
            finally:
                connection.close()
        return 502, [], b""

    def close(self) -> None:
        """Take no more requests."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Site:
    """The proxy and its two servers; `database` is the address of what they share."""

    proxy: Proxy
    folder: Path
    database: str
    settings: dict[str, str]
    servers: list[Server] = field(default_factory=list)
    _running: list[ExitStack] = field(default_factory=list)

    def begin(self, number: int) -> None:
        """Start the server of one machine, anew where it was there before."""
        machine = self.folder / f"machine-{number}"
        machine.mkdir(exist_ok=True)
        stack = ExitStack()
        server = stack.enter_context(
            started(
                machine,
                **{
                    "database_url": self.database,
                    "public_url": self.proxy.url,
                    "link_secret": "0123456789abcdef0123456789abcdef",
                    "queue_folder": str(machine),
                    **self.settings,
                },
            )
        )
        if number == len(self.servers):
            self.servers.append(server)
            self._running.append(stack)
        else:
            self.servers[number], self._running[number] = server, stack
        self.proxy.targets = [one.url for one in self.servers]

    def end(self, number: int) -> None:
        """SIGTERM, and wait until its calls are answered and it is gone."""
        self._running[number].close()

    def close(self) -> None:
        """End both, and the proxy."""
        for running in self._running:
            running.close()
        self.proxy.close()


@contextmanager
def two_machines(folder: Path, database: str, **settings: str) -> Iterator[Site]:
    """Two servers that answer, and are gone afterwards."""
    site = Site(Proxy(), folder, database, settings)
    try:
        site.begin(0)
        site.begin(1)
        yield site
    finally:
        site.close()

"""Running applications of this project inside the command's own process, over a real port."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

import click
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cds_service.commands.own_hosts import OwnHosts

if TYPE_CHECKING:
    from flask import Flask

    from cds_service.knowledge.release import Knowledge
    from cds_service.settings import Settings

LOOPBACK = "127.0.0.1"
PUBLIC_SANDBOX = "https://sandbox.cds-hooks.org"


class _QuietHandler(WSGIRequestHandler):
    """Writes no line per request: a path may hold a signed link."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay quiet."""


class LocalServer:
    """A listening port that gets its application later, so that the port can be told to it.

    Port 0 takes any free one. Raises click.ClickException when the port is taken.
    """

    def __init__(self, host: str = LOOPBACK, port: int = 0) -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise click.ClickException(
                f"cannot listen on {host}:{port}: {error.strerror or type(error).__name__}"
            ) from None
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._server: BaseWSGIServer | None = None

    @property
    def url(self) -> str:
        """The address without a trailing slash, as reached from this machine."""
        host = LOOPBACK if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared
        return f"http://{host}:{self.port}"

    def serve(self, app: Flask) -> None:
        """Answer requests until `close` is called from another thread or Ctrl-C is pressed."""
        self._ready(app).serve_forever()

    def start(self, app: Flask) -> None:
        """Answer requests in a thread of its own."""
        Thread(target=self._ready(app).serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering and give the port back."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._socket.close()

    def _ready(self, app: Flask) -> BaseWSGIServer:
        self._server = make_server(
            self.host,
            self.port,
            app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=self._socket.fileno(),
        )
        return self._server


@contextmanager
def fixture_server(day: date) -> Iterator[str]:
    """The address of a FHIR server over the stories as told on ``day``."""
    from fhir_fixtures.server import create_fixture_server

    server = LocalServer()
    server.start(create_fixture_server(day))
    try:
        yield server.url
    finally:
        server.close()


@contextmanager
def own_service(day: date | None = None, knowledge: Knowledge | None = None) -> Iterator[str]:
    """The address of the whole service on a free port, with a database that is thrown away."""
    server = LocalServer()
    with TemporaryDirectory(prefix="alk-cds-") as folder:
        log = Path(folder) / "log"
        with logging_to(log):
            server.start(development_app(server, Path(folder), day, knowledge))
            try:
                yield server.url
            finally:
                server.close()


@contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """The service's log in a file, redacted as always, so that it does not mix with the cards."""
    from cds_service.operations.logs import configure_logging

    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    with file.open("w", encoding="utf-8") as stream:
        configure_logging("INFO", stream)
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)
            logging.captureWarnings(capture=False)


def development_app(
    server: LocalServer,
    folder: Path,
    day: date | None = None,
    knowledge: Knowledge | None = None,
    public_url: str | None = None,
) -> Flask:
    """The application as set up for a machine without patient data; ``folder`` holds its files.

    ``public_url`` is the address under which others reach it, such as that of a tunnel.
    """
    from cds_service.app import create_app

    settings = development_settings(server, folder, public_url)
    app = create_app(settings, knowledge=knowledge, today=None if day is None else lambda: day)
    app.wsgi_app = OwnHosts(app.wsgi_app, server.host, public_url)  # type: ignore[method-assign]
    return app


def development_settings(
    server: LocalServer, folder: Path, public_url: str | None = None
) -> Settings:
    """Settings of the environment with the door open: unsigned calls, private FHIR servers."""
    from cds_service.settings import PREFIX, load_settings

    open_door: dict[str, object] = {
        "environment": "development",
        "allow_private_fhir_servers": True,
        "public_url": public_url or server.url,
        "bind": f"{server.host}:{server.port}",
    }
    if not os.environ.get(f"{PREFIX}DATABASE_URL"):
        open_door["database_url"] = f"sqlite:///{folder / 'decisions.sqlite3'}"
    if not os.environ.get(f"{PREFIX}FHIR_DEADLINE_SECONDS"):
        # Nobody stands before a chart here, and a public FHIR server is far away.
        open_door["fhir_deadline_seconds"] = 5.0
    if not os.environ.get(f"{PREFIX}BENCH"):
        open_door["bench"] = True
    if not os.environ.get(f"{PREFIX}CORS_ORIGINS"):
        open_door["cors_origins"] = (PUBLIC_SANDBOX,)
    return load_settings(**open_door)


def clinic_day() -> date:
    """Today in the time zone of the settings. Raises SettingsError."""
    from cds_service.settings import load_settings

    return datetime.now(load_settings(environment="development").zone).date()

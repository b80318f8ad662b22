"""`alk-cds serve`: the service itself, for production under gunicorn, for trying with Flask."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 8000 by default.")
@click.option("--host", help="Address to listen on; this machine only by default.")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes (not with --dev).")
@click.option("--dev", is_flag=True, help="One process, every caller let in: no patient data.")
def command(port: int | None, host: str | None, workers: int | None, dev: bool) -> None:
    """Run the service with the ALK_CDS_ settings of the environment.

    Without --dev it becomes gunicorn, as in production.
    """
    if dev:
        _develop(host or "127.0.0.1", 8000 if port is None else port)
    else:
        _become_gunicorn(host, port, workers)


def _become_gunicorn(host: str | None, port: int | None, workers: int | None) -> None:
    from cds_service.releases import load_chosen
    from cds_service.settings import PREFIX, load_settings

    chosen: dict[str, object] = {}
    if host is not None or port is not None:
        bound_host, _, bound_port = _bind().rpartition(":")
        chosen["bind"] = f"{host or bound_host}:{bound_port if port is None else port}"
    if workers is not None:
        chosen["workers"] = workers
    settings = load_settings(**chosen)
    # gunicorn would wrap what is wrong with a table into the stack trace of a worker.
    load_chosen(settings)
    environment = dict(os.environ)
    environment |= {f"{PREFIX}{name.upper()}": str(value) for name, value in chosen.items()}
    program = [sys.executable, "-m", "gunicorn"]
    program += [
        "--config",
        "python:cds_service.operations.gunicorn_conf",
        "cds_service.app:create_app()",
    ]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program[0], program, environment)  # noqa: S606 - our own interpreter, no shell


def _bind() -> str:
    """Address and port of the settings, readable before the rest of them is complete."""
    from cds_service.settings import load_settings

    return load_settings(environment="development").bind


def _develop(host: str, port: int) -> None:
    from cds_service.commands import view
    from cds_service.commands.running import LocalServer, development_app
    from cds_service.operations.logs import configure_logging
    from cds_service.settings import PREFIX

    server = LocalServer(host, port)
    view.console(stderr=True).print(
        view.loud(
            "Calls are NOT authenticated: whoever reaches this port is let in.\n"
            "For work on your own machine only. Send no patient data."
        )
    )
    configure_logging("INFO")
    with TemporaryDirectory(prefix="alk-cds-") as folder:
        # Behind a tunnel the links on cards must lead through it.
        app = development_app(
            server, Path(folder), public_url=os.environ.get(f"{PREFIX}PUBLIC_URL") or None
        )
        click.echo(f"Service at {server.url}, discovery at {server.url}/cds-services")
        if "bench.page" in app.view_functions:
            click.echo(f"What-if bench at {server.url}/bench")
        try:
            server.serve(app)
        except KeyboardInterrupt:
            click.echo("stopped")

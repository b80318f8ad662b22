"""`alk-cds fhir-server`: the fictional patients as a FHIR server."""

from __future__ import annotations

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def command(port: int, host: str) -> None:
    """Serve the stories, moved to today, as a read-only FHIR R4 server. Not for patient data."""
    from cds_service.commands.running import LocalServer, clinic_day
    from fhir_fixtures.server import create_fixture_server

    day = clinic_day()
    server = LocalServer(host, port)
    app = create_fixture_server(day)
    click.echo(f"Fictional patients as of {day} at {server.url} (Ctrl-C ends it)")
    try:
        server.serve(app)
    except KeyboardInterrupt:
        click.echo("stopped")

"""`alk-cds records`: what the service keeps in its database, and for how long."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click


@click.group()
def command() -> None:
    """Look after the stored decisions and feedback."""


@command.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(1, 36_500),
    help="Days to keep; ALK_CDS_RETENTION_DAYS by default.",
)
@click.option("--dry-run", is_flag=True, help="Delete nothing; say how much it would be.")
def purge(days: int | None, dry_run: bool) -> None:
    """Delete decisions and feedback that are older than the site wants to keep.

    Pages of decisions whose links have expired are emptied. It reads ALK_CDS_DATABASE_URL (or
    _FILE) and may run while the service does.
    """
    from cds_service.records import Records
    from cds_service.settings import load_settings

    # Who may call the service does not matter to this command, so it does not ask for it.
    settings = load_settings(environment="development")
    kept = settings.retention_days if days is None else days
    now = datetime.now(UTC)
    before = now - timedelta(days=kept)
    expired = now - timedelta(hours=settings.link_lifetime_hours)
    records = Records(settings.database_url)
    gone = records.old(before, expired) if dry_run else records.purge(before, expired)
    records.close()
    click.echo(
        f"{'to delete' if dry_run else 'deleted'}: {gone.decisions} decisions and"
        f" {gone.feedback} feedback entries from before {before:%Y-%m-%d %H:%M} UTC"
    )
    click.echo(
        f"{'to empty' if dry_run else 'emptied'}: {gone.pages} pages whose links have expired"
    )


def _asked_patient() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("FHIR id of the patient", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


@command.command()
@click.option("--client", required=True, help="The EHR, by its name in the clients file.")
@click.option("--tenant", help="The tenant of that EHR, where it has several.")
@click.option("--fhir-server", "servers", multiple=True, help="As the EHR names it; repeatable.")
def forget(client: str, tenant: str | None, servers: tuple[str, ...]) -> None:
    """Delete all that is kept of one patient: decisions, cards, feedback, what waits on disk.

    It asks for the patient's FHIR id, or reads it from standard input, so that it does not stand
    in the history of a shell. It reads ALK_CDS_DATABASE_URL and ALK_CDS_LINK_SECRET (or _FILE),
    with which patients are told apart, and may run while the service does.
    """
    from cds_service.operations.pseudonyms import Pseudonyms
    from cds_service.protocol import Client
    from cds_service.settings import load_settings
    from cds_service.stores import open_records

    settings = load_settings(environment="development")
    if settings.link_secret is None:
        raise click.ClickException(
            "ALK_CDS_LINK_SECRET is not set: without the secret of the service no patient is found"
        )
    patient = _asked_patient()
    people = Pseudonyms(settings.link_secret.get_secret_value())
    identity = Client(name=client, tenant=tenant).identity
    # An EHR may send the server with one call and leave it out of the next.
    addresses = [None, *(server.rstrip("/") for server in servers)]
    records = open_records(settings)
    gone = records.forget([people.patient_of(identity, server, patient) for server in addresses])
    records.close()
    click.echo(f"deleted: {gone.decisions} decisions with their cards, {gone.feedback} feedback"
               " entries")  # fmt: skip
    if not gone.decisions:
        raise click.ClickException(
            "Nothing was found: give --client, --tenant and each --fhir-server as the EHR does"
        )

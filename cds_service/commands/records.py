"""`alk-cds records`: what the service keeps in its database, and for how long."""

from __future__ import annotations

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

    It reads ALK_CDS_DATABASE_URL (or _FILE) and may run while the service does.
    """
    from cds_service.records import Records
    from cds_service.settings import load_settings

    # Who may call the service does not matter to this command, so it does not ask for it.
    settings = load_settings(environment="development")
    kept = settings.retention_days if days is None else days
    before = datetime.now(UTC) - timedelta(days=kept)
    records = Records(settings.database_url)
    gone = records.old(before) if dry_run else records.purge(before)
    records.close()
    click.echo(
        f"{'to delete' if dry_run else 'deleted'}: {gone.decisions} decisions and"
        f" {gone.feedback} feedback entries from before {before:%Y-%m-%d %H:%M} UTC"
    )

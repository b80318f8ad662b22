"""`alk-cds doctor`: looks at everything the service needs, and says what to do."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Check settings, knowledge, database, Redis, keys, FHIR servers, clock and public address.

    Nothing is changed. It ends with 1 when something is wrong, and each line says what to do.
    """
    from cds_service.operations.doctor import WrongError, checks

    wrong = 0
    for name, check in checks():
        try:
            found = check()
        except WrongError as error:
            wrong += 1
            click.echo(f"WRONG  {name}: {error.what}\n       -> {error.advice}")
        else:
            click.echo(f"ok     {name}: {found}")
    if wrong:
        raise click.exceptions.Exit(1)

"""`alk-cds conformance`: look at any CDS Hooks service from outside."""

from __future__ import annotations

import sys
from pathlib import Path

import click

UNREACHABLE = 3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--base-url", required=True, help="Address of the service, without /cds-services.")
@click.option("--service", "services", multiple=True, help="Only the service of this id.")
@click.option(
    "--request",
    "requests",
    multiple=True,
    type=_FILE,
    help="File with a request body that brings cards; never with real patients.",
)
@click.option("--signing-key", type=_FILE, help="Private key (PEM or JWK) the service trusts.")
@click.option("--issuer", help="Issuer (iss) of the tokens; goes with --signing-key.")
@click.option("--key-id", help="Id (kid) of the key, if the file does not say it.")
@click.option("--key-url", help="Address of the public keys (jku) to name in tokens.")
@click.option("--tenant", help="Tenant to name in tokens.")
@click.option(
    "--token-command",
    help="Command that gets an address as last argument and prints a token for it.",
)
@click.option("--origin", help="Web origin that the service lets in, to look at CORS.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(0.1, 600),
    default=30.0,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the report there and print one line.")  # fmt: skip
def command(
    base_url: str,
    services: tuple[str, ...],
    requests: tuple[Path, ...],
    signing_key: Path | None,
    issuer: str | None,
    key_id: str | None,
    key_url: str | None,
    tenant: str | None,
    token_command: str | None,
    origin: str | None,
    timeout_seconds: float,
    layout: str,
    out: Path | None,
) -> None:
    """Ask a CDS Hooks service, clause by clause, whether it keeps to the specification.

    Works on any service. Sends requests of nobody's data, good and faulty ones, and feedback on
    cards that do not exist; use a test system. Ends with 1 when something that the specification
    requires is broken or something unsafe was found, with 3 when the service cannot be reached.
    """
    from cds_service.conformance import NoTokenError, UnreachableError, UsageError, run, subject_of
    from cds_service.conformance.registry import CHECKS

    try:
        subject = subject_of(
            base_url,
            services=services,
            requests=requests,
            signing_key=signing_key,
            issuer=issuer,
            key_id=key_id,
            key_url=key_url,
            tenant=tenant,
            token_command=token_command,
            origin=origin,
            timeout_seconds=timeout_seconds,
        )
        with click.progressbar(
            CHECKS, label="checks", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as checks:
            report = run(subject, checks)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except NoTokenError as error:
        raise click.ClickException(str(error)) from None
    except UnreachableError as error:
        click.echo(f"no answer from the service: {error}", err=True)
        raise SystemExit(UNREACHABLE) from None
    layouts = {"text": report.as_text, "json": report.as_json, "markdown": report.as_markdown}
    written = layouts[layout]()
    if out is None:
        click.echo(written)
    else:
        out.write_text(written + "\n", encoding="utf-8")
        click.echo(f"{report.summary}\n{report.verdict}")
    if not report.ok:
        raise SystemExit(1)

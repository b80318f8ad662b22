"""`alk-cds fixtures`: the fictional patients, listed or loaded onto a FHIR server."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

import click

from cds_service.commands.options import AS_OF, given_day

TIMEOUT_SECONDS = 60


@click.group()
def command() -> None:
    """List the fictional patients, or load them onto a FHIR server."""


@command.command("list")
def list_stories() -> None:
    """List every story with its paragraph."""
    from fhir_fixtures import load_story, story_names

    for name in story_names():
        story = load_story(name)
        orders = " (with draft orders)" if story.draft_orders else ""
        click.echo(f"{name}{orders}")
        click.echo(textwrap.fill(story.paragraph, 96, initial_indent="    ",
                                 subsequent_indent="    "))  # fmt: skip


@command.command()
@click.option("--fhir-server", required=True, help="Base address of a FHIR R4 server.")
@click.option("--story", "names", multiple=True, help="Only this story; may be given again.")
@click.option(
    "--batch",
    is_flag=True,
    help="Send batches, for a server that limits transactions: a story may then arrive in part.",
)
@AS_OF
def load(fhir_server: str, names: tuple[str, ...], batch: bool, as_of: datetime | None) -> None:
    """Put the stories, moved to the day of the question, on a FHIR server that allows it.

    Each story goes as one transaction, so it is there whole or not at all, unless --batch is
    given. Ends with 1 when the server refused any.
    """
    import requests

    from cds_service.commands.call import told
    from fhir_fixtures import story_names

    day = given_day(as_of)
    wanted = names or tuple(story_names())
    refused = 0
    with requests.Session() as session:
        session.headers["Content-Type"] = "application/fhir+json"
        for name in wanted:
            bundle = as_transaction(told(name, day).bundle)
            if batch:
                bundle["type"] = "batch"
            problem = _put(session, fhir_server.rstrip("/"), bundle)
            refused += problem is not None
            count = len(bundle["entry"])
            click.echo(f"{name}: {problem or f'{count} resources'}", err=problem is not None)
    if refused:
        click.echo(f"{refused} of {len(wanted)} stories refused", err=True)
        raise SystemExit(1)


def as_transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    """A story's chart as a transaction that creates or replaces each resource under its own id."""
    entries = []
    for entry in bundle["entry"]:
        resource = entry["resource"]
        address = f"{resource['resourceType']}/{resource['id']}"
        entries.append({"resource": resource, "request": {"method": "PUT", "url": address}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(session: Any, fhir_server: str, bundle: dict[str, Any]) -> str | None:
    """Send one transaction; what was refused in one line, or None."""
    import requests

    try:
        answer = session.post(fhir_server, json=bundle, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise click.ClickException(f"no answer from the server: {type(error).__name__}") from None
    if answer.status_code not in (200, 201):
        return f"refused with HTTP {answer.status_code}{_said(answer)}"
    try:
        answered = answer.json().get("entry", [])
    except (AttributeError, ValueError):
        return "refused: the answer is no FHIR JSON"
    bad = [
        f"{sent['request']['url']} {got.get('response', {}).get('status', 'without a status')}"
        for sent, got in zip(bundle["entry"], answered, strict=False)
        if not str(got.get("response", {}).get("status", "")).startswith("2")
    ]
    if len(answered) != len(bundle["entry"]):
        bad.append(f"{len(answered)} of {len(bundle['entry'])} entries answered")
    return f"refused: {', '.join(bad)}" if bad else None


def _said(answer: Any) -> str:
    try:
        issues = answer.json()["issue"]
        # Some servers put the words into `details`, some into `diagnostics`.
        texts = [
            str(
                issue.get("diagnostics")
                or (issue.get("details") or {}).get("text")
                or issue.get("code")
            )
            for issue in issues
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f": {'; '.join(texts)[:300]}"

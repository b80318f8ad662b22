"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cds_service.knowledge.release import Knowledge

TOKEN_VARIABLE = "ALK_CDS_FHIR_TOKEN"  # noqa: S105 - the variable's name

_Command = TypeVar("_Command", bound=Callable[..., Any])

AS_OF = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the question, as 2026-11-20; today by default.",
)

KNOWLEDGE = click.option(
    "--knowledge",
    "knowledge_place",
    type=click.Path(exists=True, path_type=Path),
    help="A release elsewhere: folder of tables, source tree or zip file.",
)


def fhir_server_options(function: _Command) -> _Command:
    """How to reach one patient of a FHIR server."""
    for option in (
        click.option(
            "--deadline",
            type=click.FloatRange(0.1, 300),
            default=20.0,
            show_default=True,
            help="Seconds within which the FHIR server must have answered.",
        ),
        click.option(
            "--draft-orders",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Bundle of draft orders, for the hooks about orders.",
        ),
        click.option(
            "--token-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help=f"File with an access token; {TOKEN_VARIABLE} does as well.",
        ),
        click.option("--patient", "patient_id", help="Id of the patient on that server."),
        click.option("--fhir-server", help="Base address of any FHIR R4 server."),
    ):
        function = option(function)
    return function


def given_token(token_file: Path | None) -> str | None:
    """The access token from the file, or the one that the environment held at the start."""
    if token_file is None:
        return click.get_current_context().find_object(str) or None
    try:
        text = token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text or not text.isprintable() or " " in text:
        raise click.UsageError("--token-file does not hold one access token")
    return text


def given_orders(file: Path | None) -> dict[str, Any] | None:
    """The Bundle of draft orders in a file."""
    if file is None:
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        raise click.UsageError("--draft-orders does not hold a FHIR Bundle in JSON")
    return content


def given_knowledge(place: Path | None) -> Knowledge | None:
    """The release asked for, None for the one that the settings name. Raises KnowledgeError."""
    from cds_service.knowledge.places import load_release

    return None if place is None else load_release(place)


def given_day(as_of: datetime | None) -> date:
    """The day asked about, today in the clinic's time zone by default."""
    from cds_service.commands.running import clinic_day

    return clinic_day() if as_of is None else as_of.date()

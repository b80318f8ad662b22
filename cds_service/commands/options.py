"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
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
    help="Day of the question, as 2026-11-20; today by default. Of a day in the past only what was"
    " known then is used.",
)

KNOWLEDGE = click.option(
    "--knowledge",
    "knowledge_place",
    type=click.Path(exists=True, path_type=Path),
    help="A release elsewhere: folder of tables, source tree or zip file.",
)


@dataclass(frozen=True)
class SmartOptions:
    """How a program gets a token by itself: SMART Backend Services."""

    client_id: str | None = None
    key: Path | None = None
    token_url: str | None = None
    key_id: str | None = None
    scope: str | None = None


def smart_options(function: _Command) -> _Command:
    """Options for SMART Backend Services, handed to the command as one `smart`."""

    @wraps(function)
    def collected(**given: Any) -> Any:
        names = ("client_id", "key", "token_url", "key_id", "scope")
        own = {name: given.pop(f"smart_{name}") for name in names}
        return function(**given, smart=SmartOptions(**own))

    wrapped: Any = collected
    for option in (
        click.option("--smart-scope", help="Scopes to ask for; `system/*.rs` by default."),
        click.option("--smart-key-id", help="Id (kid) of the key, if the file does not say it."),
        click.option("--smart-token-url", help="Where tokens are given; discovered by default."),
        click.option(
            "--smart-key",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Private key as PEM or JWK: EC P-384 or RSA. Only its owner should be able to"
            " read the file.",
        ),
        click.option(
            "--smart-client-id", help="Client id at the server, for SMART Backend Services."
        ),
    ):
        wrapped = option(wrapped)
    command: _Command = wrapped
    return command


def fhir_patient_options(function: _Command) -> _Command:
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
            "--token-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help=f"File with an access token; {TOKEN_VARIABLE} does as well.",
        ),
        click.option("--patient", "patient_id", help="Id of the patient on that server."),
        click.option("--fhir-server", help="Base address of any FHIR R4 server."),
    ):
        function = option(function)
    return function


def fhir_server_options(function: _Command) -> _Command:
    """How to reach one patient of a FHIR server, and what is ordered."""
    with_orders = click.option(
        "--draft-orders",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Bundle of draft orders, for the hooks about orders.",
    )
    return fhir_patient_options(with_orders(function))


def given_access(
    token_file: Path | None, smart: SmartOptions, fhir_server: str | None
) -> Callable[[], str | None]:
    """Gives the token for the next reading: the one of the file or the environment, or one from
    the server's token endpoint as long as it holds. Raises click.UsageError, and when called
    NoAccessToken.
    """
    if smart == SmartOptions():
        token = given_token(token_file)
        return lambda: token
    if smart.client_id is None or smart.key is None:
        raise click.UsageError("--smart-client-id and --smart-key belong together")
    if token_file is not None:
        raise click.UsageError("give either --token-file or --smart-client-id")
    if fhir_server is None:
        raise click.UsageError("--smart-client-id needs --fhir-server")
    from cds_service.fhir.smart import (
        DEFAULT_SCOPE,
        BackendServices,
        NoAccessToken,
        read_key,
    )

    try:
        backend = BackendServices(
            fhir_server,
            smart.client_id,
            read_key(smart.key, smart.key_id),
            token_url=smart.token_url,
            scope=smart.scope or DEFAULT_SCOPE,
            allow_private=True,
        )
    except NoAccessToken as error:
        raise click.UsageError(str(error)) from None
    return backend.token


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

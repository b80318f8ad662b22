"""One run: the checks, one after the other, against one service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.conformance.checks import Check, Outcome, Result
from cds_service.conformance.exchange import Caller, TokenSource, UnreachableError
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.registry import CHECKS
from cds_service.conformance.report import Report
from cds_service.conformance.subject import Subject
from cds_service.conformance.tokens import NoTokenError, Signer, TokenCommand, read_key

DEFAULT_KEY_ID = "conformance-kit"


class UsageError(ValueError):
    """Options that do not go together, or a file that cannot be used."""


def subject_of(
    base_url: str,
    *,
    services: Iterable[str] = (),
    requests: Iterable[Path] = (),
    signing_key: Path | None = None,
    issuer: str | None = None,
    key_id: str | None = None,
    key_url: str | None = None,
    tenant: str | None = None,
    token_command: str | None = None,
    origin: str | None = None,
    timeout_seconds: float = 30.0,
) -> Subject:
    """The service at ``base_url`` (up to, but without /cds-services). Raises UsageError.

    ``requests`` are files with a request body each, or with an object of `service` and `body`.
    """
    if not base_url.startswith(("http://", "https://")):
        raise UsageError("the base URL must start with http:// or https://")
    if "@" in urlsplit(base_url).netloc:
        # It would stand in the report.
        raise UsageError("the base URL must not hold a password")
    base = base_url.rstrip("/").removesuffix("/cds-services")
    try:
        signer, source = _token_source(signing_key, issuer, key_id, key_url, tenant, token_command)
    except NoTokenError as error:
        raise UsageError(str(error)) from None
    return Subject(
        Caller(base, source, timeout_seconds),
        services=tuple(services),
        given=[_request(file) for file in requests],
        origin=origin,
        signer=signer,
    )


def _token_source(
    signing_key: Path | None,
    issuer: str | None,
    key_id: str | None,
    key_url: str | None,
    tenant: str | None,
    token_command: str | None,
) -> tuple[Signer | None, TokenSource | None]:
    if signing_key is None:
        if issuer is not None:
            raise UsageError("an issuer needs a signing key")
        return None, None if token_command is None else TokenCommand(token_command)
    if token_command is not None:
        raise UsageError("give either a signing key or a token command")
    if issuer is None:
        raise UsageError("a signing key needs an issuer")
    key, found_id = read_key(signing_key, key_id)
    signer = Signer(key, issuer, found_id or DEFAULT_KEY_ID, jku=key_url, tenant=tenant)
    return signer, signer


def _request(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{file.name} is no JSON file that can be read") from None
    if not isinstance(content, dict) or not ("hook" in content or "body" in content):
        raise UsageError(f"{file.name} holds no CDS Hooks request")
    return content


def run(subject: Subject, checks: Iterable[Check] = CHECKS) -> Report:
    """Ask every check. Raises UnreachableError when the service cannot be reached, or is gone."""
    _ = subject.discovery
    results = tuple(_asked(check, subject) for check in checks)
    try:
        called = tuple(dict.fromkeys(service["id"] for service in subject.services))
    except NotTestedError:
        called = ()
    return Report(subject.caller.base_url, called, results)


def _asked(check: Check, subject: Subject) -> Result:
    """The result of one check; no answer to its requests alone is an outcome too."""
    try:
        return check.run(subject)
    except UnreachableError as error:
        subject.caller.get()  # Raises again when the service is gone altogether.
        required = check.strength == "SHALL"
        outcome = Outcome.FAILED if required else Outcome.UNSAFE
        return Result(check, outcome, (f"a request got no answer: {error}",))

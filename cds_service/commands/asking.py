"""Asking a CDS service over HTTP, as an EHR does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
import requests

from cds_service.commands.suggesting import did_you_mean

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answered:
    """One answer: its HTTP status and its JSON body."""

    status: int
    body: dict[str, Any]

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The cards; none when the service refused."""
        cards = self.body.get("cards", [])
        return list(cards) if self.status == 200 else []

    @property
    def ok(self) -> bool:
        """Whether cards came back, be it none."""
        return self.status == 200 and isinstance(self.body.get("cards"), list)


def discover(base_url: str) -> list[dict[str, Any]]:
    """The services on offer at ``base_url``. Raises click.ClickException with what went wrong."""
    answered = _exchange("GET", f"{base_url.rstrip('/')}/cds-services")
    services = answered.body.get("services")
    if answered.status != 200 or not isinstance(services, list):
        raise click.ClickException(f"{base_url} gave no list of services (HTTP {answered.status})")
    return services


def find_service(services: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The service with that id, or the first one for that hook. Raises click.UsageError."""
    for member in ("id", "hook"):
        for service in services:
            if service.get(member) == wanted:
                return service
    known = ", ".join(str(service.get("id")) for service in services)
    names = [str(service.get(member)) for service in services for member in ("id", "hook")]
    near = did_you_mean(wanted, names)
    raise click.UsageError(f"there is no service or hook {wanted!r}; there are {known}.{near}")


def ask(base_url: str, service_id: str, body: Mapping[str, Any]) -> Answered:
    """The answer of a service to one call. Raises click.ClickException without an answer."""
    return _exchange("POST", f"{base_url.rstrip('/')}/cds-services/{service_id}", body)


def fetch(url: str) -> Answered:
    """A JSON page, such as the twin of a decision page."""
    return _exchange("GET", url)


def _exchange(method: str, url: str, body: Mapping[str, Any] | None = None) -> Answered:
    try:
        answer = requests.request(method, url, json=body, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise click.ClickException(f"no answer from {url}: {type(error).__name__}") from None
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        # A bare 401 has no body, and a proxy in between may answer in HTML.
        content = {}
    return Answered(answer.status_code, content)

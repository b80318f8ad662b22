"""Playing the EHR in tests: a service on a real port, and calls made from stories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

import requests
from flask import Flask, request

from cds_service.app import create_app
from cds_service.commands.running import LocalServer
from cds_service.knowledge.release import Knowledge
from cds_service.settings import Settings, load_settings
from fhir_fixtures import REFERENCE_DATE, load_story
from fhir_fixtures.requests import hook_request
from tests.packaged import packaged_knowledge
from tests.waiting import PATIENCE

DAY = REFERENCE_DATE
TIMEOUT = PATIENCE
HOOKS = ("patient-view", "order-select", "order-sign", "medication-prescribe")
SAYING_THE_SAME = ("encounter-start", "medication-refill", "order-dispatch")
"""Hooks whose answers follow another hook; test_hooks_that_say_the_same.py holds them to it."""
Json = dict[str, Any]


class HasAddress(Protocol):
    """A server, of which only the address is asked for."""

    @property
    def url(self) -> str: ...


class Nowhere:
    """The address of a server that nobody calls."""

    url = "http://localhost"


def settings_for(server: HasAddress, database: Path, **changes: Any) -> Settings:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALK_CDS_")}
    with patch.dict(os.environ, kept, clear=True):
        return load_settings(
            **{
                "environment": "development",
                "database_url": f"sqlite:///{database}",
                "public_url": server.url,
                "allow_private_fhir_servers": True,
                # The default of 0.4 s is for production; a test machine may be busy.
                "fhir_deadline_seconds": 20.0,
                "request_deadline_seconds": 60.0,
                **changes,
            }
        )


class Service:
    """A running service as its callers see it."""

    def __init__(self, url: str, app: Flask) -> None:
        self.url = url
        self.app = app
        self.described: list[Json] = requests.get(f"{url}/cds-services", timeout=TIMEOUT).json()[
            "services"
        ]

    def for_hook(self, hook: str) -> Json:
        return next(item for item in self.described if item["hook"] == hook)

    def body(self, hook: str, story: str, **how: Any) -> Json:
        return hook_request(load_story(story), self.for_hook(hook), **how)

    def post(self, hook: str, body: Any, **how: Any) -> requests.Response:
        address = f"{self.url}/cds-services/{self.for_hook(hook)['id']}"
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        headers = {"Content-Type": "application/json"}
        return requests.post(address, **sent, headers=headers, timeout=TIMEOUT, **how)

    def cards(self, hook: str, story: str, **how: Any) -> list[Json]:
        return self.cards_of(hook, self.body(hook, story, **how))

    def cards_of(self, hook: str, body: Json) -> list[Json]:
        answer = self.post(hook, body)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["cards"])


@contextmanager
def running_service(
    database: Path, knowledge: Knowledge | None = None, **changes: Any
) -> Iterator[Service]:
    server = LocalServer()
    settings = settings_for(server, database, **changes)
    own = (settings.knowledge_folder, settings.local_codes_file, *settings.concept_maps)
    if knowledge is None and not any(own):
        knowledge = packaged_knowledge()
    app = create_app(settings, knowledge=knowledge, today=lambda: DAY)
    server.start(app)
    try:
        yield Service(server.url, app)
    finally:
        server.close()


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    server = LocalServer()
    server.start(app)
    try:
        yield server.url
    finally:
        server.close()


class CountingServer:
    """A FHIR server that remembers which resource types it was asked for."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.url = ""
        self.asked: list[str] = []

        @app.before_request
        def note() -> None:
            self.asked.append(request.path.lstrip("/"))


def told_apart(cards: list[Json]) -> list[Json]:
    """Cards without what differs at every call: uuids and signed addresses."""
    return [_steady(card) for card in cards]


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _steady(member) for name, member in value.items() if name != "uuid"}
    if isinstance(value, list):
        return [_steady(member) for member in value]
    if isinstance(value, str) and "/decisions/" in value:
        return "<decision page>"
    return value


def refused(answer: requests.Response, status: int) -> Json:
    """The first issue of a refusal, after looking at its form."""
    assert answer.status_code == status, answer.text
    outcome: Json = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert "Traceback" not in answer.text
    assert "cards" not in outcome
    issue: Json = outcome["issue"][0]
    assert issue["diagnostics"].strip()
    return issue

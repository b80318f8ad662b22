"""The application behind its HTTP door, called without a network of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask

from cds_service.app import create_app
from tests.services.calling import DAY, Json, Nowhere, settings_for


class Door:
    """Calls of the real application; `services` are those of its discovery, by hook."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        described = self._client.get("/cds-services").get_json()["services"]
        self.services: dict[str, Json] = {item["hook"]: item for item in described}

    def post(self, hook: str, body: Json) -> Any:
        """The answer of the service of a hook."""
        return self._client.post(f"/cds-services/{self.services[hook]['id']}", json=body)


def open_door(database: Path) -> Door:
    """A new application with a database of its own."""
    settings = settings_for(
        Nowhere(),
        database,
        rate_limit="off",
        refused_rate_limit="off",
        log_level="ERROR",
    )
    return Door(create_app(settings, today=lambda: DAY))


def told(cards: list[Json], key: str) -> bool:
    """Whether a card names a kind of data that did not come whole."""
    return any(f"{key}:" in f"{card['summary']}\n{card.get('detail', '')}" for card in cards)

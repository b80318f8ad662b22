"""The OpenAPI description of what this room serves, as kept in `openapi.yaml`."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import yaml

from cds_service import software_version


def api_description(public_url: str | None = None) -> dict[str, Any]:
    """The description as plain values. ``public_url`` is where clients reach the service."""
    text = (files(__package__) / "openapi.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = yaml.safe_load(text)
    described["info"]["version"] = software_version()
    described["servers"] = [{"url": public_url or "/"}]
    return described


def api_description_json(public_url: str | None = None) -> bytes:
    """The description as a JSON body."""
    return json.dumps(api_description(public_url), ensure_ascii=False).encode()

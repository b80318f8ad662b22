"""Helpers for asking the fixture server over a real HTTP port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import requests
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask
from werkzeug.serving import make_server

from tests.waiting import PATIENCE

FHIR_JSON = "application/fhir+json"
ON_TRACK = "alectinib-on-track-patient"
ALT = "http://loinc.org|1742-6"
TIMEOUT = PATIENCE


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(TIMEOUT)
        server.server_close()


def search(url: str, params: Any = None) -> dict[str, Any]:
    answer = requests.get(url, params=params, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == FHIR_JSON
    found: dict[str, Any] = answer.json()
    parsed = Bundle.model_validate(found)
    assert parsed.type == "searchset"
    return found


def matches(bundle: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [
        entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode
    ]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    found = [item["url"] for item in bundle["link"] if item["relation"] == relation]
    return found[0] if found else None


def refused(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == FHIR_JSON
    outcome = answer.json()
    OperationOutcome.model_validate(outcome)
    assert outcome["issue"][0]["severity"] == "error"
    return str(outcome["issue"][0]["diagnostics"])

"""One application, called without a network: the fuzzers are after what it does with bytes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from tests.services.calling import DAY, Json, Nowhere, settings_for


@dataclass
class Target:
    """The application, and how often it gave each status."""

    app: Flask
    client: FlaskClient
    statuses: Counter[int] = field(default_factory=Counter)

    def post(self, path: str, body: bytes, said: object) -> None:
        """Send a body; whatever it is, the answer must be cards or a clear refusal."""
        answer = self.client.post(path, data=body, content_type="application/json")
        self.judge(answer.status_code, answer.get_data(), said)

    def judge(self, status: int, body: bytes, said: object) -> None:
        """Fail unless the answer is a success or a 4xx that says what to mend."""
        self.statuses[status] += 1
        assert status < 500, (said, body[:500])
        if status == 200:
            return
        outcome: Json = json.loads(body)
        assert outcome["resourceType"] == "OperationOutcome", (said, body[:500])
        assert outcome["issue"][0]["diagnostics"].strip(), (said, body[:500])
        assert b"Traceback" not in body


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    database = tmp_path_factory.mktemp("fuzz") / "records.sqlite3"
    settings = settings_for(
        Nowhere(),
        database,
        allow_private_fhir_servers=False,
        fhir_deadline_seconds=0.2,
        rate_limit="off",
        refused_rate_limit="off",
        log_level="ERROR",
    )
    app = create_app(settings, today=lambda: DAY)
    return Target(app, app.test_client())

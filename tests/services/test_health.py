"""Whether the service is alive and ready, with reasons; ready means that an EHR gets its cards."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from flask import Flask

from cds_service.operations.health import Health, NotReadyError, check_disk, create_health_blueprint
from cds_service.records import RecordsError
from tests.services.calling import TIMEOUT, Service


def test_a_service_in_order_is_alive_and_ready(service: Service) -> None:
    for path in ("/health", "/health/live"):
        answer = requests.get(service.url + path, timeout=TIMEOUT)
        assert (answer.status_code, answer.json()["status"]) == (200, "up")
    told = requests.get(f"{service.url}/health/ready", timeout=TIMEOUT)
    assert told.status_code == 200
    assert told.headers["Cache-Control"] == "no-store"
    assert told.json()["status"] == "ready"
    assert set(told.json()["checks"]) == {"database", "token store", "disk", "knowledge"}
    assert set(told.json()["checks"].values()) == {"ok"}


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "code", "reason"),
    [
        (NotReadyError("no keys"), "not ready", 503, "no keys"),
        (NotReadyError("3 wait", is_fatal=False), "degraded", 200, "3 wait"),
        (RecordsError("the store took too long"), "degraded", 200, "the store took too long"),
        (KeyError("Jane Doe"), "not ready", 503, "the check failed: KeyError"),
    ],
)
def test_what_fails_is_named_with_its_reason(
    error: Exception, status: str, code: int, reason: str
) -> None:
    """A database that is away costs no cards, so it takes no machine out of service."""
    app = Flask("health")
    health = Health({"fine": lambda: None, "part": lambda: raising(error)})
    app.register_blueprint(create_health_blueprint({"version": "1"}, health))
    answer = app.test_client().get("/health/ready")
    assert answer.status_code == code
    assert answer.json == {
        "status": status,
        "checks": {"fine": "ok", "part": reason},
        "version": "1",
    }


def test_a_folder_that_is_not_there_is_no_disk(tmp_path: Path) -> None:
    check_disk(tmp_path)
    with pytest.raises(NotReadyError, match="cannot be written"):
        check_disk(tmp_path / "absent")

"""The kit finds nothing wrong with this project's own service, in development and production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cds_service.app import create_app
from cds_service.commands.running import LocalServer
from cds_service.conformance import CHECKS, Caller, Outcome, Report, Subject, run
from fhir_fixtures import load_story
from fhir_fixtures.requests import (
    NoDraftOrdersError,
    hook_request,
    load_request,
    request_names,
)
from tests.conformance import right_server
from tests.conformance.right_server import ISSUER, ORIGIN
from tests.services.calling import DAY, Json, running_service, settings_for

pytestmark = pytest.mark.slow

# How fast this machine is at the moment says nothing about the service.
ALL_BUT_SPEED = [check for check in CHECKS if check.id != "speed"]
STORIES = (
    "first-line-choice",
    "alectinib-above-label",
    "pregnant-alk-inhibitor-ordered",
)


def story_requests(services: list[Json]) -> list[Json]:
    """A call of each service for each story, where the story has orders for it."""
    found = []
    for service in services:
        for name in STORIES:
            try:
                body = hook_request(load_story(name), service)
            except NoDraftOrdersError:
                continue
            found.append({"service": service["id"], "body": body})
    return found


def stored_requests() -> list[Json]:
    """The stored requests that come with all that is required."""
    return [load_request(name) for name in request_names() if name.startswith("full-")]


def unhappy(report: Report, *outcomes: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.check.id, item.says) for item in report.results if item.outcome in outcomes]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """What the kit says of the service as in production: signed calls, one browser's origin."""
    folder = tmp_path_factory.mktemp("production")
    clients = folder / "clients.yaml"
    profile = {"name": "kit", "iss": ISSUER, "jwks": right_server.public_keys()}
    clients.write_text(yaml.safe_dump({"clients": [profile]}), encoding="utf-8")
    server = LocalServer()
    settings = settings_for(
        server,
        folder / "decisions.sqlite3",
        environment="production",
        clients_file=clients,
        link_secret="s" * 43,
        cors_origins=(ORIGIN,),
    )
    server.start(create_app(settings, today=lambda: DAY))
    signer = right_server.signer()
    caller = Caller(server.url, signer)
    given = story_requests(caller.get().content["services"])
    yield run(Subject(caller, given=given, origin=ORIGIN, signer=signer), ALL_BUT_SPEED)
    server.close()


def test_the_open_service_of_a_developer_has_no_failure(tmp_path: Path) -> None:
    with running_service(tmp_path / "decisions.sqlite3") as service:
        caller = Caller(service.url)
        few = ("alk-patient-view", "alk-order-sign")
        report = run(Subject(caller, services=few, given=stored_requests()), ALL_BUT_SPEED)

    assert report.ok
    assert unhappy(report, Outcome.FAILED, Outcome.UNSAFE, Outcome.NOTE) == []
    assert [name for name, _ in unhappy(report, Outcome.WARNING)] == ["token-needed"]
    assert report.counts["passed"] > 80


@pytest.mark.clause("I-11", "R-160", "R-185")
def test_the_signed_service_of_production_has_nothing_to_remark(signed: Report) -> None:
    assert unhappy(signed, Outcome.FAILED, Outcome.UNSAFE, Outcome.WARNING, Outcome.NOTE) == []
    # TLS is the deployment's, and our service acts on nothing without a click.
    assert {name for name, _ in unhappy(signed, Outcome.NOT_TESTED)} == {
        "https",
        "system-actions",
        "system-actions-are-no-orders",
    }


def test_a_report_holds_no_token_and_no_patient(signed: Report) -> None:
    for text in (signed.as_text(), signed.as_json(), signed.as_markdown()):
        assert "eyJ" not in text
        for name in STORIES:
            assert load_story(name).patient_id not in text

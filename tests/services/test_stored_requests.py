"""The stored requests: what the builder writes, what discovery asks for, and their answers."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from fhir_fixtures import load_story
from fhir_fixtures.build import __main__ as program
from fhir_fixtures.build.requests import build_requests, rendered
from fhir_fixtures.requests import (
    NoDraftOrdersError,
    UnknownRequestError,
    answer,
    hook_request,
    load_request,
    load_services,
    request_names,
)
from fhir_fixtures.search import BadSearchError
from tests.services.calling import CountingServer, Service


def test_the_copy_of_the_templates_is_what_discovery_says(service: Service) -> None:
    """When this fails, copy id, hook and prefetch of discovery to fhir_fixtures/requests."""
    said = [
        {"id": item["id"], "hook": item["hook"], "prefetch": item["prefetch"]}
        for item in service.described
    ]
    assert said == list(load_services())


def test_the_builder_writes_the_stored_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "REQUESTS", tmp_path)
    assert program.requests() == 0
    assert capsys.readouterr().out == f"{len(request_names())} requests written\n"
    folder = files("fhir_fixtures") / "requests"
    for request in build_requests():
        stored = (folder / f"{request.name}.json").read_text(encoding="utf-8")
        assert stored == rendered(request)
        assert (tmp_path / f"{request.name}.json").read_text(encoding="utf-8") == stored
        assert json.loads(stored)["body"] == request.body


def test_every_stored_request_with_its_required_data_is_answered(service: Service) -> None:
    for name in request_names():
        stored = load_request(name)
        if name == "no-prefetch":
            continue
        assert stored["service"] == service.for_hook(stored["body"]["hook"])["id"]
        reply = service.post(stored["body"]["hook"], stored["body"])
        assert reply.status_code == 200, (name, reply.text)


def test_the_request_without_prefetch_is_answered_from_the_server_it_names(
    service: Service, fhir_server: CountingServer
) -> None:
    body = {**load_request("no-prefetch")["body"], "fhirServer": fhir_server.url}
    fetched = service.cards_of("patient-view", body)
    sent = service.cards_of("patient-view", load_request("full-patient-view")["body"])
    assert [card["summary"] for card in fetched] == [card["summary"] for card in sent]


def test_keys_sent_as_null_change_nothing_but_that_they_are_named(service: Service) -> None:
    """A null does not say that there is nothing; an empty search does."""
    first, *others = service.cards_of("patient-view", load_request("null-values")["body"])
    whole = service.cards_of("patient-view", load_request("full-patient-view")["body"])
    assert [card["summary"] for card in others] == [card["summary"] for card in whole]
    for key in ("procedures", "reports", "requests"):
        assert f"{key}: the EHR supplied nothing" in first["detail"]


def test_a_medication_that_rides_along_in_the_draft_bundle_is_understood(
    service: Service,
) -> None:
    plain = service.cards("order-sign", "alectinib-severe-cirrhosis")
    body = dict(load_request("epic-like")["body"])
    del body["fhirServer"]
    epic = service.cards_of("order-sign", body)
    assert [card["summary"] for card in epic] == [card["summary"] for card in plain]


def test_an_unknown_request_is_refused_by_name() -> None:
    with pytest.raises(UnknownRequestError, match="no such request"):
        load_request("templates")


def test_a_story_without_orders_cannot_be_played_at_an_order_hook() -> None:
    services = {item["hook"]: item for item in load_services()}
    with pytest.raises(NoDraftOrdersError, match="first-line-choice"):
        hook_request(load_story("first-line-choice"), services["order-sign"])


def test_the_chart_answers_as_a_server_would() -> None:
    bundle = load_story("no-lung-cancer").bundle
    assert answer(bundle, "Patient/no-lung-cancer-patient")["resourceType"] == "Patient"
    assert "entry" not in answer(bundle, "Procedure?patient=nobody")
    with pytest.raises(LookupError):
        answer(bundle, "Patient/nobody")
    with pytest.raises(BadSearchError, match="colour"):
        answer(bundle, "Patient?colour=green")

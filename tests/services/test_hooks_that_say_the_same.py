"""Refill, dispatch and the start of an encounter: what each says, held to the hook it follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, jsonify, request

from fhir_fixtures import load_story, story_names
from fhir_fixtures.requests import load_request, signed_chart
from fhir_fixtures.server import create_fixture_server
from hooks import engine
from tests.services.calling import DAY, Json, Service, refused, serving, told_apart

pytestmark = pytest.mark.deep

ORDERING = [name for name in story_names() if load_story(name).draft_orders]
INTERACTION = "lorlatinib-clarithromycin-ordered"


def _without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(part, *names) for name, part in value.items() if name not in names}
    return [_without(part, *names) for part in value] if isinstance(value, list) else value


def _actions(cards: list[Json]) -> list[Json]:
    return [
        action
        for card in cards
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


@pytest.mark.clause("H-08")
@pytest.mark.parametrize("story", story_names())
def test_the_start_of_an_encounter_brings_the_cards_of_the_opened_chart(
    service: Service, story: str
) -> None:
    opened = told_apart(service.cards("patient-view", story))
    started = told_apart(service.cards("encounter-start", story))
    assert _without(started, "encounter") == opened
    for action in _actions(started):
        assert action["resource"]["encounter"] == {"reference": f"Encounter/{story}-encounter"}


@pytest.mark.clause("H-07")
@pytest.mark.parametrize("story", ORDERING)
def test_a_refill_brings_the_cards_of_the_signature(service: Service, story: str) -> None:
    signed = told_apart(service.cards("order-sign", story))
    assert told_apart(service.cards("medication-refill", story)) == signed


@pytest.mark.clause("R-215", "H-07")
def test_a_refill_without_a_user_is_checked_and_nobody_is_named_as_requester(
    service: Service,
) -> None:
    body = load_request("full-medication-refill")["body"]
    with_user = service.cards_of("medication-refill", body)
    del body["context"]["userId"]
    cards = service.cards_of("medication-refill", body)
    assert [card["summary"] for card in cards] == [card["summary"] for card in with_user]
    created = [action for action in _actions(cards) if action["type"] == "create"]
    assert created
    assert not any("requester" in action["resource"] for action in created)


@pytest.mark.clause("H-04", "R-216")
@pytest.mark.parametrize("story", ORDERING)
def test_a_dispatch_brings_the_warnings_of_the_signature_and_changes_no_drug_order(
    service: Service, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signed order stands in the chart by now, and is still not taken for a treatment."""
    # Compared card by card: how many of them are folded into one hangs on those that only inform.
    monkeypatch.setattr(engine, "CARDS_AT_SIGNING", {})
    warned = [
        (card["indicator"], card["summary"].replace("Do not sign ", "Do not dispatch "))
        for card in service.cards("order-sign", story)
        if card["indicator"] != "info"
    ]
    cards = service.cards("order-dispatch", story)
    assert [(card["indicator"], card["summary"]) for card in cards] == warned
    for action in _actions(cards):
        assert (action["type"], action["resource"]["resourceType"]) == ("create", "ServiceRequest")


@pytest.fixture
def ehr(service: Service) -> Iterator[str]:
    """A FHIR server that gives the signed orders one by one, and only to a read."""
    app: Flask = create_fixture_server(DAY)
    entries = [
        entry["resource"]
        for name in ORDERING
        for entry in signed_chart(load_story(name))["entry"]
        if entry["resource"].get("status") == "active"
    ]
    orders = {f"/{item['resourceType']}/{item['id']}": item for item in entries}

    @app.before_request
    def read() -> Any:
        found = orders.get(request.path)
        return jsonify(found) if found is not None else None

    with serving(app) as url:
        yield url


@pytest.mark.clause("R-216", "R-63")
def test_a_dispatched_order_that_was_not_prefetched_is_read_from_the_server(
    service: Service, ehr: str
) -> None:
    sent = service.cards("order-dispatch", INTERACTION)
    body = service.body("order-dispatch", INTERACTION, prefetch=False, fhir_server=ehr)
    assert sent
    assert told_apart(service.cards_of("order-dispatch", body)) == told_apart(sent)
    assert "The order is signed" in sent[0]["detail"]


@pytest.mark.clause("X-09", "E-58")
def test_the_single_order_of_an_older_client_is_checked(service: Service) -> None:
    body = service.body("order-dispatch", INTERACTION)
    sent = service.cards_of("order-dispatch", body)
    (body["context"]["order"],) = body["context"].pop("dispatchedOrders")
    body["context"]["task"] = {"resourceType": "Task", "status": "draft", "intent": "order"}
    assert told_apart(service.cards_of("order-dispatch", body)) == told_apart(sent)


@pytest.mark.clause("R-69")
@pytest.mark.parametrize(
    "reference", ["MedicationRequest/nowhere", "https://other.example.org/fhir/ServiceRequest/1"]
)
def test_a_dispatched_order_that_cannot_be_seen_is_said_to_be_unchecked(
    service: Service, reference: str
) -> None:
    body = service.body("order-dispatch", INTERACTION)
    body["context"]["dispatchedOrders"] = [reference]
    (card,) = service.cards_of("order-dispatch", body)
    assert card["indicator"] == "warning"
    assert "the dispatched order could not be read for this patient" in card["detail"]


def test_a_dispatched_order_of_another_patient_is_never_checked_as_this_ones(
    service: Service,
) -> None:
    body = service.body("order-dispatch", INTERACTION)
    for entry in body["prefetch"]["medications"]["entry"]:
        if entry["resource"]["id"] in body["context"]["dispatchedOrders"][0]:
            entry["resource"]["subject"] = {"reference": "Patient/somebody-else"}
    (card,) = service.cards_of("order-dispatch", body)
    assert "could not be read for this patient" in card["detail"]


def test_a_dispatched_order_for_food_or_a_device_is_nobodys_concern(service: Service) -> None:
    body = service.body("order-dispatch", INTERACTION)
    body["context"]["dispatchedOrders"] = ["NutritionOrder/1", "DeviceRequest/2"]
    assert service.cards_of("order-dispatch", body) == []


def test_a_treatment_that_has_long_been_running_is_one_also_when_its_order_is_dispatched(
    service: Service,
) -> None:
    story = load_story("alectinib-alt-six-times")
    running = [
        entry["resource"]
        for entry in story.bundle["entry"]
        if entry["resource"]["resourceType"] == "MedicationRequest"
        and entry["resource"]["status"] == "active"
        and "lectinib" in str(entry["resource"])
    ]
    body = service.body("order-dispatch", story.name)
    body["context"]["dispatchedOrders"] = [f"MedicationRequest/{running[0]['id']}"]
    cards = service.cards_of("order-dispatch", body)
    assert "ALT" in cards[0]["summary"]
    assert cards[0]["summary"] == service.cards("order-sign", story.name)[0]["summary"]


@pytest.mark.clause("H-08", "D-03")
def test_an_encounter_that_starts_has_an_id(service: Service) -> None:
    body = service.body("encounter-start", "first-line-choice")
    del body["context"]["encounterId"]
    issue = refused(service.post("encounter-start", body), 400)
    assert issue["expression"] == ["CDSHooksRequest.context.encounterId"]


@pytest.mark.clause("R-14", "R-15", "R-16", "R-17", "R-20", "R-21", "S-03")
def test_discovery_names_every_service_once_with_version_and_usage(service: Service) -> None:
    ids = [item["id"] for item in service.described]
    assert len(set(ids)) == len(ids) == 7
    for item in service.described:
        assert item["version"] == "2.0.1"
        assert item["usageRequirements"].strip()
        assert item["title"].strip()
        assert item["description"].strip()
        assert "hookVersion" not in item

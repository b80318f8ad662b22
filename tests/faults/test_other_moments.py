"""What holds beside the table of faults: other hooks, procedures, a server that heals, memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cds_service.alk import Kind, Recommendation, Topic
from cds_service.cards.fingerprints import may_be_quiet
from fhir_fixtures.requests import hook_request
from fhir_fixtures.server import create_fixture_server
from tests.faults.door import Door, told
from tests.faults.faults import ABSENT, FAULTS, IN_EACH_RESOURCE
from tests.faults.patients import PATIENTS
from tests.services.calling import DAY, HOOKS, SAYING_THE_SAME, Json, serving, told_apart

NEEDED = ("patient", "conditions", "medications", "laboratory", "vital_signs", "findings")


@pytest.mark.deep
@pytest.mark.parametrize("fault", ["an error", "null", "every resource of another patient"])
@pytest.mark.parametrize("hook", [*HOOKS, *SAYING_THE_SAME])
def test_no_hook_is_silent_without_a_kind_of_data_that_it_needs(
    door: Door, hook: str, fault: str
) -> None:
    whole = hook_request(PATIENTS["quiet"], door.services[hook])
    for key in NEEDED:
        value = FAULTS[fault](whole["prefetch"][key], key)
        found = door.post(hook, {**whole, "prefetch": {**whole["prefetch"], key: value}})
        if found.status_code == 412:
            assert key in found.get_data(as_text=True)
        else:
            assert told(found.get_json()["cards"], key), (hook, key)


KEEPING = (
    "an error among the results",
    "a warning among the results",
    "a total of more than it holds",
    "a total in words of more than it holds",
    "a next page elsewhere",
    "a next page that is no address",
    "a next page whose address is a number",
    "links that cannot be read",
)
"""Faults beside which the results themselves came."""


@pytest.mark.deep
@pytest.mark.parametrize("hook", ["order-sign", "patient-view", "order-select"])
@pytest.mark.parametrize("fault", KEEPING)
def test_what_came_still_holds_the_drug_whatever_stands_beside_it(
    door: Door, fault: str, hook: str
) -> None:
    body = hook_request(PATIENTS["toxic"], door.services[hook])
    laboratory = FAULTS[fault](body["prefetch"]["laboratory"], "laboratory")
    prefetch = {**body["prefetch"], "laboratory": laboratory}
    cards = door.post(hook, {**body, "prefetch": prefetch}).get_json()["cards"]
    assert told(cards, "laboratory")
    assert any(card["summary"].startswith("Hold alectinib: ALT 6.2 x ULN") for card in cards)


@pytest.mark.parametrize("fault", ["an error", "a warning among the results", "null"])
@pytest.mark.parametrize("key", ["findings", "conditions"])
def test_an_order_of_whole_brain_radiotherapy_alone_is_not_passed_in_silence(
    door: Door, key: str, fault: str
) -> None:
    draft = {
        "resourceType": "ServiceRequest",
        "id": "radiotherapy",
        "status": "draft",
        "intent": "order",
        "code": {"text": "Whole brain radiotherapy"},
        "subject": {"reference": "Patient/alectinib-on-track-patient"},
    }
    orders = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    story = replace(PATIENTS["quiet"], draft_orders=orders)
    body = hook_request(story, door.services["order-sign"])
    prefetch = {**body["prefetch"], key: FAULTS[fault](body["prefetch"][key], key)}
    found = door.post("order-sign", {**body, "prefetch": prefetch})
    assert found.status_code == 412 or told(found.get_json()["cards"], key)


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with serving(create_fixture_server(DAY)) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("key", ["conditions", "medications", "laboratory", "adverse_events"])
def test_what_the_ehr_did_not_send_whole_is_had_from_a_server_that_works(
    door: Door, healthy: str, key: str
) -> None:
    whole = hook_request(PATIENTS["toxic"], door.services["order-sign"])
    truth = told_apart(door.post("order-sign", whole).get_json()["cards"])
    # What names another patient is whole by its own word, a null was an answer, and of one
    # resource that the chart does not know the server cannot know either.
    unasked = {*IN_EACH_RESOURCE, "null"} - {"every resource unreadable"}
    unasked |= {"one resource where a search belongs"} if key == "adverse_events" else set()
    for fault in FAULTS.keys() - unasked:
        body = copy.deepcopy(whole) | {"fhirServer": healthy}
        value = FAULTS[fault](body["prefetch"][key], key)
        body["prefetch"].pop(key)
        if value is not ABSENT:
            body["prefetch"][key] = value
        cards = door.post("order-sign", body).get_json()["cards"]
        assert told_apart(cards) == truth, fault


@pytest.mark.parametrize("severity", ["info", "warning"])
def test_that_data_are_missing_is_said_each_time(severity: str) -> None:
    """Else what is missing tomorrow would be quiet because of what was missing today."""
    item = Recommendation(
        Kind.ASK, Topic.AVAILABILITY, "data-not-available", severity, detail="laboratory: gone"
    )
    assert not may_be_quiet([item])


@pytest.mark.parametrize("hook", ["order-sign", *HOOKS[3:], *SAYING_THE_SAME[1:]])
def test_an_order_that_names_no_medicine_is_unchecked_whenever_it_is_signed_or_sent_out(
    door: Door, hook: str
) -> None:
    body = copy.deepcopy(hook_request(PATIENTS["quiet"], door.services[hook]))
    for order in _orders(body, hook):
        for name in [name for name in order if name.startswith("medication")]:
            del order[name]
    cards = door.post(hook, body).get_json()["cards"]
    assert told(cards, "a draft order"), hook


@pytest.mark.parametrize("hook", ["order-select", "order-sign", *HOOKS[3:], *SAYING_THE_SAME[1:]])
def test_what_is_not_to_be_given_is_no_order(door: Door, hook: str) -> None:
    body = copy.deepcopy(hook_request(PATIENTS["toxic"], door.services[hook]))
    assert door.post(hook, body).get_json()["cards"]
    for order in _orders(body, hook):
        order["doNotPerform"] = True
    summaries = [card["summary"] for card in door.post(hook, body).get_json()["cards"]]
    assert not any("alectinib" in text for text in summaries), summaries


def _orders(body: Json, hook: str) -> list[Json]:
    """The orders that a call is about: drafts, or the one that is sent out."""
    context = body["context"]
    if hook != "order-dispatch":
        bundle = context.get("draftOrders") or context["medications"]
        return [entry["resource"] for entry in bundle["entry"]]
    keys = {text.rsplit("/", 1)[-1] for text in context["dispatchedOrders"]}
    listed = [entry["resource"] for entry in body["prefetch"]["medications"]["entry"]]
    return [one for one in listed if one["id"] in keys]

"""Ready profiles, the clients file, and the prefetch keys that a site types itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.protocol import (
    Client,
    ClientHabits,
    ClientProfile,
    ClientsFileError,
    DevelopmentAuthenticator,
    HookCall,
    Service,
    ServiceRegistry,
    read_call,
    read_clients,
    ready_profiles,
)
from cds_service.protocol.clients import client_of

MakeRequest = Callable[..., dict[str, Any]]
MakeService = Callable[..., Service]

CLIENT = {"name": "hospital", "iss": "https://ehr.example.org", "jwks": {"keys": [{"kid": "1"}]}}
PREFETCH_KEYS = {"patient", "conditions"}
SERVICES = {"alk-patient-view", "alk-order-sign"}
PATIENT = {"resourceType": "Patient", "id": "1288992"}


def client(**changes: Any) -> ClientProfile:
    (found,) = read_clients({"clients": [{**CLIENT, **changes}]}, PREFETCH_KEYS, SERVICES)
    return found


def test_a_client_without_a_profile_follows_the_specification_to_the_letter() -> None:
    habits = {name: getattr(client(), name) for name in ClientHabits.model_fields}
    assert ClientHabits(**habits) == ClientHabits()
    assert client(profile="strict") == client()


@pytest.mark.parametrize("name", ready_profiles())
def test_a_client_takes_every_habit_of_its_ready_profile(name: str) -> None:
    found = client_of(client(profile=name)).habits
    ready = ready_profiles()[name]
    assert found.model_dump() == ready.model_dump(exclude={"about"})


def test_what_the_file_says_overrides_the_ready_profile_member_by_member() -> None:
    found = client(profile="epic", links="none", max_cards=3)
    assert (found.links, found.max_cards) == ("none", 3)
    assert found.selection_behaviors == ("any",)
    assert found.one_action_per_suggestion


@pytest.mark.clause("E-20", "E-23", "E-25", "E-05")
def test_the_profile_of_epic_says_what_its_vendor_says() -> None:
    epic = ready_profiles()["epic"]
    assert epic.selection_behaviors == ("any",)
    assert epic.one_action_per_suggestion
    assert not epic.keeps_order_details
    assert not epic.system_actions
    assert epic.tolerate_absent_draft_orders
    assert epic.actions is not None
    assert set(epic.actions) == {"create", "delete"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "it must hold a list named clients"),
        ({"clients": {"name": "x"}}, "it must hold a list named clients"),
        ({"clients": [CLIENT, {**CLIENT, "profile": "epyc"}]}, "client 2: .*profile must be one"),
        ({"clients": [{**CLIENT, "profile": 5}]}, "client 1, profile: "),
        ({"clients": [{**CLIENT, "colour": "green"}]}, "client 1, colour: "),
        ({"clients": [{"name": "x"}]}, "client 1, iss: "),
        ({"clients": ["x"]}, "client 1: "),
        ({"clients": [{**CLIENT, "max_cards": 0}]}, "client 1, max_cards: "),
        ({"clients": [{**CLIENT, "selection_behaviors": []}]}, "selection_behaviors: "),
        (
            {"clients": [{**CLIENT, "link_hosts": ["https://a.example"]}]},
            "link_hosts: .*host",
        ),
        ({"clients": [{**CLIENT, "prefetch_keys": {"a": "patient", "b": "patient"}}]}, "two keys"),
        (
            {"clients": [{**CLIENT, "prefetch_keys": {"a": "patients"}}]},
            "to one of cond",
        ),
        ({"clients": [{**CLIENT, "prefetch_keys": {"patient": "conditions"}}]}, "of the client"),
        ({"clients": [{**CLIENT, "services": ["alk-oder-sign"]}]}, "client 1, services: .*alk-ord"),
        ({"clients": [{**CLIENT, "services": [""]}]}, "client 1, services: "),
    ],
)
def test_a_clients_file_that_cannot_be_used_is_refused_by_place(content: Any, said: str) -> None:
    with pytest.raises(ClientsFileError, match=said) as caught:
        read_clients(content, PREFETCH_KEYS, SERVICES)
    assert "green" not in str(caught.value)


def test_unsigned_callers_have_the_habits_that_were_set() -> None:
    ready = ready_profiles()["cds-hooks-sandbox"]
    assert DevelopmentAuthenticator(ready).authenticate(None, []).habits is ready
    assert DevelopmentAuthenticator().authenticate(None, []).habits == ClientHabits()


@pytest.fixture
def read(make_service: MakeService, make_request: MakeRequest) -> Callable[..., HookCall]:
    registry = ServiceRegistry([make_service()])

    def read_with(prefetch: Any, **keys: str) -> HookCall:
        body = json.dumps(make_request(prefetch=prefetch)).encode()
        named = Client(name="hospital", habits=ClientHabits(prefetch_keys=keys))
        return read_call(body, "greeting", registry, client=named)

    return read_with


@pytest.mark.clause("E-02")
def test_a_key_that_a_site_typed_itself_stands_for_ours(read: Callable[..., HookCall]) -> None:
    call = read({"item1": PATIENT, "item2": None, "item3": {"a": 1}}, item1="patient", item2="b")
    assert set(call.prefetch) == {"patient", "b", "item3"}
    assert json.loads(call.prefetch["patient"] or b"") == PATIENT
    assert call.prefetch["b"] is None


@pytest.mark.clause("E-02")
def test_our_own_key_wins_over_the_one_that_stands_for_it(read: Callable[..., HookCall]) -> None:
    other = {"resourceType": "Patient", "id": "other"}
    for prefetch in ({"item1": other, "patient": PATIENT}, {"patient": PATIENT, "item1": other}):
        call = read(prefetch, item1="patient")
        assert json.loads(call.prefetch["patient"] or b"") == PATIENT


@pytest.mark.parametrize("limit", [None, 2])
def test_the_most_cards_of_a_client_reach_the_service(
    make_service: MakeService, make_request: MakeRequest, limit: int | None
) -> None:
    named = Client(name="hospital", habits=ClientHabits(max_cards=limit))
    body = json.dumps(make_request()).encode()
    call = read_call(body, "greeting", ServiceRegistry([make_service()]), client=named)
    assert call.max_cards == limit

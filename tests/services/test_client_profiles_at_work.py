"""Every story at every hook for every kind of client: safe, whole, and as the client takes it."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_service.app import create_app
from cds_service.commands.running import LocalServer
from cds_service.protocol import CdsResponse, adapted, ready_profiles
from cds_service.settings import SettingsError
from fhir_fixtures import load_story, story_names
from fhir_fixtures.requests import hook_request
from tests.protocol.conftest import SigningKey
from tests.protocol.test_adaptation import (
    assert_can_be_taken,
    assert_nothing_was_lost_or_made_unsafe,
)
from tests.services.calling import (
    DAY,
    TIMEOUT,
    Json,
    Service,
    refused,
    running_service,
    settings_for,
)

pytestmark = pytest.mark.slow

WRONG_DRUG = "immunotherapy-ordered-alk-positive"


@pytest.mark.clause("E-20", "E-23", "R-121", "R-126")
@pytest.mark.parametrize("story", story_names())
def test_every_kind_of_client_gets_every_card_and_only_what_it_takes(
    service: Service, story: str
) -> None:
    hooks = [item["hook"] for item in service.described]
    if load_story(story).draft_orders is None:
        hooks = ["patient-view", "encounter-start"]
    for hook in hooks:
        answer = service.post(hook, service.body(hook, story)).json()
        whole = CdsResponse.model_validate(answer, by_alias=True, by_name=False)
        for habits in ready_profiles().values():
            found = adapted(whole, habits)
            assert_can_be_taken(found, habits)
            assert_nothing_was_lost_or_made_unsafe(whole, found)


def _starts_a_drug(card: Json) -> bool:
    return any(
        action["type"] == "create" and action["resource"]["resourceType"] == "MedicationRequest"
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    )


@pytest.mark.clause("E-20", "E-23")
def test_epic_is_offered_the_removal_of_a_wrong_order_and_reads_what_else_there_is(
    service: Service, database: Path
) -> None:
    body = service.body("order-sign", WRONG_DRUG)
    usual = service.cards_of("order-sign", body)[0]
    assert _starts_a_drug(usual)
    with running_service(database, unsigned_profile="epic") as for_epic:
        card = for_epic.cards_of("order-sign", body)[0]
    assert (card["summary"], card["indicator"]) == (usual["summary"], "critical")
    assert card["selectionBehavior"] == "any"
    assert [len(one["actions"]) for one in card["suggestions"]] == [1] * len(card["suggestions"])
    assert {action["type"] for one in card["suggestions"] for action in one["actions"]} == {
        "delete"
    }
    for suggestion in usual["suggestions"][1:]:
        assert f"- {suggestion['label']}" in card["detail"]


@pytest.mark.clause("S-07", "D-17")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_clicking_the_open_tab_of_the_sandbox_again_is_answered(
    service: Service, database: Path, hook: str
) -> None:
    body = service.body(hook, WRONG_DRUG)
    for name in ("draftOrders", "selections"):
        body["context"].pop(name, None)
    refused(service.post(hook, body), 400)
    with running_service(database, unsigned_profile="cds-hooks-sandbox") as for_sandbox:
        assert for_sandbox.cards_of(hook, body) == []


@pytest.mark.clause("E-05", "R-69")
def test_a_selected_order_that_was_held_back_is_said_to_be_unchecked(
    service: Service, database: Path
) -> None:
    body = service.body("order-select", WRONG_DRUG)
    del body["context"]["draftOrders"]
    with running_service(database, unsigned_profile="epic") as for_epic:
        (card,) = for_epic.cards_of("order-select", body)
    assert card["indicator"] == "warning"
    assert "the selected order did not come with the call" in card["detail"]


@pytest.mark.clause("E-02")
def test_a_signed_client_with_keys_of_its_own_and_room_for_one_card_is_told_everything(
    service: Service, tmp_path: Path
) -> None:
    story = "first-line-choice"
    usual = service.cards("patient-view", story)
    private = ec.generate_private_key(ec.SECP384R1())
    key = SigningKey(private, "ES384", "site+/=1", ECAlgorithm.to_jwk(private.public_key()))
    clients = tmp_path / "clients.yaml"
    profile = {
        "name": "hospital",
        "iss": "https://ehr.example.org",
        "jwks": {"keys": [key.public]},
        "profile": "epic",
        "max_cards": 1,
        "prefetch_keys": {"item1": "patient", "item2": "conditions", "item3": "medications"},
    }
    clients.write_text(yaml.safe_dump({"clients": [profile]}), encoding="utf-8")
    server = LocalServer()
    changes = {
        "environment": "production",
        "clients_file": clients,
        "link_secret": "a-secret-for-this-test-0123456789abcdef",
    }
    settings = settings_for(server, tmp_path / "decisions.sqlite3", **changes)
    server.start(create_app(settings, today=lambda: DAY))
    try:
        base = f"{server.url}/cds-services"
        described = requests.get(
            base, headers={"Authorization": f"Bearer {key.sign(base)}"}, timeout=TIMEOUT
        ).json()["services"]
        offered = next(item for item in described if item["hook"] == "patient-view")
        body = hook_request(load_story(story), offered)
        for theirs, ours in profile["prefetch_keys"].items():
            body["prefetch"][theirs] = body["prefetch"].pop(ours)
        address = f"{base}/alk-patient-view"
        headers = {"Authorization": f"Bearer {key.sign(address)}"}
        answer = requests.post(address, json=body, headers=headers, timeout=TIMEOUT)
    finally:
        server.close()
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert len(usual) > 1
    assert not any(other["indicator"] == "critical" for other in usual)
    for other in usual:
        assert other["summary"] in card["detail"]


@pytest.mark.clause("E-02", "E-06", "R-64")
def test_whoever_connects_an_ehr_is_told_why_required_data_are_missing(service: Service) -> None:
    body = service.body("patient-view", WRONG_DRUG)
    named = {**body, "prefetch": {"item1": body["prefetch"]["patient"], "item2": None}}
    issue = refused(service.post("patient-view", named), 412)
    assert "did not ask for: 2" in issue["diagnostics"]
    assert "prefetch_keys" in issue["diagnostics"]
    del body["prefetch"]
    issue = refused(service.post("patient-view", body), 412)
    assert "unregistered addresses" in issue["diagnostics"]


def test_the_service_does_not_start_with_clients_that_it_cannot_know(tmp_path: Path) -> None:
    clients = tmp_path / "clients.yaml"
    server = LocalServer()
    changes = {
        "environment": "production",
        "clients_file": clients,
        "link_secret": "a-secret-for-this-test-0123456789abcdef",
    }
    row = {"name": "x", "iss": "https://ehr.example.org"}
    absent = {**row, "jwks_file": str(tmp_path / "absent.json")}
    keyless = {**row, "jwks": {"keys": [{"kty": "EC", "kid": "1", "d": "secret"}]}}
    for text, said in (
        (yaml.safe_dump({"clients": [{**row, "profile": "epyc"}]}), "client 1"),
        ("a: [", "YAML"),
        (yaml.safe_dump({"clients": [absent]}), "cannot be read: FileNotFoundError"),
        (yaml.safe_dump({"clients": [keyless]}), "holds a private or symmetric key"),
    ):
        clients.write_text(text, encoding="utf-8")
        settings = settings_for(server, tmp_path / "decisions.sqlite3", **changes)
        with pytest.raises(SettingsError, match=f"ALK_CDS_CLIENTS_FILE: .*{said}"):
            create_app(settings, today=lambda: DAY)
    server.close()

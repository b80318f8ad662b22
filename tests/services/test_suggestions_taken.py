"""One click: the resources are valid FHIR, and taking them settles the card."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from fhir_fixtures import load_story, story_names
from tests.services.calling import HOOKS, Json, Service

pytestmark = pytest.mark.slow


def _actions(service: Service, story: str) -> list[Json]:
    hooks = HOOKS if load_story(story).draft_orders else HOOKS[:1]
    return [
        action
        for hook in hooks
        for card in service.cards(hook, story)
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


def _validated(resource: Json) -> Any:
    name = resource["resourceType"]
    model = getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    return model.model_validate(resource)


def test_every_resource_offered_is_valid_and_for_the_patient(service: Service) -> None:
    kinds: set[tuple[str, str]] = set()
    for story in story_names():
        patient = f"Patient/{load_story(story).patient_id}"
        for action in _actions(service, story):
            assert action["description"].strip()
            if action["type"] == "delete":
                kind, _, identifier = action["resourceId"].partition("/")
                drafts = load_story(story).draft_orders
                assert drafts is not None
                assert identifier in {entry["resource"]["id"] for entry in drafts["entry"]}
            else:
                resource = action["resource"]
                _validated(resource)
                assert resource["subject"]["reference"] == patient
                kind = resource["resourceType"]
            kinds.add((action["type"], kind))
    assert kinds == {
        ("create", "MedicationRequest"),
        ("create", "ServiceRequest"),
        ("delete", "MedicationRequest"),
        ("update", "MedicationRequest"),
    }


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "medication-prescribe"])
def test_taking_the_dose_change_settles_the_card(service: Service, hook: str) -> None:
    body = service.body(hook, "alectinib-recovered-liver")
    member = "medications" if hook == "medication-prescribe" else "draftOrders"
    before = service.cards_of(hook, body)
    updates = [
        (card, action["resource"])
        for card in before
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    assert len(updates) == 1
    card, changed = updates[0]
    drafts = body["context"][member]["entry"]
    assert changed["id"] == drafts[0]["resource"]["id"]
    drafts[0]["resource"] = changed

    after = service.cards_of(hook, body)

    rule = card["source"]["topic"]["code"]
    assert rule not in {item["source"]["topic"]["code"] for item in after}


@pytest.mark.parametrize(
    ("story", "label"),
    [
        ("pregnant-alk-inhibitor-ordered", "Remove the alectinib order"),
        # The other medication is what is taken back: nothing is ordered beside what runs.
        ("lorlatinib-rifampin-ordered", "Remove the rifampin order"),
        ("lorlatinib-clarithromycin-ordered", "Remove the clarithromycin order"),
    ],
)
def test_removing_the_order_settles_the_card_about_it(
    service: Service, story: str, label: str
) -> None:
    body = service.body("order-sign", story)
    card = service.cards_of("order-sign", body)[0]
    assert [suggestion["label"] for suggestion in card["suggestions"]] == [label]
    removed = card["suggestions"][0]["actions"][0]["resourceId"]
    body["context"]["draftOrders"]["entry"] = [
        entry
        for entry in body["context"]["draftOrders"]["entry"]
        if f"MedicationRequest/{entry['resource']['id']}" != removed
    ]
    assert service.cards_of("order-sign", body) == []


def test_ordering_the_due_tests_settles_the_reminder(service: Service) -> None:
    body = service.body("patient-view", "alectinib-monitoring-overdue")
    before = service.cards_of("patient-view", body)
    taken = [
        action["resource"]
        for card in before
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    assert {resource["resourceType"] for resource in taken} == {"ServiceRequest"}
    requests = body["prefetch"]["requests"]
    signed = [
        {**resource, "id": f"taken-{number}", "status": "active"}
        for number, resource in enumerate(taken)
    ]
    requests["entry"] = [{"resource": resource} for resource in signed]

    after = service.cards_of("patient-view", body)

    offered = [
        action["resource"]["code"]["text"]
        for card in after
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    assert not set(offered) & {resource["code"]["text"] for resource in taken}


def _drugs_ordered(card: Json) -> set[str]:
    """Each drug that the card offers to order anew, by its text without the dose."""
    return {
        action["resource"]["medicationCodeableConcept"]["text"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "create" and action["resource"]["resourceType"] == "MedicationRequest"
    }


@pytest.mark.parametrize("story", story_names())
def test_alternative_drugs_can_never_be_taken_together(service: Service, story: str) -> None:
    for hook in HOOKS if load_story(story).draft_orders else HOOKS[:1]:
        for card in service.cards(hook, story):
            if len(_drugs_ordered(card)) > 1:
                assert card["selectionBehavior"] == "at-most-one", card["summary"]


@pytest.mark.parametrize("story", ["progression-f1174l", "chemotherapy-after-intolerance"])
def test_what_comes_instead_takes_away_the_orders_that_are_spoken_against(
    service: Service, story: str
) -> None:
    body = service.body("order-sign", story)
    drafts = body["context"]["draftOrders"]["entry"]
    offered = [
        suggestion
        for card in service.cards_of("order-sign", body)
        for suggestion in card.get("suggestions", ())
        if any(
            action["type"] == "create" and action["resource"]["resourceType"] == "MedicationRequest"
            for action in suggestion["actions"]
        )
    ]
    assert len(offered) > 1
    for suggestion in offered:
        assert suggestion["label"].endswith(" instead")
        taken_back = {
            action["resourceId"] for action in suggestion["actions"] if action["type"] == "delete"
        }
        assert taken_back == {f"MedicationRequest/{entry['resource']['id']}" for entry in drafts}


def test_the_right_order_of_the_drug_that_was_meant_is_offered_first(service: Service) -> None:
    card = service.cards("order-sign", "brigatinib-without-lead-in")[0]
    labels = [suggestion["label"] for suggestion in card["suggestions"]]
    assert labels[0] == "Remove the brigatinib order"
    assert labels[1].startswith("Order brigatinib 180 mg once daily after 7 days at a lower dose")
    assert "90 mg once daily for 7 days" in card["detail"]


def test_a_lower_dose_is_never_a_second_order_beside_the_running_one(service: Service) -> None:
    for action in _actions(service, "lorlatinib-clarithromycin-ordered"):
        assert action["type"] == "delete"


def test_no_order_is_offered_above_the_dose_that_another_rule_asks_for(service: Service) -> None:
    """In severe hepatic impairment the label starts alectinib at 450 mg twice daily."""
    offered = [
        step["doseAndRate"][0]["doseQuantity"]["value"]
        for action in _actions(service, "alectinib-severe-cirrhosis")
        if action["type"] in ("create", "update")
        and "lectinib" in str(action["resource"].get("medicationCodeableConcept"))
        for step in action["resource"]["dosageInstruction"]
    ]
    assert offered
    assert max(offered) <= 450


def test_of_two_wrong_orders_only_one_card_offers_drugs_instead(service: Service) -> None:
    body = service.body("order-sign", "immunotherapy-ordered-alk-positive")
    drafts = body["context"]["draftOrders"]["entry"]
    drafts.append({"resource": {**drafts[0]["resource"], "id": "the-same-once-more"}})

    cards = [
        card for card in service.cards_of("order-sign", body) if card["indicator"] == "critical"
    ]

    assert len(cards) == 2
    assert [bool(_drugs_ordered(card)) for card in cards] == [True, False]
    assert [action["type"] for action in cards[1]["suggestions"][0]["actions"]] == ["delete"]


@pytest.mark.parametrize("identity", ["with blanks", "under_score", "a/b", "ü", ""])
def test_an_order_whose_id_no_delete_can_name_is_still_spoken_against(
    service: Service, identity: str
) -> None:
    body = service.body("order-sign", "brigatinib-without-lead-in")
    named = service.cards_of("order-sign", body)
    (entry,) = body["context"]["draftOrders"]["entry"]
    entry["resource"]["id"] = identity
    cards = service.cards_of("order-sign", body)
    assert [card["summary"] for card in cards] == [card["summary"] for card in named]
    assert "'resourceId'" in str(named)
    assert "'resourceId'" not in str(cards)


def test_a_changed_draft_comes_back_letter_by_letter_but_for_its_dose(service: Service) -> None:
    body = service.body("order-sign", "alectinib-above-label")
    (entry,) = body["context"]["draftOrders"]["entry"]
    draft = entry["resource"]
    draft |= {
        "_status": {"id": "s", "extension": [{"url": "https://example.org/beside"}]},
        "extension": [{"url": "https://example.org/of-the-site", "valueDecimal": 700.5}],
    }
    sent = json.dumps(body).encode().replace(b"700.5", b"7.50e2")
    answer = service.post("order-sign", sent)

    (changed,) = [
        action["resource"]
        for card in answer.json()["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    draft["extension"][0]["valueDecimal"] = 750
    redosed = {"dosageInstruction", "dispenseRequest"}
    assert {name: value for name, value in changed.items() if name not in redosed} == {
        name: value for name, value in draft.items() if name not in redosed
    }
    assert b'"valueDecimal":7.50e2' in answer.content

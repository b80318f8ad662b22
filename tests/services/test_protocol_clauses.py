"""Clauses of CDS Hooks that only the whole service can keep, one test each."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cds_service.cards.build import topic_code
from fhir_fixtures.requests import load_request
from tests.packaged import packaged_knowledge
from tests.services.calling import HOOKS, Json, Service, told_apart

ORDER = "alectinib-above-label"


def topics(cards: list[Json]) -> set[str]:
    return {card["source"]["topic"]["code"] for card in cards}


def orders_of(body: Json) -> list[Json]:
    return [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]


@pytest.mark.clause("R-66", "C-12")
def test_data_that_came_but_are_incomplete_are_no_412(service: Service) -> None:
    body = copy.deepcopy(service.body("patient-view", "first-line-choice"))
    body["prefetch"]["patient"].pop("birthDate")
    body["prefetch"]["patient"].pop("gender")

    assert service.post("patient-view", body).status_code == 200


@pytest.mark.clause("D-20", "C-16", "R-62")
def test_a_required_key_that_is_null_gets_a_card_and_no_412(service: Service) -> None:
    body = copy.deepcopy(service.body("patient-view", "first-line-choice"))
    body["prefetch"]["conditions"] = None

    cards = service.cards_of("patient-view", body)

    assert any("conditions" in f"{card['summary']} {card.get('detail')}" for card in cards)


@pytest.mark.clause("C-14", "D-21", "R-61")
def test_a_required_key_that_failed_is_412_without_a_server_to_ask(service: Service) -> None:
    body = copy.deepcopy(service.body("patient-view", "first-line-choice"))
    issue = {"severity": "error", "code": "exception"}
    body["prefetch"]["conditions"] = {"resourceType": "OperationOutcome", "issue": [issue]}

    answer = service.post("patient-view", body)

    assert answer.status_code == 412
    assert "conditions" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.clause("R-61", "E-14")
def test_a_search_with_nothing_but_a_remark_is_an_empty_search(service: Service) -> None:
    plain = copy.deepcopy(service.body("patient-view", "first-line-choice"))
    plain["prefetch"]["procedures"] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    remarked = copy.deepcopy(plain)
    issue = {"severity": "information", "code": "informational"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    entry = {"resource": outcome, "search": {"mode": "outcome"}}
    remarked["prefetch"]["procedures"]["entry"] = [entry]

    cards = [service.cards_of("patient-view", body) for body in (plain, remarked)]

    assert told_apart(cards[0]) == told_apart(cards[1])
    assert cards[0]


@pytest.mark.clause("R-212")
def test_guidance_at_selection_is_about_what_was_selected(service: Service) -> None:
    body = copy.deepcopy(service.body("order-select", ORDER))
    harmless = {
        "resourceType": "MedicationRequest",
        "id": "harmless",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "saline nasal spray"},
        "subject": {"reference": f"Patient/{body['context']['patientId']}"},
    }
    body["context"]["draftOrders"]["entry"].append({"resource": harmless})
    about_all = service.cards_of("order-select", body)

    body["context"]["selections"] = ["MedicationRequest/harmless"]
    about_one = service.cards_of("order-select", body)

    assert topics(about_one) < topics(about_all)


@pytest.mark.clause("R-213")
def test_a_selected_drug_without_dose_and_route_is_judged_as_far_as_it_goes(
    service: Service,
) -> None:
    body = copy.deepcopy(service.body("order-select", "pregnant-alk-inhibitor-ordered"))
    for order in orders_of(body):
        order.pop("dosageInstruction", None)
        order.pop("dispenseRequest", None)

    cards = service.cards_of("order-select", body)

    assert any(card["indicator"] == "critical" for card in cards)


@pytest.mark.clause("R-214")
@pytest.mark.parametrize("status", ["active", "on-hold"])
def test_an_order_that_is_revised_is_judged_like_a_draft(service: Service, status: str) -> None:
    body = copy.deepcopy(service.body("order-sign", ORDER))
    before = service.cards_of("order-sign", body)
    for order in orders_of(body):
        order["status"] = status

    assert topics(service.cards_of("order-sign", body)) == topics(before)


@pytest.mark.clause("D-19", "C-21", "C-42", "R-100")
def test_the_same_order_keeps_its_topics_and_gets_new_cards(service: Service) -> None:
    selected = service.cards("order-select", ORDER)
    signed = service.cards("order-sign", ORDER)

    assert topics(selected) & topics(signed)
    assert not {card["uuid"] for card in selected} & {card["uuid"] for card in signed}


@pytest.mark.clause("E-22", "R-120")
def test_every_rule_has_a_topic_of_its_own_of_letters_and_digits() -> None:
    rules = [row.identifier for table in packaged_knowledge().all_tables() for row in table]
    codes = [topic_code(rule) for rule in rules]

    assert [code for code in codes if not code.isalnum() or not code.isascii()] == []
    assert [code for code in codes if len(code) > 100] == []
    assert len(set(codes)) == len(set(rules))


@pytest.mark.clause("E-01", "E-04", "C-08")
def test_what_triggered_the_hook_changes_nothing(service: Service) -> None:
    body = service.body("patient-view", "first-line-choice")
    names = ("bpa-trigger-action", "criteria-id", "epic-version", "fhir-version")
    extension: dict[str, Any] = {f"com.epic.cdshooks.request.{name}": "23" for name in names}

    plain, triggered = (
        service.cards_of("patient-view", sent) for sent in (body, {**body, "extension": extension})
    )

    assert told_apart(plain) == told_apart(triggered)


@pytest.mark.clause("E-07", "C-02")
@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "https://a.b/Patient/1"])
def test_whoever_the_user_is_the_chart_decides(service: Service, user: str) -> None:
    body = copy.deepcopy(service.body("patient-view", "first-line-choice"))
    before = service.cards_of("patient-view", body)
    body["context"]["userId"] = user
    after = service.cards_of("patient-view", body)

    # The user is the requester of the orders that are offered; what is said is the same.
    assert [card["summary"] for card in after] == [card["summary"] for card in before]
    assert [card["detail"] for card in after] == [card["detail"] for card in before]


@pytest.mark.clause("E-21", "R-129", "S-21")
@pytest.mark.parametrize("hook", HOOKS[1:])
def test_an_action_can_be_understood_without_its_suggestion(service: Service, hook: str) -> None:
    suggestions = [
        suggestion
        for story in (ORDER, "pregnant-alk-inhibitor-ordered")
        for card in service.cards(hook, story)
        for suggestion in card.get("suggestions", [])
    ]

    assert suggestions
    for suggestion in suggestions:
        for action in suggestion["actions"]:
            assert len(action["description"].split()) >= 3
            if action.get("resource", {}).get("resourceType") == "MedicationRequest":
                medication = action["resource"]["medicationCodeableConcept"]
                assert medication["text"]
                assert medication["coding"][0]["code"]


@pytest.mark.clause("E-26", "R-103", "S-12")
def test_markup_in_the_chart_is_shown_as_text(service: Service) -> None:
    body = copy.deepcopy(load_request("full-order-sign")["body"])
    for order in orders_of(body):
        order["medicationCodeableConcept"]["text"] = "<script>alert(1)</script> [x](javascript:1)"

    cards = service.cards_of("order-sign", body)

    assert cards
    for card in cards:
        shown = f"{card['summary']} {card.get('detail', '')}".replace("\\<", "").replace("\\]", "")
        assert "<script" not in shown
        assert "](javascript" not in shown


@pytest.mark.clause("S-17", "E-27", "R-146")
def test_no_link_needs_a_launch(service: Service) -> None:
    cards = [card for hook in HOOKS for card in service.cards(hook, ORDER)]
    links = [link for card in cards for link in card.get("links", [])]

    assert links
    assert {link["type"] for link in links} == {"absolute"}


@pytest.mark.clause("R-86", "R-151", "R-152", "E-25", "S-13")
def test_nothing_happens_without_a_click(service: Service) -> None:
    for hook in HOOKS:
        answer = service.post(hook, service.body(hook, ORDER))

        assert "systemActions" not in answer.json()

"""At a switch the order of the drug that goes is ended by one click, whole or not at all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from cds_service.protocol import ClientHabits, ready_profiles
from tests.services.calling import CountingServer, Json, Service

SWITCH = "order-switch-while-active"
STORY = "two-alk-inhibitors"


def switch_card(service: Service, body: Any, hook: str = "order-sign") -> Json:
    (card,) = [
        card
        for card in service.cards_of(hook, body)
        if card["source"]["topic"]["display"] == SWITCH
    ]
    return card


def endings(card: Json) -> list[Json]:
    return [
        action["resource"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]


def asking(service: Service, hook: str = "order-sign") -> Json:
    """A call about lorlatinib while one order of alectinib runs."""
    body = service.body(hook, STORY)
    bundle = body["prefetch"]["medications"]
    bundle["entry"] = [
        entry for entry in bundle["entry"] if "reportedBoolean" not in entry["resource"]
    ]
    bundle.pop("total", None)
    return body


def running(body: Json) -> Json:
    """The running order of alectinib in the prefetch, to be changed in place."""
    return next(
        entry["resource"]
        for entry in body["prefetch"]["medications"]["entry"]
        if entry["resource"]["id"] == f"{STORY}-alectinib"
    )


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "medication-prescribe"])
def test_the_running_order_is_ended_with_the_reason_and_nothing_else_of_it_changes(
    service: Service, hook: str
) -> None:
    body = asking(service, hook)
    running(body)["extension"] = [{"url": "https://example.org/of-the-site", "valueString": "kept"}]
    running(body)["_status"] = {"id": "s", "extension": [{"url": "https://example.org/beside"}]}
    card = switch_card(service, body, hook)

    assert [one["label"] for one in card["suggestions"]] == ["End the order of alectinib"]
    (ended,) = endings(card)
    assert ended == {
        **running(body),
        "status": "stopped",
        "statusReason": {"text": "Replaced by lorlatinib"},
    }


def test_every_digit_of_the_order_goes_back(service: Service) -> None:
    body = asking(service)
    (step,) = running(body)["dosageInstruction"]
    step["doseAndRate"] = [{"doseQuantity": {"value": 600.5, "unit": "mg"}}]
    for number in (b"600.00", b"6.0e2", b"60000E-2"):
        sent = orjson.dumps(body).replace(b"600.5", number)
        answer = service.post("order-sign", sent)

        assert b'"value":' + number in answer.content.replace(b" ", b"")


def test_an_order_that_was_read_from_the_server_is_ended_as_the_server_gave_it(
    service: Service, fhir_server: CountingServer
) -> None:
    body = service.body("order-sign", STORY)
    sent = [entry["resource"] for entry in body["prefetch"].pop("medications")["entry"]]
    body["fhirServer"] = fhir_server.url

    ended = {one["id"]: one for one in endings(switch_card(service, body))}
    changed = {"status": "stopped", "statusReason": {"text": "Replaced by lorlatinib"}}
    assert list(ended) == [f"{STORY}-alectinib", f"{STORY}-alectinib-2"]
    for one in sent:
        assert one["id"] not in ended or ended[one["id"]] == {**one, **changed}


def in_part(order: Json, body: Json) -> None:
    order["meta"] = {"tag": [{"code": "SUBSETTED"}]}


def of_another_version(order: Json, body: Json) -> None:
    order["renderedDosageInstruction"] = "600 mg twice daily"


def twice_and_different(order: Json, body: Json) -> None:
    other = {**order, "note": [{"text": "another copy"}]}
    body["prefetch"]["medications"]["entry"].append({"resource": other})


def beside_a_statement(order: Json, body: Json) -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "said-by-the-patient",
        "status": "active",
        "subject": order["subject"],
        "medicationCodeableConcept": order["medicationCodeableConcept"],
        "effectivePeriod": {"start": "2026-01-01"},
    }
    body["prefetch"].setdefault(
        "medication_statements", {"resourceType": "Bundle", "type": "searchset"}
    )
    body["prefetch"]["medication_statements"].setdefault("entry", []).append(
        {"resource": statement}
    )


@pytest.mark.parametrize(
    "change", [in_part, of_another_version, twice_and_different, beside_a_statement]
)
def test_an_order_that_cannot_go_back_whole_is_ended_in_words_only(
    service: Service, change: Callable[[Json, Json], None]
) -> None:
    body = asking(service)
    change(running(body), body)
    card = switch_card(service, body)

    assert not endings(card)
    assert "end it in your system" in card["detail"]


def test_of_two_running_orders_both_are_ended_or_none(service: Service) -> None:
    body = asking(service)
    entries = body["prefetch"]["medications"]["entry"]
    second = {**copy.deepcopy(running(body)), "id": "alectinib-second"}
    entries.append({"resource": second})
    assert len(endings(switch_card(service, body))) == 2

    second["meta"] = {"tag": [{"code": "SUBSETTED"}]}
    assert not endings(switch_card(service, body))


def test_nothing_is_ended_for_an_order_that_another_card_refuses(service: Service) -> None:
    body = asking(service)
    body["prefetch"]["patient"]["deceasedBoolean"] = True
    cards = service.cards_of("order-sign", body)

    assert any("recorded as dead" in card["summary"] for card in cards)
    assert not [ended for card in cards for ended in endings(card)]


def test_nothing_is_ended_when_the_order_is_signed_already(service: Service) -> None:
    body = service.body("order-dispatch", STORY)

    assert not [
        ended for card in service.cards_of("order-dispatch", body) for ended in endings(card)
    ]


def test_a_client_that_drafts_whatever_it_is_sent_is_not_sent_an_ended_order() -> None:
    from cds_service.protocol import Action

    ended = Action(
        type="update",
        description="End the order of alectinib",
        resource={"resourceType": "MedicationRequest", "id": "a", "status": "stopped"},
    )
    drafted = ended.model_copy(update={"resource": {**(ended.resource or {}), "status": "draft"}})

    assert ClientHabits().takes_action(ended)
    for name in ("cds-hooks-sandbox", "cds-hooks-1.0"):
        assert not ready_profiles()[name].takes_action(ended)
        assert ready_profiles()[name].takes_action(drafted)


def with_a_problem(body: Json, text: str) -> Json:
    """The call with one more active, confirmed problem of these days."""
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    bundle = body["prefetch"]["conditions"]
    problem = {
        "resourceType": "Condition",
        "id": "problem",
        "subject": running(body)["subject"],
        "code": {"text": text},
        "onsetDateTime": "2026-11-15",
        "clinicalStatus": {"coding": [{"system": f"{system}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{system}ver-status", "code": "confirmed"}]},
    }
    bundle["entry"].append({"resource": problem})
    bundle.pop("total", None)
    return body


def test_a_drug_that_is_stopped_for_good_is_ended_although_the_next_one_is_refused(
    service: Service,
) -> None:
    body = with_a_problem(asking(service), "Drug-induced interstitial lung disease")
    cards = service.cards_of("order-sign", body)
    (ended,) = [one for card in cards for one in endings(card)]

    assert any(card["summary"].startswith("Do not start lorlatinib") for card in cards)
    assert ended == {
        **running(body),
        "status": "stopped",
        "statusReason": {"text": "Alectinib is to be stopped for good"},
    }


@pytest.mark.parametrize("problem", ["Interstitial lung disease", "Pregnancy"])
def test_a_drug_that_is_only_held_or_replaced_runs_on_when_the_next_one_is_refused(
    service: Service, problem: str
) -> None:
    body = with_a_problem(asking(service), problem)
    cards = service.cards_of("order-sign", body)

    refused = [card for card in cards if card["indicator"] == "critical"]
    assert any("lorlatinib" in card["summary"] for card in refused)
    assert not [ended for card in cards for ended in endings(card)]

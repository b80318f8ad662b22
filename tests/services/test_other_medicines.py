"""Medicines from every kind of resource over HTTP, and names that stay on the card."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.calling import Json, Service, told_apart

STORY = "alectinib-above-label"


def searchset(*resources: Json) -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def called_with(service: Service, key: str, *resources: Json, hook: str = "order-sign") -> Json:
    """The call of a story with one more prefetch key."""
    body = service.body(hook, STORY)
    patient = {"reference": f"Patient/{body['context']['patientId']}"}
    owned = [
        {"id": f"m{place}", "subject": patient, **item} for place, item in enumerate(resources)
    ]
    body["prefetch"][key] = searchset(*owned)
    return body


METOPROLOL: Json = {"medicationCodeableConcept": {"text": "Metoprolol-ratiopharm 47,5 mg"}}
TAKEN: dict[str, Json] = {
    "medication_statements": {
        "resourceType": "MedicationStatement",
        "status": "active",
        **METOPROLOL,
    },
    "medication_administrations": {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectiveDateTime": "2026-11-19",
        **METOPROLOL,
    },
    "medication_dispenses": {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "whenHandedOver": "2026-11-10",
        "daysSupply": {"value": 30},
        **METOPROLOL,
    },
}


@pytest.mark.parametrize("key", TAKEN)
def test_every_kind_of_resource_leads_to_the_interaction(service: Service, key: str) -> None:
    cards = service.cards_of("order-sign", called_with(service, key, TAKEN[key]))
    assert any("slow the heart" in f"{card['summary']} {card['detail']}" for card in cards)


@pytest.mark.parametrize("key", TAKEN)
def test_a_kind_that_a_system_does_not_have_adds_no_card(service: Service, key: str) -> None:
    body = service.body("patient-view", "alectinib-on-track")
    whole = service.cards_of("patient-view", body)
    body["prefetch"].pop(key, None)
    assert told_apart(service.cards_of("patient-view", body)) == told_apart(whole)


@pytest.mark.parametrize("key", TAKEN)
def test_a_null_does_not_say_that_there_is_nothing_and_is_named_calmly(
    service: Service, key: str
) -> None:
    body = service.body("patient-view", "alectinib-on-track")
    body["prefetch"][key] = None
    (card,) = service.cards_of("patient-view", body)
    assert card["indicator"] == "info"
    assert f"{key}: the EHR supplied nothing" in card["detail"]


def test_the_name_of_an_unknown_medicine_is_on_the_card_and_nowhere_else(
    service: Service,
) -> None:
    unknown = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": "Zyxomab [50] mg"},
    }
    body = called_with(service, "medication_statements", unknown, hook="patient-view")
    cards = service.cards_of("patient-view", body)
    (card,) = [card for card in cards if "Zyxomab" in json.dumps(card)]
    assert "Not checked" in card["detail"]
    assert "Zyxomab" not in card["summary"]
    engine = service.app.extensions["alk_cds"]
    kept: list[Any] = []
    keep = engine.keep
    object.__setattr__(engine, "keep", kept.append)
    try:
        service.cards_of("patient-view", body)
    finally:
        object.__setattr__(engine, "keep", keep)
    assert "Zyxomab" not in json.dumps(kept[0].document)

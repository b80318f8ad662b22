"""A serious finding that no dose table names, from the request to the card."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.facts.records import Json, condition, dosage, medication, person, resource
from tests.services.calling import Service

CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LUNG = "adenocarcinoma of lung"
KEYS = ("conditions", "medications", "adverse_events", "laboratory", "vital_signs", "findings",
        "procedures", "reports", "requests")  # fmt: skip
TOPIC = "NotCoveredByTheDoseTable"


def _bundle(resources: list[Json]) -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _cards(
    service: Service, hook: str, draft: Json | None = None, **chart: list[Json]
) -> list[Json]:
    """The cards of the net in the answer to one call."""
    described = service.for_hook(hook)
    prefetch = {"patient": person()}
    prefetch |= {key: _bundle(chart.get(key, [])) for key in KEYS if key in described["prefetch"]}
    context: Json = {"patientId": "p", "userId": "Practitioner/p1"}
    if draft is not None:
        context["draftOrders"] = _bundle([draft])
    body = {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch}
    return [
        card for card in service.cards_of(hook, body) if card["source"]["topic"]["code"] == TOPIC
    ]


def _severity(code: str) -> Json:
    return {"coding": [{"system": SNOMED, "code": code}]}


def _pulmonary_hypertension(form: str) -> dict[str, list[Json]]:
    """The same truth as a diagnosis, as an adverse event and in words with a coded severity."""
    code: Json = {"coding": [{"system": CM, "code": "I27.21"}]}
    if form == "AdverseEvent":
        url = "http://hl7.org/fhir/us/mcode/StructureDefinition/ctcae-grade"
        grade = {"url": url, "valueInteger": 4}
        body = {"actuality": "actual", "event": code, "date": "2026-11-15", "extension": [grade]}
        return {"adverse_events": [resource("AdverseEvent", body)]}
    if form == "text":
        code = {"text": "Pulmonary arterial hypertension"}
    return {"conditions": [condition("rash", 5, code=code, severity=_severity("442452003"))]}


@pytest.mark.parametrize("form", ["Condition", "AdverseEvent", "text"])
def test_life_threatening_pulmonary_hypertension_on_brigatinib_holds_it(
    service: Service, form: str
) -> None:
    found = _pulmonary_hypertension(form)
    brigatinib = medication(text="brigatinib 180 mg", start=30, dose=dosage(180, 1))
    chart = {**found, "conditions": [condition(LUNG, 400), *found.get("conditions", [])]}
    (card,) = _cards(service, "patient-view", medications=[brigatinib], **chart)
    assert card["indicator"] == "warning"
    assert card["summary"].startswith("Hold brigatinib; not covered by the dose table: ")
    assert "grade 4; is it caused by brigatinib?" in card["summary"]
    assert "This project's own rule, not from a label" in card["detail"]
    assert "Rule not-covered-by-the-dose-table" in card["detail"]


def test_severe_heart_failure_is_asked_about_when_alectinib_is_renewed(service: Service) -> None:
    failure = condition(
        "rash",
        5,
        code={"coding": [{"system": CM, "code": "I50.9"}]},
        severity=_severity("24484000"),
    )
    alectinib = medication(text="alectinib 150 mg", start=14, dose=dosage(600, 2))
    (card,) = _cards(
        service,
        "order-sign",
        medication(text="alectinib 150 mg", status="draft", start=0, dose=dosage(600, 2)),
        medications=[alectinib],
        conditions=[condition(LUNG, 400), failure],
    )
    assert card["summary"] == (
        "Not covered by the dose table: heart failure, grade 3; is it caused by alectinib?"
    )
    assert "if it may be, hold the drug" in card["detail"]


def test_an_everyday_diagnosis_shows_nothing(service: Service) -> None:
    brigatinib = medication(text="brigatinib 180 mg", start=30, dose=dosage(180, 1))
    everyday = condition("rash", 5, code={"coding": [{"system": CM, "code": "K21.9"}]})
    chart = [condition(LUNG, 400), everyday]
    assert not _cards(service, "patient-view", medications=[brigatinib], conditions=chart)

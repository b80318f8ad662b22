"""The tumour as hospitals write it: editions of ICD, tests that disagree, ROS1, new metastases."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.facts.records import (
    Json,
    alk_test,
    coded,
    condition,
    day,
    dosage,
    laboratory,
    medication,
    observation,
    person,
    resource,
)
from tests.services.calling import Service

GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ALECTINIB, CRIZOTINIB = "1727479", "1148495"
LUNG = "non-small cell lung cancer"
KEYS = ("conditions", "medications", "laboratory", "vital_signs", "findings", "procedures",
        "reports", "requests")  # fmt: skip


def _bundle(resources: list[Json]) -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _cards(service: Service, hook: str, draft: Json | None = None, **chart: list[Json]) -> str:
    """Everything that the cards of one call say, with their indicators."""
    described = service.for_hook(hook)
    prefetch = {"patient": person(gender="male")}
    prefetch |= {key: _bundle(chart.get(key, [])) for key in KEYS if key in described["prefetch"]}
    context: Json = {"patientId": "p", "userId": "Practitioner/p1"}
    if draft is not None:
        context["draftOrders"] = _bundle([draft])
    body = {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch}
    cards = service.cards_of(hook, body)
    return "\n".join(
        f"[{card['indicator']}] {card['summary']} {card.get('detail', '')}" for card in cards
    )


def _draft(code: str, amount: int, per_day: int) -> Json:
    return medication(code=code, status="draft", start=0, dose=dosage(amount, per_day))


STAGE_IV = observation("cancer stage group", 190, valueCodeableConcept={"text": "IV"})


def test_lung_cancer_of_the_german_edition_is_asked_for_its_histology(service: Service) -> None:
    cancer = condition(LUNG, 200)
    cancer["code"] = {"coding": [{"system": GM, "code": "C34.1"}]}
    said = _cards(
        service,
        "order-sign",
        _draft(ALECTINIB, 600, 2),
        conditions=[cancer],
        findings=[alk_test("FISH", "positive", 190), STAGE_IV],
    )
    assert "Record the histology" in said
    assert "none was found in the data" not in said


def _ros1() -> Json:
    genes = [
        {
            "code": coded("component gene studied"),
            "valueCodeableConcept": {
                "coding": [{"system": "http://www.genenames.org/geneId", "code": gene}]
            },
        }
        for gene in ("HGNC:1697", "HGNC:10261")
    ]
    value = coded("answer positive")
    return observation(
        "genetic variant assessment", 180, valueCodeableConcept=value, component=genes
    )


def test_crizotinib_for_ros1_is_not_stopped_because_alk_is_negative(service: Service) -> None:
    chart = {
        "conditions": [condition(LUNG, 200)],
        "findings": [_ros1(), alk_test("FISH", "negative", 190), STAGE_IV],
    }
    said = _cards(service, "order-sign", _draft(CRIZOTINIB, 250, 2), **chart)
    assert "labelled for ROS1-positive lung cancer: outside these rules" in said
    assert "[critical]" not in said
    other = _cards(service, "order-sign", _draft(ALECTINIB, 600, 2), **chart)
    assert "[critical] Do not sign alectinib" in other


def test_tests_that_disagree_are_named_with_their_days_and_the_next_test(service: Service) -> None:
    said = _cards(
        service,
        "patient-view",
        conditions=[condition(LUNG, 200)],
        findings=[alk_test("FISH", "positive", 60), alk_test("RNA", "negative", 20), STAGE_IV],
    )
    assert "FISH positive (21 Sep 2026)" in said
    assert "RNA sequencing negative (31 Oct 2026)" in said
    assert "third method" in said


def test_a_test_on_order_is_awaited_and_not_asked_for_again(service: Service) -> None:
    asked = resource(
        "ServiceRequest",
        {"status": "active", "intent": "order", "authoredOn": day(4), "code": {"text": "ALK FISH"}},
    )
    said = _cards(
        service,
        "patient-view",
        conditions=[condition(LUNG, 20)],
        findings=[STAGE_IV],
        requests=[asked],
    )
    assert "ALK result is pending" in said
    assert "No ALK result found" not in said


@pytest.mark.parametrize("written", ["a problem", "a report"])
def test_a_new_metastasis_on_the_drug_opens_the_question(service: Service, written: str) -> None:
    conditions, reports = [condition(LUNG, 400)], []
    if written == "a problem":
        conditions.append(condition("brain metastases", 12))
    else:
        body = {"status": "final", "code": {"text": "MRI brain"}, "effectiveDateTime": day(12),
                "conclusionCode": [coded("brain metastases")]}  # fmt: skip
        reports.append(resource("DiagnosticReport", body))
    said = _cards(
        service,
        "patient-view",
        conditions=conditions,
        medications=[medication(code=ALECTINIB, start=300, dose=dosage(600, 2))],
        findings=[alk_test("FISH", "positive", 390), STAGE_IV],
        reports=reports,
    )
    assert "Progression on alectinib?" in said
    assert "radiation necrosis" in said
    assert "profile resistance now" in said


def test_a_drug_that_is_to_be_stopped_is_not_gone_on_with(service: Service) -> None:
    pattern = observation(
        "progression pattern", 5, valueCodeableConcept=coded("progression brain only")
    )
    chart = {
        "medications": [medication(code=ALECTINIB, start=300, dose=dosage(600, 2))],
        "findings": [
            alk_test("FISH", "positive", 390),
            STAGE_IV,
            pattern,
            observation("disease status", 5, valueCodeableConcept=coded("disease worsened")),
        ],
    }
    cancer = condition(LUNG, 400)
    said = _cards(service, "patient-view", conditions=[cancer], **chart)
    assert "treat locally and go on with alectinib" in said
    liver = [laboratory("ALT", 248, 3), laboratory("total bilirubin", 8, 3, unit="umol/L", high=20)]
    said = _cards(service, "patient-view", conditions=[cancer], laboratory=liver, **chart)
    assert "Hold alectinib" in said
    assert "go on with" not in said.lower()
    assert "change to lorlatinib" in said

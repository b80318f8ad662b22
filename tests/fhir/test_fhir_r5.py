"""R5 on the wire: read where it means the same as R4, named where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.statuses import status_of
from cds_service.fhir.versions import foreign_element, unreadable_element
from cds_service.fhir.views import (
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    MedicationUsage,
    ServiceRequest,
)

Json = dict[str, Any]
ALECTINIB = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1"}]}


def read(kind: str, **members: Any) -> Any:
    body = {"resourceType": kind, "id": "x", "subject": {"reference": "Patient/p"}, **members}
    result = read_resources(json.dumps(body).encode())
    assert result.dropped == ()
    return result.resources[0]


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement", "MedicationUsage"])
def test_the_r5_medication_is_read_in_every_resource_that_has_one(kind: str) -> None:
    use = read(kind, medication={"concept": {**ALECTINIB, "text": "alectinib"}})
    concept = PatientRecord.build("p").medication_concept(use)
    assert (concept.codings[0].code, concept.texts) == ("1", ("alectinib",))


def test_the_draft_name_of_a_statement_is_a_statement() -> None:
    use = read("MedicationUsage", status="recorded", adherence={"code": {"coding": []}})
    assert isinstance(use, MedicationUsage)
    assert isinstance(use, MedicationStatement)


@pytest.mark.parametrize(
    ("adherence", "expected"),
    [
        ("taking", "active"),
        ("taking-as-directed", "active"),
        ("taking-not-as-directed", "active"),
        ("on-hold", "on-hold"),
        ("on-hold-as-directed", "on-hold"),
        ("stopped", "stopped"),
        ("stopped-not-as-directed", "stopped"),
        ("not-taking", "not-taken"),
        ("unknown", None),
        ("takings", None),
        (None, None),
    ],
)
def test_whether_a_recorded_medication_is_taken_is_its_adherence(
    adherence: str | None, expected: str | None
) -> None:
    said = {} if adherence is None else {"adherence": {"code": {"coding": [{"code": adherence}]}}}
    assert status_of(read("MedicationStatement", status="recorded", **said)) == expected


def test_an_r4_status_is_not_overruled_by_an_adherence() -> None:
    said = {"code": {"coding": [{"code": "stopped"}]}}
    assert status_of(read("MedicationStatement", status="active", adherence=said)) == "active"


@pytest.mark.parametrize(
    "code", [{"text": "MRI brain"}, {"concept": {"text": "MRI brain"}}], ids=["R4", "R5"]
)
def test_what_a_service_request_asks_for_is_read_in_both_shapes(code: Json) -> None:
    order = read("ServiceRequest", code=code)
    assert isinstance(order, ServiceRequest)
    assert order.code is not None
    assert order.code.label == "MRI brain"


def test_periods_that_have_r5_names_are_read() -> None:
    order = read("MedicationRequest", effectiveDosePeriod={"start": "2026-01-01"})
    assert isinstance(order, MedicationRequest)
    assert order.effective_dose_period is not None
    dose = read("MedicationAdministration", occurencePeriod={"end": "2026-01-02"})
    assert isinstance(dose, MedicationAdministration)
    assert dose.occurence_period is not None


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "MedicationRequest", "medicationCodeableConcept": {}}, None),
        ({"resourceType": "MedicationRequest", "medication": {"concept": {}}}, "medication"),
        ({"resourceType": "MedicationRequest", "reason": []}, "reason"),
        ({"resourceType": "MedicationRequest", "reported": True}, "reported"),
        ({"resourceType": "ServiceRequest", "code": {"text": "x"}}, None),
        ({"resourceType": "ServiceRequest", "code": {"concept": {}}}, "code"),
        ({"resourceType": "ServiceRequest", "code": {"reference": {}}}, "code"),
        ({"resourceType": "ServiceRequest"}, None),
        ({"resourceType": "MedicationRequest", "context": {}}, "context"),
        ({"resourceType": "MedicationRequest", "requester": {"agent": {}}}, "requester.agent"),
        ({"resourceType": "MedicationRequest", "requester": {"reference": "x"}}, None),
        (
            {"resourceType": "MedicationRequest", "dosageInstruction": [{}, {"doseRange": {}}]},
            "dosageInstruction.doseRange",
        ),
        ({"resourceType": "MedicationRequest", "dosageInstruction": [{"doseAndRate": []}]}, None),
        ({"resourceType": "NutritionOrder", "reason": []}, None),
        ({"resourceType": 5}, None),
        ({}, None),
    ],
)
def test_the_element_that_r4_does_not_have_is_named(resource: Json, expected: str | None) -> None:
    assert foreign_element(resource) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "MedicationRequest", "medication": {"concept": {}}}, None),
        ({"resourceType": "MedicationRequest", "medication": {"reference": {}}}, None),
        ({"resourceType": "MedicationRequest", "medication": {"reference": "M/1"}}, "medication"),
        ({"resourceType": "MedicationRequest", "medication": "alectinib"}, "medication"),
        ({"resourceType": "MedicationRequest", "medication": []}, "medication"),
        ({"resourceType": "MedicationRequest"}, None),
        ({"resourceType": "ServiceRequest", "code": {"reference": {}}}, "code.reference"),
        ({"resourceType": "ServiceRequest", "code": {"reference": {}, "text": "x"}}, None),
        ({"resourceType": "ServiceRequest", "code": {"reference": {}, "concept": {}}}, None),
        ({"resourceType": "ServiceRequest", "code": {}}, None),
    ],
)
def test_an_order_that_says_elsewhere_what_it_is_is_named(
    resource: Json, expected: str | None
) -> None:
    assert unreadable_element(resource) == expected

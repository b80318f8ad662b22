from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeSet
from cds_service.fhir.views import (
    Condition,
    MedicationRequest,
    MedicationStatement,
    MedicationUse,
    Observation,
    Patient,
    Period,
    Reference,
    Resource,
)

LOINC = "http://loinc.org"
OTHER = {"reference": "Patient/somebody-else"}


def observation(name: str | None, *codes: str, **members: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code} for code in codes]},
        "subject": {"reference": "Patient/p"},
    }
    if name is not None:
        resource["id"] = name
    return {**resource, **members}


def record_of(*resources: dict[str, Any], urls: dict[str, str] | None = None) -> PatientRecord:
    urls = urls or {}
    entries = []
    for resource in resources:
        entry: dict[str, Any] = {"resource": resource}
        if resource.get("id") in urls:
            entry["fullUrl"] = urls[resource["id"]]
        entries.append(entry)
    page = read_resources(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
    return PatientRecord.build("p", [page])


def served(record: PatientRecord, *codes: str) -> list[str | None]:
    results = record.observations([(LOINC, code) for code in codes])
    return [result.observation.id for result in results]


@pytest.mark.parametrize(
    "reference", ["Patient/p", "https://ehr.example/fhir/Patient/p", "Patient/p/_history/4"]
)
def test_the_patients_resources_are_kept(reference: str) -> None:
    record = record_of(observation("alt", "1742-6", subject={"reference": reference}))
    assert served(record, "1742-6") == ["alt"]


def test_another_patients_resources_are_counted_and_never_served() -> None:
    other = observation("x", "1742-6", subject={"reference": "Patient/q"})
    group = observation("y", "1742-6", subject={"reference": "Group/p"})
    stranger = {"resourceType": "Patient", "id": "q"}
    record = record_of(other, group, stranger, observation("alt", "1742-6"))
    assert served(record, "1742-6") == ["alt"]
    assert record.ignored == {"Observation": 2, "Patient": 1}
    assert record.patient is None
    assert record.of_type(Patient) == ()


@pytest.mark.parametrize(
    "subject", [None, {}, {"display": "Jane"}, {"identifier": {"value": "1"}}, {"reference": "#p"}]
)
def test_a_resource_without_a_subject_is_not_used(subject: Any) -> None:
    record = record_of(observation("x", "1742-6", subject=subject))
    assert served(record, "1742-6") == []
    assert record.unattributed["Observation"] + record.ignored["Observation"] == 1


def test_a_subject_by_urn_is_resolved_inside_the_bundle() -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    mine = observation("alt", "1742-6", subject={"reference": "urn:uuid:1"})
    theirs = observation("ast", "1742-6", subject={"reference": "urn:uuid:2"})
    record = record_of(patient, mine, theirs, urls={"p": "urn:uuid:1"})
    assert served(record, "1742-6") == ["alt"]
    assert record.unattributed == {"Observation": 1}
    assert record.patient is not None


def test_a_medication_needs_no_subject() -> None:
    record = record_of({"resourceType": "Medication", "id": "m", "code": {"text": "x"}})
    assert record.unattributed == {}


def test_the_newer_copy_of_a_resource_wins_whatever_the_order() -> None:
    old = observation("alt", "1742-6", meta={"versionId": "9"}, status="final")
    new = observation("alt", "1742-6", meta={"versionId": "10"}, status="corrected")
    for pair in ((old, new), (new, old)):
        (result,) = record_of(*pair).observations([(LOINC, "1742-6")])
        assert result.observation.status == "corrected"


def test_the_later_update_wins_when_versions_do_not_compare() -> None:
    old = observation(
        "alt", "1742-6", meta={"versionId": "a", "lastUpdated": "2026-01-01T10:00:00Z"}
    )
    new = observation(
        "alt",
        "1742-6",
        meta={"versionId": "b", "lastUpdated": "2026-01-01T09:00:00-05:00"},
        status="corrected",
    )
    for pair in ((old, new), (new, old)):
        (result,) = record_of(*pair).observations([(LOINC, "1742-6")])
        assert result.observation.status == "corrected"


def test_copies_that_differ_without_a_version_are_reported() -> None:
    record = record_of(observation("alt", "1742-6"), observation("alt", "1742-6", status="amended"))
    assert record.conflicting_copies == {"Observation": 1}
    assert [result.observation.status for result in record.observations([(LOINC, "1742-6")])] == [
        "amended"
    ]
    same = record_of(observation("alt", "1742-6"), observation("alt", "1742-6"))
    assert same.conflicting_copies == {}
    assert served(same, "1742-6") == ["alt"]


def test_resources_without_id_are_all_kept() -> None:
    record = record_of(observation(None, "1742-6"), observation(None, "1742-6"))
    assert len(record.observations([(LOINC, "1742-6")])) == 2


def test_every_coding_is_indexed_and_an_observation_is_served_once() -> None:
    both = observation("spo2", "2708-6", "59408-5")
    record = record_of(both)
    assert served(record, "2708-6", "59408-5") == ["spo2"]
    assert served(record, "59408-5") == ["spo2"]


def test_a_component_is_found_by_its_own_code() -> None:
    panel = observation(
        "bp",
        "85354-9",
        component=[
            {
                "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
                "valueQuantity": {"value": 120, "unit": "mm[Hg]"},
            },
            {
                "code": {"coding": [{"system": LOINC, "code": "8462-4"}]},
                "dataAbsentReason": {"text": "unknown"},
            },
        ],
    )
    record = record_of(panel)
    (systolic,) = record.observations([(LOINC, "8480-6")])
    assert systolic.component is systolic.source
    assert systolic.component is not None
    assert systolic.component.value_quantity is not None
    (whole,) = record.observations([(LOINC, "85354-9")])
    assert whole.component is None
    assert whole.source is whole.observation


def test_two_components_with_one_code_are_both_served() -> None:
    gene = {"code": {"coding": [{"system": LOINC, "code": "48018-6"}]}}
    variant = observation("v", "69548-6", component=[gene, gene])
    assert len(record_of(variant).observations([(LOINC, "48018-6")])) == 2


@pytest.mark.parametrize("status", ["entered-in-error", "entered-in-error ", "Cancelled"])
def test_withdrawn_results_are_counted_and_not_served(status: str) -> None:
    record = record_of(observation("alt", "1742-6", status=status))
    assert served(record, "1742-6") == []
    assert record.of_type(Observation) == ()
    assert record.withdrawn == {("Observation", status.strip().lower()): 1}
    assert len(record.observations([(LOINC, "1742-6")], withdrawn=True)) == 1
    assert len(record.of_type(Observation, withdrawn=True)) == 1


@pytest.mark.parametrize("status", ["registered", "preliminary", "unknown"])
def test_other_statuses_are_served_for_the_reader_to_judge(status: str) -> None:
    assert served(record_of(observation("alt", "1742-6", status=status)), "1742-6") == ["alt"]


def condition(name: str, verification: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": name,
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C7931"}]},
        "verificationStatus": {"coding": [{"code": verification}]},
    }


def test_refuted_conditions_are_served_and_erroneous_ones_are_not() -> None:
    record = record_of(condition("a", "refuted"), condition("b", "entered-in-error"))
    brain = CodeSet.of("brain metastases", [("urn:oid:2.16.840.1.113883.6.90", "C79.31")])
    assert [found.id for found in record.conditions(brain)] == ["a"]
    assert record.withdrawn == {("Condition", "entered-in-error"): 1}
    (refuted,) = record.of_type(Condition)
    assert status_of(refuted) == "refuted"


def test_a_family_of_types_is_served_together() -> None:
    subject = {"reference": "Patient/p"}
    record = record_of(
        {"resourceType": "MedicationRequest", "id": "a", "subject": subject},
        {"resourceType": "MedicationStatement", "id": "b", "subject": subject},
    )
    assert len(record.of_type(MedicationUse)) == 2
    assert len(record.of_type(MedicationRequest)) == 1
    assert len(record.of_type(MedicationStatement)) == 1


def test_codes_without_system_find_nothing() -> None:
    code = {"coding": [{"code": "1742-6"}], "text": "ALT"}
    record = record_of(observation("alt", "1742-6", code=code))
    assert served(record, "1742-6") == []
    assert record.observations([("", "1742-6")]) == ()


def test_resources_can_be_added_beside_the_pages() -> None:
    (draft,) = read_resources(json.dumps(observation("alt", "1742-6")).encode()).resources
    assert served(PatientRecord.build("p", resources=[draft]), "1742-6") == ["alt"]


def test_no_patient_data_is_in_the_repr() -> None:
    record = record_of(observation("alt-of-jane", "1742-6", valueString="Jane Doe"))
    assert "Jane" not in repr(record)
    assert "alt-of-jane" not in repr(record)


def test_a_record_can_be_changed_resource_by_resource_with_all_that_leads_to_them() -> None:
    def later_gone(resource: Resource) -> Resource | None:
        return None if resource.id == "later" else resource

    first, later = observation("first", "1742-6"), observation("later", "1742-6")
    urls = {"first": "urn:uuid:1", "later": "urn:uuid:2"}
    record = record_of(first, later, observation("theirs", "1742-6", subject=OTHER), urls=urls)
    changed = record.changed(later_gone)
    assert served(record, "1742-6") == ["first", "later"]
    assert served(changed, "1742-6") == ["first"]
    assert changed.ignored == record.ignored
    assert changed.resolve(Reference(reference="urn:uuid:2")) is None
    assert changed.resolve(Reference(reference="urn:uuid:1")) is not None


@pytest.mark.parametrize("sent", ["x", 5, [], {"validityPeriod": "2026"}, {"validityPeriod": 3}])
def test_a_dispense_request_that_cannot_be_read_does_not_cost_the_order(sent: Any) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "dispenseRequest": sent,
    }
    (read,) = record_of(order).of_type(MedicationRequest)
    assert read.id == "order"
    assert read.supply_asked_for is None


def test_a_dispense_request_says_until_when_something_may_be_supplied() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "subject": {"reference": "Patient/p"},
        "dispenseRequest": {"validityPeriod": {"end": "2026-11-20"}, "numberOfRepeatsAllowed": 2},
    }
    (read,) = record_of(order).of_type(MedicationRequest)
    assert read.supply_asked_for is not None
    assert read.supply_asked_for.validity_period == Period(end="2026-11-20")

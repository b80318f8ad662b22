"""Whose a resource is: by every form of reference, and what is inside or beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.references import server_of
from cds_service.fhir.views import MedicationRequest, Observation, ServiceRequest

SERVER = "https://ehr.example.org/fhir/r4"
Json = dict[str, Any]


def record_of(*entries: Json, server: str | None = SERVER) -> PatientRecord:
    wrapped = [entry if "resource" in entry else {"resource": entry} for entry in entries]
    text = json.dumps({"resourceType": "Bundle", "entry": wrapped}).encode()
    return PatientRecord.build("p", [read_resources(text)], server=server)


def observation(subject: Any, **members: Any) -> Json:
    body = {"resourceType": "Observation", "id": "o", "status": "final", "subject": subject}
    return {**body, **members}


def kept(record: PatientRecord) -> int:
    return len(record.of_type(Observation))


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p",
        " Patient/p",
        "Patient/p/_history/7",
        f"{SERVER}/Patient/p",
        f"{SERVER}/Patient/p/_history/7",
        "http://ehr.example.org/fhir/r4/Patient/p",
        "https://EHR.example.org:443/fhir/r4//Patient/p",
    ],
)
def test_every_form_of_the_patients_own_reference_is_understood(reference: str) -> None:
    record = record_of(observation({"reference": reference}))
    assert (kept(record), record.ignored, record.unattributed) == (1, {}, {})


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/q",
        "Patient/P",
        "Patient/p2",
        "Patient/q/_history/1",
        f"{SERVER}/Patient/q",
        "https://other.example.org/fhir/r4/Patient/p",
        "https://ehr.example.org/fhir/tenant-2/Patient/p",
        "https://ehr.example.org:8443/fhir/r4/Patient/p",
        "Group/p",
        f"{SERVER}/Group/p",
        "Practitioner/p",
        "Device/p",
        "Location/p",
    ],
)
def test_every_other_subject_is_somebody_else(reference: str) -> None:
    record = record_of(observation({"reference": reference}))
    assert (kept(record), record.ignored) == (0, {"Observation": 1})


@pytest.mark.parametrize(
    "subject",
    [
        None,
        {},
        {"display": "Jane"},
        {"identifier": {"system": "urn:mrn", "value": "1"}},
        {"reference": "#me"},
        {"reference": "urn:uuid:unknown"},
        {"reference": "p"},
        {"reference": "Patient"},
        {"reference": "Patient?identifier=1"},
    ],
)
def test_what_does_not_say_whose_it_is_is_counted_apart(subject: Any) -> None:
    record = record_of(observation(subject))
    assert (kept(record), record.ignored, record.unattributed) == (0, {}, {"Observation": 1})


def test_without_a_server_the_patients_own_entry_tells_which_server_is_meant() -> None:
    patient = {"fullUrl": f"{SERVER}/Patient/p", "resource": {"resourceType": "Patient", "id": "p"}}
    mine = observation({"reference": f"{SERVER}/Patient/p"})
    theirs = observation({"reference": "https://other.example.org/Patient/p"}, id="x")
    record = record_of(patient, mine, theirs, server=None)
    assert (kept(record), record.ignored) == (1, {"Observation": 1})


def test_without_any_server_the_id_decides() -> None:
    record = record_of(observation({"reference": "https://any.example.org/Patient/p"}), server=None)
    assert kept(record) == 1


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        ([], 1),
        ([{"reference": "Condition/c"}], 1),
        ([{"reference": "Patient/p"}], 1),
        ([{"reference": "Patient/child"}], 0),
        ([{"reference": "RelatedPerson/donor"}], 0),
    ],
)
def test_a_result_about_another_body_is_not_the_patients(focus: list[Json], expected: int) -> None:
    record = record_of(observation({"reference": "Patient/p"}, focus=focus))
    assert kept(record) == expected
    assert sum(record.ignored.values()) == 1 - expected


def test_a_bundle_of_two_patients_gives_each_their_own() -> None:
    entries = [
        observation({"reference": f"Patient/{name}"}, id=f"of-{name}") for name in ("p", "q")
    ]
    text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": item} for item in entries]})
    for name in ("p", "q"):
        record = PatientRecord.build(name, [read_resources(text.encode())], server=SERVER)
        assert [item.id for item in record.of_type(Observation)] == [f"of-{name}"]
        assert record.ignored == {"Observation": 1}


def report(*contained: Json, subject: str = "Patient/p") -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "subject": {"reference": subject},
        "contained": list(contained),
    }


def test_results_inside_a_report_are_results_under_ids_of_their_own() -> None:
    inner = {"resourceType": "Observation", "id": "#o", "status": "final"}
    second = {**report(inner), "id": "second"}
    outer = observation({"reference": "Patient/p"})
    record = record_of(report(inner), second, outer)
    assert [item.id for item in record.of_type(Observation)] == ["report#o", "second#o", "o"]


def test_results_inside_a_report_of_another_or_about_another_are_not_used() -> None:
    inner = {"resourceType": "Observation", "id": "o", "status": "final"}
    theirs = {**inner, "subject": {"reference": "Patient/q"}}
    assert kept(record_of(report(inner, subject="Patient/q"))) == 0
    record = record_of(report(theirs))
    assert (kept(record), record.ignored) == (0, {"Observation": 1})


def test_what_is_contained_is_found_only_in_its_holder() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "plasma"}}
    holder = observation(
        {"reference": "Patient/p"}, contained=[specimen], specimen={"reference": "#s"}
    )
    record = record_of(holder)
    (result,) = record.of_type(Observation)
    found = record.resolve(result.specimen, result)
    assert found is not None
    assert found.resource_type == "Specimen"
    assert record.resolve(result.specimen) is None


PRODUCT = {"resourceType": "Medication", "id": "m", "code": {"text": "alectinib"}}


@pytest.mark.parametrize(
    ("reference", "texts", "missing"),
    [
        ("Medication/m", ("alectinib",), None),
        (f"{SERVER}/Medication/m", ("alectinib",), None),
        (f"{SERVER}/Medication/n", (), "Medication/n"),
        # The same id on another server is another product, and is not asked for here.
        ("https://other.example.org/fhir/Medication/m", (), None),
    ],
)
def test_a_product_of_another_server_is_never_taken_for_one_of_this_server(
    reference: str, texts: tuple[str, ...], missing: str | None
) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "subject": {"reference": "Patient/p"},
        "medicationReference": {"reference": reference},
    }
    record = record_of(PRODUCT, order)
    (use,) = record.of_type(MedicationRequest)
    concept = record.medication_concept(use)
    assert (concept.texts, concept.missing) == (texts, missing)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("Patient/q", True), ("Group/g", True), ("Patient/p", False), (None, False)],
)
def test_an_order_names_another_or_nobody(reference: str | None, expected: bool) -> None:
    subject = {} if reference is None else {"reference": reference}
    text = json.dumps({"resourceType": "ServiceRequest", "subject": subject}).encode()
    (order,) = read_resources(text).resources
    assert isinstance(order, ServiceRequest)
    assert record_of().is_of_another(order) is expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://EHR.example.org/fhir/", "ehr.example.org/fhir"),
        ("http://ehr.example.org:80", "ehr.example.org"),
        ("https://ehr.example.org:9443/a//b", "ehr.example.org:9443/a/b"),
        ("https://[broken", None),
        ("urn:uuid:1", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_of_one_server_compare_alike(base: str | None, expected: str | None) -> None:
    assert server_of(base) == expected

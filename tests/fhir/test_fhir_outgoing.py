from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cds_service.fhir.datatypes import Coding
from cds_service.fhir.dosage import read_dosage
from cds_service.fhir.outgoing import (
    InvalidResource,
    OrderedStep,
    Reason,
    dosage_instructions,
    medication_request,
    service_request,
    updated,
    validate,
    warm,
)
from cds_service.fhir.reading import read_resources
from cds_service.fhir.views import MedicationRequest

DRUG = Coding(
    system="http://www.nlm.nih.gov/research/umls/rxnorm",
    code="1727479",
    display="alectinib 150 MG Oral Capsule",
)
FULL_DOSE = OrderedStep(Decimal(600), 2, pieces=4, piece="capsule", with_food=True)
LEAD_IN = (
    OrderedStep(Decimal(90), 1, pieces=1, piece="tablet", days=7),
    OrderedStep(Decimal(180), 1, pieces=1, piece="tablet"),
)


def order(**members: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "patient_id": "p",
        "codings": [DRUG],
        "text": "alectinib",
        "steps": [FULL_DOSE],
        **members,
    }
    return medication_request(**settings)


def as_read(resource: dict[str, Any]) -> MedicationRequest:
    text = msgspec.json.Encoder(decimal_format="number").encode(resource)
    (request,) = read_resources(text).resources
    assert isinstance(request, MedicationRequest)
    return request


def test_an_order_says_drug_dose_route_food_and_reason() -> None:
    resource = order(
        start=date(2026, 11, 20),
        authored_on=date(2026, 11, 20),
        reasons=[Reason(text="ALK-positive lung cancer")],
        requester="Practitioner/1",
        encounter_id="e",
        resource_id="draft-1",
        note="with the label's lower dose",
    )
    (instruction,) = resource["dosageInstruction"]
    assert instruction["text"] == "600 mg (4 capsules) by mouth twice daily with food"
    assert instruction["route"]["coding"][0]["code"] == "26643006"
    assert instruction["additionalInstruction"] == [{"text": "with food"}]
    assert instruction["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-11-20"}
    assert len(instruction["doseAndRate"]) == 1
    assert resource["status"] == "draft"
    assert resource["intent"] == "order"
    assert resource["subject"] == {"reference": "Patient/p"}
    assert resource["encounter"] == {"reference": "Encounter/e"}
    assert resource["medicationCodeableConcept"]["coding"][0]["code"] == "1727479"
    assert resource["reasonCode"] == [{"text": "ALK-positive lung cancer"}]


@pytest.mark.parametrize(
    ("steps", "strength", "expected"),
    [
        ([FULL_DOSE], "150", [(600, 2, 1200, None)]),
        ([OrderedStep(Decimal("12.50"), 3)], None, [(Decimal("12.5"), 3, Decimal("37.5"), None)]),
        (LEAD_IN, None, [(90, 1, 90, 7), (180, 1, 180, None)]),
    ],
)
@pytest.mark.parametrize("start", [None, date(2026, 12, 28)])
def test_what_is_ordered_is_what_is_read_back(
    steps: Any, strength: str | None, expected: Any, start: date | None
) -> None:
    request = as_read(order(steps=steps, start=start))
    read = read_dosage(request.dosage_instruction, Decimal(strength) if strength else None)
    assert read.problems == ()
    assert [
        (step.amount_mg, step.doses_per_day, step.daily_mg, step.days) for step in read.steps
    ] == expected


def test_steps_follow_each_other_without_a_gap() -> None:
    first, second = dosage_instructions(LEAD_IN, start=date(2026, 12, 28))
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert first["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-12-28", "end": "2027-01-03"}
    assert second["timing"]["repeat"]["boundsPeriod"] == {"start": "2027-01-04"}


def test_steps_without_a_start_say_how_long_they_last() -> None:
    first, _ = dosage_instructions(LEAD_IN)
    assert first["timing"]["repeat"]["boundsDuration"]["value"] == 7
    assert first["text"] == "90 mg (1 tablet) by mouth once daily for 7 days"


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [OrderedStep(Decimal(0), 2)],
        [OrderedStep(Decimal(600), 0)],
        [OrderedStep(Decimal(600), 5)],
        [OrderedStep(Decimal(600), 2, days=0)],
        [OrderedStep(Decimal(600), 2, pieces=0, piece="capsule")],
        [OrderedStep(Decimal(600), 2, pieces=4)],
        [OrderedStep(Decimal(90), 1), OrderedStep(Decimal(180), 1)],
    ],
)
def test_steps_that_cannot_be_carried_out_are_refused(steps: list[OrderedStep]) -> None:
    with pytest.raises(ValueError, match=r"step|dose|pieces"):
        dosage_instructions(steps)


def test_an_order_for_a_test_says_what_when_and_why() -> None:
    resource = service_request(
        patient_id="p",
        codings=[Coding(system="http://loinc.org", code="1742-6", display="ALT")],
        text="Liver tests",
        occurrence=date(2026, 11, 27),
        priority="urgent",
        category=[Reason(text="Laboratory procedure")],
        reasons=[Reason(codings=(Coding(system="http://snomed.info/sct", code="254637007"),))],
    )
    assert resource["code"]["coding"][0]["code"] == "1742-6"
    assert resource["occurrenceDateTime"] == "2026-11-27"
    assert resource["priority"] == "urgent"
    assert resource["category"] == [{"text": "Laboratory procedure"}]
    assert resource["reasonCode"][0]["coding"][0]["code"] == "254637007"


def test_an_order_for_a_test_needs_no_more_than_what_and_whom() -> None:
    assert service_request(patient_id="p", codings=[], text="Liver tests") == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"text": "Liver tests"},
        "subject": {"reference": "Patient/p"},
    }


@pytest.mark.parametrize(
    ("members", "element"),
    [
        ({"status": "bogus"}, "MedicationRequest.status"),
        ({"intent": "wish"}, "MedicationRequest.intent"),
        ({"text": "", "codings": []}, "MedicationRequest.medicationCodeableConcept"),
        ({"note": ""}, "MedicationRequest.note[0].text"),
        ({"resource_id": "e_1"}, "MedicationRequest.id"),
        ({"reasons": [Reason()]}, "MedicationRequest.reasonCode[0]"),
    ],
)
def test_an_invalid_order_names_its_element(members: dict[str, Any], element: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        order(**members)
    assert caught.value.element == element


def test_a_service_request_with_an_unknown_priority_is_refused() -> None:
    with pytest.raises(InvalidResource, match=r"ServiceRequest\.priority"):
        service_request(patient_id="p", codings=[], text="x", priority="soon")


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        ({}, "resourceType"),
        ({"resourceType": "MedicationOrder"}, "resourceType"),
        ({"resourceType": "Patient", "name": []}, "Patient.name"),
        ({"resourceType": "Patient", "gender": None}, "Patient.gender"),
        ({"resourceType": "Patient", "nickname": "Jane Doe"}, "Patient.nickname"),
        ({"resourceType": "Patient", "birthDate": "Jane Doe"}, "Patient.birthDate"),
        ({"resourceType": "Patient", "contact": [{"name": "Jane Doe"}]}, "Patient.contact.0.name"),
    ],
)
def test_validation_names_the_element_and_never_the_value(
    resource: dict[str, Any], element: str
) -> None:
    with pytest.raises(InvalidResource) as caught:
        validate(resource)
    assert caught.value.element == element
    assert "Jane" not in str(caught.value)


def test_a_bundle_with_an_unknown_resource_type_is_invalid_and_no_crash() -> None:
    entry = {"resource": {"resourceType": "MedicationOrder", "id": "m"}}
    with pytest.raises(InvalidResource):
        validate({"resourceType": "Bundle", "type": "collection", "entry": [entry]})


DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "e_" + "x" * 200,
    "meta": {"versionId": "3"},
    "status": "draft",
    "_status": {"extension": [{"url": "https://x.example/old"}]},
    "category": {"text": "an object, as the sandbox sends it"},
    "extension": [{"url": "https://x.example/kept", "valueString": "kept"}],
    "vendorThing": {"deep": [1, Decimal("3.30")]},
    "medicationReference": {"reference": "Medication/eMed3"},
    "subject": {"reference": "Patient/p"},
    "dosageInstruction": [{"text": "900 mg twice daily"}],
}


def test_an_update_changes_only_what_it_names() -> None:
    before = copy.deepcopy(DRAFT)
    changed = updated(DRAFT, {"dosageInstruction": dosage_instructions([FULL_DOSE])})
    assert before == DRAFT
    expected = {**before, "dosageInstruction": dosage_instructions([FULL_DOSE])}
    assert changed == expected
    changed["vendorThing"]["deep"].append(2)
    assert before == DRAFT


def test_what_stands_beside_a_changed_value_goes_back_as_it_came() -> None:
    changed = updated(DRAFT, {"status": "stopped"})
    assert changed == {**DRAFT, "status": "stopped"}


def test_beside_a_value_that_is_there_now_nothing_says_that_it_is_absent() -> None:
    absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}
    other = {"url": "https://x.example/old"}
    without = {name: value for name, value in DRAFT.items() if name != "status"}
    alone = updated({**without, "_status": {"extension": [absent]}}, {"status": "stopped"})
    assert "_status" not in alone
    both = {"id": "s", "extension": [absent, other]}
    kept = updated({**without, "_status": both}, {"status": "stopped"})
    assert kept["_status"] == {"id": "s", "extension": [other]}


def test_an_update_can_remove_an_element() -> None:
    changed = updated(DRAFT, {"dosageInstruction": None, "note": None})
    assert "dosageInstruction" not in changed
    assert changed["subject"] == DRAFT["subject"]


@pytest.mark.parametrize("name", ["resourceType", "id", "meta", "subject", "contained", "_status"])
def test_an_update_never_changes_identity_or_subject(name: str) -> None:
    with pytest.raises(InvalidResource, match=name):
        updated(DRAFT, {name: "x"})


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"status": "bogus"}, "MedicationRequest.status"),
        ({"dosageInstruction": [{"dose": 1}]}, "MedicationRequest.dosageInstruction.0.dose"),
        ({"dosageInstruction": []}, "MedicationRequest.dosageInstruction"),
    ],
)
def test_what_an_update_puts_in_is_validated(changes: dict[str, Any], element: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        updated(DRAFT, changes)
    assert caught.value.element == element


def test_an_update_can_change_the_medication_to_another_reference() -> None:
    changed = updated(DRAFT, {"medicationReference": {"reference": "Medication/2"}})
    assert changed["medicationReference"] == {"reference": "Medication/2"}


def test_only_orders_can_be_updated() -> None:
    with pytest.raises(InvalidResource, match="only orders"):
        updated({"resourceType": "Patient"}, {"gender": "female"})


def test_numbers_keep_their_digits_on_the_way_out() -> None:
    resource = order(steps=[OrderedStep(Decimal("12.50"), 1)])
    text = msgspec.json.Encoder(decimal_format="number").encode(resource)
    assert b'"value":12.50,' in text
    assert json.loads(text)["dosageInstruction"][0]["text"] == "12.5 mg by mouth once daily"


def test_warming_up_succeeds() -> None:
    warm()


def request_of_a_test() -> dict[str, Any]:
    return service_request(
        patient_id="p",
        codings=[Coding(system="http://loinc.org", code="1742-6", display="ALT")],
        text="ALT",
        occurrence=date(2026, 11, 20),
        authored_on=date(2026, 11, 20),
        requester="Practitioner/1",
        encounter_id="e",
    )


@pytest.mark.parametrize(
    ("name", "value", "element"),
    [
        ("authoredOn", "2026-02-30", "ServiceRequest.authoredOn"),
        ("authoredOn", None, "ServiceRequest.authoredOn"),
        ("occurrenceDateTime", "tomorrow", "ServiceRequest.occurrenceDateTime"),
        ("subject", {"reference": ""}, "ServiceRequest.subject.reference"),
        ("subject", {}, "ServiceRequest.subject"),
        ("encounter", {"reference": 7}, "ServiceRequest.encounter.reference"),
        ("requester", {"reference": "Practitioner/1", "other": 1}, "ServiceRequest.requester"),
        ("requester", True, "ServiceRequest.requester"),
        ("priority", "whenever", "ServiceRequest.priority"),
    ],
)
def test_an_order_like_one_that_was_valid_is_refused_for_what_is_its_own(
    name: str, value: object, element: str
) -> None:
    valid = request_of_a_test()
    assert validate(valid) == valid
    with pytest.raises(InvalidResource) as refused:
        validate({**valid, name: value})
    assert str(refused.value).startswith(element)

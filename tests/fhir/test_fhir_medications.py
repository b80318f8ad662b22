from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.medications import MedicationConcept, MedicationShape
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationUse

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PRODUCT = {
    "resourceType": "Medication",
    "id": "eMed3",
    "code": {
        "coding": [
            {"system": RXNORM, "code": "1727455"},
            {"system": RXNORM, "code": "1727479"},
            {"system": "urn:oid:2.16.840.1.113883.6.253", "code": "1"},
        ],
        "text": "alectinib capsule 150 mg",
    },
    "form": {"text": "Capsule"},
    "ingredient": [
        {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "1727455"}], "text": "x"}}
    ],
}


def read_concept(
    request: dict[str, Any], *others: dict[str, Any], url: str | None = None
) -> MedicationConcept:
    whole = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "subject": {"reference": "Patient/p"},
        **request,
    }
    entries: list[dict[str, Any]] = [{"resource": whole}]
    entries += [
        {"resource": other, **({"fullUrl": url} if url is not None else {})} for other in others
    ]
    page = read_resources(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
    record = PatientRecord.build("p", [page])
    (use,) = record.of_type(MedicationUse)
    return record.medication_concept(use)


def codes(concept: MedicationConcept) -> list[str | None]:
    return [coding.code for coding in concept.codings]


def test_a_coded_drug_keeps_all_codings_and_texts() -> None:
    coding = {"system": RXNORM, "code": "1727479", "display": "alectinib 150 MG Oral Capsule"}
    concept = read_concept({"medicationCodeableConcept": {"coding": [coding], "text": "alectinib"}})
    assert concept.shape == MedicationShape.CONCEPT
    assert codes(concept) == ["1727479"]
    assert concept.texts == ("alectinib", "alectinib 150 MG Oral Capsule")


def test_a_contained_product_is_found() -> None:
    concept = read_concept(
        {
            "contained": [{"resourceType": "Organization", "id": "o"}, {**PRODUCT, "id": "med2"}],
            "medicationReference": {"reference": "#med2"},
        }
    )
    assert concept.shape == MedicationShape.CONTAINED
    assert codes(concept) == ["1727455", "1727479", "1"]
    assert concept.form is not None
    assert concept.form.text == "Capsule"


@pytest.mark.parametrize(
    "reference", ["Medication/eMed3", "https://ehr.example/fhir/Medication/eMed3"]
)
def test_a_product_in_the_same_bundle_is_found_by_type_and_id(reference: str) -> None:
    concept = read_concept(
        {"medicationReference": {"reference": reference, "display": "ALECTINIB 150 MG PO CAPS"}},
        PRODUCT,
    )
    assert concept.shape == MedicationShape.REFERENCED
    assert codes(concept) == ["1727455", "1727479", "1"]
    assert [coding.code for coding in concept.ingredient_codings] == ["1727455"]
    assert concept.texts == ("alectinib capsule 150 mg", "ALECTINIB 150 MG PO CAPS")
    assert concept.ingredient_texts == ("x",)
    assert len(concept.all_codings) == 4


def test_a_product_is_found_by_its_full_url() -> None:
    concept = read_concept(
        {"medicationReference": {"reference": "urn:uuid:9"}}, PRODUCT, url="urn:uuid:9"
    )
    assert concept.shape == MedicationShape.REFERENCED


def test_a_reference_that_cannot_be_resolved_leaves_display_and_what_to_read() -> None:
    concept = read_concept(
        {"medicationReference": {"reference": "Medication/eMed3", "display": "ALECTINIB PO"}}
    )
    assert concept.shape == MedicationShape.DISPLAY_ONLY
    assert concept.text == "ALECTINIB PO"
    assert concept.codings == ()
    assert concept.missing == "Medication/eMed3"


def test_a_display_alone_is_enough_for_text() -> None:
    concept = read_concept({"medicationReference": {"display": "alectinib"}})
    assert (concept.shape, concept.text, concept.missing) == (
        MedicationShape.DISPLAY_ONLY,
        "alectinib",
        None,
    )


@pytest.mark.parametrize(
    "request_members",
    [
        {},
        {"medicationCodeableConcept": {"extension": [{"url": "x", "valueCode": "unknown"}]}},
        {"medicationCodeableConcept": {"coding": [], "text": " "}},
        {"_medicationCodeableConcept": {"extension": [{"url": "x"}]}},
        {"medicationReference": {}},
        {"medicationReference": {"reference": "#gone"}},
    ],
)
def test_a_medication_that_names_nothing_is_not_guessed(request_members: dict[str, Any]) -> None:
    concept = read_concept(request_members)
    assert concept.shape == MedicationShape.NOTHING
    assert concept.text is None
    assert concept.all_codings == ()


def test_an_unresolved_reference_without_display_says_what_to_read() -> None:
    concept = read_concept({"medicationReference": {"reference": "Medication/eMed3"}})
    assert (concept.shape, concept.missing) == (MedicationShape.NOTHING, "Medication/eMed3")


def test_r5_concepts_and_references_are_read() -> None:
    concept = read_concept({"medication": {"concept": {"text": "alectinib"}}})
    assert concept.shape == MedicationShape.R5_CONCEPT
    referenced = read_concept(
        {"medication": {"reference": {"reference": "Medication/eMed3"}}}, PRODUCT
    )
    assert referenced.shape == MedicationShape.REFERENCED


def test_a_reference_to_something_else_is_no_product() -> None:
    device = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    concept = read_concept({"medicationReference": {"reference": "Condition/c"}}, device)
    assert concept.shape == MedicationShape.NOTHING


def test_a_product_without_code_still_names_its_ingredients() -> None:
    bare = {name: member for name, member in PRODUCT.items() if name != "code"}
    concept = read_concept({"medicationReference": {"reference": "Medication/eMed3"}}, bare)
    assert concept.codings == ()
    assert concept.text is None
    assert [coding.code for coding in concept.all_codings] == ["1727455"]

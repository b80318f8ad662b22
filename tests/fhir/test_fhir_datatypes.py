from __future__ import annotations

from decimal import Decimal

from cds_service.fhir.datatypes import CodeableConcept, Coding, Quantity


def test_the_label_of_a_concept_is_its_text_or_a_display_and_never_a_code() -> None:
    coding = Coding(system="http://loinc.org", code="1742-6")
    shown = Coding(display=" ALT ")
    assert CodeableConcept(coding=(coding, shown), text=" ALT (SGPT) ").label == "ALT (SGPT)"
    assert CodeableConcept(coding=(coding, shown), text=" ").label == "ALT"
    assert CodeableConcept(coding=(coding,)).label is None


def test_a_quantity_shows_what_was_sent() -> None:
    assert Quantity(value=Decimal("3.30"), comparator="<", unit="mg/dL").as_sent == "<3.30 mg/dL"
    assert Quantity(value=Decimal(7), code="/uL").as_sent == "7 /uL"
    assert Quantity(unit="mg/dL").as_sent == ""


def test_a_number_that_is_not_finite_is_no_number() -> None:
    assert Quantity(value=Decimal("NaN")).number is None
    assert Quantity(value=Decimal("Infinity")).number is None

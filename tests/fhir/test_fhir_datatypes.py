from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.fhir.datatypes import CodeableConcept, Coding, Quantity, usable_number


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


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("5", True),
        ("0", True),
        ("0.000", True),
        ("1e30", True),
        ("1e31", False),
        ("1e-31", False),
        ("1e999999", False),
        ("NaN", False),
        ("sNaN", False),
        ("-Infinity", False),
    ],
)
def test_a_number_of_an_impossible_size_is_none(text: str, usable: bool) -> None:
    number = Decimal(text)
    assert (usable_number(number) is number) is usable
    assert (Quantity(value=number).number is number) is usable

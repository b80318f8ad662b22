"""What is kept from call to call is bounded, in number and in length."""

from __future__ import annotations

from decimal import Decimal

from cds_service.facts import finding_readings
from cds_service.fhir import reference_ranges
from cds_service.fhir.datatypes import CodeableConcept, Coding, Quantity, ReferenceRange
from cds_service.fhir.remembered import LONGEST, remembered
from cds_service.knowledge.concept_models import IcdRow
from cds_service.knowledge.concepts import _Index
from cds_service.protocol import urls
from tests.facts.records import reader


def test_an_answer_about_a_short_text_is_worked_out_once_and_a_long_text_is_soon_forgotten() -> (
    None
):
    asked: list[int] = []

    @remembered(8)
    def length(text: str | None) -> int:
        asked.append(len(text or ""))
        return len(text or "")

    kept = length.cache_info  # type: ignore[attr-defined]
    short, long = "a" * LONGEST, "a" * (LONGEST + 1)
    assert [length(text) for text in (short, short, long)] == [500, 500, 501]
    assert asked == [500, 501]
    assert kept().currsize == 2
    assert length(None) == 0
    assert kept().currsize == 1
    assert [length(text) for text in (short, short, None)] == [500, 500, 0]
    assert asked == [500, 501, 0, 500]


def test_however_many_long_texts_come_at_most_one_is_kept() -> None:
    @remembered(1000)
    def length(text: str) -> int:
        return len(text)

    for number in range(1, 100):
        length("a" * (LONGEST + number))
        assert length.cache_info().currsize == 1  # type: ignore[attr-defined]


def test_an_address_of_any_length_is_read_and_only_a_short_one_kept() -> None:
    urls._known_address.cache_clear()
    long = "https://fhir.example.org/" + "a" * LONGEST
    address = urls.parse_address(long)
    assert address is not None
    assert address.host == "fhir.example.org"
    assert urls._known_address.cache_info().currsize == 0
    assert urls.parse_address("https://fhir.example.org/r4") is not None
    assert urls._known_address.cache_info().currsize == 1


def test_a_range_of_any_length_is_read_and_soon_forgotten() -> None:
    kept = reference_ranges._known_limit.cache_info  # type: ignore[attr-defined]
    high = Quantity(value=Decimal(40), unit="U/L")
    group = CodeableConcept(coding=(Coding(code="male", display="m" * LONGEST),))
    long = [
        ReferenceRange(high=high, text="up to 40 U/L" + " " * LONGEST),
        ReferenceRange(high=high, applies_to=(group,)),
        ReferenceRange(high=Quantity(value=Decimal(40), unit="U" * (LONGEST + 1))),
    ]
    for entry in long:
        reference_ranges._known_limit.cache_clear()  # type: ignore[attr-defined]
        reference_ranges.upper_limit((entry,), high)
        for text in ("up to 40 U/L", "to 40 U/L", "0 - 40 U/L"):
            short = ReferenceRange(high=high, text=text)
            assert reference_ranges.upper_limit((short,), high).number == 40
        assert kept().currsize == 3


def test_what_a_coded_concept_stands_for_is_kept_and_a_long_one_soon_forgotten() -> None:
    concepts = reader()._book.concepts
    understood = finding_readings._understood_before
    understood.cache_clear()  # type: ignore[attr-defined]
    code = Coding(system="http://hl7.org/fhir/sid/icd-10-cm", code="J70.2")
    for text in ("p" * LONGEST, "pneumonitis", "p" * LONGEST + "q", "lung"):
        meaning, _ = understood(concepts, CodeableConcept(coding=(code,), text=text))
        assert meaning.names
    assert understood.cache_info().currsize == 1  # type: ignore[attr-defined]


def test_a_text_sent_as_a_code_is_looked_up_as_far_as_codes_go() -> None:
    index = _Index()
    row = IcdRow(code="I10", display="hypertension", editions=("cm",), descendants=True,
                 verified=True)  # fmt: skip
    key = index.add("http://hl7.org/fhir/sid/icd-10-cm", "I10", row, "hypertension")
    looked: list[object] = []

    class Counted(dict[object, object]):
        def get(self, key: object, default: object = None) -> object:
            looked.append(key)
            return super().get(key, default)

    index._below = Counted(index._below)  # type: ignore[assignment]
    assert index.names((key[0], "I10." + "1" * 100_000)) == {"hypertension"}
    assert len(looked) == 1

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


def test_an_answer_about_a_short_text_is_worked_out_once_and_of_a_long_one_each_time() -> None:
    asked: list[int] = []

    @remembered(8)
    def length(text: str | None) -> int:
        asked.append(len(text or ""))
        return len(text or "")

    short, long = "a" * LONGEST, "a" * (LONGEST + 1)
    assert [length(text) for text in (short, short, long, long, None)] == [500, 500, 501, 501, 0]
    assert asked == [500, 501, 501, 0]


def test_an_address_of_any_length_is_read_and_only_a_short_one_kept() -> None:
    urls._known_address.cache_clear()
    long = "https://fhir.example.org/" + "a" * LONGEST
    address = urls.parse_address(long)
    assert address is not None
    assert address.host == "fhir.example.org"
    assert urls._known_address.cache_info().currsize == 0
    assert urls.parse_address("https://fhir.example.org/r4") is not None
    assert urls._known_address.cache_info().currsize == 1


def test_a_range_of_any_length_is_read_and_only_a_short_one_kept() -> None:
    reference_ranges._known_limit.cache_clear()
    for text, kept in (("up to 40 U/L", 1), ("up to 40 U/L" + " " * LONGEST, 1)):
        high = Quantity(value=Decimal(40), unit="U/L")
        limit = reference_ranges.upper_limit((ReferenceRange(high=high, text=text),), high)
        assert limit.number == 40
        assert reference_ranges._known_limit.cache_info().currsize == kept


def test_what_a_concept_stands_for_is_kept_when_it_is_coded_and_short() -> None:
    concepts = reader()._book.concepts
    finding_readings._understood_before.cache_clear()
    code = Coding(system="http://hl7.org/fhir/sid/icd-10-cm", code="J70.2")
    for concept, kept in (
        (CodeableConcept(coding=(code,), text="pneumonitis"), True),
        (CodeableConcept(coding=(code,), text="p" * LONGEST), False),
        (CodeableConcept(text="pneumonitis"), False),
    ):
        assert finding_readings._is_kept(concept) is kept
        assert finding_readings._understood(concepts, concept)[0].names


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

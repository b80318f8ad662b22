from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.fhir.reading import read_resources
from cds_service.fhir.values import (
    NumberAsSent,
    NumberProblem,
    has_value,
    interpretation_codes,
    parse_number,
    read_number,
)
from cds_service.fhir.views import CodeableConcept, Coding, Observation, Quantity


def number_of(value: str) -> NumberAsSent:
    text = f'{{"resourceType":"Observation","id":"x","valueQuantity":{value}}}'
    (observation,) = read_resources(text.encode()).resources
    assert isinstance(observation, Observation)
    return read_number(observation)


def test_a_number_in_text_is_read_with_its_comparator(numbers_row: dict[str, str]) -> None:
    read = parse_number(numbers_row["text"])
    expected = Decimal(numbers_row["number"]) if numbers_row["number"] else None
    assert read.number == expected
    if expected is None:
        assert read.problem == NumberProblem.NOT_NUMERIC
        return
    assert str(read.number) == str(expected)
    assert (read.comparator or "") == numbers_row["comparator"]
    assert (read.unit or "") == numbers_row["unit"]
    assert read.as_sent == numbers_row["text"]


def test_other_text_is_not_numeric(numbers_rejected_row: dict[str, str]) -> None:
    read = parse_number(numbers_rejected_row["text"])
    assert read.number is None
    assert read.problem == NumberProblem.NOT_NUMERIC


def test_digits_stay_as_they_were_sent() -> None:
    read = number_of('{"value":3.30,"unit":"mg/dL"}')
    assert str(read.number) == "3.30"
    assert read.as_sent == "3.30 mg/dL"


def test_a_number_sent_as_text_is_read() -> None:
    assert number_of('{"value":"45","unit":"U/L"}').number == Decimal(45)


def test_a_comparator_inside_the_value_is_found() -> None:
    read = number_of('{"value":"<5","unit":"U/L"}')
    assert (read.number, read.comparator, read.unit) == (Decimal(5), "<", "U/L")
    assert read.as_sent == "<5 U/L"


def test_a_unit_inside_the_value_is_taken_when_no_other_is_sent() -> None:
    read = number_of('{"value":"<5 mg/dL"}')
    assert (read.number, read.unit) == (Decimal(5), "mg/dL")


@pytest.mark.parametrize(
    "value",
    [
        '{"value":"<5","comparator":">","unit":"U/L"}',
        '{"value":"5 mg/dL","unit":"U/L"}',
        '{"value":"NaN","unit":"U/L"}',
        '{"value":"hemolyzed","unit":"U/L"}',
    ],
)
def test_a_value_that_contradicts_itself_is_no_number(value: str) -> None:
    read = number_of(value)
    assert read.number is None
    assert read.problem == NumberProblem.NOT_NUMERIC


def test_an_unknown_comparator_makes_the_number_unusable() -> None:
    read = number_of('{"value":5,"comparator":"ad","unit":"U/L"}')
    assert read.number is None
    assert read.problem == NumberProblem.COMPARATOR


def test_a_quantity_without_value_is_no_value() -> None:
    assert number_of('{"unit":"U/L"}').problem == NumberProblem.NO_VALUE


def test_data_absent_reason_wins_over_a_value_beside_it() -> None:
    reason = CodeableConcept(coding=(Coding(code="error"),), text="instrument error")
    observation = Observation(
        value_quantity=Quantity(value=Decimal(5), unit="U/L"), data_absent_reason=reason
    )
    read = read_number(observation)
    assert read.number is None
    assert read.problem == NumberProblem.DATA_ABSENT
    assert read.absent_reason == "error"
    in_words = Observation(data_absent_reason=CodeableConcept(coding=(Coding(display="Lost"),)))
    assert read_number(in_words).absent_reason is None
    assert read_number(in_words).as_sent == "Lost"


def test_an_integer_and_a_numeric_string_are_numbers() -> None:
    assert read_number(Observation(value_integer=0)).number == Decimal(0)
    assert read_number(Observation(value_string="<5")).comparator == "<"


def test_words_and_codes_are_values_but_not_numbers() -> None:
    for observation in (
        Observation(value_string="HEMOLYZED"),
        Observation(value_codeable_concept=CodeableConcept(text="Positive")),
        Observation(value_boolean=False),
    ):
        assert has_value(observation)
        assert read_number(observation).problem == NumberProblem.NOT_NUMERIC


def test_nothing_at_all_is_no_value() -> None:
    assert not has_value(Observation(value_string="  "))
    assert read_number(Observation(value_string=" ")).problem == NumberProblem.NO_VALUE


def test_interpretation_codes_are_upper_cased_and_text_is_left() -> None:
    flags = (
        CodeableConcept(coding=(Coding(code=" h "),)),
        CodeableConcept(text="very high"),
    )
    assert interpretation_codes(Observation(interpretation=flags)) == {"H"}

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.fhir.datatypes import CodeableConcept, Coding, Quantity, Range, ReferenceRange
from cds_service.fhir.reference_ranges import lower_limit
from cds_service.fhir.values import (
    LimitOrigin,
    LimitProblem,
    says_nothing_of_a_limit,
    upper_limit,
)

RESULT = Quantity(value=Decimal(212), unit="U/L", code="U/L", system="http://unitsofmeasure.org")


def high(value: str, unit: str | None = "U/L") -> Quantity:
    return Quantity(value=Decimal(value), unit=unit)


def kind(code: str) -> CodeableConcept:
    return CodeableConcept(coding=(Coding(code=code),))


def group(code: str) -> tuple[CodeableConcept, ...]:
    return (CodeableConcept(coding=(Coding(system="http://snomed.info/sct", code=code),)),)


MALE, FEMALE = "248153007", "248152002"
ADULT = Range(low=Quantity(value=Decimal(18), unit="a"))
CHILD = Range(high=Quantity(value=Decimal(17), unit="a"))


def test_text_gives_a_limit_only_in_closed_forms(range_texts_row: dict[str, str]) -> None:
    limit = upper_limit([ReferenceRange(text=range_texts_row["text"])], None)
    expected = Decimal(range_texts_row["upper"]) if range_texts_row["upper"] else None
    assert limit.number == expected
    if expected is None:
        assert limit.problem == LimitProblem.NO_UPPER_LIMIT
    else:
        assert limit.origin == LimitOrigin.TEXT
        assert (limit.unit or "") == range_texts_row["unit"]


def test_a_missing_range_is_unknown() -> None:
    assert upper_limit([], RESULT).problem == LimitProblem.NO_RANGE


def test_a_range_keeps_its_own_unit() -> None:
    limit = upper_limit([ReferenceRange(high=high("15.5", "g/dL"))], Quantity(unit="mg/dL"))
    assert (limit.number, limit.unit, limit.inherited) == (Decimal("15.5"), "g/dL", False)


def test_a_high_without_unit_inherits_the_unit_of_the_result() -> None:
    limit = upper_limit([ReferenceRange(high=high("55", None))], RESULT)
    assert (limit.unit, limit.code, limit.inherited) == ("U/L", "U/L", True)


@pytest.mark.parametrize("text", ["<=55", "7 - 55", "7 - 55 U/L", "see report", "", "<=920 nkat/L"])
def test_a_high_end_stands_beside_words_that_do_not_contradict_it(text: str) -> None:
    limit = upper_limit([ReferenceRange(high=high("55"), text=text)], RESULT)
    assert (limit.number, limit.origin) == (Decimal(55), LimitOrigin.HIGH)


@pytest.mark.parametrize(
    ("low", "high_end", "text"),
    [
        (None, "5", ">5"),
        (None, "5", ">= 5 U/L"),
        (None, "5", "over 5"),
        (None, "55", ">40"),
        ("7", "55", ">40"),
        (None, "55", "<=40"),
        (None, "55", "7 - 40 U/L"),
        ("55", "55", ""),
        ("60", "55", ""),
    ],
)
def test_a_range_that_contradicts_itself_gives_no_limit(
    low: str | None, high_end: str, text: str
) -> None:
    odd = ReferenceRange(low=high(low) if low else None, high=high(high_end), text=text)
    assert upper_limit([odd], RESULT).problem == LimitProblem.NO_UPPER_LIMIT
    assert not says_nothing_of_a_limit([odd])


def test_words_that_name_the_low_end_only_leave_the_high_end_standing() -> None:
    range_ = ReferenceRange(low=high("5"), high=high("55"), text=">5")
    assert upper_limit([range_], RESULT).number == Decimal(55)


@pytest.mark.parametrize("text", ["40 - 40", "0 - 0"])
def test_words_whose_ends_are_one_number_give_no_limit(text: str) -> None:
    assert upper_limit([ReferenceRange(text=text)], RESULT).number is None


def test_the_low_end_is_read_of_one_range_for_everybody() -> None:
    range_ = ReferenceRange(low=high("30", None), high=high("200", None))
    limit = lower_limit([range_], RESULT)
    assert limit is not None
    assert (limit.number, limit.unit, limit.inherited) == (Decimal(30), "U/L", True)
    assert lower_limit([range_, range_], RESULT) is None
    assert lower_limit([ReferenceRange(low=high("30"), applies_to=group(MALE))], RESULT) is None
    assert lower_limit([ReferenceRange(low=high("200"), high=high("30"))], RESULT) is None
    assert lower_limit([ReferenceRange(high=high("30"))], RESULT) is None


@pytest.mark.parametrize("value", ["0", "-3", "NaN"])
def test_a_useless_high_is_ignored_and_the_text_is_read(value: str) -> None:
    assert upper_limit([ReferenceRange(high=high(value))], RESULT).number is None
    limit = upper_limit([ReferenceRange(high=high(value), text="7 - 55")], RESULT)
    assert limit.number == Decimal(55)


def test_a_range_upside_down_is_no_limit() -> None:
    odd = ReferenceRange(low=high("55"), high=high("7"))
    assert upper_limit([odd], RESULT).problem == LimitProblem.NO_UPPER_LIMIT


@pytest.mark.parametrize("code", ["therapeutic", "treatment", "critical", "recommended"])
def test_only_normal_ranges_count(code: str) -> None:
    other = ReferenceRange(high=high("500"), type=kind(code))
    normal = ReferenceRange(high=high("55"), type=kind("normal"))
    assert upper_limit([other], RESULT).problem == LimitProblem.NO_UPPER_LIMIT
    assert upper_limit([other, normal], RESULT).number == Decimal(55)


def test_a_type_in_words_counts_only_when_it_says_normal() -> None:
    normal = ReferenceRange(high=high("55"), type=CodeableConcept(text="Normal Range"))
    other = ReferenceRange(high=high("55"), type=CodeableConcept(text="Action level"))
    assert upper_limit([normal], RESULT).number == Decimal(55)
    assert upper_limit([other], RESULT).number is None


def test_ranges_for_men_and_women_are_chosen_by_sex() -> None:
    ranges = [
        ReferenceRange(high=high("50"), applies_to=group(MALE)),
        ReferenceRange(high=high("35"), applies_to=group(FEMALE)),
    ]
    assert upper_limit(ranges, RESULT, sex="female").number == Decimal(35)
    assert upper_limit(ranges, RESULT, sex=" Male ").number == Decimal(50)
    for sex in (None, "unknown", "other"):
        limit = upper_limit(ranges, RESULT, sex=sex)
        assert limit.number is None
        assert limit.problem == LimitProblem.SEX_OR_AGE_UNKNOWN


def test_a_range_for_the_other_sex_alone_does_not_apply() -> None:
    ranges = [ReferenceRange(high=high("50"), applies_to=group(MALE))]
    limit = upper_limit(ranges, RESULT, sex="female")
    assert limit.problem == LimitProblem.NOT_APPLICABLE


def test_a_range_for_an_unknown_group_never_applies() -> None:
    pregnant = ReferenceRange(high=high("90"), applies_to=(CodeableConcept(text="Pregnant"),))
    general = ReferenceRange(high=high("55"))
    assert upper_limit([pregnant], RESULT, sex="female").number is None
    assert upper_limit([pregnant, general], RESULT, sex="female").number == Decimal(55)


def test_ranges_by_age_are_chosen_by_age() -> None:
    ranges = [
        ReferenceRange(high=high("55"), age=ADULT),
        ReferenceRange(high=high("90"), age=CHILD),
    ]
    assert upper_limit(ranges, RESULT, age_years=64).number == Decimal(55)
    assert upper_limit(ranges, RESULT, age_years=17).number == Decimal(90)
    assert upper_limit(ranges, RESULT, age_years=18).number == Decimal(55)
    assert upper_limit(ranges, RESULT).problem == LimitProblem.SEX_OR_AGE_UNKNOWN


def test_an_age_in_an_unknown_unit_is_no_choice() -> None:
    odd = ReferenceRange(high=high("55"), age=Range(low=Quantity(value=Decimal(18), unit="x")))
    assert upper_limit([odd], RESULT, age_years=64).problem == LimitProblem.SEX_OR_AGE_UNKNOWN


def test_the_most_specific_range_wins() -> None:
    ranges = [
        ReferenceRange(high=high("60")),
        ReferenceRange(high=high("50"), applies_to=group(FEMALE)),
        ReferenceRange(high=high("40"), applies_to=group(FEMALE), age=ADULT),
    ]
    assert upper_limit(ranges, RESULT, sex="female", age_years=64).number == Decimal(40)


def test_several_equal_claims_that_differ_are_ambiguous() -> None:
    ranges = [ReferenceRange(high=high("40")), ReferenceRange(high=high("55"))]
    assert upper_limit(ranges, RESULT).problem == LimitProblem.AMBIGUOUS


def test_several_claims_that_agree_are_one_limit() -> None:
    ranges = [ReferenceRange(high=high("40")), ReferenceRange(high=high("40"))]
    assert upper_limit(ranges, RESULT).number == Decimal(40)


def test_the_same_number_in_two_units_is_ambiguous() -> None:
    ranges = [ReferenceRange(high=high("40", "U/L")), ReferenceRange(high=high("40", "ukat/L"))]
    assert upper_limit(ranges, RESULT).problem == LimitProblem.AMBIGUOUS

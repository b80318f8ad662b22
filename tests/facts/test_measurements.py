"""Laboratory results and scores as series: units, ranges, duplicates, corrections and dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from cds_service.facts import OnTreatment, PatientFacts
from cds_service.rules import ReasonKind, Series
from tests.facts.records import (
    Json,
    coded,
    day,
    facts_of,
    laboratory,
    numbers,
    observation,
    person,
    stated,
    table,
)


def _results(analyte: str, text: str) -> list[Json]:
    found = []
    for part in filter(None, text.split(";")):
        days, value, unit, high, status = part.split("|")
        found.append(
            laboratory(
                analyte,
                None if value == "-" else float(value),
                None if days == "none" else int(days),
                unit=None if unit == "-" else unit,
                high=None if high == "-" else float(high),
                status=status,
            )
        )
    return found


def _series_of(facts: PatientFacts, name: str = "ALT") -> Series:
    found = facts.find(name)
    assert isinstance(found, Series)
    return found


def _series(*resources: Json, name: str = "ALT") -> Series:
    found = facts_of(*resources).find(name)
    assert isinstance(found, Series)
    return found


@pytest.mark.parametrize("row", table("series.tsv"), ids=lambda row: row["says"])
@pytest.mark.parametrize("turned", [False, True], ids=["as sent", "turned round"])
def test_results_become_a_series(row: dict[str, str], turned: bool) -> None:
    sent = _results(row["analyte"], row["results"])
    facts = facts_of(*(sent[::-1] if turned else sent))
    values = numbers(facts, row["analyte"])
    found = facts.find(row["analyte"])
    limits = [
        "-" if item.upper_limit is None else format(item.upper_limit.normalize(), "f")
        for item in (found.measurements if isinstance(found, Series) else ())
    ]
    same_moment = "both stay" in row["says"]
    assert (sorted(values) if same_moment else values) == [v for v in row["values"].split(";") if v]
    assert limits == [limit for limit in row["limits"].split(";") if limit]


def test_a_result_keeps_what_was_sent_and_where_it_came_from() -> None:
    sent = laboratory("total bilirubin", 2.5, unit="mg/dL", high=1.2)
    (item,) = _series(sent, name="total bilirubin").measurements
    assert item.as_sent == "2.5 mg/dL"
    assert item.source == f"Observation/{sent['id']}"
    assert item.day == date.fromisoformat(day(3))


def test_a_result_in_an_unknown_unit_says_so() -> None:
    (item,) = _series(laboratory("ALT", 62, unit="units")).measurements
    assert item.problem is not None
    assert item.problem.kind is ReasonKind.UNKNOWN_UNIT
    assert item.value is None


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_bound_keeps_its_comparator(comparator: str) -> None:
    sent = laboratory("ALT", 5)
    sent["valueQuantity"]["comparator"] = comparator
    (item,) = _series(sent).measurements
    assert (item.value, item.comparator) == (Decimal(5), comparator)


def test_a_range_in_another_unit_is_converted_with_the_result() -> None:
    sent = laboratory("total bilirubin", 2, unit="mg/dL", high=None)
    sent["referenceRange"] = [{"high": {"value": 20.52, "unit": "umol/L"}}]
    (item,) = _series(sent, name="total bilirubin").measurements
    assert item.upper_limit == Decimal("20.52")


def test_the_range_is_chosen_by_sex() -> None:
    sent = laboratory("creatinine", 100, unit="umol/L", high=None)
    sent["referenceRange"] = [
        {"high": {"value": high, "unit": "umol/L"}, "appliesTo": [{"text": sex}]}
        for sex, high in (("male", 106), ("female", 80))
    ]
    (item,) = _series(sent, person("female"), name="creatinine").measurements
    assert item.upper_limit == Decimal(80)


def test_the_range_of_one_result_is_never_lent_to_another() -> None:
    without, with_range = laboratory("ALT", 310, 3, high=None), laboratory("ALT", 30, 60)
    first, second = _series(without, with_range).measurements
    assert (first.upper_limit, second.upper_limit) == (None, Decimal(40))


def test_direct_bilirubin_is_not_total_bilirubin() -> None:
    facts = facts_of(laboratory("direct bilirubin", 90, unit="umol/L", high=5))
    assert facts.find("total bilirubin") is None


def test_a_result_in_a_component_counts() -> None:
    part = laboratory("heart rate", 55, unit="/min", high=None)
    panel = {**part, "code": {"text": "Vital signs"}, "id": "panel"}
    del panel["valueQuantity"]
    panel["component"] = [{"code": part["code"], "valueQuantity": part["valueQuantity"]}]
    assert numbers(facts_of(panel), "heart rate") == ["55"]


def test_another_patients_result_is_not_used() -> None:
    assert facts_of(laboratory("ALT", 990, patient="somebody-else")).find("ALT") is None


@pytest.mark.parametrize(
    ("as_of_days_ago", "expected"), [(0, ["62", "70"]), (3, ["62", "70"]), (4, ["70"]), (20, [])]
)
def test_on_an_earlier_day_only_what_was_known_then_is_used(
    as_of_days_ago: int, expected: list[str]
) -> None:
    sent = (laboratory("ALT", 62, 3), laboratory("ALT", 70, 10))
    facts = facts_of(*sent, as_of=date.fromisoformat(day(as_of_days_ago)))
    assert numbers(facts, "ALT") == expected


@pytest.mark.parametrize(
    ("birth", "years"),
    [
        ("1970-11-20", "56"),
        ("1970-11-21", "55"),
        ("1970-05", None),
        (None, None),
        ("2030-01-01", None),
    ],
)
def test_age_is_in_completed_years_and_never_guessed(birth: str | None, years: str | None) -> None:
    assert numbers(facts_of(person(birth=birth)), "age") == ([years] if years else [])


@pytest.mark.parametrize(
    ("gender", "expected"), [("female", "female"), ("male", "male"), ("other", None), (None, None)]
)
def test_sex_is_administrative_gender_or_unknown(gender: str | None, expected: str | None) -> None:
    assert stated(facts_of(person(gender)), "sex") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"valueInteger": 1}, ["1"]),
        ({"valueQuantity": {"value": 2, "unit": "{score}"}}, ["2"]),
        ({"valueCodeableConcept": coded("ECOG answer")}, ["0"]),
        ({"valueQuantity": {"value": 2, "comparator": ">"}}, []),
        ({"valueInteger": 1, "status": "entered-in-error"}, []),
        ({}, []),
    ],
)
def test_performance_status_is_a_number_or_a_coded_answer(
    body: dict[str, object], expected: list[str]
) -> None:
    said = observation("ECOG performance status", 5, **body)
    assert numbers(facts_of(said), "ECOG performance status") == expected


def test_karnofsky_is_not_ecog() -> None:
    said = observation("Karnofsky performance status", 5, valueInteger=90)
    assert facts_of(said).find("ECOG performance status") is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(4.5, "cm", ["4.5"]), (45, "mm", ["4.5"]), (45, "units", [])]
)
def test_tumour_size_is_in_centimetres(value: float, unit: str, expected: list[str]) -> None:
    quantity = {"value": value, "unit": unit, "code": unit}
    said = observation("tumour size", 40, valueQuantity=quantity)
    assert numbers(facts_of(said), "tumour size") == expected


def test_the_value_before_treatment_is_the_last_one_up_to_the_first_dose() -> None:
    start = date.fromisoformat(day(30))
    sent = [laboratory("ALT", value, ago) for value, ago in
            ((62, 3), (31, 30), (29, 40), (20, 120), (10, 121))]  # fmt: skip
    found = OnTreatment(facts_of(*sent), start).find("ALT")
    assert isinstance(found, Series)
    assert [str(item.value) for item in found.measurements] == ["62", "31"]
    assert found.baseline is not None
    assert found.baseline.value == Decimal(31)
    early = OnTreatment(facts_of(*sent[3:]), start).find("ALT")
    assert isinstance(early, Series)
    assert early.baseline is not None
    assert early.baseline.value == Decimal(20)
    none = OnTreatment(facts_of(sent[4]), start).find("ALT")
    assert isinstance(none, Series)
    assert none.baseline is None


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (laboratory("ALT", 62, -2), "in the future"),
        (laboratory("ALT", 62, None), "without a usable date"),
    ],
)
def test_what_was_left_out_is_remarked_on_once(sent: Json, says: str) -> None:
    facts = facts_of(sent, {**sent, "id": "again"})
    assert _series_of(facts).measurements == ()
    (remark,) = facts.remarks
    assert remark.subject == "ALT"
    assert says in remark.says


@pytest.mark.parametrize(
    ("fact", "unit", "sent", "expected"),
    [
        ("lipase", "U/L", 95, "95"),
        ("amylase", "U/L", 120, "120"),
        ("neutrophils", "/uL", 1500, "1.5"),
        ("platelets", "10*3/uL", 90, "90"),
        ("systolic blood pressure", "mm[Hg]", 162, "162"),
        ("diastolic blood pressure", "mmHg", 101, "101"),
        ("PR interval", "s", "0.21", "210"),
        ("QTc", "msec", 505, "505"),
    ],
)
def test_what_the_drug_tables_ask_for_is_read_in_its_unit(
    fact: str, unit: str, sent: object, expected: str
) -> None:
    facts = facts_of(laboratory(fact, sent, unit=unit, high=None))
    assert numbers(facts, fact) == [expected]


def test_uric_acid_keeps_its_own_upper_limit() -> None:
    found = facts_of(laboratory("uric acid", 9, unit="mg/dL", high=7)).find("uric acid")
    assert isinstance(found, Series)
    (item,) = found.measurements
    assert item.value is not None
    assert item.upper_limit is not None
    assert item.value / item.upper_limit == Decimal(9) / Decimal(7)


def test_both_blood_pressures_are_read_from_one_panel() -> None:
    parts = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", 165), ("8462-4", 98))
    ]
    facts = facts_of(observation("blood pressure panel", 2, component=parts))
    assert numbers(facts, "systolic blood pressure") == ["165"]
    assert numbers(facts, "diastolic blood pressure") == ["98"]
    silent = observation("blood pressure panel", 1, component=[{"code": parts[0]["code"]}])
    newest = facts_of(observation("blood pressure panel", 2, component=parts), silent)
    assert numbers(newest, "systolic blood pressure") == ["165"]


@pytest.mark.parametrize(
    ("sent", "unit", "expected"),
    [
        ("199.9", "ms", "?"),
        (200, "ms", "200"),
        (800, "ms", "800"),
        ("800.1", "ms", "?"),
        ("0.2", "s", "200"),
        ("0.48", "s", "480"),
        ("0.8", "s", "800"),
        ("0.48", "ms", "?"),
        (480, "s", "?"),
        (-450, "ms", "?"),
    ],
)
def test_a_qtc_that_nobody_can_have_is_not_used(sent: object, unit: str, expected: str) -> None:
    older = laboratory("QTc", 430, 9, unit="ms", high=None)
    facts = facts_of(laboratory("QTc", sent, unit=unit, high=None), older)
    # The older result does not answer in its place.
    assert numbers(facts, "QTc") == [expected, "430"]
    found = facts.find("QTc")
    assert isinstance(found, Series)
    problem = found.measurements[0].problem
    assert (problem is None) == (expected != "?")
    if problem is not None:
        assert problem.kind is ReasonKind.UNUSABLE
        assert problem.detail.endswith("is no value that a person can have (200 to 800 ms)")


def test_which_of_two_alike_is_named_does_not_hang_on_their_order() -> None:
    one = {**laboratory("ALT", 120, clock="T08:00:00Z"), "id": "alt-1"}
    other = {**laboratory("ALT", 120, clock="T08:00:00Z"), "id": "alt-2"}
    another = {**laboratory("ALT", 121, clock="T08:00:00Z"), "id": "alt-3"}
    found = _series(one, other, another)
    assert _series(another, other, one) == found
    assert [item.source for item in found.measurements] == [
        "Observation/alt-3",
        "Observation/alt-1",
    ]

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.fhir.dosage import DoseProblem, DoseReading, read_dosage, strength_in_name
from cds_service.fhir.dosage_text import parse_dose_text
from cds_service.fhir.reading import read_resources
from cds_service.fhir.views import MedicationRequest

BID = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
DOSE_TYPES = "http://epic.com/CodeSystem/dose-rate-type"


def reading(*instructions: dict[str, Any], strength: str | None = None) -> DoseReading:
    """Instructions go through JSON, as they do in the service."""
    resource = {"resourceType": "MedicationRequest", "dosageInstruction": list(instructions)}
    result = read_resources(json.dumps(resource).encode())
    (request,) = result.resources
    assert isinstance(request, MedicationRequest)
    return read_dosage(request.dosage_instruction, Decimal(strength) if strength else None)


def quantity(value: Any, unit: str | None = "mg", code: str | None = None) -> dict[str, Any]:
    members = {"value": value, "unit": unit}
    if code is not None:
        members |= {"system": "http://unitsofmeasure.org", "code": code}
    return {name: member for name, member in members.items() if member is not None}


def dose(value: Any, unit: str | None = "mg", code: str | None = None) -> list[dict[str, Any]]:
    return [{"doseQuantity": quantity(value, unit, code)}]


def typed(name: str, value: Any, unit: str) -> dict[str, Any]:
    coding = {"coding": [{"system": DOSE_TYPES, "code": name}]}
    return {"type": coding, "doseQuantity": quantity(value, unit)}


def only_problem(read: DoseReading) -> DoseProblem:
    (step,) = read.steps
    assert step.daily_mg is None
    assert not read.known
    (problem,) = step.problems
    assert read.problems == (problem,)
    return problem


def daily(read: DoseReading) -> list[tuple[Decimal | None, int | None]]:
    return [(step.daily_mg, step.days) for step in read.steps]


def test_words_are_read_in_closed_phrases(dosage_texts_row: dict[str, str]) -> None:
    doses = parse_dose_text(dosage_texts_row["text"])
    assert doses is not None
    (parsed,) = doses
    assert parsed.mass_mg == (
        Decimal(dosage_texts_row["amount_mg"]) if dosage_texts_row["amount_mg"] else None
    )
    assert parsed.pieces == (
        Decimal(dosage_texts_row["pieces"]) if dosage_texts_row["pieces"] else None
    )
    assert parsed.doses_per_day == (
        Decimal(dosage_texts_row["doses_per_day"]) if dosage_texts_row["doses_per_day"] else None
    )
    assert parsed.days == (int(dosage_texts_row["days"]) if dosage_texts_row["days"] else None)


@pytest.mark.parametrize(
    ("instruction", "total"),
    [
        ({"text": "200 mg per day"}, "200"),
        ({"text": "200 mg per day", "doseAndRate": [{"doseQuantity": quantity(100)}]}, "200"),
        ({"doseAndRate": [{"rateQuantity": quantity(200, "mg/d")}]}, "200"),
        ({"text": "200 mg a day", "doseAndRate": [{"rateQuantity": quantity(200, "mg/d")}]}, "200"),
        ({"text": "8 capsules per day"}, "1200"),
    ],
)
def test_what_is_taken_a_day_is_known_and_its_division_is_not(
    instruction: dict[str, Any], total: str
) -> None:
    (step,) = reading(instruction, strength="150").steps
    assert step.daily_mg == Decimal(total)
    assert step.amount_mg is None or step.doses_per_day is None
    assert step.problems == ()


def test_a_total_in_words_must_agree_with_the_dose_and_timing_of_the_elements() -> None:
    twice = {"doseAndRate": dose(100), "timing": BID}
    (agreeing,) = reading({"text": "200 mg per day", **twice}).steps
    assert (agreeing.amount_mg, agreeing.doses_per_day) == (100, 2)
    other = reading({"text": "300 mg per day", **twice})
    assert only_problem(other) == DoseProblem.AMOUNTS_DISAGREE
    more_at_once = reading({"text": "200 mg per day", "doseAndRate": dose(400)})
    assert DoseProblem.AMOUNTS_DISAGREE in more_at_once.problems
    total = reading(
        {"text": "300 mg per day", "doseAndRate": [{"rateQuantity": quantity(200, "mg/d")}]}
    )
    assert DoseProblem.AMOUNTS_DISAGREE in total.problems


def test_steps_in_words_may_be_totals_of_the_day() -> None:
    read = reading({"text": "90 mg per day for 7 days, then 180 mg per day"})
    assert daily(read) == [(Decimal(90), 7), (Decimal(180), None)]


def test_no_words_are_no_dose() -> None:
    assert parse_dose_text(" . ") is None


def test_other_words_are_a_problem_and_never_a_guess(
    dosage_texts_rejected_row: dict[str, str],
) -> None:
    text = dosage_texts_rejected_row["text"]
    assert parse_dose_text(text) is None
    assert only_problem(reading({"text": text}, strength="150")) == DoseProblem.TEXT_NOT_READ


def test_no_instruction_is_a_problem() -> None:
    read = reading()
    assert read.steps == ()
    assert read.problems == (DoseProblem.NO_INSTRUCTION,)
    assert not read.known


def test_a_structured_dose_gives_the_daily_dose() -> None:
    read = reading({"timing": BID, "doseAndRate": dose(600), "text": "as directed"})
    (step,) = read.steps
    assert (step.amount_mg, step.doses_per_day, step.daily_mg) == (600, 2, 1200)
    assert step.as_text == "as directed"
    assert read.known


def test_three_statements_of_one_dose_are_never_added_up() -> None:
    ways = [
        typed("calculated", 600, "mg"),
        typed("admin-amount", 4, "capsule"),
        typed("ordered", 600, "mg"),
    ]
    for strength in (None, "150"):
        read = reading({"timing": BID, "doseAndRate": ways}, strength=strength)
        assert daily(read) == [(Decimal(1200), None)]


def test_a_dose_per_kilogram_beside_a_mass_is_set_aside() -> None:
    ways = [typed("ordered", 10, "mg/kg"), typed("calculated", 600, "mg")]
    assert daily(reading({"timing": BID, "doseAndRate": ways})) == [(Decimal(1200), None)]


def test_statements_of_one_dose_that_disagree_are_no_dose() -> None:
    ways = [typed("ordered", 600, "mg"), typed("admin-amount", 3, "capsule")]
    read = reading({"timing": BID, "doseAndRate": ways}, strength="150")
    assert only_problem(read) == DoseProblem.AMOUNTS_DISAGREE


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("{tbl}", None),
        ("tablet", None),
        ("tablets", "{tbl}"),
        ("capsule", None),
        ("Capsule", None),
        (None, "{capsule}"),
        ("TAB", None),
        ("cap", None),
        # As the public CDS Hooks sandbox writes every dose.
        (None, "{pill}"),
        ("1", None),
        ("each", "1"),
    ],
)
def test_pieces_are_multiplied_by_the_strength(unit: str | None, code: str | None) -> None:
    instruction = {"timing": BID, "doseAndRate": dose(4, unit, code)}
    assert daily(reading(instruction, strength="150")) == [(Decimal(1200), None)]
    assert only_problem(reading(instruction)) == DoseProblem.STRENGTH_UNKNOWN


@pytest.mark.parametrize("unit", ["mL", "mg/kg", "G", "Mg", "units", None])
def test_other_units_are_not_guessed(unit: str | None) -> None:
    read = reading({"timing": BID, "doseAndRate": dose(4, unit)}, strength="150")
    assert only_problem(read) == DoseProblem.UNKNOWN_UNIT


@pytest.mark.parametrize(("value", "unit"), [("0.6", "g"), (600000, "mcg"), (600000, "µg")])
def test_other_masses_become_milligrams(value: Any, unit: str) -> None:
    assert daily(reading({"timing": BID, "doseAndRate": dose(value, unit)}))[0][0] == 1200


@pytest.mark.parametrize("value", [0, -600, None])
def test_a_dose_that_is_not_positive_is_no_dose(value: Any) -> None:
    read = reading({"timing": BID, "doseAndRate": dose(value)})
    assert only_problem(read) == DoseProblem.NO_AMOUNT


def test_the_stu3_dose_is_read() -> None:
    assert daily(reading({"timing": BID, "doseQuantity": quantity(600)})) == [(1200, None)]


def test_no_timing_is_never_twice_daily() -> None:
    read = reading({"doseAndRate": dose(600)})
    assert only_problem(read) == DoseProblem.NO_TIMING
    assert read.steps[0].amount_mg == 600


@pytest.mark.parametrize(
    ("timing", "doses"),
    [
        ({"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}, "2"),
        ({"repeat": {"frequency": 1, "period": 720, "periodUnit": "min"}}, "2"),
        ({"repeat": {"period": 1, "periodUnit": "d"}}, "1"),
        ({"repeat": {"frequency": 1, "period": 2, "periodUnit": "d"}}, "0.5"),
        ({"repeat": {"frequency": 14, "period": 1, "periodUnit": "wk"}}, "2"),
        ({"repeat": {"frequencyMax": 2, "period": 1, "periodUnit": "d"}}, "2"),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, "2"),
        ({"repeat": {"timeOfDay": ["08:00", "20:00"], "period": 1, "periodUnit": "d"}}, "2"),
        ({"repeat": {"when": ["MORN", "EVE"]}}, "2"),
        ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["C"]}}, "2"),
        ({"repeat": {**BID["repeat"], "when": ["MORN", "EVE"]}}, "2"),
        ({"code": {"coding": [{"system": GTS, "code": "BID"}]}}, "2"),
        ({"code": {"coding": [{"system": GTS, "code": "Q12H"}]}}, "2"),
        ({"code": {"coding": [{"system": GTS, "code": "QD"}]}}, "1"),
        ({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "229799001"}]}}, "2"),
        ({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "229797004"}]}}, "1"),
        ({"code": {"text": "2 times daily"}}, "2"),
        ({"code": {"coding": [{"system": "https://x.example/4003", "display": "BID"}]}}, "2"),
        ({"code": {"text": "BID"}, "repeat": {"boundsPeriod": {"start": "2026-01-05"}}}, "2"),
        ({**BID, "code": {"text": "2 times daily"}}, "2"),
        (
            {
                "repeat": {
                    **BID["repeat"],
                    "dayOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                }
            },
            "2",
        ),
    ],
)
def test_doses_per_day_are_read_from_all_their_shapes(timing: dict[str, Any], doses: str) -> None:
    (step,) = reading({"timing": timing, "doseAndRate": dose(600)}).steps
    assert step.problems == ()
    assert step.doses_per_day == Decimal(doses)
    assert step.daily_mg == 600 * Decimal(doses)


@pytest.mark.parametrize(
    ("timing", "problem"),
    [
        ({"repeat": {"frequency": 2}}, DoseProblem.TIMING_NOT_READ),
        ({"repeat": {"frequency": 2, "period": 1}}, DoseProblem.TIMING_NOT_READ),
        (
            {"repeat": {"frequency": 2, "period": 1, "periodUnits": "d"}},
            DoseProblem.TIMING_NOT_READ,
        ),
        (
            {"repeat": {"frequency": 2, "period": 1, "periodUnit": "mo"}},
            DoseProblem.TIMING_NOT_READ,
        ),
        ({"repeat": {"frequency": 2, "period": 0, "periodUnit": "d"}}, DoseProblem.TIMING_NOT_READ),
        ({"repeat": {"frequency": 0, "period": 1, "periodUnit": "d"}}, DoseProblem.TIMING_NOT_READ),
        (
            {"repeat": {"frequency": "NaN", "period": 1, "periodUnit": "d"}},
            DoseProblem.TIMING_NOT_READ,
        ),
        (
            {"repeat": {"frequency": 2, "period": "Infinity", "periodUnit": "d"}},
            DoseProblem.TIMING_NOT_READ,
        ),
        (
            {"repeat": {"frequency": 2, "period": 10**40, "periodUnit": "d"}},
            DoseProblem.TIMING_NOT_READ,
        ),
        ({"repeat": {"when": ["C"]}}, DoseProblem.TIMING_NOT_READ),
        ({"repeat": {"boundsPeriod": {"start": "2026-01-05"}}}, DoseProblem.NO_TIMING),
        ({"repeat": {**BID["repeat"], "dayOfWeek": ["mon", "wed"]}}, DoseProblem.NOT_EVERY_DAY),
        (
            {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["MORN", "EVE"]}},
            DoseProblem.TIMINGS_DISAGREE,
        ),
        ({**BID, "code": {"text": "once daily"}}, DoseProblem.TIMINGS_DISAGREE),
        ({"code": {"text": "as directed"}}, DoseProblem.TIMING_NOT_READ),
        (
            {"code": {"coding": [{"system": "https://x.example/4003", "code": "BID"}]}},
            DoseProblem.TIMING_NOT_READ,
        ),
        (
            {"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}},
            DoseProblem.TIMING_IS_RANGE,
        ),
        (
            {"repeat": {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}},
            DoseProblem.TIMING_IS_RANGE,
        ),
    ],
)
def test_a_timing_that_is_not_clear_gives_no_daily_dose(
    timing: dict[str, Any], problem: DoseProblem
) -> None:
    assert only_problem(reading({"timing": timing, "doseAndRate": dose(600)})) == problem


def test_a_dose_range_gives_both_ends_and_no_single_dose() -> None:
    ranged = [{"doseRange": {"low": quantity(450), "high": quantity(600)}}]
    read = reading({"timing": BID, "doseAndRate": ranged})
    assert only_problem(read) == DoseProblem.AMOUNT_IS_RANGE
    (step,) = read.steps
    assert step.amount_mg is None
    assert step.amount_range_mg == (450, 600)
    assert step.daily_range_mg == (900, 1200)


@pytest.mark.parametrize("ends", [{"low": quantity(450)}, {"high": quantity(600)}])
def test_half_a_dose_range_is_no_dose(ends: dict[str, Any]) -> None:
    read = reading({"timing": BID, "doseAndRate": [{"doseRange": ends}]})
    assert only_problem(read) == DoseProblem.NO_AMOUNT


def test_a_dose_as_needed_has_no_daily_dose() -> None:
    for as_needed in ({"asNeededBoolean": True}, {"asNeededCodeableConcept": {"text": "pain"}}):
        read = reading({"timing": BID, "doseAndRate": dose(600), **as_needed})
        assert only_problem(read) == DoseProblem.AS_NEEDED
        assert read.steps[0].as_needed


def test_a_rate_is_a_dose_only_when_it_is_a_mass() -> None:
    used_as_dose = [{"rateQuantity": quantity(600, "MG")}]
    assert daily(reading({"timing": BID, "doseAndRate": used_as_dose})) == [(1200, None)]
    per_hour = [{"rateQuantity": quantity(600, "mL/h")}]
    read = reading({"timing": BID, "doseAndRate": per_hour})
    assert only_problem(read) == DoseProblem.UNKNOWN_UNIT


def test_a_ratio_per_day_is_a_total_per_day_and_not_per_dose() -> None:
    ratio = {"numerator": quantity(2, "TAB"), "denominator": quantity(1, "day")}
    read = reading({"doseAndRate": [{"rateRatio": ratio}]}, strength="100")
    assert daily(read) == [(Decimal(200), None)]
    assert read.steps[0].amount_mg is None
    with_timing = reading({"timing": BID, "doseAndRate": [{"rateRatio": ratio}]}, strength="100")
    assert daily(with_timing) == [(Decimal(200), None)]


@pytest.mark.parametrize(
    ("denominator", "problem"),
    [
        (quantity(1, "h"), DoseProblem.UNKNOWN_UNIT),
        (quantity(0, "day"), DoseProblem.NO_AMOUNT),
        (None, DoseProblem.NO_AMOUNT),
    ],
)
def test_a_ratio_with_another_denominator_is_no_dose(
    denominator: Any, problem: DoseProblem
) -> None:
    ratio = {"numerator": quantity(600), "denominator": denominator}
    read = reading({"timing": BID, "doseAndRate": [{"rateRatio": ratio}]})
    assert only_problem(read) == problem


def test_a_rate_per_day_is_a_total_per_day() -> None:
    read = reading({"doseAndRate": [{"rateQuantity": quantity(1200, "mg/d")}]})
    assert daily(read) == [(Decimal(1200), None)]
    nothing = reading({"timing": BID, "doseAndRate": [{"rateQuantity": quantity(0, "mg/d")}]})
    assert only_problem(nothing) == DoseProblem.NO_AMOUNT


def test_a_total_per_day_must_agree_with_the_words() -> None:
    total = [{"rateQuantity": quantity(1200, "mg/d")}]
    assert daily(reading({"text": "600 mg twice daily", "doseAndRate": total})) == [(1200, None)]
    read = reading({"text": "600 mg once daily", "doseAndRate": total})
    assert only_problem(read) == DoseProblem.AMOUNTS_DISAGREE


def test_a_ratio_of_an_unknown_unit_is_no_dose() -> None:
    ratio = {"numerator": quantity(2, "mL"), "denominator": quantity(1, "day")}
    read = reading({"doseAndRate": [{"rateRatio": ratio}]})
    assert DoseProblem.UNKNOWN_UNIT in read.problems
    assert not read.known


def test_a_bound_is_no_dose() -> None:
    bound = [{"doseQuantity": {**quantity(600), "comparator": "<"}}]
    read = reading({"timing": BID, "doseAndRate": bound})
    assert only_problem(read) == DoseProblem.UNKNOWN_UNIT


def test_a_dose_range_upside_down_is_no_dose() -> None:
    ranged = [{"doseRange": {"low": quantity(600), "high": quantity(450)}}]
    read = reading({"timing": BID, "doseAndRate": ranged})
    assert only_problem(read) == DoseProblem.AMOUNTS_DISAGREE


def test_a_dose_statement_without_a_dose_is_no_dose() -> None:
    read = reading({"timing": BID, "doseAndRate": [{"type": {"text": "ordered"}}]})
    assert only_problem(read) == DoseProblem.NO_AMOUNT


def test_an_unknown_abbreviation_is_not_read() -> None:
    timing = {"code": {"coding": [{"system": GTS, "code": "WK"}]}}
    read = reading({"timing": timing, "doseAndRate": dose(600)})
    assert only_problem(read) == DoseProblem.TIMING_NOT_READ


def step_of(sequence: int | None, amount: int, **repeat: Any) -> dict[str, Any]:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", **repeat}}
    instruction = {"timing": timing, "doseAndRate": dose(amount)}
    return instruction if sequence is None else {**instruction, "sequence": sequence}


WEEK = {"boundsDuration": {"value": 7, "unit": "days", "code": "d"}}


def test_different_sequence_numbers_follow_each_other() -> None:
    read = reading(step_of(2, 180), step_of(1, 90, **WEEK))
    assert daily(read) == [(Decimal(90), 7), (Decimal(180), None)]
    assert [step.sequence for step in read.steps] == [1, 2]


def test_equal_sequence_numbers_are_taken_together() -> None:
    read = reading(step_of(1, 300), step_of(1, 150))
    (step,) = read.steps
    assert (step.amount_mg, step.doses_per_day, step.daily_mg) == (None, 2, 450)


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    unknown = {"sequence": 1, "doseAndRate": dose(150)}
    assert only_problem(reading(step_of(1, 300), unknown)) == DoseProblem.NO_TIMING


@pytest.mark.parametrize("numbers", [(None, None), (1, None)])
def test_several_instructions_without_order_are_not_interpreted(
    numbers: tuple[int | None, int | None],
) -> None:
    read = reading(step_of(numbers[0], 90), step_of(numbers[1], 180))
    assert only_problem(read) == DoseProblem.ORDER_UNKNOWN


def test_one_instruction_said_twice_is_one_instruction() -> None:
    assert daily(reading(step_of(None, 90), step_of(None, 90))) == [(Decimal(90), None)]


@pytest.mark.parametrize(
    ("bounds", "days"),
    [
        (WEEK, 7),
        ({"boundsDuration": {"value": 2, "unit": "wk", "code": "wk"}}, 14),
        ({"boundsDuration": {"value": 1, "unit": "month", "code": "mo"}}, None),
        ({"boundsDuration": {"value": 1.5, "code": "d"}}, None),
        ({"boundsPeriod": {"start": "2026-01-05", "end": "2026-01-11"}}, 7),
        ({"boundsPeriod": {"start": "2026-01-05T00:00:00Z", "end": "2026-01-12T00:00:00Z"}}, 7),
        ({"boundsPeriod": {"start": "2026-01-05"}}, None),
        ({"boundsPeriod": {"start": "2026-01-05", "end": "2026"}}, None),
        ({"boundsPeriod": {"start": "2026-01-05", "end": "2026-01-01"}}, None),
    ],
)
def test_a_duration_is_told_in_whole_days_or_not_at_all(
    bounds: dict[str, Any], days: int | None
) -> None:
    assert reading(step_of(None, 90, **bounds)).steps[0].days == days


def test_words_alone_give_the_dose() -> None:
    assert daily(reading({"text": "600 mg twice daily with food"})) == [(1200, None)]
    assert daily(reading({"text": "4 capsules BID"}, strength="150")) == [(1200, None)]
    assert daily(reading({"text": "4 pills BID"}, strength="150")) == [(1200, None)]
    assert daily(reading({"patientInstruction": "600 mg BID"})) == [(1200, None)]
    assert only_problem(reading({"text": "4 capsules BID"})) == DoseProblem.STRENGTH_UNKNOWN


def test_words_with_a_lead_in_give_two_steps() -> None:
    read = reading({"text": "Take 90 mg once daily for 7 days, then 180 mg once daily"})
    assert daily(read) == [(Decimal(90), 7), (Decimal(180), None)]


def test_words_with_several_steps_have_no_place_in_another_sequence() -> None:
    words = {"sequence": 1, "text": "90 mg once daily for 7 days, then 180 mg once daily"}
    read = reading(words, step_of(2, 180))
    assert [step.problems for step in read.steps] == [(DoseProblem.TEXT_NOT_READ,), ()]
    assert not read.known


def test_words_fill_in_what_the_structure_leaves_out() -> None:
    words = "600 mg twice daily"
    assert daily(reading({"text": words, "doseAndRate": dose(10, "mL")})) == [(1200, None)]
    assert daily(reading({"text": words, "doseAndRate": dose(600)})) == [(1200, None)]
    assert daily(reading({"text": words, "timing": BID})) == [(1200, None)]


def test_words_that_count_pieces_of_unknown_strength_do_not_hide_a_mass() -> None:
    read = reading({"text": "4 capsules BID", "timing": BID, "doseAndRate": dose(600)})
    assert daily(read) == [(1200, None)]


def test_words_that_contradict_the_structure_leave_no_dose() -> None:
    amount = reading({"text": "300 mg twice daily", "timing": BID, "doseAndRate": dose(600)})
    assert only_problem(amount) == DoseProblem.AMOUNTS_DISAGREE
    timing = reading({"text": "600 mg once daily", "timing": BID, "doseAndRate": dose(600)})
    assert only_problem(timing) == DoseProblem.TIMINGS_DISAGREE
    pieces = reading({"text": "600 mg (3 capsules) twice daily"}, strength="150")
    assert only_problem(pieces) == DoseProblem.AMOUNTS_DISAGREE


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("alectinib 150 MG Oral Capsule", "150"),
        ("alectinib 150 MG Oral Capsule [Alecensa]", "150"),
        ("ALECTINIB 150 MG PO CAPS", "150"),
        ("alectinib (ALECENSA) capsule 150 mg", "150"),
        ("lorlatinib 25mg tablet", "25"),
        ("alectinib", None),
        ("Acebutolol 200 MG / Hydrochlorothiazide 12.5 MG Oral Tablet", None),
        ("crizotinib 50 MG/ML Oral Solution", None),
        ("drug 1,000 MG Tablet", None),
        ("drug 20 MG 5 ML Solution", None),
        ("drug 0 MG", None),
    ],
)
def test_a_strength_is_read_from_a_product_name(name: str, strength: str | None) -> None:
    assert strength_in_name(name) == (Decimal(strength) if strength else None)

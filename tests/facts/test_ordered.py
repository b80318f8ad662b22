"""What a draft order says besides its dose, and until when an ALK inhibitor was taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.alk.orders import evaluation_with
from cds_service.facts import OnTreatment, PatientFacts
from cds_service.rules import Evaluation, Events, Statements
from tests.facts.records import (
    ALL,
    AS_OF,
    Json,
    dosage,
    facts_of,
    knowledge,
    medication,
    read,
)


def drafted(
    *instructions: Json,
    drug: str = "ceritinib",
    before: tuple[Json, ...] = (),
    complete: frozenset[str] = ALL,
) -> Evaluation:
    """The evaluation of a patient with one draft order."""
    draft = medication(text=drug, status="draft", dosageInstruction=list(instructions) or None)
    facts, orders = read(*before, drafts=[draft], complete=complete)
    evaluation = Evaluation(facts, AS_OF)
    return evaluation_with(orders[0], facts, knowledge(), evaluation)


def said(evaluation: Evaluation, name: str) -> str | None:
    found = evaluation.find(name)
    assert found is None or isinstance(found, Statements)
    return found.statements[0].value if found else None


def timed(*when: str, offset: int | None = None) -> Json:
    repeat: Json = {"when": list(when)}
    return {"timing": {"repeat": repeat if offset is None else {**repeat, "offset": offset}}}


def instructed(code: str) -> Json:
    coding = {"system": "http://snomed.info/sct", "code": code}
    return {"additionalInstruction": [{"coding": [coding]}]}


# -- food ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["C", "CM", "CD", "CV", "PC", "PCM", "PCD", "PCV"])
def test_a_dose_at_or_after_a_meal_is_with_food(code: str) -> None:
    assert said(drafted(timed(code)), "ordered food") == "with food"


@pytest.mark.parametrize("code", ["AC", "ACM", "ACD", "ACV"])
def test_a_dose_before_a_meal_is_fasting(code: str) -> None:
    assert said(drafted(timed(code)), "ordered food") == "fasting"


@pytest.mark.parametrize("code", ["MORN", "HS", "WAKE", "X"])
def test_a_time_of_day_says_nothing_about_food(code: str) -> None:
    assert drafted(timed(code)).find("ordered food") is None


@pytest.mark.parametrize(
    ("minutes", "expected"), [(59, "with food"), (60, "with food"), (61, None)]
)
def test_long_after_a_meal_is_not_with_food(minutes: int, expected: str | None) -> None:
    assert said(drafted(timed("PC", offset=minutes)), "ordered food") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("311504000", "with food"),
        ("717154004", "fasting"),
        ("311501008", "fasting"),
        ("419303009", None),
    ],
)
def test_a_coded_instruction_about_food_is_read(code: str, expected: str | None) -> None:
    assert said(drafted(instructed(code)), "ordered food") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("450 mg once daily with food", "with food"),
        ("Take with a meal", "with food"),
        ("Take with meals.", "with food"),
        ("600 mg twice daily with a full meal", "with food"),
        ("Take with breakfast and with the evening meal", "with food"),
        ("after meals", "with food"),
        ("take with or after food", "with food"),
        ("30 minutes after a meal", "with food"),
        ("1 hour after food", "with food"),
        ("do not take on an empty stomach", "with food"),
        ("Take on an EMPTY  stomach", "fasting"),
        ("while fasting", "fasting"),
        ("without food", "fasting"),
        ("1 hour before breakfast", "fasting"),
        ("at least 2 hours before or 2 hours after a meal", "fasting"),
        ("1 hour before meals or 2 hours after meals", "fasting"),
        ("at least two hours before or after a meal", "fasting"),
        ("2 hours after food", "fasting"),
        ("do not take with food", "fasting"),
        ("do not eat for 2 hours before and 1 hour after taking it", "fasting"),
        ("90 minutes after food", None),
        ("with or without food", None),
        ("with food or without", None),
        ("without regard to meals", None),
        ("check fasting glucose monthly", None),
        ("do not eat grapefruit", None),
        ("with a glass of water", None),
        ("450 mg once daily", None),
        ("with food, or else on an empty stomach", None),
        ("zum Essen", None),
        ("   ", None),
    ],
)
def test_words_about_food_are_read_from_closed_phrases(text: str, expected: str | None) -> None:
    assert said(drafted({"text": text}), "ordered food") == expected
    assert said(drafted({"patientInstruction": text}), "ordered food") == expected


@pytest.mark.parametrize(
    "instructions",
    [
        ({**timed("C"), "text": "on an empty stomach"},),
        ({**timed("CM", "ACV")},),
        ({"text": "with food"}, {"text": "fasting"}),
        ({**instructed("311504000"), "patientInstruction": "without food"},),
    ],
)
def test_an_order_that_contradicts_itself_says_nothing_about_food(
    instructions: tuple[Json, ...],
) -> None:
    assert drafted(*instructions).find("ordered food") is None


def test_words_and_codes_that_agree_are_one_statement() -> None:
    both = {**timed("CM"), **instructed("311504000"), "text": "450 mg once daily with food"}
    assert said(drafted(both), "ordered food") == "with food"


def test_an_order_without_instructions_says_nothing_about_food() -> None:
    assert drafted().find("ordered food") is None


# -- crushing and opening -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Crush and mix with apple sauce",
        "may be crushed",
        "chew well",
        "Split the tablet",
        "split tablets if needed",
        "dissolve in water",
        "Open the capsule and sprinkle on food",
        "open 4 capsules",
        "capsules may be opened",
        "take half a tablet",
        "take 1/2 tablet",
        "break the tablet in two",
        "Do not chew; open the capsule",
        "do not chew but crush",
        "do not swallow whole, crush it first",
        "Swallow whole. If unable to swallow, the tablet can be crushed",
    ],
)
def test_an_instruction_to_change_the_tablet_or_capsule_is_seen(text: str) -> None:
    assert said(drafted({"text": text}), "ordered crushed or opened") == "present"
    spoken = drafted({"text": "600 mg twice daily", "patientInstruction": text})
    assert said(spoken, "ordered crushed or opened") == "present"


@pytest.mark.parametrize(
    "text",
    [
        "600 mg twice daily",
        "Swallow whole; do not crush, chew, or dissolve.",
        "Do not crush or chew the tablets",
        "Do not open, crush or chew capsules",
        "Don't split tablets",
        "Don’t crush",
        "must not be crushed, chewed or opened",
        "should never be split",
        "swallow without chewing or crushing",
        "avoid crushing the tablets",
        "Swallowed whole, not chewed",
        "do not break or crush tablets or dissolve them",
        "take 4 capsules after breakfast",
        "Open the bottle and take 4 capsules",
        "after a break take 4 capsules",
        "1200 mg a day in two divided doses of 4 capsules",
        "split into two doses of 2 capsules",
        "do not chew or crush but swallow with water",
    ],
)
def test_a_warning_or_another_sense_of_the_word_is_no_such_instruction(text: str) -> None:
    assert said(drafted({"text": text}), "ordered crushed or opened") == "absent"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("418991002", "present"),
        ("417995008", "present"),
        ("419529008", "present"),
        ("418693002", "absent"),
    ],
)
def test_a_coded_instruction_to_chew_or_dissolve_is_seen(code: str, expected: str) -> None:
    assert said(drafted(instructed(code)), "ordered crushed or opened") == expected


def test_a_long_instruction_is_read_to_its_end() -> None:
    """What stands behind a page of advice is an instruction all the same."""
    advice = "Store in the original package and keep out of reach of children. " * 40
    crushed = drafted({"text": f"600 mg twice daily. {advice}Crush the capsules into water."})
    assert said(crushed, "ordered crushed or opened") == "present"
    fasting = drafted({"text": f"600 mg twice daily. {advice}Take on an empty stomach."})
    assert said(fasting, "ordered food") == "fasting"


def test_the_name_of_a_coded_instruction_is_read_as_words() -> None:
    named = {"additionalInstruction": [{"text": "Crush before use"}]}
    assert said(drafted(named), "ordered crushed or opened") == "present"


# -- the lead-in --------------------------------------------------------------------------------

SKIPS = "ordered dose skips the lead-in"
FULL = dosage(180, 1)
STEPS = (
    {**dosage(90, 1), "sequence": 1, "timing": {"repeat": {
        "frequency": 1, "period": 1, "periodUnit": "d",
        "boundsDuration": {"value": 7, "unit": "d"}}}},
    {**FULL, "sequence": 2},
)  # fmt: skip


def earlier(
    start: int | None, end: int | None = None, status: str = "stopped", drug: str = "brigatinib"
) -> Json:
    return medication(text=drug, status=status, start=start, end=end, dose=dosage(180, 1))


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ((FULL,), "present"),
        ((dosage(90, 1),), "absent"),
        ((dosage("90.5", 1),), "present"),
        ((dosage(60, 1),), "absent"),
        ((dosage(90, 2),), "present"),
        (STEPS, "absent"),
        (({"text": "90 mg daily for 7 days, then 180 mg daily"},), "absent"),
        (({"text": "180 mg once daily"},), "present"),
        ((dosage(180, None),), None),
        (({"text": "as directed"},), None),
        ((), None),
    ],
)
def test_a_first_order_must_begin_at_the_lead_in(
    instructions: tuple[Json, ...], expected: str | None
) -> None:
    assert said(drafted(*instructions, drug="brigatinib"), SKIPS) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ((earlier(60, status="active"),), "absent"),
        ((earlier(None, status="active"),), "absent"),
        ((earlier(60, 13),), "absent"),
        ((earlier(60, 14),), "present"),
        ((earlier(60, 15),), "present"),
        ((earlier(60, 15, "on-hold"),), "present"),
        ((earlier(60, 5, "completed"),), "absent"),
        ((earlier(60),), None),
        ((earlier(60, -5),), None),
        ((earlier(60, 30), earlier(20)), None),
        ((earlier(60, 30), earlier(20, 10)), "absent"),
        ((earlier(60, 30, drug="crizotinib"),), "present"),
        ((earlier(60, status="active", drug="crizotinib"),), "present"),
        ((earlier(60, drug="crizotinib"),), "present"),
        ((earlier(60, status="entered-in-error"),), "present"),
    ],
)
def test_a_later_order_begins_again_after_14_days_without_the_drug(
    before: tuple[Json, ...], expected: str | None
) -> None:
    assert said(drafted(FULL, drug="brigatinib", before=before), SKIPS) == expected


def test_without_all_earlier_orders_nobody_can_tell() -> None:
    partly = ALL - {"medications"}
    assert said(drafted(FULL, drug="brigatinib", complete=partly), SKIPS) is None
    taken = (earlier(60, 5),)
    recent = drafted(FULL, drug="brigatinib", before=taken, complete=partly)
    assert said(recent, SKIPS) == "absent"
    old = drafted(FULL, drug="brigatinib", before=(earlier(60, 20),), complete=partly)
    assert said(old, SKIPS) is None


def test_a_drug_without_a_lead_in_skips_none() -> None:
    assert said(drafted(dosage(450, 1), drug="ceritinib"), SKIPS) == "absent"


# -- the last dose ------------------------------------------------------------------------------


def last(facts: PatientFacts) -> tuple[int | None, bool]:
    """Days since the last dose, and whether the day is certain."""
    found = facts.find("dose taken")
    assert isinstance(found, Events)
    ago = (AS_OF - found.events[0].day).days if found.events else None
    return ago, found.complete


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ((), (None, True)),
        ((earlier(60, status="active"),), (0, True)),
        ((earlier(60, status="on-hold"),), (None, False)),
        ((earlier(60, 10, "on-hold"),), (10, True)),
        ((earlier(60),), (None, False)),
        ((earlier(60, 10),), (10, True)),
        ((earlier(60, 0, "completed"),), (0, True)),
        ((earlier(60, -1),), (None, False)),
        ((earlier(-2, status="active"),), (None, True)),
        ((earlier(60, 10), earlier(90, 61, drug="crizotinib")), (10, True)),
        ((earlier(60, 10), earlier(90, drug="crizotinib")), (10, False)),
        ((earlier(60, status="active"), earlier(90, drug="crizotinib")), (0, True)),
        ((earlier(90, 50), earlier(40)), (None, False)),
        ((earlier(90), earlier(40, 20)), (20, True)),
    ],
)
def test_the_last_dose_is_today_or_the_recorded_end(
    orders: tuple[Json, ...], expected: tuple[int | None, bool]
) -> None:
    assert last(facts_of(*orders)) == expected


def test_a_list_that_is_not_whole_leaves_the_last_dose_open() -> None:
    assert last(facts_of(earlier(60, 10), complete=())) == (10, False)
    assert last(facts_of(complete=())) == (None, False)
    assert last(facts_of(earlier(60, status="active"), complete=())) == (0, True)


def test_several_steps_of_one_order_end_with_the_last() -> None:
    first = {**dosage(90, 1), "sequence": 1}
    first["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-09-01", "end": "2026-09-07"}
    second = {**dosage(180, 1), "sequence": 2}
    second["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-09-08", "end": "2026-11-10"}
    order = medication(text="brigatinib", status="stopped", dosageInstruction=[first, second])
    assert last(facts_of(order)) == (10, True)
    del second["timing"]["repeat"]["boundsPeriod"]["end"]
    assert last(facts_of(order)) == (None, False)


def test_the_view_of_one_drug_speaks_of_that_drug() -> None:
    before = (earlier(200, 100, drug="crizotinib"), earlier(60, status="active"))
    facts = facts_of(*before)
    start = AS_OF - timedelta(days=60)
    for drug, days in (("brigatinib", 0), ("crizotinib", 100)):
        found = OnTreatment(facts, start, drug).find("dose taken")
        assert isinstance(found, Events)
        assert [item.day for item in found.events] == [AS_OF - timedelta(days=days)]
        ordered = drafted(drug=drug, before=before).find("dose taken")
        assert ordered == found
    never = drafted(drug="lorlatinib", before=before).find("dose taken")
    assert never == Events((), complete=True)
    # An order of another medicine asks about whatever ALK inhibitor was taken last.
    other = drafted(drug="ethinylestradiol", before=before).find("dose taken")
    assert other == facts.find("dose taken")

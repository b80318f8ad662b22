"""Lower and higher doses for other medications and organs, read from `dose` cells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.alk import Kind, Topic
from cds_service.alk.doses import Adjusted, adjusted, resumed
from cds_service.facts import DoseTaken, PatientFacts
from cds_service.knowledge.dose_cells import check_dose_cell, read_dose_cell
from tests.alk.patients import asked, knowledge, patient, running, treatment

HALVED = "180 x 1 -> 90 x 1; 120 x 1 -> 60 x 1"
CHAINED = "180 x 1 -> 90 x 1; 90 x 1 -> 60 x 1"
TO_ALL = "450 x 2"


def _compared(drug: str, cell: str, amount: str | None, per_day: int | None) -> Adjusted:
    read = read_dose_cell(cell)
    assert read is not None
    taken = DoseTaken(
        Decimal(amount) if amount is not None else None,
        Decimal(per_day) if per_day is not None else None,
    )
    return adjusted(knowledge().drugs[drug].drug, read, taken)


@pytest.mark.parametrize(
    ("cell", "amount", "how", "instead"),
    [
        (HALVED, "180", "lower", "90"),
        (HALVED, "120", "lower", "60"),
        (HALVED, "90", "fits", None),
        (HALVED, "60", "fits", None),
        (HALVED, "30", "fits", None),
        (HALVED, "150", "open", None),
        (CHAINED, "90", "open", None),
        (CHAINED, "60", "fits", None),
        ("100 x 1 -> 125 x 1", "100", "higher", "125"),
        ("100 x 1 -> 125 x 1", "125", "fits", None),
    ],
)
def test_a_replacement_speaks_to_the_doses_it_names(
    cell: str, amount: str, how: str, instead: str | None
) -> None:
    found = _compared("brigatinib", cell, amount, 1)
    assert found.how == how
    assert (str(found.dose.amount_mg) if found.dose else None) == instead


@pytest.mark.parametrize(
    ("amount", "per_day", "how"),
    [("600", 2, "lower"), ("450", 2, "fits"), ("300", 2, "fits"), (None, None, "lower")],
)
def test_a_dose_for_everybody_caps_the_dose(
    amount: str | None, per_day: int | None, how: str
) -> None:
    assert _compared("alectinib", TO_ALL, amount, per_day).how == how


def test_a_dose_that_cannot_be_read_leaves_a_replacement_open() -> None:
    assert _compared("brigatinib", HALVED, None, None).how == "open"
    assert _compared("brigatinib", HALVED, "180", 5).how == "open"


@pytest.mark.parametrize("cell", ["450", "450 mg x 2", "450 x 2; 300 x 2", "180 x 1 -> 90", "x"])
def test_a_malformed_cell_is_refused(cell: str) -> None:
    assert check_dose_cell(cell) is not None


def test_an_empty_cell_says_nothing() -> None:
    assert read_dose_cell(" ") is None


def test_a_fixed_resume_dose_is_taken_from_any_higher_step() -> None:
    drug = knowledge().drugs["crizotinib"].drug
    dose, at_floor = resumed(drug, DoseTaken(Decimal(250), Decimal(2)), "250 x 1")
    assert dose is not None
    assert (dose.amount_mg, dose.per_day, at_floor) == (Decimal(250), 1, False)


def test_at_the_lowest_step_same_or_next_lower_means_the_same() -> None:
    drug = knowledge().drugs["lorlatinib"].drug
    dose, at_floor = resumed(drug, DoseTaken(Decimal(50), Decimal(1)), "same or next lower")
    assert dose is not None
    assert (dose.amount_mg, at_floor) == (Decimal(50), False)


def _about(facts: PatientFacts, drug: str) -> list[tuple[str, str | None]]:
    topics = (Topic.POPULATION, Topic.INTERACTION)
    return [
        (item.kind.value, str(item.dose.amount_mg) if item.dose else None)
        for item in asked(facts).recommendations
        if item.drug == drug and item.topic in topics and item.kind is not Kind.INFORM
    ]


def test_two_organs_that_lower_the_dose_leave_a_question() -> None:
    facts = patient(lines=(running("brigatinib"),), eGFR="25", **{"Child-Pugh_class": "C"})
    assert _about(facts, "brigatinib") == [("ask", None), ("ask", None)]
    choice = asked(patient(lines=(), eGFR="25", **{"Child-Pugh_class": "C"})).choice
    assert choice is not None
    assert [option.dose for option in choice.options if option.drug == "brigatinib"] == [None]


def test_one_organ_that_lowers_the_dose_names_it() -> None:
    facts = patient(lines=(running("brigatinib"),), eGFR="25")
    assert _about(facts, "brigatinib") == [("reduce", "90")]


def test_at_the_lowest_strength_a_strong_inhibitor_leaves_a_question() -> None:
    line = treatment((100, "active", ("150", 1)), ingredient="ceritinib")
    facts = patient(lines=(line,), medications=("strong CYP3A inhibitor",))
    assert ("ask", None) in _about(facts, "ceritinib")


@pytest.mark.parametrize(
    ("drug", "cell", "total", "how"),
    [
        ("alectinib", TO_ALL, "1200", "lower"),
        ("alectinib", TO_ALL, "900", "fits"),
        ("brigatinib", HALVED, "180", "open"),
        ("brigatinib", HALVED, "30", "fits"),
    ],
)
def test_a_total_of_the_day_is_compared_by_the_day_and_left_open_where_the_division_counts(
    drug: str, cell: str, total: str, how: str
) -> None:
    read = read_dose_cell(cell)
    assert read is not None
    taken = DoseTaken(None, None, f"{total} mg per day", Decimal(total))
    assert adjusted(knowledge().drugs[drug].drug, read, taken).how == how

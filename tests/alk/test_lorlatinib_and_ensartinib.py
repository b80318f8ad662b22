"""What the tables of lorlatinib and ensartinib mean for doses, orders and the choice."""

from __future__ import annotations

import pytest

from cds_service.alk import Kind, Recommendation, Topic
from tests.alk.patients import (
    asked,
    described,
    knowledge,
    order,
    patient,
    reactions,
    rows_heard,
    running,
    treatment,
)

UNPACED = {"pacemaker": "absent"}


def _on_lorlatinib(amount: str, **facts: object) -> dict[str, Recommendation]:
    """What is said about interactions and organs of a patient on a dose, by row."""
    line = treatment((170, "active", (amount, 1)), ingredient="lorlatinib")
    chart = patient(lines=[line], **{"current_daily_dose": [(170, amount)], **facts})
    topics = (Topic.INTERACTION, Topic.POPULATION)
    return {item.rule_id: item for item in asked(chart).recommendations if item.topic in topics}


def _amount(item: Recommendation) -> str | None:
    return None if item.dose is None else str(item.dose.amount_mg)


@pytest.mark.parametrize(
    ("facts", "dose"),
    [
        ({"nervous system effects grade": "2"}, "75"),
        ({"total cholesterol": "501"}, "100"),
        ({"total cholesterol": [(3, "501"), (40, "400"), (80, "501")]}, "75"),
        ({"triglycerides": [(3, "1001"), (40, "200"), (80, "900 unknown unit")]}, None),
        ({"atrioventricular block of second degree": "present"}, "75"),
        ({"complete atrioventricular block": "present", **UNPACED}, "75"),
        ({"complete atrioventricular block": "present"}, None),
        ({"systolic blood pressure": "160"}, "100"),
        ({"systolic blood pressure": [(3, "160"), (40, "139"), (80, "160")]}, "75"),
        ({"adverse effect of a cancer drug grade": "3"}, "75"),
    ],
)
def test_a_hold_of_lorlatinib_names_the_dose_to_resume(
    facts: dict[str, object], dose: str | None
) -> None:
    heard = reactions(asked(described(facts, "lorlatinib")))
    (held,) = [item for item in heard.values() if item.kind is Kind.WITHHOLD]
    assert (None if held.resume_dose is None else str(held.resume_dose.amount_mg)) == dose


def test_a_lower_dose_below_the_lowest_step_means_stopping() -> None:
    line = treatment((170, "active", ("50", 1)), ingredient="lorlatinib")
    facts = {"lines": (line,), "nervous system effects grade": "3"}
    (item,) = reactions(asked(described(facts, "lorlatinib"))).values()
    assert item.kind is Kind.STOP
    assert item.at_floor


@pytest.mark.parametrize(
    ("amount", "medication", "row", "kind", "dose"),
    [
        ("100", "strong CYP3A inducer", "strong-inducer", Kind.STOP, None),
        ("100", "moderate CYP3A inducer", "moderate-inducer", Kind.AVOID, None),
        ("125", "moderate CYP3A inducer", "moderate-inducer", Kind.AVOID, None),
        ("75", "moderate CYP3A inducer", "moderate-inducer-reduced", Kind.AVOID, None),
        ("100", "strong CYP3A inhibitor", "strong-inhibitor", Kind.REDUCE, "75"),
        ("75", "strong CYP3A inhibitor", "strong-inhibitor", Kind.AVOID, None),
        ("75", "strong CYP3A inhibitor", "strong-inhibitor-reduced", Kind.ASK, None),
        ("50", "strong CYP3A inhibitor", "strong-inhibitor", Kind.AVOID, None),
        ("100", "fluconazole", "fluconazole", Kind.REDUCE, "75"),
        ("75", "fluconazole", "fluconazole", Kind.AVOID, None),
    ],
)
def test_another_medication_changes_the_dose_of_lorlatinib(
    amount: str, medication: str, row: str, kind: Kind, dose: str | None
) -> None:
    item = _on_lorlatinib(amount, medications=(medication,))[f"lorlatinib-interaction-{row}"]
    assert (item.kind, _amount(item)) == (kind, dose)


@pytest.mark.parametrize(
    ("medications", "refused"), [(("moderate CYP3A inducer",), False), ((), True)]
)
def test_the_higher_dose_is_within_the_label_only_beside_a_moderate_inducer(
    medications: tuple[str, ...], refused: bool
) -> None:
    chart = patient(lines=(), medications=medications)
    heard = rows_heard(asked(chart, order("lorlatinib", "125", 1)))
    assert ("order-above-label" in heard) is refused


def test_an_inhibitor_and_a_weak_kidney_together_are_a_question() -> None:
    heard = _on_lorlatinib("100", medications=("strong CYP3A inhibitor",), eGFR="20")
    asks = {row for row, item in heard.items() if item.kind is Kind.ASK}
    assert asks == {"lorlatinib-interaction-strong-inhibitor", "lorlatinib-kidney-severe"}
    assert all(item.dose is None for item in heard.values())


@pytest.mark.parametrize(
    ("facts", "dose"),
    [
        ({"eGFR": "30"}, "100"),
        # Read in one copy only: the dose is said, and not offered.
        ({"eGFR": "29.9"}, None),
        ({"eGFR": "15"}, None),
        ({"eGFR": "14.9"}, None),
        ({"Child-Pugh_class": "B"}, None),
        ({"total_bilirubin": "1.51"}, None),
        ({"medications": ("strong CYP3A inhibitor",)}, "75"),
        ({"medications": ("fluconazole",)}, "75"),
        ({"medications": ("moderate CYP3A inducer",)}, None),
        ({"medications": ("strong CYP3A inhibitor",), "eGFR": "20"}, None),
    ],
)
def test_the_choice_starts_lorlatinib_at_this_patients_own_dose(
    facts: dict[str, object], dose: str | None
) -> None:
    choice = asked(patient(lines=(), **facts)).choice
    assert choice is not None
    (option,) = [item for item in choice.options if item.drug == "lorlatinib"]
    assert (None if option.dose is None else str(option.dose.amount_mg)) == dose


def test_no_row_of_ensartinib_that_could_not_be_read_offers_a_dose() -> None:
    table = knowledge().drugs["ensartinib"].dose_changes
    assert table is not None
    for row in table:
        assert row.verified or not row.text("resume"), row.identifier


def test_a_row_that_could_not_be_read_says_so() -> None:
    heard = reactions(asked(described({"CPK": "6"}, "ensartinib")))
    item = heard["ensartinib-muscle"]
    assert (item.kind, item.verified) == (Kind.ASK, False)
    assert "current label" in item.detail


def test_a_running_patient_is_not_told_again_what_belongs_before_the_first_dose() -> None:
    chart = patient(lines=(running("lorlatinib"),))
    assert "lorlatinib-driving" not in rows_heard(asked(chart, order("lorlatinib", "100", 1)))


def test_lipids_that_are_severe_again_lower_the_dose_once() -> None:
    facts = described(
        {"total cholesterol": [(3, "401"), (40, "400"), (80, "501")], "triglycerides": "100"},
        "lorlatinib",
    )
    name = "lorlatinib-lipids-severe-again"
    lowered = reactions(asked(facts, order("lorlatinib", "100", 1)))[name]
    assert (lowered.kind, lowered.dose and str(lowered.dose.amount_mg)) == (Kind.REDUCE, "75")
    already = reactions(asked(facts, order("lorlatinib", "75", 1)))[name]
    assert (already.kind, already.dose) == (Kind.ASK, None)
    assert "lowered for this recurrence" in already.ask

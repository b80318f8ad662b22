"""Several orders of one drug that run: parts of one dose, a renewal, or doses at odds."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts import PatientFacts
from cds_service.rules import Collection
from tests.facts.records import Json, dosage, facts_of, knowledge, medication

AT_ODDS = "running orders at odds"


def order(drug: str, amount: int, per_day: int, start: int, **more: Any) -> Json:
    return medication(text=drug, start=start, dose=dosage(amount, per_day), **more)


def at_odds(facts: PatientFacts) -> list[str]:
    found = facts.find(AT_ODDS)
    assert isinstance(found, Collection)
    return [item.label for item in found.items]


def daily(facts: PatientFacts, drug: str) -> str:
    line = facts.line(drug)
    assert line is not None
    assert line.current_dose is not None
    assert line.current_dose.daily_mg is not None
    return f"{line.current_dose.daily_mg:f}"


def test_running_orders_for_different_doses_are_at_odds() -> None:
    facts = facts_of(order("alectinib", 600, 2, 200), order("alectinib", 450, 2, 30))

    assert at_odds(facts) == ["600 mg twice daily", "450 mg twice daily"]


@pytest.mark.parametrize("drug", sorted(knowledge().inhibitors))
def test_that_holds_for_every_alk_inhibitor_also_one_without_tables(drug: str) -> None:
    facts = facts_of(order(drug, 1600, 2, 200), order(drug, 1500, 2, 30))

    assert at_odds(facts) == ["1600 mg twice daily", "1500 mg twice daily"]


def test_the_same_dose_ordered_again_is_a_renewal() -> None:
    facts = facts_of(order("alectinib", 600, 2, 200), order("alectinib", 600, 2, 30))

    assert at_odds(facts) == []
    assert daily(facts, "alectinib") == "1200"


@pytest.mark.parametrize(
    ("drug", "one", "other", "together"),
    [
        ("lorlatinib", (50, 1), (25, 1), "75"),
        ("brigatinib", (90, 1), (30, 1), "120"),
        ("alectinib", (450, 2), (150, 2), "1200"),
        ("alectinib", (600, 1), (600, 1), "1200"),
        ("lorlatinib", (100, 1), (25, 1), "125"),
    ],
)
def test_tablets_of_two_strengths_and_morning_and_evening_are_one_dose(
    drug: str, one: tuple[int, int], other: tuple[int, int], together: str
) -> None:
    facts = facts_of(order(drug, *one, 60), order(drug, *other, 60))

    assert at_odds(facts) == []
    assert daily(facts, drug) == together


@pytest.mark.parametrize(
    ("drug", "dose"), [("brigatinib", (90, 1)), ("crizotinib", (250, 1)), ("alectinib", (300, 2))]
)
def test_two_orders_of_one_day_that_are_a_label_dose_alone_and_together_are_at_odds(
    drug: str, dose: tuple[int, int]
) -> None:
    assert len(at_odds(facts_of(order(drug, *dose, 60), order(drug, *dose, 60)))) == 2
    assert at_odds(facts_of(order(drug, *dose, 90), order(drug, *dose, 60))) == []


def test_two_full_doses_of_one_day_are_taken_for_copies_of_one_order() -> None:
    assert at_odds(facts_of(order("alectinib", 600, 2, 60), order("alectinib", 600, 2, 60))) == []


def test_a_lead_in_that_was_never_ended_is_at_odds_and_one_that_is_over_is_not() -> None:
    lead_in = order("brigatinib", 90, 1, 60)
    over = order("brigatinib", 90, 1, 60, end=53)
    full = order("brigatinib", 180, 1, 53)

    assert at_odds(facts_of(lead_in, full)) == ["90 mg once daily", "180 mg once daily"]
    assert at_odds(facts_of(over, full)) == []


def test_an_order_that_runs_beside_a_later_one_on_hold_is_at_odds() -> None:
    runs = order("alectinib", 600, 2, 200)
    held = order("alectinib", 600, 2, 20, status="on-hold")

    assert at_odds(facts_of(runs, held)) == ["600 mg twice daily", "600 mg twice daily (on hold)"]


def test_an_order_on_hold_that_a_later_one_took_the_place_of_is_no_question() -> None:
    held = order("alectinib", 600, 2, 200, status="on-hold")
    resumed = order("alectinib", 450, 2, 20)

    assert at_odds(facts_of(held, resumed)) == []


def test_an_order_whose_dose_cannot_be_read_is_not_known_to_be_at_odds() -> None:
    assert at_odds(facts_of(order("alectinib", 600, 2, 60), medication(text="alectinib"))) == []


def test_a_day_s_total_and_another_dose_are_at_odds() -> None:
    total = medication(text="alectinib", start=200, dosageInstruction=[{"text": "1200 mg per day"}])

    facts = facts_of(total, order("alectinib", 450, 2, 30))

    assert at_odds(facts) == ["1200 mg a day", "450 mg twice daily"]


def test_orders_of_two_drugs_are_not_at_odds_with_each_other() -> None:
    assert at_odds(facts_of(order("alectinib", 600, 2, 60), order("lorlatinib", 100, 1, 30))) == []


def test_another_dose_of_the_same_order_is_another_fact_for_whoever_answered_the_card() -> None:
    kept, changed = order("alectinib", 600, 2, 200), order("alectinib", 450, 2, 30)
    found = facts_of(kept, changed).find(AT_ODDS)

    assert isinstance(found, Collection)
    assert [item.as_sent for item in found.items] == ["600 mg twice daily", "450 mg twice daily"]

"""Two orders of the same ALK inhibitor in one bundle are asked about, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.alk import Decision, Kind, Question, decide
from cds_service.cards.summaries import summary
from cds_service.facts import OrderedMedication
from tests.alk.patients import AS_OF, asked, drafted, knowledge, order, patient, running

TWICE = "order-drafted-twice"


def named(drug: str, amount: str | None, per_day: int | None, name: str) -> OrderedMedication:
    return replace(drafted(drug, amount, per_day), reference=f"MedicationRequest/{name}")


def questions(decision: Decision) -> list[str]:
    """Of which orders it is asked."""
    return [
        item.order.reference
        for item in decision.recommendations
        if item.rule_id == TWICE and item.order is not None
    ]


@pytest.mark.parametrize("lines", [(), (running("alectinib"),)], ids=["first order", "refill"])
@pytest.mark.parametrize("second", ["600", "450", "150"])
def test_a_second_order_of_the_same_drug_is_asked_about_once(lines: object, second: str) -> None:
    decision = asked(
        patient(lines=lines), named("alectinib", "600", 2, "a"), named("alectinib", second, 2, "b")
    )

    assert questions(decision) == ["MedicationRequest/b"]
    (item,) = [one for one in decision.recommendations if one.rule_id == TWICE]
    assert (item.kind, item.severity) == (Kind.ASK, "warning")
    assert summary(item, knowledge()) == "Two orders of alectinib here: are both meant?"


@pytest.mark.parametrize("drug", sorted(knowledge().inhibitors))
def test_it_is_asked_of_every_alk_inhibitor_also_where_the_dose_cannot_be_read(drug: str) -> None:
    both = named(drug, None, None, "a"), named(drug, None, None, "b")

    assert questions(asked(patient(lines=()), *both)) == ["MedicationRequest/b"]


def test_it_is_asked_of_the_order_that_was_chosen_beside_an_earlier_draft() -> None:
    both = named("alectinib", "600", 2, "a"), named("alectinib", "600", 2, "b")
    for chosen in ("MedicationRequest/a", "MedicationRequest/b"):
        question = Question("order-select", both, frozenset({chosen}))

        assert questions(decide(patient(lines=()), question, knowledge(), AS_OF)) == [chosen]


def test_a_lead_in_and_the_full_dose_in_two_orders_are_asked_about_and_not_refused() -> None:
    decision = asked(
        patient(lines=()), named("brigatinib", "90", 1, "a"), named("brigatinib", "180", 1, "b")
    )

    assert questions(decision) == ["MedicationRequest/b"]
    assert "order-lead-in-skipped" not in {one.rule_id for one in decision.recommendations}


def test_beside_an_order_that_cannot_be_read_nobody_knows_whether_the_lead_in_is_there() -> None:
    decision = asked(
        patient(lines=()), named("brigatinib", None, None, "a"), named("brigatinib", "180", 1, "b")
    )

    said = {one.rule_id for one in decision.recommendations}
    assert "order-lead-in-undecided" in said
    assert "order-lead-in-skipped" not in said


def test_two_orders_of_the_full_dose_still_leave_the_lead_in_out() -> None:
    decision = asked(
        patient(lines=()), named("brigatinib", "180", 1, "a"), named("brigatinib", "120", 1, "b")
    )

    assert "order-lead-in-skipped" in {one.rule_id for one in decision.recommendations}


def test_of_three_orders_one_question_is_asked() -> None:
    three = [named("alectinib", "600", 2, name) for name in "abc"]

    assert questions(asked(patient(lines=()), *three)) == ["MedicationRequest/c"]


def test_the_same_order_sent_twice_and_two_other_medicines_are_no_question() -> None:
    once = named("alectinib", "600", 2, "a")
    others = [
        replace(order("metoprolol", "50", 1), reference=f"MedicationRequest/{n}") for n in "bc"
    ]

    assert questions(asked(patient(lines=()), once, once)) == []
    assert questions(asked(patient(lines=()), once, *others)) == []


def test_two_different_inhibitors_are_refused_and_not_asked_about() -> None:
    both = named("alectinib", "600", 2, "a"), named("lorlatinib", "100", 1, "b")
    decision = asked(patient(lines=()), *both)

    assert questions(decision) == []
    assert "order-two-alk-drafted" in [item.rule_id for item in decision.recommendations]


def test_two_orders_without_an_id_are_two_orders() -> None:
    both = [named("alectinib", "600", 2, "") for _ in range(2)]

    assert questions(asked(patient(lines=()), *both)) == ["MedicationRequest/"]

"""A reaction that holds an ALK inhibitor is told where a medicine that brings it too is ordered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.cards.details import detail
from cds_service.cards.suggestions import removes_order
from cds_service.cards.summaries import summary
from cds_service.facts import PatientFacts
from cds_service.knowledge.table_files import Row
from hooks import order_select, order_sign
from tests.alk.patients import asked, knowledge, order, patient, running, treatment

SLOW = {"heart_rate": "46", "bradycardia_symptoms": "present"}
METOPROLOL = order("metoprolol", "50", 2)


def slow_heart(drug: str, **said: str) -> PatientFacts:
    return patient(lines=(running(drug),), **{**SLOW, **said})


def at_the_order(decision: Decision, drug: str) -> Recommendation:
    (said,) = [one for one in decision.recommendations if _concerns(one, drug)]
    return said


def _concerns(item: Recommendation, drug: str) -> bool:
    return item.topic is Topic.INTERACTION and item.drug == drug and item.order is not None


@pytest.mark.parametrize("drug", ["alectinib", "brigatinib", "ceritinib", "crizotinib"])
def test_a_hold_for_a_slow_heart_is_told_at_the_order_of_what_slows_it(drug: str) -> None:
    decision = asked(slow_heart(drug), METOPROLOL)
    said = at_the_order(decision, drug)

    begin = f"Avoid metoprolol while {drug} is on hold: heart rate 46"
    assert summary(said, knowledge()).startswith(begin)
    assert (said.kind, said.severity) == (Kind.AVOID, "warning")
    assert f"Hold {drug}" in detail(said, decision, knowledge())
    assert order_select.matters(said, decision.question)
    assert order_sign.matters(said, decision.question)


def test_the_order_can_be_taken_back_from_that_card() -> None:
    assert removes_order(at_the_order(asked(slow_heart("alectinib"), METOPROLOL), "alectinib"))


def test_a_drug_that_is_to_be_stopped_makes_the_card_as_loud_as_the_stop() -> None:
    chart = patient(
        lines=(running("crizotinib"),),
        heart_rate="38",
        bradycardia_grade="4",
        bradycardia_symptoms="present",
    )
    said = at_the_order(asked(chart, METOPROLOL), "crizotinib")

    assert summary(said, knowledge()).startswith(
        "Avoid metoprolol while crizotinib is to be stopped"
    )
    assert said.severity == "critical"


def test_what_is_still_to_be_settled_is_settled_before_the_order() -> None:
    chart = patient(lines=(running("alectinib"),), heart_rate="52", bradycardia_symptoms=None)
    decision = asked(chart, METOPROLOL)
    said = at_the_order(decision, "alectinib")

    assert summary(said, knowledge()).startswith(
        "Avoid metoprolol until a reaction to alectinib is settled"
    )


def test_a_long_qt_interval_is_told_at_the_order_of_what_prolongs_it() -> None:
    chart = patient(lines=(running("crizotinib"),), QTc="510")
    said = at_the_order(asked(chart, order("ondansetron", "8", 2)), "crizotinib")

    assert "until a reaction to crizotinib is settled: QTc 510" in summary(said, knowledge())


def test_a_drug_on_hold_whose_heart_is_still_slow_counts_like_one_that_runs() -> None:
    paused = treatment((170, "paused", ("250", 2)), ingredient="crizotinib")
    chart = patient(lines=(paused,), **SLOW)
    said = at_the_order(asked(chart, METOPROLOL), "crizotinib")

    assert "crizotinib is on hold" in summary(said, knowledge())


def test_a_hold_that_stands_behind_another_one_is_told_too() -> None:
    chart = slow_heart("alectinib", ALT="6")
    said = at_the_order(asked(chart, METOPROLOL), "alectinib")

    assert "on hold: heart rate 46" in summary(said, knowledge())


def test_a_hold_for_something_else_leaves_the_interaction_as_it_is() -> None:
    said = at_the_order(asked(patient(ALT="6"), METOPROLOL), "alectinib")

    assert said.kind is Kind.INFORM
    assert not said.also


def test_a_medicine_that_does_not_bring_the_reaction_says_nothing_of_it() -> None:
    decision = asked(slow_heart("crizotinib"), order("ondansetron", "8", 2))

    assert not [one for one in decision.recommendations if _speaks_of_a_hold(one)]


def _speaks_of_a_hold(item: Recommendation) -> bool:
    return item.order is not None and bool(item.also)


def rows_that_bring_a_reaction() -> Iterator[tuple[str, Row]]:
    for drug, tables in knowledge().drugs.items():
        for row in tables.interactions or ():
            if row.entries("brings"):
                yield drug, row


def test_every_row_on_the_heart_says_which_reaction_its_medicines_bring() -> None:
    said = {row.identifier for _, row in rows_that_bring_a_reaction()}

    assert said == {
        "alectinib-interaction-bradycardia",
        "brigatinib-interaction-bradycardia",
        "ceritinib-interaction-bradycardia",
        "ceritinib-interaction-qt",
        "crizotinib-interaction-bradycardia",
        "crizotinib-interaction-qt",
        "ensartinib-interaction-bradycardia",
        "lorlatinib-interaction-heart-conduction",
    }

"""A drug that is not tolerated is replaced: the signing of the next one is helped, not refused."""

from __future__ import annotations

import pytest

from cds_service.alk import Decision, Recommendation
from cds_service.cards.details import detail
from cds_service.cards.summaries import summary
from cds_service.facts import PatientFacts
from tests.alk.patients import asked, knowledge, order, patient, rows_heard, running

LORLATINIB = order("lorlatinib", "100")
BESIDE_HELD = "order-beside-held-inhibitor"
STOPPED_FOR_THE_LIVER = patient(ALT="6", total_bilirubin="3")
STOPPED_FOR_THE_LUNG = patient(interstitial_lung_disease_caused_by_alectinib="present")
INTOLERANCE = patient(intolerances_to_ALK_inhibitors=("alectinib",))


def switch(decision: Decision) -> Recommendation:
    (said,) = [
        one for one in decision.recommendations if one.rule_id == "order-switch-while-active"
    ]
    return said


@pytest.mark.parametrize(
    "facts", [STOPPED_FOR_THE_LIVER, STOPPED_FOR_THE_LUNG, INTOLERANCE], ids=["liver", "lung", ""]
)
def test_the_next_inhibitor_is_a_switch_when_the_running_one_is_not_tolerated(
    facts: PatientFacts,
) -> None:
    decision = asked(facts, LORLATINIB)

    assert summary(switch(decision), knowledge()).startswith(
        "Stop alectinib before lorlatinib begins"
    )
    assert "order-two-alk-inhibitors" not in rows_heard(decision)
    assert "remove order" not in switch(decision).offers


def test_the_card_says_for_which_reaction_the_running_drug_stops() -> None:
    decision = asked(STOPPED_FOR_THE_LIVER, LORLATINIB)

    assert "Stop alectinib for good: ALT 6.0 x ULN" in detail(
        switch(decision), decision, knowledge()
    )


@pytest.mark.parametrize(
    "facts",
    [
        patient(),
        patient(intolerances_to_ALK_inhibitors=("crizotinib",)),
        patient(intolerances_to_ALK_inhibitors=None),
    ],
    ids=["nothing", "an intolerance of another drug", "not delivered"],
)
def test_without_such_a_reason_a_second_inhibitor_is_refused(facts: PatientFacts) -> None:
    heard = rows_heard(asked(facts, LORLATINIB))

    assert "order-two-alk-inhibitors" in heard
    assert "order-switch-while-active" not in heard


def test_beside_a_drug_that_is_only_held_it_is_asked_whether_the_next_one_replaces_it() -> None:
    decision = asked(patient(ALT="6"), LORLATINIB)
    (said,) = [one for one in decision.recommendations if one.rule_id == BESIDE_HELD]

    assert said.severity == "critical"
    assert summary(said, knowledge()).startswith("alectinib is to be held and not stopped")
    assert "remove order" in said.offers
    assert not {"order-two-alk-inhibitors", "order-switch-while-active"} & set(rows_heard(decision))


def test_the_card_beside_a_held_drug_says_for_which_reaction_it_is_held() -> None:
    decision = asked(patient(ALT="6"), LORLATINIB)
    (said,) = [one for one in decision.recommendations if one.rule_id == BESIDE_HELD]

    assert "Hold alectinib: ALT 6.0 x ULN" in detail(said, decision, knowledge())


def test_a_headline_about_two_running_drugs_is_in_the_plural() -> None:
    chart = patient(lines=(running("alectinib"), running("crizotinib")))
    (said,) = [
        one
        for one in asked(chart, LORLATINIB).recommendations
        if one.rule_id == "order-two-alk-inhibitors"
    ]
    assert "alectinib and crizotinib are still active" in summary(said, knowledge())

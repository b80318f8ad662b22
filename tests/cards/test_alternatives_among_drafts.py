"""A drug that is offered in the place of a wrong order never joins another ALK inhibitor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.alk import Decision, Question, decide
from cds_service.cards import CardContext, all_cards
from cds_service.cards.suggestions import OrderContext
from cds_service.facts.patient import OrderedMedication
from cds_service.protocol import Suggestion
from hooks.service import about_an_order
from tests.alk.patients import AS_OF, asked, knowledge, patient
from tests.alk.test_settlement import drafted

UNTREATED = patient(lines=(), brain_metastases="absent")
WRONG = {"pembrolizumab": ("200", 1), "osimertinib": ("80", 1), "pemetrexed": ("900", 1)}


def alternatives(decision: Decision) -> list[Suggestion]:
    """The buttons at an order hook that make a new order of a medicine."""
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 20)
    cards = all_cards(
        decision, lambda item: about_an_order(item, decision.question), knowledge(), context
    )
    return [
        one
        for card in cards
        for one in card.card.suggestions
        if any(
            action.type == "create"
            and (action.resource or {}).get("resourceType") == "MedicationRequest"
            for action in one.actions
        )
    ]


def taken_back(suggestion: Suggestion) -> set[str | None]:
    return {action.resource_id for action in suggestion.actions if action.type == "delete"}


@pytest.mark.parametrize("wrong", WRONG)
def test_in_the_place_of_a_wrong_order_drugs_are_offered(wrong: str) -> None:
    draft = drafted(wrong, *WRONG[wrong])
    offered = alternatives(asked(UNTREATED, draft))
    assert offered
    for one in offered:
        assert draft.reference in taken_back(one)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("right", ["alectinib", "lorlatinib", "ensartinib"])
def test_nothing_is_offered_when_a_preferred_drug_is_among_the_drafts(
    wrong: str, right: str
) -> None:
    doses = {"alectinib": ("600", 2), "lorlatinib": ("100", 1), "ensartinib": ("225", 1)}
    decision = asked(UNTREATED, drafted(right, *doses[right]), drafted(wrong, *WRONG[wrong]))
    assert alternatives(decision) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_another_inhibitor_among_the_drafts_is_taken_back_as_well(wrong: str) -> None:
    other, draft = drafted("crizotinib", "250", 2), drafted(wrong, *WRONG[wrong])
    offered = alternatives(asked(UNTREATED, other, draft))
    assert offered
    for one in offered:
        assert other.reference in taken_back(one)


def test_a_draft_that_was_not_selected_counts_as_well() -> None:
    other, wrong = drafted("crizotinib", "250", 2), drafted("pembrolizumab", "200", 1)
    offered = alternatives(selecting(wrong, other))
    assert offered
    for one in offered:
        assert taken_back(one) == {wrong.reference, other.reference}


def test_nothing_is_offered_beside_an_inhibitor_whose_draft_cannot_be_taken_back() -> None:
    other = replace(drafted("crizotinib", "250", 2), reference="MedicationRequest/with blanks")
    assert alternatives(selecting(drafted("pembrolizumab", "200", 1), other)) == []


def test_the_card_that_can_offer_something_does_when_the_first_one_cannot() -> None:
    """Brigatinib is right but for its first days; beside it the other order only has to go."""
    rewritten = drafted("brigatinib", "180", 1)
    offered = alternatives(asked(UNTREATED, drafted("pembrolizumab", "200", 1), rewritten))
    assert any(one.label.startswith("Order brigatinib 180 mg") for one in offered)
    for one in offered:
        assert taken_back(one) == {rewritten.reference}


def selecting(chosen: OrderedMedication, other: OrderedMedication) -> Decision:
    """The answer while only one of two drafts was just selected."""
    question = Question("order-select", (chosen, other), frozenset({chosen.reference}))
    return decide(UNTREATED, question, knowledge(), AS_OF)


def test_of_two_drafts_of_one_drug_the_button_says_which_it_takes_back() -> None:
    both = drafted("alectinib", "600", 2), drafted("alectinib", "450", 2)
    decision = asked(UNTREATED, *both)
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 20)
    cards = all_cards(
        decision, lambda item: item.rule_id == "order-drafted-twice", knowledge(), context
    )
    (button,) = [one for card in cards for one in card.card.suggestions]
    (action,) = button.actions
    told = {f"Remove the alectinib order of {dose} mg twice daily": one.reference
            for dose, one in zip(("600", "450"), both, strict=True)}  # fmt: skip
    assert told[button.label] == action.resource_id

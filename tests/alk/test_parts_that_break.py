"""A part of the check that breaks is named first and costs the others nothing (D-13)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from cds_service.alk import CHECK_INCOMPLETE_RULE, Decision, Question, Topic, decide
from cds_service.cards import CardContext, all_cards, folded, may_be_quiet
from cds_service.cards.suggestions import OrderContext
from cds_service.facts import PatientFacts
from tests.alk.patients import AS_OF, asked, knowledge, order, patient, treatment

pytestmark = pytest.mark.usefixtures("parts_may_break")

SECRET = "Quillfeather"

ALGORITHM = "cds_service.alk"
OTHER_ORDERS = "sections.OtherOrders"
ADJUVANT = "sections.Adjuvant"

PARTS: dict[str, tuple[str, set[Topic]]] = {
    "sections.Gates": (
        "whether diagnosis and tests suffice",
        # Without the gates nobody knows whether a choice may be made.
        {Topic.GATE, Topic.CHOICE, Topic.BASELINE, Topic.ADJUVANT, Topic.PROGRESSION},
    ),
    "sections.DraftOrders": ("the draft orders", {Topic.ORDER}),
    "case._in_view": (
        "the ALK inhibitors that are taken or ordered",
        {Topic.TOXICITY, Topic.MONITORING, Topic.INTERACTION, Topic.POPULATION, Topic.COVERAGE},
    ),
    "drug_sections.Reactions": ("reactions to alectinib", {Topic.TOXICITY}),
    "drug_sections.DueTests": (
        "tests that are due with alectinib",
        {Topic.MONITORING},
    ),
    "drug_sections.Adjustments": (
        "doses of alectinib",
        {Topic.INTERACTION, Topic.POPULATION},
    ),
    OTHER_ORDERS: ("interactions of the other orders", {Topic.INTERACTION}),
    "sections.FirstDrug": (
        "the choice of the first drug",
        {Topic.CHOICE, Topic.BASELINE},
    ),
    ADJUVANT: ("adjuvant treatment", {Topic.ADJUVANT}),
    "sections.NextTreatment": (
        "treatment after progression",
        {Topic.PROGRESSION},
    ),
}
"""By the section that breaks: what the card calls it, and the topics that may fall silent."""


def broken(*_: Any, **__: Any) -> Any:
    raise ValueError(f"the chart of {SECRET}")


STRICTER = {"order-two-alk-inhibitors": "order-switch-while-active"}
"""By a rule that only refuses the one that speaks where the other parts are known: a switch for a
reaction is no switch while the reactions could not be looked at."""


def breaks(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = part if part.startswith("case.") else f"{part}.recommendations"
    monkeypatch.setattr(f"{ALGORITHM}.{function}", broken)


def under_treatment() -> tuple[PatientFacts, tuple[Any, ...]]:
    """Somebody on alectinib with a reaction that stops it, and a wrong order."""
    line = treatment((100, "active", ("600", 2)), ingredient="alectinib")
    facts = patient(lines=[line], ALT="5.1", total_bilirubin="2.5", pregnancy="present")
    orders = order("alectinib", "900", 2), order("lorlatinib", "100", 1)
    return facts, tuple(
        replace(item, resource={"resourceType": "MedicationRequest"}) for item in orders
    )


def untreated() -> tuple[PatientFacts, tuple[Any, ...]]:
    return patient(lines=()), ()


def asked_about(case: tuple[PatientFacts, tuple[Any, ...]]) -> Decision:
    facts, orders = case
    return asked(facts, *orders)


def rules(decision: Decision) -> list[str]:
    return [item.rule_id for item in decision.recommendations]


@pytest.mark.parametrize("case", [under_treatment, untreated])
@pytest.mark.parametrize("name", PARTS)
def test_the_other_parts_say_what_they_say_otherwise(
    name: str, case: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = asked_about(case())
    assert not whole.failures
    breaks(name, monkeypatch)
    partial = asked_about(case())
    if not partial.failures:
        # The part had nothing to do for this patient.
        assert rules(partial) == rules(whole)
        return
    says, silent = PARTS[name]
    left = rules(partial)[1:]
    refused = {STRICTER[rule] for rule in left if rule in STRICTER}
    said = [item.rule_id for item in whole.recommendations if item.topic not in silent]
    expected = [rule for rule in said if rule not in refused]
    assert [rule for rule in left if rule in expected] == expected
    first = partial.recommendations[0]
    assert (first.rule_id, first.severity) == (CHECK_INCOMPLETE_RULE, "warning")
    assert says in first.detail
    assert SECRET not in repr(partial.recommendations)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_tried_by_one_of_the_two_patients(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(name, monkeypatch)
    assert any(asked_about(case()).failures for case in (under_treatment, untreated))


@pytest.mark.deep
@pytest.mark.parametrize("both", list(combinations(PARTS, 2)), ids=" and ".join)
def test_two_parts_that_break_are_both_named_and_cost_no_other_part(
    both: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = asked_about(under_treatment())
    for name in both:
        breaks(name, monkeypatch)
    partial = asked_about(under_treatment())
    failed = {failure.part for failure in partial.failures}
    silent = frozenset[Topic]().union(*(PARTS[name][1] for name in both))
    left = rules(partial)
    refused = {STRICTER[rule] for rule in left if rule in STRICTER}
    said = [item.rule_id for item in whole.recommendations if item.topic not in silent]
    assert [rule for rule in said if rule not in refused and rule not in left] == []
    if failed:
        first = partial.recommendations[0]
        assert first.rule_id == CHECK_INCOMPLETE_RULE
        assert all(part in first.detail for part in failed)


def test_a_check_of_which_nothing_ran_still_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PARTS:
        breaks(name, monkeypatch)
    (only,) = asked_about(under_treatment()).recommendations
    assert only.rule_id == CHECK_INCOMPLETE_RULE


def test_where_nobody_is_concerned_a_fault_is_logged_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = patient(lines=(), cancers=(), ALK=None, setting=None)
    assert not asked(facts).recommendations
    breaks(ADJUVANT, monkeypatch)
    breaks(OTHER_ORDERS, monkeypatch)
    decision = asked(facts)
    assert decision.failures
    assert not decision.recommendations
    # When that itself cannot be told, it is shown.
    monkeypatch.setattr(importlib.import_module(f"{ALGORITHM}.decide"), "surely_no_concern", broken)
    assert asked(facts).recommendations[0].rule_id == CHECK_INCOMPLETE_RULE


def cards_of(decision: Decision, most: int = 20) -> list[Any]:
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, most)
    made = all_cards(decision, lambda _: True, knowledge(), context)
    return folded(made, decision, knowledge(), context)


def actions(cards: list[Any]) -> set[str]:
    return {
        action.type for card in cards for offer in card.card.suggestions for action in offer.actions
    }


@pytest.mark.parametrize("case", [under_treatment, untreated])
def test_nothing_new_can_be_ordered_from_half_a_check_but_an_order_can_be_taken_back(
    case: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = actions(cards_of(asked_about(case())))
    assert before & {"create", "update"}
    breaks(ADJUVANT, monkeypatch)
    breaks(OTHER_ORDERS, monkeypatch)
    cards = cards_of(asked_about(case()))
    assert actions(cards) == before & {"delete"}
    assert cards[0].card.summary.startswith("This ALK check is incomplete")


def test_half_a_check_of_signed_orders_offers_nothing_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts, orders = under_treatment()
    signed = Question("order-dispatch", orders, signed=True)
    breaks(OTHER_ORDERS, monkeypatch)
    decision = decide(facts, signed, knowledge(), AS_OF)
    assert decision.failures
    assert not actions(cards_of(decision))


def test_the_card_leads_is_never_folded_and_never_kept_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breaks(OTHER_ORDERS, monkeypatch)
    cards = cards_of(asked_about(under_treatment()), most=2)
    assert cards[0].rule_id == CHECK_INCOMPLETE_RULE
    assert not may_be_quiet(cards[0].recommendations)


def test_the_end_of_the_requests_time_is_no_part_that_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Over(BaseException):
        pass

    def late(*_: Any, **__: Any) -> Any:
        raise Over

    monkeypatch.setattr(f"{ALGORITHM}.sections.Gates.recommendations", late)
    with pytest.raises(Over):
        asked_about(untreated())

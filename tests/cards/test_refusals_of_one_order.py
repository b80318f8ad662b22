"""Two reasons to take one order back are one card with both reasons on it."""

from __future__ import annotations

from cds_service.alk import Decision
from cds_service.cards import CardContext, all_cards
from cds_service.cards.built import BuiltCard
from cds_service.cards.suggestions import OrderContext
from tests.alk.patients import asked, drafted, knowledge, patient

LORLATINIB = drafted("lorlatinib", "100", 1)
BRIGATINIB = drafted("brigatinib", "90", 1)


def critical(decision: Decision) -> list[BuiltCard]:
    context = CardContext(OrderContext("p", "Practitioner/u", None), None, 20)
    cards = all_cards(decision, lambda _: True, knowledge(), context)
    return [card for card in cards if card.card.indicator == "critical"]


def test_two_reasons_to_take_an_order_back_are_one_card_that_names_both() -> None:
    chart = patient(lines=(), pregnancy="present", interstitial_lung_disease="present")
    (card,) = critical(asked(chart, LORLATINIB))

    assert card.card.summary.endswith("; 1 more reason against it") or (
        card.card.summary.endswith("; 1 more reason")
    )
    assert "recorded as pregnant" in card.card.summary + card.card.detail
    assert "interstitial lung disease" in card.card.summary + card.card.detail
    assert [one.label for one in card.card.suggestions] == ["Remove the lorlatinib order"]


def test_the_rules_of_all_reasons_are_kept_with_the_card() -> None:
    chart = patient(lines=(), pregnancy="present", interstitial_lung_disease="present")
    (card,) = critical(asked(chart, LORLATINIB))

    assert {one.rule_id for one in card.recommendations} == {
        "order-pregnant",
        "order-lung-disease",
    }


def test_two_orders_keep_a_card_each() -> None:
    chart = patient(lines=(), pregnancy="present")
    cards = critical(asked(chart, LORLATINIB, BRIGATINIB))

    orders = {one.order.reference for card in cards for one in card.recommendations if one.order}
    assert orders == {LORLATINIB.reference, BRIGATINIB.reference}
    assert len({card.card.summary for card in cards}) == len(cards)


def test_a_refusal_that_offers_other_drugs_keeps_a_card_of_its_own() -> None:
    chart = patient(lines=(), pregnancy="present", interstitial_lung_disease=None)
    wrong = drafted("osimertinib", "80", 1)
    cards = critical(asked(chart, wrong, LORLATINIB))

    assert len(cards) == len({card.rule_id for card in cards})


def test_one_reason_alone_is_said_as_ever() -> None:
    (card,) = critical(asked(patient(lines=(), pregnancy="present"), LORLATINIB))
    assert "more reason" not in card.card.summary

"""The last look at an answer: no order that one card offers may contradict another card.

The settlement of the algorithm sees to that beforehand. This looks again at what really leaves, the
orders as resources and the cards as made, and fails to the safe side: an order that contradicts a
card is taken out, and whoever runs the service is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.alk import Decision, Recommendation
from cds_service.alk.settlement import said_of
from cds_service.cards.built import BuiltCard
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Action, Card, Suggestion

AGAINST = frozenset({"stopped", "held", "refused", "avoided"})
"""What a card says against a drug: no other card may order it, or a draft of it with another dose.
"""

ASKED = frozenset({"questioned"})
"""What is asked before the next dose of a drug: no other card may order it anew. A draft of it may
be made smaller."""


class ContradictingOrderError(Exception):
    """An order of one card was taken out because another card speaks against its drug."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The rule whose card offers an order, the rule that speaks against it, and the drug."""

    rule_id: str
    against: str
    drug: str


def without_contradictions(
    cards: Sequence[BuiltCard], decision: Decision, knowledge: Knowledge
) -> list[BuiltCard]:
    """The cards, each without the orders that another of them speaks against."""
    against = [dict(_spoken_against(card, knowledge, AGAINST)) for card in cards]
    asked = [dict(_spoken_against(card, knowledge, ASKED)) for card in cards]
    checked: list[BuiltCard] = []
    for place, card in enumerate(cards):
        others = [said for at, said in enumerate(against) if at != place]
        asking = [said for at, said in enumerate(asked) if at != place]
        kept: list[Suggestion] = []
        found: list[Contradiction] = []
        for suggestion in card.card.suggestions:
            clash = {
                (drug, said[drug])
                for action in suggestion.actions
                for drug in ordered_drugs(action, decision, knowledge)
                for said in (*others, *(asking if action.type == "create" else ()))
                if drug in said
            }
            found += [Contradiction(card.rule_id, rule, drug) for drug, rule in sorted(clash)]
            if not clash:
                kept.append(suggestion)
        checked.append(taken_out(card, kept, found) if found else card)
    return checked


def taken_out(
    card: BuiltCard, kept: Sequence[Suggestion], found: Sequence[Contradiction]
) -> BuiltCard:
    """The card with the suggestions that are left, and what to tell whoever runs the service."""
    told = "; ".join(f"{one.rule_id} orders {one.drug} against {one.against}" for one in found)
    return replace(
        card,
        card=with_suggestions(card, kept),
        fault=card.fault or ContradictingOrderError(told),
    )


def without_orders(cards: Sequence[BuiltCard], error: Exception) -> list[BuiltCard]:
    """The cards without any order but the removal of one: for when this look itself fails."""
    return [
        replace(
            card,
            card=with_suggestions(
                card,
                [
                    one
                    for one in card.card.suggestions
                    if all(action.type == "delete" for action in one.actions)
                ],
            ),
            fault=card.fault or error,
        )
        for card in cards
    ]


def with_suggestions(card: BuiltCard, kept: Sequence[Suggestion]) -> Card:
    """The same card with other suggestions."""
    behaviour = card.card.selection_behavior if kept else None
    return card.card.model_copy(
        update={"suggestions": tuple(kept), "selection_behavior": behaviour}
    )


def ordered_drugs(action: Action, decision: Decision, knowledge: Knowledge) -> set[str]:
    """The ALK inhibitors that an action starts or changes, read from the order as it leaves.

    An order that is changed keeps its drug; a new one names it in words. One that is ended orders
    nothing.
    """
    resource = action.resource
    if action.type not in ("create", "update") or not isinstance(resource, Mapping):
        return set()
    if resource.get("resourceType") != "MedicationRequest":
        return set()
    if action.ends_an_order:
        return set()
    reference = f"MedicationRequest/{resource.get('id')}"
    named = {
        name
        for order in decision.question.orders
        if action.type == "update" and order.reference == reference
        for name in order.ingredients
    }
    concept = resource.get("medicationCodeableConcept")
    words = str(concept.get("text") or "").casefold() if isinstance(concept, Mapping) else ""
    named |= {name for name in knowledge.inhibitors if name in words}
    return named & knowledge.inhibitors


def _spoken_against(
    card: BuiltCard, knowledge: Knowledge, words: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """By drug the rule of the card that says one of these words of it."""
    for item in _said(card):
        said, drugs = said_of(item, knowledge.inhibitors)
        if said in words:
            yield from ((drug, item.rule_id) for drug in drugs)


def _said(card: BuiltCard) -> Iterator[Recommendation]:
    for item in card.recommendations:
        yield item
        yield from (other for other in item.also if not other.settled)

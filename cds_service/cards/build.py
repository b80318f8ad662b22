"""Recommendations to cards: which are shown, how they are merged, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import uuid4

from cds_service.alk import Decision, Kind, Recommendation, Topic
from cds_service.cards import guard
from cds_service.cards.built import BuiltCard
from cds_service.cards.details import detail
from cds_service.cards.footers import footer, shown_sources
from cds_service.cards.override_reasons import override_reasons
from cds_service.cards.refusals import as_one, same_remedy, summary_of_refusals
from cds_service.cards.suggestions import OrderContext, suggestions
from cds_service.cards.summaries import summary
from cds_service.cards.text import fit, listed
from cds_service.knowledge.jurisdictions import under
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Card, Coding, Link, Source

RULE_SYSTEM = "urn:alk-cds:rule"

_OWN_STATEMENT = "ALK decision support, own statement"


@dataclass(frozen=True)
class CardContext:
    """Who the cards are for, and where the basis can be seen.

    `decision_link` is the absolute address of the decision page, None when the service does not
    know its own address. `max_cards` limits how many cards are sent; the rest is folded into one.
    `smart_launch_url` is the launch address of a SMART app that the site uses beside the cards.
    """

    orders: OrderContext
    decision_link: str | None = None
    max_cards: int = 6
    smart_launch_url: str | None = None


def build_cards(
    decision: Decision,
    shown: Callable[[Recommendation], bool],
    knowledge: Knowledge,
    context: CardContext,
) -> list[BuiltCard]:
    """The cards of a decision, the most dangerous first, no more than the context allows.

    `shown` says which recommendations matter at this moment.
    """
    return folded(all_cards(decision, shown, knowledge, context), decision, knowledge, context)


def all_cards(
    decision: Decision,
    shown: Callable[[Recommendation], bool],
    knowledge: Knowledge,
    context: CardContext,
) -> list[BuiltCard]:
    """Every card of a decision, the most dangerous first, however many there are.

    Advice of the same kind on the same drug that only informs is merged into one card, and so are
    refusals of one order that ask for nothing but to take it back. A card whose
    words or orders cannot be made says at least which rule spoke; the others are whole.
    """
    knowledge = under(knowledge, decision.question.jurisdiction)
    kept = [item for item in decision.recommendations if shown(item)]
    kept = [item for item in kept if not _moot(item, kept)]
    cards: list[BuiltCard] = []
    offered = False
    for group in _merged(_one_for_a_regimen(kept)):
        if offered and "first line" in group[0].offers:
            # Of several wrong orders only one card offers drugs in their place: one click on each
            # of two cards must not start two ALK inhibitors.
            group = (_without_alternatives(group[0]), *group[1:])
        try:
            card = _card(group, decision, knowledge, context)
        except Exception as error:  # noqa: BLE001 - said on a card and logged
            card = unworded(group, context, error)
        offered = offered or ("first line" in group[0].offers and _orders_a_drug(card.card))
        cards.append(card)
    try:
        return guard.without_contradictions(cards, decision, knowledge)
    except Exception as error:  # noqa: BLE001 - to the safe side, and logged
        return guard.without_orders(cards, error)


def _orders_a_drug(card: Card) -> bool:
    """Whether one of its buttons makes a new order of a medicine."""
    made = (
        action.resource
        for suggestion in card.suggestions
        for action in suggestion.actions
        if action.type == "create"
    )
    return any((one or {}).get("resourceType") == "MedicationRequest" for one in made)


def folded(
    cards: list[BuiltCard], decision: Decision, knowledge: Knowledge, context: CardContext
) -> list[BuiltCard]:
    """The cards with those beyond the limit folded into one.

    Critical cards are never folded, nor is what says which data were missing.
    """
    knowledge = under(knowledge, decision.question.jurisdiction)
    if len(cards) <= context.max_cards:
        return cards
    always = [_is_always_whole(card) for card in cards]
    free = max(context.max_cards - 1 - sum(always), 0)
    leading: list[BuiltCard] = []
    rest: list[BuiltCard] = []
    for card, whole in zip(cards, always, strict=True):
        if whole or free > 0:
            leading.append(card)
            free -= not whole
        else:
            rest.append(card)
    return [*leading, *([_folded(rest, decision, knowledge, context)] if rest else [])]


def _is_always_whole(card: BuiltCard) -> bool:
    """Whether a card is never folded: what is critical, and what says which data were missing."""
    missing = any(item.topic is Topic.AVAILABILITY for item in card.recommendations)
    return missing or card.card.indicator == "critical"


def _without_alternatives(item: Recommendation) -> Recommendation:
    return item.changed(offers=tuple(name for name in item.offers if name != "first line"))


def _moot(item: Recommendation, kept: Iterable[Recommendation]) -> bool:
    """Whether an item that only informs adds nothing to a card that asks to take an order back.

    That is so when it tells about the same order, or repeats the same point of the algorithm.
    """
    if item.kind is not Kind.INFORM:
        return False
    refused = [
        other
        for other in kept
        if other.severity == "critical"
        and other.order is not None
        and "remove order" in other.offers
    ]
    if item.topic in (Topic.GATE, Topic.ADJUVANT):
        return any(set(item.algorithm_ids) & set(other.algorithm_ids) for other in refused)
    told = item.topic in (Topic.POPULATION, Topic.INTERACTION, Topic.COVERAGE)
    return told and any(item.order == other.order for other in refused)


def _one_for_a_regimen(items: Iterable[Recommendation]) -> list[Recommendation]:
    """One warning for all orders that the same row warns about, such as two drugs of a regimen.

    Orders to be taken back stay apart: each has its own removal.
    """
    kept: list[Recommendation] = []
    for item in items:
        alike = next((other for other in kept if _same_warning(other, item)), None)
        if alike is None or alike.order is None or item.order is None:
            kept.append(item)
            continue
        names = dict.fromkeys((*alike.order.ingredients, *item.order.ingredients))
        together = replace(alike.order, ingredients=tuple(names))
        also = (*alike.also, *(one for one in item.also if one not in alike.also))
        kept[kept.index(alike)] = alike.changed(order=together, also=also)
    return kept


def _same_warning(one: Recommendation, other: Recommendation) -> bool:
    return (
        one.topic is Topic.ORDER
        and one.rule_id == other.rule_id
        and one.kind is other.kind
        and "remove order" not in (*one.offers, *other.offers)
        and one.dose is None
        and not one.reasons
    )


def _merged(items: Iterable[Recommendation]) -> list[tuple[Recommendation, ...]]:
    groups: list[list[Recommendation]] = []
    for item in items:
        if item.kind is Kind.INFORM and item.topic in (Topic.POPULATION, Topic.INTERACTION):
            for group in groups:
                first = group[0]
                same = (first.kind, first.topic, first.drug) == (item.kind, item.topic, item.drug)
                if same and first.severity == item.severity:
                    group.append(item)
                    break
            else:
                groups.append([item])
            continue
        refused = next((group for group in groups if same_remedy(group[0], item)), None)
        if refused is not None:
            refused.append(item)
        else:
            groups.append([item])
    return [tuple(group) for group in groups]


def _card(
    group: tuple[Recommendation, ...],
    decision: Decision,
    knowledge: Knowledge,
    context: CardContext,
) -> BuiltCard:
    refused = len(group) > 1 and same_remedy(group[0], group[1])
    first = as_one(group) if refused else group[0]
    offered, behaviour = suggestions(first, decision, knowledge, context.orders)
    text = summary(first, knowledge)
    body = detail(first, decision, knowledge, offered)
    if refused:
        text = summary_of_refusals(group, knowledge)
    elif len(group) > 1:
        text = _merged_summary(group, knowledge)
        body = _merged_detail(group, decision, knowledge)
    card = Card(
        uuid=str(uuid4()),
        summary=text,
        detail=body,
        indicator=first.severity,
        source=_source(first, knowledge),
        suggestions=tuple(offered),
        selection_behavior=behaviour if offered else None,
        override_reasons=override_reasons(first),
        links=card_links(first, knowledge, context),
    )
    return BuiltCard(card, group)


def unworded(
    group: tuple[Recommendation, ...], context: CardContext, error: Exception
) -> BuiltCard:
    """What is left to say when a fault keeps a card from being written: who spoke, how loudly."""
    first = group[0]
    about = f" {first.drug}" if first.drug is not None else ""
    page = () if context.decision_link is None else (_basis_link(context.decision_link),)
    card = Card(
        uuid=str(uuid4()),
        summary=fit(
            f"{first.kind.value.capitalize()}{about}: rule {first.rule_id}; a fault kept this card"
            " from being written"
        ),
        detail=(
            "A fault of this service kept the words and orders of this card from being made. The"
            f" rule {first.rule_id} spoke: look it up in the knowledge tables, and tell whoever"
            " runs this service."
        ),
        indicator=first.severity,
        source=Source(label=_OWN_STATEMENT, topic=_topic(first)),
        links=page,
    )
    return BuiltCard(card, group, error)


_ADVICE = {"SP-01": "contraception", "SP-02": "breastfeeding"}
"""Points of the algorithm that the one line about advice names when they are among it."""


def _merged_summary(group: tuple[Recommendation, ...], knowledge: Knowledge) -> str:
    first = group[0]
    if first.topic is Topic.POPULATION and first.severity == "info":
        points = {point for item in group for point in item.algorithm_ids}
        named = [word for point, word in _ADVICE.items() if point in points]
        last = "other advice" if named else "advice"
        return fit(f"Before {first.drug}: {listed([*named, last])} to give")
    return fit(f"{summary(first, knowledge)}; and {len(group) - 1} more to watch")


def _merged_detail(
    group: tuple[Recommendation, ...], decision: Decision, knowledge: Knowledge
) -> str:
    lines = []
    for item in group:
        mark = "" if item.verified else " (not verified: check the current label)"
        lines.append(f"- {item.detail}{mark}")
    return "\n".join(lines) + "\n\n" + footer(group[0], decision, knowledge)


def _folded(
    rest: list[BuiltCard], decision: Decision, knowledge: Knowledge, context: CardContext
) -> BuiltCard:
    """The cards beyond the limit as one: every summary stays readable."""
    recommendations = tuple(item for card in rest for item in card.recommendations)
    lines = "\n".join(f"- {card.card.summary}" for card in rest)
    first = recommendations[0]
    card = Card(
        summary=fit(f"{len(rest)} further points on ALK treatment: {rest[0].card.summary}"),
        detail=f"{lines}\n\n{footer(first, decision, knowledge)}",
        indicator=rest[0].card.indicator,
        source=_source(first, knowledge),
        links=card_links(first, knowledge, context),
    )
    return BuiltCard(card, recommendations)


def _source(item: Recommendation, knowledge: Knowledge) -> Source:
    cited = shown_sources(item, knowledge)
    page = None if cited else _label_page(item, knowledge)
    if cited:
        label = cited[0].citation
    else:
        label = _OWN_STATEMENT if page is None else f"US label of {item.drug}: look it up there"
    return Source(label=label, topic=_topic(item))


_OF_A_LABEL = frozenset({"label", "label copy", "monograph", "terminology", "code list"})


def _label_page(item: Recommendation, knowledge: Knowledge) -> str | None:
    """The label of the drug, where no source of its row can be named or none has an address."""
    tables = knowledge.drugs.get(item.drug or "")
    return tables.drug.label_page if item.sources and tables is not None else None


def _topic(item: Recommendation) -> Coding:
    return Coding(system=RULE_SYSTEM, code=topic_code(item.rule_id), display=item.rule_id)


def topic_code(rule_id: str) -> str:
    """The rule id as a stable code of letters and digits only, as some EHRs demand."""
    return "".join(part.capitalize() for part in rule_id.split("-"))[:100]


def _basis_link(address: str) -> Link:
    return Link(label="Basis of this card", url=address, type="absolute")


def card_links(
    item: Recommendation, knowledge: Knowledge, context: CardContext
) -> tuple[Link, ...]:
    """Where a card leads: its basis, the app of the site, and the source of its row."""
    links: list[Link] = []
    if context.decision_link is not None:
        links.append(_basis_link(context.decision_link))
    if context.smart_launch_url is not None:
        # The client adds iss and launch itself, so the app opens for this patient.
        links.append(Link(label="Open the ALK app", url=context.smart_launch_url, type="smart"))
    cited = shown_sources(item, knowledge)
    source = cited[0].address if cited else None
    # A label read where nobody can be sent is looked up in its own place; a paper is no label.
    of_a_label = not cited or cited[0].kind in _OF_A_LABEL
    address = source or (_label_page(item, knowledge) if of_a_label else None)
    if address is not None:
        label = "Current label" if source is None else "Source"
        links.append(Link(label=label, url=address, type="absolute"))
    return tuple(links)

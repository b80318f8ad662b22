"""The last step of an answer: leaving out what the client at hand cannot take.

Every card stays, with its words. What can be done by clicking is reduced in such a way that no
click does less than its words say: where a whole suggestion cannot be taken, only the removal of
orders is left of it, and the rest is told in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from cds_service.protocol.client_habits import DOSED, ClientHabits
from cds_service.protocol.models_response import (
    Action,
    Card,
    CdsResponse,
    SelectionBehavior,
    Suggestion,
    WireModel,
)

NOT_OFFERED = "**Not offered with one click in this system**"

_Model = TypeVar("_Model", bound=WireModel)


def adapted(response: CdsResponse, habits: ClientHabits) -> CdsResponse:
    """Return the answer as a client with these habits can take it.

    No card is added or lost, and uuids of cards stay, so feedback finds them. Raises nothing: the
    result obeys the response models because it is made by them.
    """
    cards = tuple(_card(card, habits) for card in response.cards)
    actions = tuple(filter(habits.takes_action, response.system_actions))
    actions = actions if habits.system_actions else ()
    if actions == response.system_actions and all(map(_is, cards, response.cards)):
        return response
    return _changed(response, cards=cards, system_actions=actions)


def _is(one: object, other: object) -> bool:
    return one is other


def _changed(model: _Model, **changes: object) -> _Model:
    """Return a copy that is checked as a new object would be."""
    kept = {name: getattr(model, name) for name in type(model).model_fields}
    return type(model)(**{**kept, **changes})


def _card(card: Card, habits: ClientHabits) -> Card:
    behavior = _behavior(card, habits)
    offered, lost = _suggestions(card, behavior, habits)
    links = tuple(filter(habits.takes_link, card.links))
    reasons = card.override_reasons if habits.override_reasons else ()
    changes: dict[str, object] = {
        "suggestions": offered,
        "selection_behavior": behavior if offered else None,
        "links": links,
        "override_reasons": reasons,
        "detail": _with_lost(card.detail, lost),
    }
    if all(getattr(card, name) == value for name, value in changes.items()):
        return card
    return _changed(card, **changes)


def _behavior(card: Card, habits: ClientHabits) -> SelectionBehavior | None:
    wanted, understood = card.selection_behavior, habits.selection_behaviors
    return wanted if wanted is None or wanted in understood else understood[0]


def _with_lost(detail: str | None, lost: Iterable[str]) -> str | None:
    labels = list(dict.fromkeys(lost))
    if not labels:
        return detail
    listed = NOT_OFFERED + "\n\n" + "\n".join(f"- {label}" for label in labels)
    return listed if detail is None else f"{detail}\n\n{listed}"


def _suggestions(
    card: Card, behavior: SelectionBehavior | None, habits: ClientHabits
) -> tuple[tuple[Suggestion, ...], list[str]]:
    """The suggestions that can be taken, and the labels of those that cannot, or not whole."""
    fitted = [(one, *_fitted(one, habits)) for one in card.suggestions]
    if card.selection_behavior == "at-most-one" and behavior == "any":
        # Two clicks must not start two treatments that are alternatives of one another.
        alternatives = [one for one, parts, _ in fitted if any(map(_starts, parts))]
        if len(alternatives) > 1:
            fitted = [
                (one, *(_removals(one, habits) if one in alternatives else (parts, whole)))
                for one, parts, whole in fitted
            ]
    offered = _told_apart(part for _, parts, _ in fitted for part in parts)
    if behavior != card.selection_behavior or behavior == "at-most-one":
        offered = _one_recommended(offered)
    return tuple(offered), [one.label for one, _, whole in fitted if not whole]


def _fitted(suggestion: Suggestion, habits: ClientHabits) -> tuple[list[Suggestion], bool]:
    """What can be taken of one suggestion, and whether that is the whole of it."""
    taken = [action for action in suggestion.actions if habits.takes_action(action)]
    whole = len(taken) == len(suggestion.actions)
    if whole and (len(taken) < 2 or not habits.one_action_per_suggestion):
        return [suggestion], True
    if all(map(_stands_alone, suggestion.actions)):
        return _one_each(taken, suggestion.is_recommended), whole
    return _removals(suggestion, habits)


def _removals(suggestion: Suggestion, habits: ClientHabits) -> tuple[list[Suggestion], bool]:
    """The removal of orders alone: an order without the removal beside it would add a drug."""
    removals = [action for action in suggestion.actions if action.type == "delete"]
    taken = [action for action in removals if habits.takes_action(action)]
    return _one_each(taken, None), len(taken) == len(suggestion.actions)


def _stands_alone(action: Action) -> bool:
    """Whether an action does no harm when its neighbours are not taken, as tests of a panel."""
    return action.type == "create" and _resource_type(action) not in DOSED


def _starts(suggestion: Suggestion) -> bool:
    return any(action.type != "delete" for action in suggestion.actions)


def _resource_type(action: Action) -> str:
    return str(action.resource["resourceType"]) if action.resource is not None else ""


def _one_each(actions: Iterable[Action], recommended: bool | None) -> list[Suggestion]:
    return [
        Suggestion(label=action.description, actions=(action,), is_recommended=recommended)
        for action in actions
    ]


def _told_apart(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Each thing to do once, and no label twice on a card."""
    found: list[Suggestion] = []
    for one in suggestions:
        if one.actions and any(one.actions == other.actions for other in found):
            continue
        labels = {other.label for other in found}
        label, number = one.label, 1
        while label in labels:
            number += 1
            label = f"{one.label} ({number})"
        found.append(one if label == one.label else _changed(one, label=label))
    return found


def _one_recommended(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    found: list[Suggestion] = []
    taken = False
    for one in suggestions:
        extra = taken and one.is_recommended
        found.append(_changed(one, is_recommended=None) if extra else one)
        taken = taken or bool(one.is_recommended)
    return found

"""What a clinician sees of a card, so that the cards of two releases can be compared.

Two cards with one headline are not the same when the one offers an order and the other does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.protocol import Card

_CLOSES = ("Source: ", "No source that ", "Rule ")
"""How what follows the level begins, in the line that closes a card."""
# How old a release is says nothing of the patient; a row with another source stands among the rows.
_RELEASE = re.compile(
    r"^Release .+ is newer than .+$|^\*\*This knowledge was last checked .+$", re.MULTILINE
)
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class ShownCard:
    """The headline and what stands beside it: urgency, orders, level and the text below."""

    summary: str
    beside: Mapping[str, str]


def shown(card: Card) -> ShownCard:
    """A card as it is seen."""
    detail = card.detail or ""
    lines = detail.split("\n")
    closing = next((line for line in lines if "Rule " in line and ", release " in line), "")
    beside = {
        "urgency": card.indicator,
        "one-click orders": "; ".join(one.label for one in card.suggestions) or "none",
        "level": _level(closing) or "none said",
        _TEXT: _RELEASE.sub("", "\n".join(line for line in lines if line != closing)),
    }
    return ShownCard(card.summary, beside)


def _level(closing: str) -> str:
    for begin in _CLOSES:
        closing = closing.partition(begin)[0]
    return closing.strip(" .*")


def apart(cards: Iterable[ShownCard], others: Iterable[ShownCard]) -> tuple[str, ...]:
    """What the cards show that the others do not, one line for each card.

    Of a card whose headline stands in both, that which is otherwise is named.
    """
    same: dict[str, list[Mapping[str, str]]] = {}
    for other in others:
        same.setdefault(other.summary, []).append(other.beside)
    found: list[str] = []
    for card in cards:
        there = same.get(card.summary)
        if there is None:
            found.append(card.summary)
        elif card.beside not in there:
            found.append(f"{card.summary} ({_otherwise(card.beside, there[0])})")
    return tuple(found)


def _otherwise(beside: Mapping[str, str], other: Mapping[str, str]) -> str:
    named = [
        "the text below" if name == _TEXT else f"{name}: {said}"
        for name, said in beside.items()
        if other[name] != said
    ]
    return ", ".join(named)

"""What a clinician sees of a card, so that the cards of two releases can be compared.

Two cards with one headline are not the same when the one offers an order and the other does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.protocol import Card

# The line that closes a card: how far it was verified, a source, the rule, the release and the day.
_CLOSING = re.compile(
    r"^(?P<level>.*?)\s*(?:(?:Source: .+|No source that .+)\.)?\s*Rule \S+, release [\d.]+, .+\.$",
    re.MULTILINE,
)
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
    closing = _CLOSING.search(detail)
    beside = {
        "urgency": card.indicator,
        "one-click orders": "; ".join(one.label for one in card.suggestions) or "none",
        "level": closing["level"].strip(" .*") if closing else "none said",
        _TEXT: _RELEASE.sub("", _CLOSING.sub("", detail)),
    }
    return ShownCard(card.summary, beside)


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

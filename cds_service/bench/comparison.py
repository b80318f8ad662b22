"""What a change of facts does to the cards: which are new, which say something else, which go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """The cards of an answer beside those of the chart as it is.

    `marks` goes by the position of a card: "new" or "changed". `gone` are the summaries of cards
    that the chart as it is gets and this answer has no more.
    """

    marks: Mapping[int, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


def compared(charted: Sequence[Card], now: Sequence[Card]) -> Comparison:
    """Compare by rule, and by words within a rule: uuids and links differ at every call."""
    left = list(charted)
    marks: dict[int, str] = {}
    alike: list[int] = []
    for index, card in enumerate(now):
        same = next((one for one in left if _words(one) == _words(card)), None)
        if same is None:
            alike.append(index)
        else:
            left.remove(same)
    for index in alike:
        other = next((one for one in left if _rule(one) == _rule(now[index])), None)
        marks[index] = "new" if other is None else "changed"
        if other is not None:
            left.remove(other)
    return Comparison(marks, tuple(str(card.get("summary", "")) for card in left))


def _rule(card: Card) -> str:
    topic = (card.get("source") or {}).get("topic") or {}
    return str(topic.get("code", ""))


def _words(card: Card) -> tuple[str, str, str, str]:
    offered = ", ".join(str(one.get("label")) for one in card.get("suggestions") or ())
    summary, detail = str(card.get("summary", "")), str(card.get("detail", ""))
    return _rule(card), summary, detail, offered

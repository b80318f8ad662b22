"""What a rule in shadow mode would have said, beside what was then ordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from cds_service.records import Asked

AS_ASKED, OTHERWISE, NOTHING_SEEN = "as asked", "otherwise", "nothing seen"

_AGAINST = frozenset({"stop", "withhold", "avoid"})


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """One rule: how often it would have spoken, for how many people, and what was ordered then.

    Counts are numbers, or "<N" where too few people stand behind them.
    """

    rule_id: str
    patients: int | str
    cards: int | str
    as_asked: int | str
    otherwise: int | str
    nothing_seen: int | str

    def as_document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def shadow_lines(
    cards: Iterable[tuple[str, Asked]],
    later: Sequence[Asked],
    days: int = 30,
    smallest: int = 5,
) -> list[ShadowLine]:
    """One line for each rule, the most frequent first.

    `later` are the decisions of these patients at hooks where an order is final; those of the
    first `days` days after a card count, and the last one decides.
    """
    by_patient: dict[str, list[Asked]] = {}
    for item in later:
        by_patient.setdefault(item.patient_key, []).append(item)
    found: dict[str, list[tuple[str, str]]] = {}
    for rule, asked in cards:
        said = _recommendation(asked.document, rule)
        until = asked.created_at + timedelta(days=days)
        followed = [
            item
            for item in by_patient.get(asked.patient_key, ())
            if asked.created_at <= item.created_at <= until
        ]
        verdict = NOTHING_SEEN
        for item in followed:
            verdict = compared(said, item.document) or verdict
        found.setdefault(rule, []).append((asked.patient_key, verdict))
    lines = [_line(rule, members, smallest) for rule, members in found.items()]
    return sorted(lines, key=lambda line: (-len(found[line.rule_id]), line.rule_id))


def _line(rule: str, members: list[tuple[str, str]], smallest: int) -> ShadowLine:
    hidden = f"<{smallest}"
    people = len({patient for patient, _ in members})
    if people < smallest:
        return ShadowLine(rule, hidden, hidden, hidden, hidden, hidden)
    counts: list[int | str] = []
    for verdict in (AS_ASKED, OTHERWISE, NOTHING_SEEN):
        who = [patient for patient, what in members if what == verdict]
        counts.append(len(who) if not who or len(set(who)) >= smallest else hidden)
    if hidden in counts:
        # The sum would tell the one that is hidden.
        counts = [hidden] * 3
    return ShadowLine(rule, people, len(members), *counts)


def _recommendation(document: Mapping[str, Any], rule: str) -> Mapping[str, Any]:
    for item in document.get("recommendations", ()):
        if item.get("rule_id") == rule:
            return dict(item)
    return {}


def compared(said: Mapping[str, Any], ordered: Mapping[str, Any]) -> str:
    """How the orders of a later decision answer a recommendation; empty when they say nothing.

    An order of the drug is against a card that asked to stop, hold or avoid it. An order at the
    dose asked for, of a drug that was offered, or of the test is as asked.
    """
    asks = said.get("asks") or {}
    tests = [tuple(key) for key in asks.get("tests", ())]
    drugs = set(asks.get("drugs", ()))
    if said.get("kind") == "order a test" and tests:
        requested = {tuple(key) for key in ordered.get("requested_tests", ())}
        return AS_ASKED if requested & set(tests) else ""
    matching = [
        order for order in ordered.get("orders", ()) if drugs & set(order.get("ingredients", ()))
    ]
    if not matching:
        return ""
    if said.get("kind") in _AGAINST:
        return OTHERWISE
    wanted = _number(asks.get("daily_mg"))
    if wanted is None:
        return AS_ASKED if said.get("kind") in ("choose", "start", "resume") else ""
    same = all(_number(order.get("daily_mg")) == wanted for order in matching)
    return AS_ASKED if same else OTHERWISE


def _number(text: Any) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None

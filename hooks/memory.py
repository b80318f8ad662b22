"""What is not said again, and what is not said yet.

A card that a clinician answered stays away for a while, unless it guards against harm. A rule or
a service in shadow mode is evaluated and recorded, and shows nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cds_service.alk import Kind as Advice
from cds_service.alk import Recommendation
from cds_service.cards import BuiltCard, fingerprint, may_be_quiet
from cds_service.protocol import HookCall

_logger = logging.getLogger("alk_cds.hooks")

ACCEPTED_HOURS = 24
"""Hours for which an accepted card is not shown again: from choosing a drug to signing it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered to a card with this fingerprint. `has_reason`: why is known."""

    fingerprint: str
    outcome: str
    has_reason: bool
    user_key: str | None
    received_at: datetime


Recall = Callable[[Sequence[str], datetime], Iterable[Answer]]
"""The answers to cards with one of these fingerprints that came since an aware time."""


@dataclass(frozen=True, slots=True)
class People:
    """Opaque keys for the patient and the user of a call."""

    patient: Callable[[HookCall], str]
    user: Callable[[HookCall], str | None]


@dataclass(frozen=True, slots=True)
class Shadow:
    """Services and rules whose cards are recorded and not shown."""

    services: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing stays in the shadow."""
        return not self.services and not self.rules

    def hides(self, call: HookCall, item: Recommendation) -> bool:
        """Whether this recommendation stays in the shadow."""
        return call.service_id in self.services or item.rule_id in self.rules


_DONE_WHEN_TAKEN = frozenset({Advice.ORDER_TEST, Advice.ASK, Advice.INFORM})


def _is_done_when_taken(card: BuiltCard) -> bool:
    return all(item.kind in _DONE_WHEN_TAKEN for item in card.recommendations)


@dataclass(frozen=True)
class Memory:
    """Decides which cards stay away. `snooze_days` 0 turns it off."""

    people: People
    recall: Recall = field(default=lambda _fingerprints, _since: (), repr=False)
    snooze_days: int = 0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def fingerprints(self, call: HookCall, cards: Iterable[BuiltCard]) -> dict[str, str]:
        """The fingerprint of each card, by its uuid."""
        patient = self.people.patient(call)
        return {card.uuid: fingerprint(patient, card.recommendations) for card in cards}

    def quiet(
        self, call: HookCall, cards: Iterable[BuiltCard], prints: Mapping[str, str]
    ) -> dict[str, str]:
        """The cards that are not shown this time, by uuid, with the reason in words.

        A card about tests or questions that was accepted stays away for a day, for whoever looks
        at this patient. One about a drug or its dose does not: when it would come again, the order
        it spoke against is there again. One that was overridden with a reason stays away for
        `snooze_days` from the person who did so. When the answers cannot be read, everything is
        shown.
        """
        candidates = [card for card in cards if may_be_quiet(card.recommendations)]
        if not self.snooze_days or not candidates:
            return {}
        now = self.now()
        since = now - timedelta(days=self.snooze_days)
        try:
            answers = list(self.recall([prints[card.uuid] for card in candidates], since))
        except Exception:
            # Too much is better than too little.
            _logger.exception("answers_not_read")
            return {}
        user = self.people.user(call)
        found: dict[str, str] = {}
        for card in candidates:
            for answer in answers:
                if answer.fingerprint != prints[card.uuid]:
                    continue
                day = answer.received_at.date().isoformat()
                if answer.outcome == "accepted":
                    lately = now - answer.received_at <= timedelta(hours=ACCEPTED_HOURS)
                    if lately and _is_done_when_taken(card):
                        found[card.uuid] = f"accepted on {day}"
                elif answer.has_reason and user is not None and answer.user_key == user:
                    found.setdefault(card.uuid, f"set aside by the same user on {day}")
        return found

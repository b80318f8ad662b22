"""What is kept: one decision, its cards, and the feedback on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


def require_aware(moment: datetime) -> None:
    """Raise ValueError for a time without an offset from UTC: its meaning would be a guess."""
    if moment.utcoffset() is None:
        raise ValueError("a time needs its offset from UTC")


@dataclass(frozen=True, slots=True)
class CardRecord:
    """One card that was made. Its wording is in the decision's document, not here.

    ``kind`` says what it asks for. ``fingerprint`` is the same for two cards about the same patient
    with the same facts behind them. ``in_shadow`` cards were recorded and not shown.
    ``suggestions`` are the ids of what it offered; None for cards from before these were kept.
    """

    uuid: str
    rule_id: str
    indicator: str
    kind: str | None = None
    fingerprint: str | None = None
    in_shadow: bool = False
    suggestions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What became of a card with that fingerprint. ``has_reason``: with a code or comment."""

    fingerprint: str
    outcome: str
    has_reason: bool
    user_key: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision with its basis.

    ``id`` is a UUID in its usual text form, ``created_at`` an aware time, ``patient_key`` and
    ``user_key`` opaque keyed hashes that the caller makes (no user: None), ``client`` the
    operator's name for the EHR, and ``document`` the decision as plain JSON values.
    Raises ValueError for a naive time.
    """

    id: str
    created_at: datetime
    service_id: str
    hook: str
    hook_instance: str
    client: str
    as_of: date
    release: str
    patient_key: str = field(repr=False)
    rule_ids: tuple[str, ...]
    cards: tuple[CardRecord, ...]
    document: Mapping[str, Any] = field(repr=False)
    user_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_aware(self.created_at)


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """What a client reported about one card.

    ``card`` is the id as the client sent it; ``decision_id`` is None when no card of ours has
    it. The display of the reason and the comment are the client's free text and may name the
    patient, so neither is part of the repr.
    """

    id: int
    received_at: datetime
    service_id: str
    client: str | None
    card: str
    decision_id: str | None
    outcome: str
    outcome_timestamp: datetime
    suggestion_ids: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    reason_display: str | None = field(default=None, repr=False)
    user_comment: str | None = field(default=None, repr=False)

    @property
    def is_card_known(self) -> bool:
        """Whether the card is one that this service sent and still has."""
        return self.decision_id is not None

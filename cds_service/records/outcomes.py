"""What became of the cards: one row for each card, with the last answer to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Engine, Row, and_, func, or_, select

from cds_service.records.entries import CardAnswer, require_aware
from cds_service.records.errors import told_plainly
from cds_service.records.tables import cards, decisions, feedback

FINAL_HOOKS = ("order-sign", "medication-prescribe", "medication-refill", "order-dispatch")
"""Hooks at which an order is about to be final: what they carry is what was ordered."""

_AT_ONCE = 500
# A client may write the UUID of a card in upper case and mean the same.
_ANSWERED = and_(
    feedback.c.decision_id == decisions.c.id, func.lower(feedback.c.card) == cards.c.uuid
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One card with the last thing that was reported about it, if anything was.

    ``patient_key`` and ``user_key`` are opaque. The comment is the user's free text and may name
    the patient, so it is not part of the repr.
    """

    card: str
    rule_id: str
    indicator: str
    kind: str | None
    release: str
    service_id: str
    hook: str
    client: str
    shown_at: datetime
    in_shadow: bool
    patient_key: str = field(repr=False)
    user_key: str | None = field(repr=False)
    outcome: str | None = None
    outcome_at: datetime | None = None
    suggestion_ids: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    reason_display: str | None = field(default=None, repr=False)
    user_comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision of one patient with the orders that it was about: for following up."""

    id: str
    hook: str
    created_at: datetime
    patient_key: str = field(repr=False)
    document: dict[str, Any] = field(repr=False)


def answers_since(
    engine: Engine, fingerprints: Sequence[str], since: datetime
) -> tuple[CardAnswer, ...]:
    """The answers to cards with one of these fingerprints from ``since``, an aware time."""
    require_aware(since)
    query = (
        select(
            cards.c.fingerprint,
            feedback.c.outcome,
            or_(feedback.c.reason_code.is_not(None), feedback.c.user_comment.is_not(None)).label(
                "has_reason"
            ),
            decisions.c.user_key,
            feedback.c.received_at,
        )
        .join(decisions, decisions.c.id == cards.c.decision_id)
        .join(feedback, _ANSWERED)
        .where(cards.c.fingerprint.in_(list(fingerprints)), feedback.c.received_at >= since)
        .order_by(feedback.c.id)
    )
    with told_plainly("reading answers"), engine.connect() as reading:
        return tuple(
            CardAnswer(
                row.fingerprint, row.outcome, bool(row.has_reason), row.user_key, row.received_at
            )
            for row in reading.execute(query)
        )


def outcomes(engine: Engine, since: datetime | None, until: datetime | None) -> Iterator[Outcome]:
    """Every card made in that time (aware times; None is open), oldest first.

    A card that was answered more than once counts with its last answer, by the client's clock.
    """
    query = (
        select(
            cards.c.uuid,
            cards.c.rule_id,
            cards.c.indicator,
            cards.c.kind,
            cards.c.in_shadow,
            decisions.c.release,
            decisions.c.service_id,
            decisions.c.hook,
            decisions.c.client,
            decisions.c.created_at,
            decisions.c.patient_key,
            decisions.c.user_key,
            feedback.c.outcome,
            feedback.c.outcome_timestamp,
            feedback.c.suggestion_ids,
            feedback.c.reason_code,
            feedback.c.reason_system,
            feedback.c.reason_display,
            feedback.c.user_comment,
        )
        .join(decisions, decisions.c.id == cards.c.decision_id)
        .outerjoin(feedback, _ANSWERED)
        .order_by(decisions.c.created_at, cards.c.uuid, feedback.c.outcome_timestamp, feedback.c.id)
    )
    if since is not None:
        require_aware(since)
        query = query.where(decisions.c.created_at >= since)
    if until is not None:
        require_aware(until)
        query = query.where(decisions.c.created_at < until)
    with told_plainly("reading outcomes"), engine.connect() as reading:
        last: Outcome | None = None
        for row in reading.execute(query):
            found = _outcome(row)
            if last is not None and last.card != found.card:
                yield last
            last = found
        if last is not None:
            yield last


def shadowed(engine: Engine, since: datetime | None) -> list[tuple[str, Asked]]:
    """The cards that were recorded and not shown: rule id, and the decision that made it."""
    query = (
        select(cards.c.rule_id, decisions)
        .join(decisions, decisions.c.id == cards.c.decision_id)
        .where(cards.c.in_shadow)
        .order_by(decisions.c.created_at)
    )
    if since is not None:
        require_aware(since)
        query = query.where(decisions.c.created_at >= since)
    with told_plainly("reading shadowed cards"), engine.connect() as reading:
        return [(row.rule_id, _asked(row)) for row in reading.execute(query)]


def asked_about_orders(engine: Engine, patient_keys: Sequence[str]) -> list[Asked]:
    """The decisions of these patients at the hooks where an order is final, oldest first."""
    found: list[Asked] = []
    with told_plainly("reading decisions"), engine.connect() as reading:
        for start in range(0, len(patient_keys), _AT_ONCE):
            query = select(decisions).where(
                decisions.c.patient_key.in_(list(patient_keys[start : start + _AT_ONCE])),
                decisions.c.hook.in_(FINAL_HOOKS),
            )
            found += [_asked(row) for row in reading.execute(query)]
    return sorted(found, key=lambda item: item.created_at)


def _asked(row: Row[Any]) -> Asked:
    return Asked(row.id, row.hook, row.created_at, row.patient_key, orjson.loads(row.document))


def _outcome(row: Any) -> Outcome:
    return Outcome(
        card=row.uuid,
        rule_id=row.rule_id,
        indicator=row.indicator,
        kind=row.kind,
        release=row.release,
        service_id=row.service_id,
        hook=row.hook,
        client=row.client,
        shown_at=row.created_at,
        in_shadow=row.in_shadow,
        patient_key=row.patient_key,
        user_key=row.user_key,
        outcome=row.outcome,
        outcome_at=row.outcome_timestamp,
        suggestion_ids=tuple(orjson.loads(row.suggestion_ids)) if row.suggestion_ids else (),
        reason_code=row.reason_code,
        reason_system=row.reason_system,
        reason_display=row.reason_display,
        user_comment=row.user_comment,
    )

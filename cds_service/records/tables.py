"""The tables as SQLAlchemy sees them. The migrations create them; a test holds the two equal."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored in UTC. SQLite keeps no offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return ``value`` in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time with its offset."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("hook_instance", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("release", Text, nullable=False),
    Column("patient_key", Text, nullable=False),
    Column("user_key", Text),
    Column("rule_ids", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("decisions_by_time", "created_at"),
    Index("decisions_by_patient", "patient_key"),
)

cards = Table(
    "cards",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column(
        "decision_id", String(36), ForeignKey("decisions.id", ondelete="CASCADE"), nullable=False
    ),
    Column("position", Integer, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("kind", Text),
    Column("fingerprint", String(64)),
    Column("in_shadow", Boolean, nullable=False, server_default=false()),
    Column("suggestion_ids", Text),
    Index("cards_by_decision", "decision_id"),
    Index("cards_by_fingerprint", "fingerprint"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("client", Text),
    Column("card", Text, nullable=False),
    Column("decision_id", String(36), ForeignKey("decisions.id", ondelete="SET NULL")),
    Column("outcome", Text, nullable=False),
    Column("outcome_timestamp", UtcDateTime, nullable=False),
    Column("suggestion_ids", Text, nullable=False),
    Column("reason_code", Text),
    Column("reason_system", Text),
    Column("reason_display", Text),
    Column("user_comment", Text),
    Index("feedback_delivered_once", "delivery", unique=True),
    Index("feedback_by_card", "card"),
    Index("feedback_by_decision", "decision_id"),
    Index("feedback_by_time", "received_at"),
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("used_tokens_by_expiry", "expires_at"),
)

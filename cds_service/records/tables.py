"""The tables as SQLAlchemy sees them. The migrations create them; a test holds the two equal.

What each column holds, and why, stands beside it; `docs/privacy.md` is made of that.
"""

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


KEPT = "kept"
"""Under this name a table says how long its rows are kept."""

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column(
        "id",
        String(36),
        primary_key=True,
        doc="Random id of the decision; the signed link on the card names it.",
    ),
    Column(
        "created_at",
        UtcDateTime,
        nullable=False,
        doc="When it was answered: for retention, and to put reports in order.",
    ),
    Column("service_id", Text, nullable=False, doc="Which service of ours was called."),
    Column("hook", Text, nullable=False, doc="At which moment."),
    Column(
        "hook_instance",
        Text,
        nullable=False,
        doc="The id that the EHR gave the call, with which it is found again in the EHR's own log.",
    ),
    Column("client", Text, nullable=False, doc="The operator's name for the EHR, with its tenant."),
    Column("as_of", Date, nullable=False, doc="The day that was asked about."),
    Column("release", Text, nullable=False, doc="The knowledge release that answered."),
    Column(
        "patient_key",
        Text,
        nullable=False,
        doc="Keyed hash of client, FHIR server and patient id: tells patients apart for "
        "reports, for cards that were answered and for deleting; the id cannot be "
        "worked out without the link secret.",
    ),
    Column(
        "user_key",
        Text,
        doc="The same of the user, so that a card that one person set aside stays away "
        "from that person only.",
    ),
    Column("rule_ids", Text, nullable=False, doc="Ids of the rules that spoke."),
    Column(
        "document",
        Text,
        nullable=False,
        doc="Rules, verdicts, numbers, days and codes behind the decision; no text, "
        "comment or resource id of the chart.",
    ),
    Column(
        "page",
        Text,
        doc="What the page behind the card shows, with values as sent, texts and resource "
        "ids of the chart: compressed, and encrypted with the link secret.",
    ),
    Index("decisions_by_time", "created_at"),
    Index("decisions_by_patient", "patient_key"),
    info={
        KEPT: "`ALK_CDS_RETENTION_DAYS`; a page only until the link to it has expired "
        "(`ALK_CDS_LINK_LIFETIME_HOURS`). Both are ended by `alk-cds records "
        "purge`."
    },
)

cards = Table(
    "cards",
    metadata,
    Column(
        "uuid", String(36), primary_key=True, doc="Id of the card, with which feedback comes back."
    ),
    Column(
        "decision_id",
        String(36),
        ForeignKey("decisions.id", ondelete="CASCADE"),
        nullable=False,
        doc="The decision that it belongs to.",
    ),
    Column("position", Integer, nullable=False, doc="Its place among the cards."),
    Column("rule_id", Text, nullable=False, doc="The rule that it shows."),
    Column("indicator", Text, nullable=False, doc="How urgent it was."),
    Column("kind", Text, doc="What it asked for."),
    Column(
        "fingerprint",
        String(64),
        doc="Keyed hash of patient, rules and facts: recognises a card that was answered.",
    ),
    Column(
        "in_shadow",
        Boolean,
        nullable=False,
        server_default=false(),
        doc="Whether it was recorded and not shown.",
    ),
    Column(
        "suggestion_ids",
        Text,
        doc="Random ids of what it offered, so that an acceptance can be held against them.",
    ),
    Index("cards_by_decision", "decision_id"),
    Index("cards_by_fingerprint", "fingerprint"),
    info={KEPT: "As long as their decision."},
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, doc="Number in the order of arrival."),
    Column(
        "delivery",
        String(64),
        nullable=False,
        doc="Hash of the entry: a delivery that is repeated is stored once.",
    ),
    Column(
        "received_at",
        UtcDateTime,
        nullable=False,
        doc="When it came: for retention, and for how long a card stays away.",
    ),
    Column("service_id", Text, nullable=False, doc="The service whose card it is about."),
    Column("client", Text, doc="The operator's name for the EHR, with its tenant."),
    Column("card", Text, nullable=False, doc="The id of the card as the client sent it."),
    Column(
        "decision_id",
        String(36),
        ForeignKey("decisions.id", ondelete="SET NULL"),
        doc="The decision that it is about; none where no card of ours was meant.",
    ),
    Column("outcome", Text, nullable=False, doc="Accepted or overridden."),
    Column("outcome_timestamp", UtcDateTime, nullable=False, doc="When, by the client's clock."),
    Column("suggestion_ids", Text, nullable=False, doc="Which suggestions were taken, as sent."),
    Column("reason_code", Text, doc="Why it was overridden, as a code."),
    Column("reason_system", Text, doc="The system of that code."),
    Column(
        "reason_display",
        Text,
        doc="The same in the EHR's words; the export that 45 CFR 170.315(b)(11) asks for has it.",
    ),
    Column(
        "user_comment",
        Text,
        doc="What the user wrote: can name the patient. Kept for that export, and shown "
        "on no page.",
    ),
    Index("feedback_delivered_once", "delivery", unique=True),
    Index("feedback_by_card", "card"),
    Index("feedback_by_decision", "decision_id"),
    Index("feedback_by_time", "received_at"),
    info={KEPT: "`ALK_CDS_RETENTION_DAYS`, by the day it came; ended by `alk-cds records purge`."},
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column(
        "digest",
        String(64),
        primary_key=True,
        doc="Hash of issuer and token id: a token is good once.",
    ),
    Column("expires_at", BigInteger, nullable=False, doc="When the token ends; then the row goes."),
    Index("used_tokens_by_expiry", "expires_at"),
    info={
        KEPT: "Until the token has expired, at most `ALK_CDS_TOKEN_MAX_LIFE_SECONDS`; "
        "the service deletes them itself."
    },
)

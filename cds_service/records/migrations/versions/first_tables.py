"""Decisions, their cards, and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_id", sa.Text, nullable=False),
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("hook_instance", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("patient_key", sa.Text, nullable=False),
        sa.Column("rule_ids", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("decisions_by_time", "decisions", ["created_at"])
    op.create_index("decisions_by_patient", "decisions", ["patient_key"])
    op.create_table(
        "cards",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column(
            "decision_id",
            sa.String(36),
            sa.ForeignKey("decisions.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
    )
    op.create_index("cards_by_decision", "cards", ["decision_id"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("delivery", sa.String(64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_id", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.id", ondelete="SET NULL")),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("outcome_timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggestion_ids", sa.Text, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_system", sa.Text),
        sa.Column("reason_display", sa.Text),
        sa.Column("user_comment", sa.Text),
    )
    op.create_index("feedback_delivered_once", "feedback", ["delivery"], unique=True)
    op.create_index("feedback_by_card", "feedback", ["card"])
    op.create_index("feedback_by_decision", "feedback", ["decision_id"])


def downgrade() -> None:
    """Drop the three tables with all they hold."""
    for name in ("feedback", "cards", "decisions"):
        op.drop_table(name)

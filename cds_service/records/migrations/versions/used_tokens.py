"""Tokens that were used, so that no worker lets one in a second time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and an index to find old feedback by."""
    op.create_table(
        "used_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("used_tokens_by_expiry", "used_tokens", ["expires_at"])
    op.create_index("feedback_by_time", "feedback", ["received_at"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("feedback_by_time", "feedback")
    op.drop_table("used_tokens")

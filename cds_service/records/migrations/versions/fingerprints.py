"""What makes two cards the same one, who saw them, and which were recorded in shadow mode."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Cards from before have no fingerprint and are never taken for another."""
    op.add_column("decisions", sa.Column("user_key", sa.Text))
    op.add_column("cards", sa.Column("kind", sa.Text))
    op.add_column("cards", sa.Column("fingerprint", sa.String(64)))
    op.add_column(
        "cards", sa.Column("in_shadow", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_index("cards_by_fingerprint", "cards", ["fingerprint"])


def downgrade() -> None:
    """Take them out again."""
    op.drop_index("cards_by_fingerprint", "cards")
    for name in ("in_shadow", "fingerprint", "kind"):
        op.drop_column("cards", name)
    op.drop_column("decisions", "user_key")

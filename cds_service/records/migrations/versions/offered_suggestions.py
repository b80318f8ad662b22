"""Which suggestions each card offered, so that an acceptance can be held against them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Cards from before have none, and their acceptances are believed."""
    op.add_column("cards", sa.Column("suggestion_ids", sa.Text))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("cards", "suggestion_ids")

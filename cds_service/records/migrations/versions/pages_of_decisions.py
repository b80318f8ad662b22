"""The page of a decision, sealed, apart from the part that is kept for long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Decisions from before have their whole document until `records purge`."""
    op.add_column("decisions", sa.Column("page", sa.Text))


def downgrade() -> None:
    """Drop it: the pages of these decisions show less than their cards promised."""
    op.drop_column("decisions", "page")

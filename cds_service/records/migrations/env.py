"""What Alembic runs for a migration: it uses the connection and transaction it is given."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from cds_service.records.tables import metadata


def run(connection: Connection) -> None:
    """Run the scripts on ``connection``. Whoever opened its transaction also commits it."""
    # Batch mode, because SQLite changes a table only by making it again.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])

"""Alembic's scripts: `env.py` runs them, `versions` holds one file a change of the tables."""

"""What goes wrong with the database, told without any stored value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class RecordsError(RuntimeError):
    """The database could not be used. The message names the task and the kind of fault only."""


@contextmanager
def told_plainly(task: str) -> Iterator[None]:
    """Turn a fault of the database into a RecordsError that quotes no stored value.

    The chain to the original is cut: a database may repeat a value in its own message.
    """
    try:
        yield
    except DBAPIError as error:
        raise RecordsError(f"{task} failed: {type(error.orig).__name__}") from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise RecordsError(f"{task} failed: {type(error).__name__}") from None

"""In which order statements about one flag or state are asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds_service.rules import Statement, Statements

_LONG_AGO = date.min


def in_order(statements: Iterable[Statement]) -> Statements | None:
    """Newest first, undated last; None when there are none.

    Of one day "present" stands before "absent", and several that agree are kept.
    """
    ordered = sorted(statements, key=lambda item: item.value, reverse=True)
    ordered.sort(key=lambda item: item.day or _LONG_AGO, reverse=True)
    return Statements(tuple(ordered)) if ordered else None

"""The points of the written algorithm by name: ``PR-02`` stands among those on progression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "1L": "first line",
        "AD": "after surgery",
        "BM": "ALK tests",
        "C": "conflict of sources",
        "G": "before any advice",
        "H": "orders",
        "LA": "locally advanced",
        "LL": "later lines",
        "MO": "monitoring",
        "PR": "progression",
        "RM": "resistance",
        "S": "statement that was checked",
        "SP": "special populations",
        "T": "easily mistaken",
        "TX": "reactions",
    }
)
"""What the letters of a point mean, in the words of the written algorithm's sections."""

_POINT = re.compile(r"([0-9]?[A-Z]+)(?:-[0-9]+[a-z]*)?")


def named_point(point: str) -> str:
    """A point with what it is about: ``PR-02 (progression)``; one of no known section as it is."""
    found = _POINT.fullmatch(point)
    about = SECTIONS.get(found[1]) if found is not None else None
    return f"{point} ({about})" if about is not None else point

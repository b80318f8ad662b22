"""What somebody may have meant: a word that nobody knows is answered with those that are near."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 2
_NEAR = 0.7


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean a or b?`` with a blank before it, or nothing when nothing is near."""
    near = get_close_matches(word.lower(), list(known), _MOST, _NEAR)
    if not near:
        return ""
    *others, last = (f"'{name}'" for name in near)
    return f" Did you mean {', '.join(others)} or {last}?" if others else f" Did you mean {last}?"

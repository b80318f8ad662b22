"""Answers about texts that hospitals send over and over, kept in memory within a bound.

`lru_cache` bounds how many answers are kept, not how long the texts are that they are kept under:
a few thousand texts of a megabyte would fill a worker. An answer about a long text is worked out
each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple

Asked = TypeVarTuple("Asked")
Answer = TypeVar("Answer")

LONGEST = 500
"""Characters of a text whose answer is kept; no code, name or unit that means something is longer.
"""


def remembered(
    maxsize: int,
) -> Callable[[Callable[[*Asked], Answer]], Callable[[*Asked], Answer]]:
    """Keep at most `maxsize` answers of a function that is asked by position about texts."""

    def decorated(function: Callable[[*Asked], Answer]) -> Callable[[*Asked], Answer]:
        kept = lru_cache(maxsize=maxsize)(function)

        @wraps(function)
        def answer(*texts: *Asked) -> Answer:
            for text in texts:
                if isinstance(text, str) and len(text) > LONGEST:
                    return function(*texts)
            return kept(*texts)

        return answer

    return decorated

"""Answers about texts that hospitals send over and over, kept in memory within a bound.

`lru_cache` bounds how many answers are kept, not how long the texts are that they are kept under:
a few thousand texts of a megabyte would fill a worker. Asking for the length each time would cost
more than most answers, so it is asked when an answer is worked out: what was kept under a long text
goes, with all that was kept beside it, when the next answer has to be worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, TypeVarTuple, cast

Asked = TypeVarTuple("Asked")
Answer = TypeVar("Answer")

LONGEST = 500
"""Characters under which an answer is kept; no code, name or unit that means something is longer.
"""


def _length(*asked: object) -> int:
    return sum([len(text) for text in asked if isinstance(text, str)])


def remembered(
    maxsize: int, how_long: Callable[..., int] = _length
) -> Callable[[Callable[[*Asked], Answer]], Callable[[*Asked], Answer]]:
    """Keep at most `maxsize` answers of a function that is asked by position.

    `how_long` says how many characters stand in what it was asked; by itself those of its texts.
    """

    def decorated(function: Callable[[*Asked], Answer]) -> Callable[[*Asked], Answer]:
        holds_a_long_one = False

        def work_out(*asked: *Asked) -> Answer:
            nonlocal holds_a_long_one
            if holds_a_long_one:
                kept.cache_clear()
                holds_a_long_one = False
            found = function(*asked)
            # Said last: whatever another thread did meanwhile, this answer is kept from here on.
            holds_a_long_one = holds_a_long_one or how_long(*asked) > LONGEST
            return found

        work_out.__doc__, work_out.__name__ = function.__doc__, function.__name__
        kept = lru_cache(maxsize=maxsize)(work_out)
        return cast("Callable[[*Asked], Answer]", kept)

    return decorated

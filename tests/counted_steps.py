"""How many steps a backtracking engine takes for a pattern and a text: counted, not timed.

A plain matcher over the tree that the parser of `re` makes. It backtracks as the real engine does,
and knows what the patterns of this project use.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Go = Callable[[int], bool]
Node = tuple[Any, Any]
_SINGLE = (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN)
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)
_FURTHEST_BACK = 12
sys.setrecursionlimit(max(sys.getrecursionlimit(), 100_000))


class TooManyStepsError(Exception):
    """The budget is spent."""


class Counting:
    """One match of a text from its beginning, or with `everywhere` all matches one after another,
    as `finditer` and `sub` find them. Raises TooManyStepsError over the budget."""

    def __init__(
        self, pattern: re.Pattern[str], text: str, budget: int, *, everywhere: bool = False
    ) -> None:
        self.steps = 0
        self._text = text.lower() if pattern.flags & re.IGNORECASE else text
        self._folds = bool(pattern.flags & re.IGNORECASE)
        self._budget = budget
        self._groups: dict[int, tuple[int, int]] = {}
        nodes = list(parser.parse(pattern.pattern, pattern.flags))
        at = 0
        while at <= (len(text) if everywhere else 0):
            end = self._end(nodes, at)
            at = at + 1 if end is None or end == at else end

    def _all_of(self, nodes: Sequence[Node], at: int, go: Go) -> bool:
        if not nodes:
            return go(at)
        rest = nodes[1:]
        return self._node(nodes[0], at, lambda end: self._all_of(rest, end, go))

    def _node(self, node: Node, at: int, go: Go) -> bool:
        self._count()
        kind, value = node
        if kind in _SINGLE:
            return at < len(self._text) and self._fits(node, self._text[at]) and go(at + 1)
        if kind is code.AT:
            return self._stands(str(value), at) and go(at)
        if kind is code.BRANCH:
            return any(self._all_of(list(part), at, go) for part in value[1])
        if kind is code.SUBPATTERN:
            return self._all_of(list(value[3]), at, go)
        if kind is code.ATOMIC_GROUP:
            end = self._end(list(value), at)
            return end is not None and go(end)
        if kind in (code.ASSERT, code.ASSERT_NOT):
            return self._looks(value, at) is (kind is code.ASSERT) and go(at)
        if kind in _REPEATS:
            return self._repeated(kind, value, at, go)
        raise NotImplementedError(kind)

    def _count(self) -> None:
        self.steps += 1
        if self.steps > self._budget:
            raise TooManyStepsError

    def _end(self, nodes: Sequence[Node], at: int) -> int | None:
        ends: list[int] = []
        found = self._all_of(nodes, at, lambda end: ends.append(end) is None)
        return ends[-1] if found else None

    def _looks(self, value: tuple[int, Any], at: int) -> bool:
        direction, part = value
        if direction > 0:
            return self._all_of(list(part), at, lambda _: True)
        begins = range(max(0, at - _FURTHEST_BACK), at + 1)
        return any(self._all_of(list(part), begin, lambda end: end == at) for begin in begins)

    def _repeated(self, kind: Any, value: tuple[Any, Any, Any], at: int, go: Go) -> bool:
        least, most = int(value[0]), 10**9 if value[1] is code.MAXREPEAT else int(value[1])
        body = list(value[2])
        if kind is code.POSSESSIVE_REPEAT:
            times, end = 0, at
            while times < most and (further := self._end(body, end)) is not None and further > end:
                times, end = times + 1, further
            return times >= least and go(end)

        def more(end: int, times: int) -> bool:
            return times < most and self._all_of(
                body, end, lambda next_end: next_end > end and again(next_end, times + 1)
            )

        def again(end: int, times: int) -> bool:
            self._count()
            if times < least:
                return more(end, times)
            if kind is code.MIN_REPEAT:
                return go(end) or more(end, times)
            return more(end, times) or go(end)

        return again(at, 0)

    def _fits(self, node: Node, sign: str) -> bool:
        kind, value = node
        if kind is code.ANY:
            return sign != "\n"
        if kind is code.LITERAL:
            return self._same(value, sign)
        if kind is code.NOT_LITERAL:
            return not self._same(value, sign)
        negated = value[0][0] is code.NEGATE
        return any(self._in(part, sign) for part in value) is not negated

    def _in(self, part: Node, sign: str) -> bool:
        kind, value = part
        if kind is code.LITERAL:
            return self._same(value, sign)
        if kind is code.RANGE:
            low, high = value
            signs = (sign, sign.upper()) if self._folds else (sign,)
            return any(low <= ord(one) <= high for one in signs if len(one) == 1)
        return kind is code.CATEGORY and _of_category(str(value), sign)

    def _same(self, number: int, sign: str) -> bool:
        return (chr(number).lower() if self._folds else chr(number)) == sign

    def _stands(self, where: str, at: int) -> bool:
        before, after = (self._is_word(at - 1), self._is_word(at))
        if "BOUNDARY" in where:
            return (before != after) is not ("NON" in where)
        return at == 0 if "BEGINNING" in where else at == len(self._text)

    def _is_word(self, at: int) -> bool:
        return 0 <= at < len(self._text) and _of_category("CATEGORY_WORD", self._text[at])


def _of_category(name: str, sign: str) -> bool:
    is_so = {
        "DIGIT": sign.isdecimal(), "SPACE": sign.isspace(), "WORD": sign.isalnum() or sign == "_",
    }[name.rpartition("_")[2]]  # fmt: skip
    return is_so is not ("_NOT_" in name)


def samples(nodes: Sequence[Node], at_most: int = 3) -> list[str]:
    """A few texts that a part of a pattern matches."""
    found = [""]
    for node in nodes:
        found = [before + after for before in found for after in _samples(node, at_most)][:at_most]
    return found


def _samples(node: Node, at_most: int) -> list[str]:
    kind, value = node
    if kind is code.LITERAL:
        return [chr(value)]
    if kind is code.BRANCH:
        return [text for part in value[1] for text in samples(list(part), 2)][: 4 * at_most]
    if kind is code.SUBPATTERN:
        return samples(list(value[3]), at_most)
    if kind is code.ATOMIC_GROUP:
        return samples(list(value), at_most)
    if kind in _REPEATS:
        once = [text * max(int(value[0]), 1) for text in samples(list(value[2]), at_most)]
        # What need not be there may be what makes a text fit in two ways.
        return once if value[0] else [*once, ""]
    if kind in _SINGLE:
        reader = Counting(re.compile(""), "", 10)
        return [sign for sign in " a1,A;-.(%" if reader._fits(node, sign)][:2] or ["a"]
    return [""]


def repetitions(nodes: Sequence[Node], before: str = "") -> Iterator[tuple[str, str]]:
    """For each repetition of a pattern what may stand before it, and what it repeats."""
    for node in nodes:
        kind, value = node
        if kind in _REPEATS:
            if value[1] is code.MAXREPEAT:
                yield from ((before, text) for text in samples(list(value[2]), 9) if text)
            yield from repetitions(list(value[2]), before)
        elif kind is code.SUBPATTERN:
            yield from repetitions(list(value[3]), before)
        elif kind is code.BRANCH:
            for part in value[1]:
                yield from repetitions(list(part), before)
        before += max(_samples(node, 3), key=len, default="")


def attacks(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """What to put before, and what to repeat, to make a pattern backtrack."""
    tree = list(parser.parse(pattern.pattern, pattern.flags))
    common = ((before, text) for before in ("",) for text in (" ", "1", "a ", ", ", "0"))
    return list(dict.fromkeys([*repetitions(tree), *common]))

"""What of a decision's document is kept for as long as decisions are: nothing that a chart worded.

A list of what stays, not of what goes: a member that somebody adds to the document is left out
until it is named here. Codes, numbers, days and verdicts stay, so that it can still be told which
rule spoke, on which values, and what became of it. Texts, comments and ids of resources go; they
stand only on the page (`pages`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Keep = Callable[[Any], Any]
"""The part of a value that stays; None for nothing."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,29}", re.ASCII)
_SYSTEM = re.compile(r"(https?://|urn:)[A-Za-z0-9./:_-]{1,100}", re.ASCII)


def _matching(pattern: re.Pattern[str]) -> Keep:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def _own(value: Any) -> Any:
    """A word, name or sentence that this service made, or a truth value."""
    return value if isinstance(value, str | bool) else None


def _all_of(keep: Keep) -> Keep:
    def kept(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return None
        return [part for item in value if (part := keep(item)) is not None]

    return kept


def _members(**keeps: Keep) -> Keep:
    members = tuple(keeps.items())

    def kept(value: Any) -> Any:
        # An answer waits for this, and a document has hundreds of parts: nothing is made twice.
        if type(value) is not dict and not isinstance(value, Mapping):
            return None
        found = {}
        for name, keep in members:
            member = value.get(name)
            if member is not None and (part := keep(member)) is not None:
                found[name] = part
        return found

    return kept


def _key(value: Any) -> Any:
    """A code with its system."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    system, code = _matching(_SYSTEM)(value[0]), _matching(_CODE)(value[1])
    return None if system is None or code is None else [system, code]


def _trace(value: Any) -> Any:
    return _TRACE(value)


def _recommendation(value: Any) -> Any:
    return _RECOMMENDATION(value)


_day, _number = _matching(_DAY), _matching(_NUMBER)
_TRACE = _members(
    condition=_own,
    verdict=_own,
    reasons=_all_of(_members(kind=_own)),
    used=_all_of(_members(date=_day, ended=_day, value=_number, upper_limit=_number)),
    children=_all_of(_trace),
)
_RECOMMENDATION = _members(
    kind=_own,
    topic=_own,
    rule_id=_own,
    algorithm_ids=_all_of(_own),
    severity=_own,
    drug=_own,
    verified=_own,
    level=_own,
    sources=_all_of(_own),
    reasons=_all_of(_members(kind=_own)),
    trace=_trace,
    until=_trace,
    since=_day,
    tests=_all_of(_members(rule_id=_own, status=_own, last=_day, due=_day)),
    options=_all_of(_members(drug=_own, place=_own, rule_id=_own, verified=_own)),
    also=_all_of(_recommendation),
    card=_own,
    not_shown_because=_own,
    asks=_members(drugs=_all_of(_own), daily_mg=_number, tests=_all_of(_key)),
)
kept_part: Keep = _members(
    id=_own,
    as_of=_day,
    release=_members(version=_own, date=_day),
    moment=_own,
    recommendations=_all_of(_recommendation),
    orders=_all_of(_members(ingredients=_all_of(_own), daily_mg=_number)),
    requested_tests=_all_of(_key),
    undecided=_all_of(_members(rule_id=_own)),
)
"""The part of a document that is kept for as long as decisions are."""

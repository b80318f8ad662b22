"""The three verdicts of a rule and Kleene's logic over them.

A question about a patient has three answers. UNKNOWN is not a weak form of NOT_MET: it always
carries the reasons why nothing can be said, and a rule whose answer is UNKNOWN never fires.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Verdict(enum.Enum):
    """The answer to one condition: it holds, it does not hold, or nobody can tell."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


class ReasonKind(enum.Enum):
    """Why a verdict is UNKNOWN."""

    MISSING = "missing"
    STALE = "stale"
    NO_REFERENCE_RANGE = "no reference range"
    UNKNOWN_UNIT = "unknown unit"
    CONTRADICTORY = "contradictory"
    IMPRECISE = "imprecise"
    """A result is only known as a bound (``<5``) that does not settle the comparison."""
    UNDATED = "undated"
    """A result came without a day on which it was true, or with one that is still to come."""
    UNUSABLE = "not usable"
    """A result came, and what stands in it is no value of this quantity."""
    NOT_READ = "not read"
    """A result came that may be grave, and is this quantity by name only, or without a number."""


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """One thing that keeps a condition from being decided.

    ``subject`` is the name of the fact, ``detail`` a short plain phrase such as
    ``"the result of 12 Nov 2026 has no reference range"``.
    """

    subject: str
    kind_name: str
    detail: str

    @classmethod
    def of(cls, kind: ReasonKind, subject: str, detail: str) -> Reason:
        """Build a reason of one kind."""
        return cls(subject=subject, kind_name=kind.value, detail=detail)

    @property
    def kind(self) -> ReasonKind:
        """The kind as an enumeration member."""
        return ReasonKind(self.kind_name)


def conjunction(verdicts: Iterable[Verdict]) -> Verdict:
    """Kleene ``and``: NOT_MET wins, then UNKNOWN, else MET. An empty conjunction is MET."""
    answer = Verdict.MET
    for verdict in verdicts:
        if verdict is Verdict.NOT_MET:
            return Verdict.NOT_MET
        if verdict is Verdict.UNKNOWN:
            answer = Verdict.UNKNOWN
    return answer


def disjunction(verdicts: Iterable[Verdict]) -> Verdict:
    """Kleene ``or``: MET wins, then UNKNOWN, else NOT_MET. An empty disjunction is NOT_MET."""
    answer = Verdict.NOT_MET
    for verdict in verdicts:
        if verdict is Verdict.MET:
            return Verdict.MET
        if verdict is Verdict.UNKNOWN:
            answer = Verdict.UNKNOWN
    return answer


def negation(verdict: Verdict) -> Verdict:
    """Kleene ``not``: swaps MET and NOT_MET and leaves UNKNOWN as it is."""
    if verdict is Verdict.MET:
        return Verdict.NOT_MET
    if verdict is Verdict.NOT_MET:
        return Verdict.MET
    return Verdict.UNKNOWN


def merged(*groups: Iterable[Reason]) -> tuple[Reason, ...]:
    """All reasons once each, in the order in which they were first given."""
    seen: dict[Reason, None] = {}
    for group in groups:
        for reason in group:
            seen.setdefault(reason)
    return tuple(seen)

"""The three verdicts of a rule and Kleene's logic over them.

A question about a patient has three answers. UNKNOWN is not a weak form of NOT_MET: it always
carries the reasons why nothing can be said, and a rule whose answer is UNKNOWN never fires.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec


class Verdict(enum.Enum):
    """The answer to one condition: it holds, it does not hold, or nobody can tell."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"

    # Members are equal when they are one; that of Enum hashes the name, in Python, at each look-up.
    __hash__ = object.__hash__


# An attribute of an Enum class is looked up by its metaclass, each time anew.
_MET, _NOT_MET, _UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


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


class Reason(msgspec.Struct, frozen=True, order=True, gc=False):
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
    listed = list(verdicts)
    if _NOT_MET in listed:
        return _NOT_MET
    return _UNKNOWN if _UNKNOWN in listed else _MET


def disjunction(verdicts: Iterable[Verdict]) -> Verdict:
    """Kleene ``or``: MET wins, then UNKNOWN, else NOT_MET. An empty disjunction is NOT_MET."""
    listed = list(verdicts)
    if _MET in listed:
        return _MET
    return _UNKNOWN if _UNKNOWN in listed else _NOT_MET


def negation(verdict: Verdict) -> Verdict:
    """Kleene ``not``: swaps MET and NOT_MET and leaves UNKNOWN as it is."""
    if verdict is Verdict.MET:
        return Verdict.NOT_MET
    if verdict is Verdict.NOT_MET:
        return Verdict.MET
    return Verdict.UNKNOWN


def merged(*groups: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """All reasons once each, in the order in which they were first given."""
    listed = [group for group in groups if group]
    if len(listed) == 1:
        return listed[0]
    return tuple(dict.fromkeys([reason for group in listed for reason in group]))

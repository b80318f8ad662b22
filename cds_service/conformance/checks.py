"""What a check is: a question about the service, the clauses it asks about, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Subject

Strength = Literal["SHALL", "SHOULD", "robust", "ours"]
"""SHALL and SHOULD as the specification says; `robust` is our negative suite: a fault there can
hide a danger or let a stranger in; `ours` is advice where the specification is silent."""


class Outcome(StrEnum):
    """What became of a check, worst first.

    Failed is what the specification requires and no other; unsafe what it leaves open and what
    can hide a danger or let a stranger in.
    """

    FAILED = "failed"
    UNSAFE = "unsafe"
    WARNING = "warning"
    NOTE = "note"
    PASSED = "passed"
    NOT_TESTED = "not tested"


OUTCOME_OF: dict[Strength, Outcome] = {
    "SHALL": Outcome.FAILED,
    "robust": Outcome.UNSAFE,
    "SHOULD": Outcome.WARNING,
    "ours": Outcome.NOTE,
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, told without any value that was sent or received.

    ``strength`` replaces that of the check, for a part that weighs less.
    """

    text: str
    strength: Strength | None = None


Found = Iterable[Problem | str]
Look = Callable[[Subject], Found]


@dataclass(frozen=True)
class Check:
    """One question. ``clauses`` are ids of the clause list, the one it is filed under first."""

    id: str
    clauses: tuple[str, ...]
    strength: Strength
    title: str
    look: Look

    def run(self, subject: Subject) -> Result:
        """Ask the service. Raises UnreachableError when it does not answer at all."""
        problems: list[Problem] = []
        try:
            for item in self.look(subject):
                problems.append(item if isinstance(item, Problem) else Problem(item))
        except NotTestedError as reason:
            if not problems:
                return Result(self, Outcome.NOT_TESTED, (str(reason),))
        order = list(Outcome)
        outcomes = [OUTCOME_OF[problem.strength or self.strength] for problem in problems]
        worst = min(outcomes, key=order.index, default=Outcome.PASSED)
        return Result(self, worst, tuple(dict.fromkeys(problem.text for problem in problems)))


@dataclass(frozen=True)
class Result:
    """A check with its outcome; ``says`` are the problems, or why it could not be asked."""

    check: Check
    outcome: Outcome
    says: tuple[str, ...] = ()


class Register:
    """The checks of one module, in the order they are written."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks)

    def check(
        self, identifier: str, *clauses: str, strength: Strength = "SHALL"
    ) -> Callable[[Look], Look]:
        """Register a function as a check; its docstring is the title."""

        def register(look: Look) -> Look:
            title = (look.__doc__ or "").strip().removesuffix(".")
            self._checks.append(Check(identifier, clauses, strength, title, look))
            return look

        return register

"""Compiled conditions and the evaluation they run in.

Equal conditions in different rules are one node, and a node is evaluated once for one patient and
day, so that ``ALT > 5 xULN`` in ten rows costs one comparison.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date

from cds_service.rules.measuring import Threshold
from cds_service.rules.trace import Trace, explain
from cds_service.rules.values import FactSource, FactValue
from cds_service.rules.verdicts import (
    Reason,
    ReasonKind,
    Verdict,
    conjunction,
    disjunction,
    merged,
    negation,
)
from cds_service.rules.vocabulary import FactKind


class Evaluation:
    """One patient on one day: where the facts are and what was already worked out.

    ``as_of`` is the day on which the question is asked; nothing later is looked at. A ``thorough``
    evaluation works out every part of a rule; otherwise a conjunction stops at its first part
    that does not hold, which settles the verdict, and its trace ends there.
    """

    __slots__ = ("_found", "as_of", "facts", "thorough", "traces")

    def __init__(self, facts: FactSource, as_of: date, *, thorough: bool = True) -> None:
        self.facts = facts
        self.as_of = as_of
        self.thorough = thorough
        self.traces: dict[Condition, Trace] = {}
        self._found: dict[str, FactValue | None] = {}

    def find(self, name: str) -> FactValue | None:
        """The fact's value, asked of the source once."""
        try:
            return self._found[name]
        except KeyError:
            found = self._found[name] = self.facts.find(name)
            return found


class Condition(ABC):
    """A compiled condition. ``text`` is its canonical form in the rule language."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def trace(self, evaluation: Evaluation) -> Trace:
        """The verdict with its basis; worked out once for each evaluation."""
        found = evaluation.traces.get(self)
        if found is None:
            found = evaluation.traces[self] = self.work_out(evaluation)
        return found

    @abstractmethod
    def work_out(self, evaluation: Evaluation) -> Trace:
        """Evaluate without looking at what was worked out before."""

    @property
    def beginning(self) -> Condition:
        """The part that is asked first; where it does not hold, the whole does not."""
        return self


class Leaf(Condition):
    """A condition on one fact."""

    __slots__ = ("compared_with", "fact", "unrecorded")

    def __init__(self, text: str, fact: FactKind) -> None:
        super().__init__(text)
        self.fact = fact
        self.compared_with: Threshold | None = None
        """The threshold of a condition on a measured quantity."""
        self.unrecorded = self.unknown(self.missing())
        """The answer where nothing is recorded, which is so of most facts: made once."""

    def trace(self, evaluation: Evaluation) -> Trace:
        """As for every condition; the trace also names the fact and what it is compared with."""
        found = evaluation.traces.get(self)
        if found is None:
            found = evaluation.traces[self] = self.work_out(evaluation)
            found.subject = self.fact.name
            found.threshold = self.compared_with
        return found

    def missing(self, detail: str = "") -> tuple[Reason, ...]:
        """The reason to give when nothing is recorded."""
        return (Reason.of(ReasonKind.MISSING, self.fact.name, detail),)

    def unknown(self, reasons: tuple[Reason, ...]) -> Trace:
        """An UNKNOWN verdict with its reasons in words."""
        return Trace(
            self.text,
            Verdict.UNKNOWN,
            lambda: f"It cannot be said whether {self.text}: {explain(reasons)}.",
            reasons,
        )


class Branch(Condition):
    """A condition made of other conditions."""

    __slots__ = ("parts",)

    def __init__(self, text: str, parts: tuple[Condition, ...]) -> None:
        super().__init__(text)
        self.parts = parts


_ALL_OF = {
    Verdict.MET: "All of these hold.",
    Verdict.NOT_MET: "At least one of these does not hold.",
    Verdict.UNKNOWN: "None of these fails, but not all can be decided.",
}

_SOME_OF = {
    Verdict.MET: "At least one of these holds.",
    Verdict.NOT_MET: "None of these holds.",
    Verdict.UNKNOWN: "None of these certainly holds, and not all can be decided.",
}

_OPPOSITE = {
    Verdict.MET: "The following does not hold, as asked.",
    Verdict.NOT_MET: "The following holds, and it should not.",
    Verdict.UNKNOWN: "It cannot be said whether the following holds.",
}


class AllOf(Branch):
    """``A and B``."""

    __slots__ = ()

    @property
    def beginning(self) -> Condition:
        """The first of the parts."""
        return self.parts[0].beginning

    def work_out(self, evaluation: Evaluation) -> Trace:
        first = self.parts[0].trace(evaluation)
        if first.verdict is Verdict.NOT_MET and not evaluation.thorough:
            # Most rules of a table speak of something else, and end here.
            return Trace(self.text, Verdict.NOT_MET, _ALL_OF[Verdict.NOT_MET], children=(first,))
        worked_out = [first]
        for part in self.parts[1:]:
            child = part.trace(evaluation)
            worked_out.append(child)
            if child.verdict is Verdict.NOT_MET and not evaluation.thorough:
                break
        verdict = conjunction([child.verdict for child in worked_out])
        return _joined(self.text, verdict, _ALL_OF, tuple(worked_out))


class SomeOf(Branch):
    """``A or B``."""

    __slots__ = ()

    def work_out(self, evaluation: Evaluation) -> Trace:
        children = tuple([part.trace(evaluation) for part in self.parts])
        verdict = disjunction([child.verdict for child in children])
        return _joined(self.text, verdict, _SOME_OF, children)


def _joined(
    text: str, verdict: Verdict, phrases: Mapping[Verdict, str], children: tuple[Trace, ...]
) -> Trace:
    reasons: tuple[Reason, ...] = ()
    if verdict is Verdict.UNKNOWN:
        reasons = merged(*[child.reasons for child in children])
    return Trace(text, verdict, phrases[verdict], reasons, children=children)


class Opposite(Branch):
    """``not A``."""

    __slots__ = ()

    def work_out(self, evaluation: Evaluation) -> Trace:
        child = self.parts[0].trace(evaluation)
        verdict = negation(child.verdict)
        return Trace(self.text, verdict, _OPPOSITE[verdict], child.reasons, children=(child,))


class Undecided(Branch):
    """``unknown whether A``."""

    __slots__ = ()

    def work_out(self, evaluation: Evaluation) -> Trace:
        child = self.parts[0].trace(evaluation)
        undecided = child.verdict is Verdict.UNKNOWN
        verdict = Verdict.MET if undecided else Verdict.NOT_MET
        phrase = (
            "The data leave this open, as the rule asks." if undecided else "The data settle this."
        )
        return Trace(self.text, verdict, phrase, children=(child,))

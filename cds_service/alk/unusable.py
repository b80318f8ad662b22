"""Results that came and cannot be used: which of them the rows of one drug have to ask about.

A result that nobody can read hides the one before it. Where that one would have made a row ask, the
question stays: what cannot be read never answers it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from cds_service.alk.undecided import asks_more
from cds_service.facts.patient import OnTreatment
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Evaluation, FactValue, Reason, ReasonKind, Series, Trace, Verdict
from cds_service.rules.qualifying import NO_GRADE

_HOLDING = ("stop", "withhold")
_GRAVE = frozenset({ReasonKind.NOT_READ, ReasonKind.CONTRADICTORY})
"""Reasons that leave something open of which a row that only asks would speak: results contradict
each other only where one of them meets it."""
_HIDING = frozenset({ReasonKind.UNKNOWN_UNIT, ReasonKind.IMPRECISE, ReasonKind.UNUSABLE})
"""Reasons of a result that came after one that could be read."""


@dataclass(frozen=True)
class _Readable:
    """The facts without the results that nobody can read, so that those before them answer."""

    view: OnTreatment

    def find(self, name: str) -> FactValue | None:
        found = self.view.find(name)
        if not isinstance(found, Series):
            return found
        kept = tuple(item for item in found.measurements if item.problem is None)
        return replace(found, measurements=kept)


@dataclass(frozen=True, slots=True)
class ActedOn:
    """What the rows of the drug act on already: reactions, and the sources of diagnoses."""

    reactions: Collection[str] = frozenset()
    sources: Collection[str] = frozenset()


def results_to_ask_about(
    table: Table,
    undecided: Mapping[str, Trace],
    view: OnTreatment,
    as_of: date,
    acted_on: ActedOn,
) -> tuple[tuple[Reason, ...], Row | None]:
    """The reasons, each once, and the first row that hangs on one of them.

    No grade is asked for of a diagnosis that is acted on, nor where its reaction is. A row that
    only asks is no reason to ask about a missing range or unit, but about the grade that it hangs
    on, a result that may be grave (not read, one of two that disagree), or one that hides a result
    for which the row would have asked.
    """
    readable = Evaluation(_Readable(view), as_of)
    reasons: dict[Reason, None] = {}
    first: Row | None = None
    for row in table:
        trace = undecided.get(row.identifier)
        if trace is None:
            continue
        for reason in asks_more(
            trace, acted_on.sources, graded=row.text("reaction") in acted_on.reactions
        ):
            if _matters(row, reason) or _hides(row, reason, readable):
                reasons.setdefault(reason)
                first = first or row
    for row in table:
        for reason in _out_of_place(row, view):
            reasons.setdefault(reason)
            first = first or row
    return tuple(reasons), first


def _matters(row: Row, reason: Reason) -> bool:
    action = row.text("action")
    ungraded = reason.subject.startswith(NO_GRADE)
    return action in _HOLDING or (action == "ask" and (ungraded or reason.kind in _GRAVE))


def _hides(row: Row, reason: Reason, readable: Evaluation) -> bool:
    """Whether a row that asks would have asked, had the result not come that nobody can read."""
    if row.text("action") != "ask" or reason.kind not in _HIDING:
        return False
    return row.when.evaluate(readable).verdict is Verdict.MET


def _out_of_place(row: Row, view: OnTreatment) -> Iterator[Reason]:
    """Results without a day, or not read at all, of facts that a row looks at: one of them may be
    the newest, also where an older one answers."""
    action = row.text("action")
    if action not in (*_HOLDING, "ask"):
        return
    kinds = {ReasonKind.NOT_READ} | ({ReasonKind.UNDATED} if action in _HOLDING else set())
    for name in row.when.facts_named:
        found = view.find(name)
        if isinstance(found, Series):
            yield from (item for item in found.unused if item.kind in kinds)

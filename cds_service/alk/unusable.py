"""Results that came and cannot be used: which of them the rows of one drug have to ask about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from cds_service.alk.undecided import asks_more
from cds_service.facts.patient import OnTreatment
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Reason, ReasonKind, Series, Trace

_HOLDING = ("stop", "withhold")
_GRAVE = frozenset({ReasonKind.NOT_READ, ReasonKind.CONTRADICTORY})
"""Reasons that leave something open of which a row that only asks would speak: results contradict
each other only where one of them meets it."""


def results_to_ask_about(
    table: Table,
    undecided: Mapping[str, Trace],
    view: OnTreatment,
    answered: Collection[str],
    held: Collection[str],
) -> tuple[tuple[Reason, ...], Row | None]:
    """The reasons, each once, and the first row that hangs on one of them.

    No grade is asked for of a diagnosis that is acted on (`held` are the sources), nor where its
    reaction is (`answered`). A row that only asks is no reason to ask about a missing range or
    unit, but about a result that may be grave: not read, or one of two that disagree.
    """
    reasons: dict[Reason, None] = {}
    first: Row | None = None
    for row in table:
        trace = undecided.get(row.identifier)
        if trace is None:
            continue
        for reason in asks_more(trace, held, graded=row.text("reaction") in answered):
            if _matters(row, reason):
                reasons.setdefault(reason)
                first = first or row
    for row in table:
        for reason in _out_of_place(row, view):
            reasons.setdefault(reason)
            first = first or row
    return tuple(reasons), first


def _matters(row: Row, reason: Reason) -> bool:
    action = row.text("action")
    return action in _HOLDING or (action == "ask" and reason.kind in _GRAVE)


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

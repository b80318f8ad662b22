"""When a rule that could not be answered is worth a word.

Most rules are undecided for most patients, because most things are recorded for nobody. A rule
matters when part of it holds, nothing in it fails, and only missing data keep it from firing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from cds_service.rules import (
    Evidence,
    Finding,
    Measurement,
    Reason,
    ReasonKind,
    Statement,
    Trace,
    Verdict,
)
from cds_service.rules.qualifying import NO_GRADE

_UNUSABLE = frozenset(
    {
        ReasonKind.NO_REFERENCE_RANGE,
        ReasonKind.UNKNOWN_UNIT,
        ReasonKind.CONTRADICTORY,
        ReasonKind.IMPRECISE,
        ReasonKind.UNDATED,
        ReasonKind.UNUSABLE,
        ReasonKind.NOT_READ,
    }
)


_WITHIN_LIMITS = re.compile(r"<=? [\d.]+ x(?:ULN|baseline)")
"""A comparison that asks whether a result is *not* raised: holding it shows no danger."""

_ABSENT = re.compile(r" absent(?: within .*)?$")
"""A condition that asks whether something is *not* there."""


def hangs_on_missing_data(trace: Trace) -> bool:
    """Whether something recorded speaks for an UNKNOWN conjunction, so that the rest decides.

    A part that holds because something is *not* known does not count.
    """
    return trace.verdict is Verdict.UNKNOWN and any(_speaks_for(child) for child in trace.children)


def danger_shown(trace: Trace) -> bool:
    """As `hangs_on_missing_data`, and what speaks for it is a measured or stated abnormality.

    Of a single condition that is a statement that it is present whose day is not known, or a
    finding that is there or suspected and whose cause or day is wanting. A symptom of long ago
    shows nothing, and what cannot be graded is asked about by itself (`unusable_results`).
    """
    if trace.verdict is not Verdict.UNKNOWN:
        return False
    if not trace.children:
        stale = any(reason.kind is ReasonKind.STALE for reason in trace.reasons)
        settled = stale or bool(unusable_results(trace))
        return any(_is_open(item, settled) for item in trace.used)
    return any(
        _speaks_for(child)
        and not _WITHIN_LIMITS.search(child.condition)
        and not _ABSENT.search(child.condition)
        and any(_is_abnormal(item) for item in child.evidence)
        for child in trace.children
    )


def _is_open(item: Evidence, settled: bool) -> bool:
    if isinstance(item, Finding):
        return item.status in ("present", "suspected") and not settled
    return isinstance(item, Statement) and item.value == "present" and item.day is None


def _speaks_for(child: Trace) -> bool:
    known = not child.condition.startswith("unknown whether") and bool(child.evidence)
    return child.verdict is Verdict.MET and known


def _is_abnormal(item: Evidence) -> bool:
    if isinstance(item, Finding):
        return item.status not in ("refuted", "absent")
    return isinstance(item, Measurement) or (
        isinstance(item, Statement) and item.value == "present"
    )


def decided_by(trace: Trace | None) -> frozenset[str]:
    """The sources of everything that carries the verdict of a trace."""
    leaves = trace.deciding() if trace is not None else ()
    return frozenset(item.source for leaf in leaves for item in leaf.used)


def asks_more(trace: Trace, acted_on: Collection[str], *, graded: bool) -> Iterator[Reason]:
    """The unusable results of a trace that are worth a question.

    A grade is not: where `graded` says that it cannot change what is done, and of findings for
    which the drug is held or stopped already (`acted_on` are their sources).
    """
    needless = _needless_grades(trace, acted_on)
    for reason in unusable_results(trace):
        if not (graded and reason.subject.startswith(NO_GRADE)) and reason not in needless:
            yield reason


def _needless_grades(trace: Trace, acted_on: Collection[str]) -> frozenset[Reason]:
    """Reasons that ask for the grade of nothing but findings that are acted on already."""
    asked: dict[Reason, bool] = {}
    for leaf in trace.walk():
        if leaf.children or leaf.verdict is not Verdict.UNKNOWN:
            continue
        known = bool(leaf.used) and all(item.source in acted_on for item in leaf.used)
        for reason in leaf.reasons:
            if reason.subject.startswith(NO_GRADE):
                asked[reason] = known and asked.get(reason, True)
    return frozenset(reason for reason, known in asked.items() if known)


def unusable_results(trace: Trace) -> tuple[Reason, ...]:
    """Reasons that come from results which exist but cannot be graded.

    A reaction that is recorded without its severity is one of them.
    """
    problems = {item.problem for item in trace.evidence if isinstance(item, Measurement)}
    return tuple(
        reason
        for reason in trace.reasons
        if reason.kind in _UNUSABLE or reason in problems or reason.subject.startswith(NO_GRADE)
    )

"""Pregnancy: an open problem that does not go stale, with an end that can be told beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec

from cds_service.facts.context import Context
from cds_service.facts.finding_readings import ABSENT, OVER, PRESENT, REFUTED, SUSPECTED
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.fhir.statuses import status_of
from cds_service.rules import Finding, Findings, Reason, ReasonKind, Statement
from cds_service.rules.measuring import written_day

CONCEPT = "pregnancy"
LONGEST_DAYS = 294
"""A pregnancy of 42 weeks from the last period is past its term; what was recorded began later."""

_PROBLEM = "Condition/"


def pregnancy(context: Context, recorded: Findings, tests: Iterable[Statement]) -> Findings:
    """The findings of pregnancy: what is recorded, tests, and an estimated delivery date.

    A diagnosis that nobody closed lasts until its end is due; from then on it is a question. What
    was only observed, in a test or at a visit, is a suspicion once it is too old to answer.
    """
    names = context.book.concepts.with_broader(CONCEPT)
    # Whatever else a code says (high blood pressure in pregnancy), here it speaks of this alone.
    said = [msgspec.structs.replace(item, names=names) for item in recorded.findings]
    said += (_of_test(item, names) for item in tests)
    due, told, source = _due(context)
    denied = max(_ends(said), default=date.min)
    kept: list[Finding] = []
    overdue: list[Finding] = []
    for item in said:
        if not _lasts(item) or (item.began is not None and item.began < denied):
            kept.append(item)
        elif not _passed(context, item, due):
            kept.append(_as_of_today(context, item))
        elif item.source.startswith(_PROBLEM):
            overdue.append(item)
    if due is not None and due >= context.as_of and told is not None and told > denied:
        label = "estimated delivery date"
        kept.append(Finding(names, PRESENT, told, label=label, source=source))
    kept.sort(key=lambda item: item.began or date.min, reverse=True)
    return msgspec.structs.replace(
        recorded, findings=tuple(kept), unknown=tuple(map(_question, overdue[:1]))
    )


def _of_test(said: Statement, names: frozenset[str]) -> Finding:
    status = PRESENT if said.value == "present" else ABSENT
    return Finding(names, status, said.day, label=said.as_sent, source=said.source)


def _lasts(item: Finding) -> bool:
    return item.status == PRESENT and item.ended is None


def _ends(said: Iterable[Finding]) -> Iterator[date]:
    """The days on which somebody found that there is no pregnancy, or none any more."""
    for item in said:
        day = item.ended if item.status == OVER else item.began
        if item.status in (ABSENT, REFUTED, OVER) and day is not None:
            yield day


def _as_of_today(context: Context, item: Finding) -> Finding:
    """What lasts, as it is known today: an old observation shows no more than a suspicion."""
    days = context.book.knowledge.concepts[CONCEPT].observed_for_days
    if days is None or item.began is None or item.source.startswith(_PROBLEM):
        return item
    if item.began + timedelta(days=days) >= context.as_of:
        return item
    return msgspec.structs.replace(item, status=SUSPECTED)


def _question(item: Finding) -> Reason:
    """Why an open pregnancy is a question: the day by which it must have ended has passed."""
    day = f", recorded on {written_day(item.began)}" if item.began is not None else ""
    return Reason.of(ReasonKind.STALE, CONCEPT, f"its end was due and is not recorded{day}")


def _passed(context: Context, item: Finding, due: date | None) -> bool:
    """Whether a pregnancy must be over: by the date it was due, else by its length."""
    began = item.began
    if due is not None and (began is None or due >= began):
        return due < context.as_of
    return began is not None and began + timedelta(days=LONGEST_DAYS) < context.as_of


def _due(context: Context) -> tuple[date | None, date | None, str]:
    """The newest estimated delivery date, the day on which it was told and its source."""
    found: list[tuple[date, date, str]] = []
    for result in context.record.observations(context.book.value_sets["estimated delivery date"]):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        moment = context.effective(result.observation)
        due = context.day_of(result.source.value_date_time)
        if due is None or not context.usable(moment, CONCEPT) or moment is None or not moment.day:
            continue
        found.append((moment.day, due, result.observation.key))
    if not found:
        return None, None, ""
    told, due, source = max(found)
    return due, told, source

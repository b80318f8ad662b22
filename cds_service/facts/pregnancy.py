"""Pregnancy: an open problem that does not go stale, with an end that can be told beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from cds_service.facts import problems, staging
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import PRESENT, Reading
from cds_service.facts.findings import findings_of
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Condition
from cds_service.rules import Reason, ReasonKind, State, Statement, Statements
from cds_service.rules.measuring import written_day

CONCEPT = "pregnancy"
LONGEST_DAYS = 294
"""A pregnancy of 42 weeks from the last period is past its term; what was recorded began later."""


def pregnancy(context: Context, tests: Iterable[Statement] = ()) -> Statements | None:
    """Pregnancy from its status, an estimated delivery date, tests and diagnoses.

    A diagnosis that is still open is as good as new, however long ago it was made, until its end
    is due, unless somebody found the contrary after it began. From then on it is a question.
    """
    observed = staging.coded_observation(
        context,
        CONCEPT,
        "pregnancy status",
        {"absent": ("answer not pregnant",), "present": ("answer pregnant",)},
    )
    recorded = problems.flag(context, context.book.knowledge.fact_list.conditions[CONCEPT])
    said = list(tests)
    for group in (observed, recorded):
        said += group.statements if group is not None else ()
    due, told, source = _due(context)
    denied = max(
        (item.day for item in said if item.value == "absent" and item.day is not None),
        default=date.min,
    )
    answered = {item.day for item in said if item.value == "present" and item.day is not None}
    if any(_as_new(context, day) == day and day > denied for day in answered):
        return _questioned(context, said)
    if due is not None and due >= context.as_of and told is not None and told > denied:
        said.append(Statement("present", _as_new(context, told), "estimated delivery date", source))
    for item in _open(context):
        began = item.finding.began
        if not _passed(context, item, due) and began is not None and began > denied:
            day = _as_new(context, began)
            said.append(Statement("present", day, item.finding.label, item.finding.source))
    return _questioned(context, said)


def _questioned(context: Context, said: Iterable[Statement]) -> Statements | None:
    """The statements in order, left open where the newest is a pregnancy past its end."""
    found = problems.in_order(dict.fromkeys(said))
    reason = overdue(context)
    if found is None or reason is None:
        return found
    newest = found.statements[0]
    asked = newest.value == "present" and newest.source in _overdue_sources(context)
    return Statements(found.statements, (reason,)) if asked else found


def _as_new(context: Context, day: date | None) -> date:
    """The day of a statement that still holds: today, once it would be too old to answer."""
    kind = context.book.knowledge.vocabulary.find(CONCEPT)
    fresh = kind.fresh_for_days if isinstance(kind, State) else None
    if day is None or (fresh is not None and day + timedelta(days=fresh) < context.as_of):
        return context.as_of
    return day


def overdue(context: Context) -> Reason | None:
    """Why an open pregnancy is a question: the day by which it must have ended has passed."""
    due, _, _ = _due(context)
    for item in _open(context):
        if _passed(context, item, due):
            since = item.finding.began
            day = f", recorded on {written_day(since)}" if since is not None else ""
            detail = f"its end was due and is not recorded{day}"
            return Reason.of(ReasonKind.STALE, CONCEPT, detail)
    return None


def _open(context: Context) -> list[Reading]:
    """The pregnancies on the problem list that nobody closed."""
    return [
        item
        for item in findings_of(context).of(CONCEPT)
        if isinstance(item.record, Condition) and item.finding.status == PRESENT
    ]


def _overdue_sources(context: Context) -> frozenset[str]:
    due, _, _ = _due(context)
    return frozenset(item.finding.source for item in _open(context) if _passed(context, item, due))


def _passed(context: Context, item: Reading, due: date | None) -> bool:
    """Whether a pregnancy must be over: by the date it was due, else by its length."""
    began = item.finding.began
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

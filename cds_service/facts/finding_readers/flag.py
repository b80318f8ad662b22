"""Findings from Flags: alerts that stand over a chart.

An alert tells of a danger, and not whether the disease that it names is there today: it is a
suspicion as long as it stands, and says nothing when it was taken down.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.facts.context import Context
from cds_service.facts.finding_readers.reasons import is_known
from cds_service.facts.finding_readings import SUSPECTED, Reading, dated_in_future, named, reading
from cds_service.fhir.event_views import Flag
from cds_service.fhir.statuses import WITHDRAWN, status_of

SUBJECT = "alerts"
_TAKEN_DOWN = frozenset({*WITHDRAWN, "inactive"})


def read(context: Context) -> Iterator[Reading]:
    """What every alert that stands says that no diagnosis of the record says already."""
    concepts = context.book.concepts
    for flag in context.record.of_type(Flag):
        began = stands_since(context, flag)
        if not stands(context, flag) or dated_in_future(context, SUBJECT, "an alert", began):
            continue
        meaning = named(context, SUBJECT, flag.code)
        said = meaning.names | meaning.possible
        if not said or meaning.denied or meaning.certainty in ("excluded", "over"):
            continue
        if concepts.any_of_chapter(said, "cancer") or is_known(context, meaning, began):
            continue
        yield reading(
            flag, meaning, SUSPECTED, began, as_of=context.as_of, said=began, note="an alert"
        )


def stands(context: Context, flag: Flag) -> bool:
    """Whether an alert is shown on the day asked about."""
    if status_of(flag) in _TAKEN_DOWN:
        return False
    ended = context.day_of(flag.period.end) if flag.period is not None else None
    return ended is None or ended >= context.as_of


def stands_since(context: Context, flag: Flag) -> date | None:
    """The day on which an alert was put up."""
    return context.day_of(flag.period.start) if flag.period is not None else None

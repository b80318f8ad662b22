"""Findings from Procedures: dialysis and the like, and the complications of what was done."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts import finding_causes
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import (
    OVER,
    PRESENT,
    Reading,
    believed_end,
    dated_in_future,
    named,
    reading,
    says_something,
)
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Procedure

SUBJECT = "procedures"
_DONE = frozenset({"completed", "in-progress", "stopped", "on-hold"})


def read(context: Context) -> Iterator[Reading]:
    """Procedures that are concepts themselves, and their complications.

    One with a recorded period ended with it; of one with a single day no end is known.
    """
    for procedure in context.record.of_type(Procedure):
        if status_of(procedure) not in _DONE:
            continue
        period = procedure.performed_period or procedure.occurrence_period
        began = context.day_of(
            procedure.performed_date_time,
            procedure.occurrence_date_time,
            (period.start or period.end) if period is not None else None,
        )
        if dated_in_future(context, SUBJECT, "a procedure", began):
            continue
        sent = context.day_of(period.end) if period is not None else None
        ended = believed_end(context, SUBJECT, "a procedure", began, sent)
        meaning = named(context, SUBJECT, procedure.code)
        if meaning.names and not meaning.denied:
            yield reading(
                procedure,
                meaning,
                OVER if ended is not None else PRESENT,
                began,
                as_of=context.as_of,
                ended=ended,
                said=ended or began,
                stated=ended is not None,
                causes=finding_causes.of_concepts(context, meaning.names),
            )
        for complication in procedure.complication:
            seen = named(context, SUBJECT, complication)
            if says_something(seen) and not seen.denied:
                yield reading(
                    procedure,
                    seen,
                    PRESENT,
                    sent or began,
                    as_of=context.as_of,
                    said=sent or began,
                    causes=finding_causes.of_concepts(context, seen.names),
                    note="complication of a procedure",
                )

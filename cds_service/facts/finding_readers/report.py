"""Findings from the conclusions of reports: chest CT, ECG, echo.

A code says what was found. Words say nothing; what they name is enough to ask about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.facts import finding_causes
from cds_service.facts.context import Context
from cds_service.facts.finding_readings import (
    ABSENT,
    PRESENT,
    SUSPECTED,
    Reading,
    dated_in_future,
    named,
    only_told,
    reading,
    says_something,
)
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import DiagnosticReport

SUBJECT = "reports"
_SIGNED = frozenset({"final", "amended", "corrected", "appended"})
_UNSIGNED = frozenset({"preliminary", "partial"})


def read(context: Context) -> Iterator[Reading]:
    """What the reports conclude in codes; what an unsigned one concludes is a suspicion."""
    for report in context.record.of_type(DiagnosticReport):
        status = status_of(report)
        if status not in _SIGNED | _UNSIGNED or not (report.conclusion_code or report.conclusion):
            continue
        period = report.effective_period
        day = context.day_of(
            report.effective_date_time,
            (period.end or period.start) if period is not None else None,
            report.issued,
        )
        if dated_in_future(context, SUBJECT, "a report", day):
            continue
        coded: set[str] = set()
        for concept in report.conclusion_code:
            meaning = named(context, SUBJECT, concept)
            coded |= meaning.names | meaning.possible
            seen = ABSENT if meaning.denied else PRESENT
            if says_something(meaning) and (status in _SIGNED or not meaning.denied):
                yield reading(
                    report,
                    meaning,
                    seen if status in _SIGNED else SUSPECTED,
                    day,
                    as_of=context.as_of,
                    said=day,
                    causes=finding_causes.of_concepts(context, meaning.names),
                    note="" if status in _SIGNED else "report that is not signed yet",
                )
        told = context.book.concepts.told(report.conclusion) - coded
        if told:
            yield only_told(context, report, told, day, "named in the words of a report")

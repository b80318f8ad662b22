"""The grades of a concept over time, for a picture. No rule sees them: rules ask the findings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.rules import Concept, Findings, Measurement, Reason, ReasonKind, Series
from cds_service.rules.finding_states import Standing, standing_on, turning_days


def grade_course(concept: Concept, found: Findings, as_of: date) -> Series | None:
    """The highest grade on every day on which something began or ended, newest first.

    None when nothing was ever confirmed on a day that is known. No word of the record is in it.
    """
    days = sorted((day for day in turning_days(found) if day <= as_of), reverse=True)
    drawn = [_on(concept, standing_on(concept, found, day), day) for day in days]
    known = tuple(item for item in drawn if item is not None)
    return Series(known) if known else None


def _on(concept: Concept, standing: Standing, day: date) -> Measurement | None:
    lasting = [*standing.there, *(item for item, _ in standing.doubtful)]
    if not lasting:
        last = next((item for item, _ in standing.over), None)
        if last is None:
            return None
        return Measurement(Decimal(0), day, as_sent="over", source=last.source)
    graded = [item for item in lasting if item.grade is not None]
    if not graded:
        first = lasting[0]
        problem = Reason.of(ReasonKind.MISSING, concept.name, "no grade recorded")
        return Measurement(None, day, as_sent="no grade", source=first.source, problem=problem)
    worst = max(graded, key=lambda item: item.grade or 0)
    return Measurement(
        Decimal(worst.grade or 0),
        day,
        # Another one beside it, of unknown grade, may be worse.
        comparator=">=" if worst.grade_is_least or len(graded) < len(lasting) else None,
        as_sent=f"grade {worst.grade}",
        source=worst.source,
    )

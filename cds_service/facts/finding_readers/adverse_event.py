"""Findings from AdverseEvents: base R4, R5, mCODE's and the research guides' extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.facts import finding_causes
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import Grade, grade_of, severe_in_words, tail
from cds_service.facts.finding_readings import (
    ABSENT,
    OVER,
    PRESENT,
    Reading,
    believed_end,
    dated_in_future,
    named,
    reading,
)
from cds_service.facts.grade_scale import FROM_SEVERITY, STATED
from cds_service.fhir.datatypes import CodeableConcept, Extension
from cds_service.fhir.event_views import AdverseEvent
from cds_service.fhir.references import parse_reference
from cds_service.fhir.views import Reference

SUBJECT = "adverse events"
_AN_EVENT = "an adverse event"
ENDED = "adverse event over"
_LASTS = "adverse event lasts"
FATAL = "adverse event fatal"
_LIFE_THREATENING = "adverse event life-threatening"
_SERIOUS = "adverse event serious"
_SERIOUSNESS_TAILS = ("adverse-event-seriousness-outcome", "seriousness-criteria")
_EFFECT_TAILS = ("resultingeffect", "resulting-effect")
_NO_FINDING = frozenset({"entered-in-error", "not-done"})


def read(context: Context) -> Iterator[Reading]:
    """Every event that happened, up to the day asked about. A potential one did not."""
    for event in context.record.of_type(AdverseEvent):
        if (event.actuality or "").strip().lower() == "potential" or _withdrawn(event):
            continue
        found = _read_event(context, event)
        if found is not None:
            yield found


def _read_event(context: Context, event: AdverseEvent) -> Reading | None:
    period = event.occurrence_period
    began = context.day_of(
        event.date,
        event.occurrence_date_time,
        period.start if period is not None else None,
        event.detected,
        event.recorded_date,
    )
    if dated_in_future(context, SUBJECT, _AN_EVENT, began):
        return None
    meaning = named(context, SUBJECT, event.event or event.code)
    outcomes = listed(event.outcome)
    ended = believed_end(context, SUBJECT, _AN_EVENT, began, resolved_on(context, event))
    over = ended is not None or context.book.says(joined(outcomes), ENDED)
    lasts = not over and context.book.says(joined(outcomes), _LASTS)
    grade = _grade(context, event, outcomes)
    same = (*event.resulting_condition, *event.resulting_effect, *_effects(event))
    status = OVER if over else PRESENT
    if meaning.denied or (grade.number == 0 and not grade.least):
        # Grade 0 says that somebody looked and the event was not there.
        status, over = ABSENT, False
    return reading(
        event,
        meaning,
        status,
        began,
        as_of=context.as_of,
        ended=ended if over else None,
        said=ended if over else began,
        stated=over or lasts,
        grade=grade,
        causes=finding_causes.of_concepts(context, meaning.names)
        | finding_causes.of_event(context, event),
        same=(key for reference in same if (key := _key(reference)) is not None),
        serious=_serious(context, event),
    )


def _serious(context: Context, event: AdverseEvent) -> bool:
    """Whether the record calls the event serious: in so many words, or by a criterion."""
    said = context.book.says(event.seriousness, _SERIOUS)
    return said or severe_in_words(context, event.severity) or any(criteria_of(event.extension))


def _grade(context: Context, event: AdverseEvent, outcomes: Iterable[CodeableConcept]) -> Grade:
    """The grade; a fatal outcome is grade 5, a danger to life at least what grade 4 says."""
    found = grade_of(context, SUBJECT, event.extension, (event.severity, event.seriousness))
    criteria = [*criteria_of(event.extension)]
    if context.book.says(joined((*outcomes, *criteria)), FATAL):
        return Grade(5, STATED, "fatal")
    graver = context.book.says(joined(criteria), _LIFE_THREATENING)
    if graver and found.origin != STATED:
        return Grade(4, FROM_SEVERITY, "life-threatening")
    return found


def criteria_of(extensions: Iterable[Extension]) -> Iterator[CodeableConcept]:
    """What made the event a serious one, as far as it is said to have been so."""
    for extension in extensions:
        if tail(extension.url) not in _SERIOUSNESS_TAILS:
            continue
        if extension.value_codeable_concept is not None:
            yield extension.value_codeable_concept
        present = [part.value_boolean for part in extension.extension
                   if tail(part.url) == "criterionpresent"]  # fmt: skip
        if False in present:
            continue
        for part in extension.extension:
            if tail(part.url) == "criterioncode" and part.value_codeable_concept is not None:
                yield part.value_codeable_concept


def resolved_on(context: Context, event: AdverseEvent) -> date | None:
    """The day on which it was over, from an extension or the end of an R5 period."""
    for extension in event.extension:
        if dates_the_end(extension):
            return context.day_of(
                extension.value_date_time, extension.value_date, extension.value_string
            )
    period = event.occurrence_period
    return context.day_of(period.end) if period is not None else None


def dates_the_end(extension: Extension) -> bool:
    """Whether an extension says on which day an event was over."""
    return tail(extension.url).replace("-", "").endswith(("resolveddate", "resolvedate"))


def _withdrawn(event: AdverseEvent) -> bool:
    """Whether a guide's status extension takes it back; R5's own status is seen by the record."""
    for extension in (*event.modifier_extension, *event.extension):
        concept = extension.value_codeable_concept
        codes = [coding.code for coding in concept.coding] if concept is not None else []
        if tail(extension.url) == "status" and _NO_FINDING & {extension.value_code, *codes}:
            return True
    return False


def listed(
    value: CodeableConcept | tuple[CodeableConcept, ...] | None,
) -> tuple[CodeableConcept, ...]:
    """None, one or several outcomes as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, CodeableConcept) else value


def joined(concepts: Iterable[CodeableConcept]) -> CodeableConcept:
    """One concept with the codes of all."""
    return CodeableConcept(coding=tuple(coding for item in concepts for coding in item.coding))


def _effects(event: AdverseEvent) -> Iterator[Reference]:
    for extension in event.extension:
        if tail(extension.url) in _EFFECT_TAILS and extension.value_reference is not None:
            yield extension.value_reference


def _key(reference: Reference) -> str | None:
    parsed = parse_reference(reference.reference)
    return parsed.key if parsed is not None else None

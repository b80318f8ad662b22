"""Findings from Conditions: problems, diagnoses of a visit, and what was refuted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from cds_service.facts import finding_causes
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import grade_of, severe_in_words, tail
from cds_service.facts.finding_readings import (
    OVER,
    PRESENT,
    REFUTED,
    SUSPECTED,
    Named,
    Reading,
    believed_end,
    dated_in_future,
    named,
    reading,
    says_something,
)
from cds_service.fhir.references import parse_reference
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import Condition, Encounter, Reference

SUBJECT = "conditions"
DOUBTED = frozenset({"provisional", "differential", "unconfirmed"})
"""Verification statuses of what is thought of but not confirmed."""
OVER_STATUSES = frozenset({"resolved", "inactive", "remission"})
"""Clinical statuses of what is over."""
_LASTING = frozenset({"active", "recurrence", "relapse"})
_A_CONDITION = "a condition"
NOT_HELD = frozenset({"planned", "entered-in-error", "cancelled"})
"""Statuses of visits that did not take place."""
_ASSERTED = "condition-asserteddate"
_UNNAMED_SITE = "metastasis of unnamed site"


def read(context: Context) -> Iterator[Reading]:
    """Every Condition up to the day asked about, whether its code is known or not."""
    visits = listing_visits(context)
    for condition in context.record.of_type(Condition):
        found = read_condition(context, condition, visits.get(condition.key))
        if found is not None:
            yield found


def listing_visits(context: Context) -> dict[str, date]:
    """By Condition the day of the first visit that was held and lists it as a diagnosis."""
    found: dict[str, date] = {}
    for encounter in context.record.of_type(Encounter):
        day = visit_day(context, encounter)
        if day is None or day > context.as_of or status_of(encounter) in NOT_HELD:
            continue
        for diagnosis in encounter.diagnosis:
            stated = diagnosis.condition
            for item in (stated,) if isinstance(stated, Reference) else tuple(stated or ()):
                reference = item if isinstance(item, Reference) else item.reference
                parsed = parse_reference(reference.reference) if reference is not None else None
                if parsed is not None and parsed.key is not None:
                    found[parsed.key] = min(day, found.get(parsed.key, day))
    return found


def read_condition(
    context: Context, condition: Condition, visited: date | None = None
) -> Reading | None:
    """One Condition; None when it is dated in the future.

    `visited` is the day of the visit that lists it, which counts when it has no day of its own.
    """
    meaning = _meaning(context, condition)
    verification = _verification(condition, meaning)
    recorded = context.day_of(recorded_text(condition))
    began = began_on(context, condition, visited)
    if verification == "refuted":
        period = condition.onset_period
        said = context.day_of(
            recorded_text(condition),
            condition.onset_date_time,
            period.start if period is not None else None,
        )
        if dated_in_future(context, SUBJECT, _A_CONDITION, said):
            return None
        return reading(condition, meaning, REFUTED, said or visited, as_of=context.as_of,
                       said=said or visited)  # fmt: skip
    if dated_in_future(context, SUBJECT, _A_CONDITION, began):
        return None
    clinical = clinical_status(condition)
    over = clinical in OVER_STATUSES or (not clinical and has_abatement(condition))
    over = over or meaning.certainty == "over"
    period = condition.abatement_period
    texts = (condition.abatement_date_time, period.end if period else None)
    sent = context.day_of(*texts)
    ended = believed_end(context, SUBJECT, _A_CONDITION, began, sent) if over else None
    status = OVER if over else PRESENT
    if verification in DOUBTED:
        # A suspicion of the past that nobody has any more says nothing of today.
        status = SUSPECTED
    concepts = [condition.severity]
    for stage in condition.stage:
        concepts += [stage.summary, stage.type]
    found = reading(
        condition,
        meaning,
        status,
        began,
        as_of=context.as_of,
        ended=ended,
        said=(ended or (recorded if sent or not any(texts) else None)) if over else began,
        stated=bool(clinical in _LASTING or over),
        grade=grade_of(context, SUBJECT, condition.extension, concepts),
        causes=finding_causes.of_concepts(context, meaning.names)
        | finding_causes.of_condition(context, condition),
        note="" if sent is None or over else "active, though an end is recorded",
        serious=severe_in_words(context, condition.severity),
    )
    still = ended is not None and ended > context.as_of
    if status == SUSPECTED and over and not still:
        return replace(found, over=True)
    return found


def _verification(condition: Condition, meaning: Named) -> str:
    """The verification status; a code may carry it, and the stronger doubt counts."""
    status = status_of(condition) or ""
    if status == "refuted" or meaning.certainty == "excluded" or meaning.denied:
        return "refuted"
    return "unconfirmed" if meaning.certainty == "suspected" else status


def clinical_status(condition: Condition) -> str:
    """The clinical status code in lower case, empty when none was sent."""
    concept = condition.clinical_status
    codes = [coding.code for coding in concept.coding if coding.code] if concept else []
    return codes[0].strip().lower() if codes else ""


def has_abatement(condition: Condition) -> bool:
    """Whether an end of any type was sent: it says that it is over, if not since when."""
    parts = (
        condition.abatement_date_time,
        condition.abatement_period,
        condition.abatement_age,
        condition.abatement_range,
        condition.abatement_string,
        condition.abatement_boolean or None,
    )
    return any(part is not None for part in parts)


def began_on(context: Context, condition: Condition, visited: date | None) -> date | None:
    """The onset, else the day of recording, else that of the visit.

    An onset as an age or in words is no day, and the day of recording must not stand for it.
    """
    period = condition.onset_period
    sent = (condition.onset_date_time, period.start if period else None)
    if not any(sent) and (
        condition.onset_age is not None
        or condition.onset_range is not None
        or condition.onset_string
    ):
        return None
    if any(sent) or recorded_text(condition):
        return context.day_of(*sent, recorded_text(condition))
    if visited is None:
        encounter = context.record.resolve(condition.encounter, condition)
        visited = visit_day(context, encounter) if isinstance(encounter, Encounter) else None
    return visited


def recorded_text(condition: Condition) -> str | None:
    """The day of recording as sent: the element, else what US Core has in its place."""
    if condition.recorded_date:
        return condition.recorded_date
    told = (item.value_date_time for item in condition.extension if tail(item.url) == _ASSERTED)
    return next((text for text in told if text), None)


def visit_day(context: Context, encounter: Encounter) -> date | None:
    """The day on which a visit began."""
    period = encounter.period or encounter.actual_period
    return context.day_of(period.start, period.end) if period is not None else None


def _meaning(context: Context, condition: Condition) -> Named:
    """What the code stands for; of a metastasis without a site, where `bodySite` says it is.

    mCODE has one code for any secondary cancer.
    """
    found = named(context, SUBJECT, condition.code)
    if not says_something(found) and not found.denied:
        # A code that nobody understands: what is named as its evidence may be the disease.
        evidence = [named(context, SUBJECT, code) for item in condition.evidence
                    for code in (*item.code, item.concept)]  # fmt: skip
        seen = frozenset(name for item in evidence if not item.denied for name in item.names)
        return replace(found, possible=context.book.concepts.lowest(seen))
    if not context.book.value_sets[_UNNAMED_SITE].keys.isdisjoint(found.keys) and any(
        context.book.says(site, "brain body site") for site in condition.body_site
    ):
        return replace(found, names=context.book.concepts.with_broader("brain metastases"))
    return found

"""Findings from Observations: a finding as the value, or as the code with a yes or no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from cds_service.facts import finding_causes
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import NO_GRADE, Grade, coded_grades, grade_of
from cds_service.facts.finding_readings import (
    ABSENT,
    PRESENT,
    SUSPECTED,
    Named,
    Reading,
    dated_in_future,
    named,
    only_told,
    reading,
    says_something,
)
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.statuses import status_of
from cds_service.fhir.values import read_number
from cds_service.fhir.views import Observation, ObservationComponent

SUBJECT = "observations"
_POSITIVE = ("answer positive", "answer yes", "interpretation positive")
_NEGATIVE = ("answer negative", "answer no", "interpretation negative")
_OF_OTHERS_OR_ONCE = re.compile(
    r"\b(?:family|history|risk|father|mother|sibling|ever|previous\w*|past (?:medical|illness\w*)"
    r"|famili\w*|mutter|vater|vorerkrankung\w*|vorgeschichte|anamnese|jemals|fr[üu]her\w*|ant[ée]c[ée]dents?)\b",
    re.IGNORECASE,
)
"""Names of questions whose answer is no finding of the patient's today."""

_NO_FINDINGS = frozenset({"social-history", "survey"})
"""Categories of Observations whose words tell of no examination."""

Part = Observation | ObservationComponent


def read(context: Context) -> Iterator[Reading]:
    """The findings of every Observation that was carried out; a mere number is none."""
    for observation in context.record.of_type(Observation):
        if _is_measured(observation) and not observation.component:
            continue
        if status_of(observation) not in READABLE_STATUSES:
            continue
        yield from _read_observation(context, observation)
        yield from _told(context, observation)
    yield from _durations_of_pregnancy(context)


def _told(context: Context, observation: Observation) -> Iterator[Reading]:
    """What the words of a result name, such as the impression of an ECG: enough to ask."""
    parts: tuple[Part, ...] = (observation, *observation.component)
    spoken = [part for part in parts if part.value_string]
    if not spoken or _is_asked(observation):
        return
    told: frozenset[str] = frozenset()
    for part in spoken:
        asked = named(context, SUBJECT, part.code)
        if not asked.names and not _OF_OTHERS_OR_ONCE.search(asked.label):
            told |= context.book.concepts.told(part.value_string)
    day = _day(context, observation) if told else None
    if not told or dated_in_future(context, SUBJECT, "an observation", day):
        return
    yield only_told(context, observation, told, day, "named in the words of a result")


def _durations_of_pregnancy(context: Context) -> Iterator[Reading]:
    """A gestational age says that there was a pregnancy on its day. Of a man it is a slip."""
    patient = context.record.patient
    if patient is not None and patient.gender == "male":
        return
    for observation, part in context.record.observations(
        context.book.value_sets["gestational age"]
    ):
        number = read_number(part or observation).number
        day = _day(context, observation)
        if number is None or number <= 0 or status_of(observation) not in READABLE_STATUSES:
            continue
        if dated_in_future(context, SUBJECT, "an observation", day):
            continue
        names = context.book.concepts.with_broader("pregnancy")
        meaning = Named(names, frozenset(), "gestational age")
        yield reading(observation, meaning, PRESENT, day, as_of=context.as_of, said=day)


def _is_asked(observation: Observation) -> bool:
    """Whether it is an answer of a questionnaire or tells how somebody lives."""
    codes = (coding.code for concept in observation.category for coding in concept.coding)
    return any(code in _NO_FINDINGS for code in codes)


def _read_observation(context: Context, observation: Observation) -> Iterator[Reading]:
    parts: tuple[Part, ...] = (observation, *observation.component)
    seen = [found for part in parts for found in _seen(context, part)]
    if not seen:
        return
    day = _day(context, observation)
    if dated_in_future(context, SUBJECT, "an observation", day):
        return
    note = "preliminary result" if status_of(observation) == "preliminary" else ""
    for meaning, status in seen:
        grade = _grade(context, observation)
        denied = status == ABSENT or (grade.number == 0 and not grade.least)
        yield reading(
            observation,
            meaning,
            ABSENT if denied else status,
            day,
            as_of=context.as_of,
            said=day,
            grade=NO_GRADE if denied else grade,
            causes=() if denied else finding_causes.of_concepts(context, meaning.names),
            note=note,
        )


def _day(context: Context, observation: Observation) -> date | None:
    moment = context.effective(observation)
    return moment.day if moment is not None else None


def _seen(context: Context, part: Part) -> Iterator[tuple[Named, str]]:
    """The findings of an Observation or component, each present or absent."""
    asked = named(context, SUBJECT, part.code)
    value = part.value_codeable_concept
    if context.book.says(part.code, "pregnancy status"):
        yield from _pregnancy_status(context, part)
        return
    if asked.names:
        answer = _answer(context, part)
        if answer and asked.denied:
            answer = ABSENT if answer == PRESENT else ""
        if answer:
            yield asked, answer
        elif _is_unread(part) and not _OF_OTHERS_OR_ONCE.search(asked.label):
            # What was looked for was found or not: the answer is there, and nobody can read it.
            left = context.book.concepts.lowest(asked.names)
            yield Named(frozenset(), frozenset(), asked.label, possible=left), SUSPECTED
        return
    if value is None or _OF_OTHERS_OR_ONCE.search(asked.label):
        return
    found = named(context, SUBJECT, value)
    if says_something(found):
        denied = found.denied or _says(context, part.interpretation, _NEGATIVE)
        yield found, ABSENT if denied else PRESENT


def _pregnancy_status(context: Context, part: Part) -> Iterator[tuple[Named, str]]:
    """The answers to a question that has codes, and exact words, of its own for them."""
    value = part.value_codeable_concept
    said = (value.label if value is not None else part.value_string) or ""
    meaning = Named(context.book.concepts.with_broader("pregnancy"), frozenset(), said.strip())
    for answer, status in (("answer pregnant", PRESENT), ("answer not pregnant", ABSENT)):
        words = _words(context, (answer,))
        if context.book.says(value, answer) or said.strip().lower() in words:
            yield meaning, status
            return


def _answer(context: Context, part: Part) -> str:
    """Whether the finding that was looked for is there; empty when nothing says so.

    A coded severity or grade says that it is. An Observation without any value says nothing.
    """
    if part.value_boolean is not None:
        return PRESENT if part.value_boolean else ABSENT
    value = part.value_codeable_concept
    words = (part.value_string or (value.label if value is not None else "") or "").strip().lower()
    concepts = (*part.interpretation, *((value,) if value is not None else ()))
    if _says(context, concepts, _NEGATIVE) or words in _words(context, _NEGATIVE):
        return ABSENT
    if _says(context, concepts, _POSITIVE) or words in _words(context, _POSITIVE):
        return PRESENT
    graded = [grade.number for grade in coded_grades(context, SUBJECT, (value,))]
    if graded:
        return PRESENT if max(graded, key=lambda number: number or 0) else ABSENT
    return ""


def _is_measured(part: Part) -> bool:
    """Whether the value is a number with a unit: a grade or a score has none."""
    quantity = part.value_quantity
    return quantity is not None and bool(quantity.unit or quantity.code)


def _is_unread(part: Part) -> bool:
    """Whether an answer came in words or codes, or as a number that may be a grade."""
    if (part.value_string or "").strip() or part.value_codeable_concept is not None:
        return True
    number = read_number(part).number
    return not _is_measured(part) and number is not None and number > 0


def _says(context: Context, concepts: Iterable[CodeableConcept], sets: tuple[str, ...]) -> bool:
    return any(context.book.says(concept, *sets) for concept in concepts)


def _words(context: Context, sets: tuple[str, ...]) -> frozenset[str]:
    """The exact words of an answer that is sent as text."""
    codes = context.book.knowledge.codes.value_sets
    return frozenset(word.lower() for name in sets for word in codes[name].match_text)


def _grade(context: Context, observation: Observation) -> Grade:
    """The grade in an extension, in the value or in any component."""
    concepts = [observation.value_codeable_concept]
    concepts += [part.value_codeable_concept for part in observation.component]
    return grade_of(context, SUBJECT, observation.extension, concepts)

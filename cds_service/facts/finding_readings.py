"""What one record says of one finding: the bricks of which the findings of a patient are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.facts.concept_matching import ConceptMatcher
from cds_service.facts.context import Context
from cds_service.facts.finding_grades import NO_GRADE, Grade
from cds_service.facts.grade_scale import FROM_TERM
from cds_service.facts.onset_words import Days
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.remembered import remembered
from cds_service.fhir.resources import Resource
from cds_service.fhir.terminology import (
    ICD_10,
    NCI_THESAURUS,
    CodeKey,
    characters_of,
    coding_key,
    german_certainty,
)
from cds_service.rules import Finding

PRESENT, SUSPECTED, OVER, REFUTED, ABSENT = "present", "suspected", "over", "refuted", "absent"
CONFIRMED = frozenset({PRESENT, OVER})
_THERE = CONFIRMED | {SUSPECTED}
BY_NAME = "recognised by its name"

_MEDDRA_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """A finding with what only its record knows.

    `said` is the day on which the status was stated, `stated` whether the record says in so many
    words that it lasts or is over. `over` is set for a suspicion, too, that nobody has any more.
    `same` names records of the same event. `serious` says that the record calls it serious or
    severe without a grade to compare: in a word, or by what came of it. `possible` are concepts
    that its code or its words leave possible without saying them. `between` are the days between
    which it began, where no single day was sent.
    """

    finding: Finding
    keys: frozenset[CodeKey]
    record: Resource
    said: date | None
    over: bool = False
    stated: bool = False
    grade_as_sent: str = ""
    same: frozenset[str] = frozenset()
    serious: bool = False
    possible: frozenset[str] = frozenset()
    between: Days | None = None

    @property
    def names(self) -> frozenset[str]:
        """The concepts that it answers to; empty when neither code nor name is known."""
        return self.finding.names

    @property
    def day_order(self) -> date:
        """The day it began, for putting events in order; what has none comes first."""
        return self.finding.began or date.min

    @property
    def confirmed(self) -> bool:
        """Whether it was there, be it over or not."""
        return self.finding.status in CONFIRMED


@dataclass(frozen=True, slots=True)
class Named:
    """What a concept of a record stands for.

    `certainty` is what a German outpatient code, or a doubt in words, says of itself: suspected,
    over or excluded. `denied` says that the code means that it is absent. `possible` are concepts
    that are neither said nor denied. `least_grade` is the lowest CTCAE grade of what the codes
    mean.
    """

    names: frozenset[str]
    keys: frozenset[CodeKey]
    label: str
    note: str = ""
    certainty: str = ""
    denied: bool = False
    possible: frozenset[str] = frozenset()
    least_grade: int | None = None


_NOTHING_NAMED = Named(frozenset(), frozenset(), "")


def says_something(meaning: Named) -> bool:
    """Whether a code or a name says which disease may be meant, a code of ICD-10 even where no
    concept knows it."""
    known = bool(meaning.names or meaning.possible)
    return known or any(system in ICD_10 for system, _ in meaning.keys)


def named(context: Context, subject: str, concept: CodeableConcept | None) -> Named:
    """The concepts behind a CodeableConcept: by its codes, else by its exact name.

    A code of another terminology under the address of the NCI Thesaurus is not believed, nor is
    the name that stands beside it.
    """
    if concept is None:
        return _NOTHING_NAMED
    # Hospitals send the same few codes over and over. What is in words only may be anything, and
    # is not kept beyond the call.
    understand = _understood_before if concept.coding else _understood
    meaning, disbelieved = understand(context.book.concepts, concept)
    if disbelieved:
        context.remark(subject, "a code of MedDRA under the NCI Thesaurus was not believed")
    return meaning


def _understood(concepts: ConceptMatcher, concept: CodeableConcept) -> tuple[Named, bool]:
    """What a CodeableConcept stands for, and whether a code of it was not believed."""
    believed: list[CodeKey] = []
    texts = [concept.text]
    disbelieved = False
    for coding in concept.coding:
        key = coding_key(coding)
        if key is not None:
            if key[0] == NCI_THESAURUS and len(key[1]) == _MEDDRA_DIGITS and key[1].isdecimal():
                disbelieved = True
                continue
            believed.append(key)
        texts.append(coding.display)
    return _named(concepts, believed, texts), disbelieved


def _characters(_: ConceptMatcher, concept: CodeableConcept) -> int:
    return characters_of(concept)


_understood_before = remembered(8192, _characters)(_understood)


def _named(
    concepts: ConceptMatcher, believed: Sequence[CodeKey], texts: Sequence[str | None]
) -> Named:
    label = next((text.strip() for text in texts if text and text.strip()), "")
    marked = [item for key in believed if (item := german_certainty(key)) is not None]
    certainty = marked[0][1] if len(marked) == len(believed) and marked else ""
    keys = frozenset([*(key for key in believed if german_certainty(key) is None),
                      *(key for key, said in marked if said == certainty)])  # fmt: skip
    possible = concepts.possible(keys)
    found = concepts.match(keys)
    if found:
        least = concepts.least_grade(keys)
        return Named(found, keys, label, certainty=certainty, possible=possible, least_grade=least)
    found = concepts.denied(keys)
    if found:
        return Named(found, keys, label, denied=True)
    for text in texts:
        found, doubtful = concepts.named_in(text)
        if found:
            said = certainty or ("suspected" if doubtful else "")
            least = concepts.least_grade_of(text)
            return Named(found, keys, label, BY_NAME, said, possible=possible, least_grade=least)
    possible |= frozenset(name for text in texts for name in concepts.mentioned(text))
    return Named(frozenset(), keys, label, certainty=certainty, possible=possible)


def only_told(
    context: Context, record: Resource, told: frozenset[str], day: date | None, note: str
) -> Reading:
    """What the words of a record name: possible and no more, which is enough to ask."""
    suspected = context.book.concepts.suspected_in_words(told)
    words = Named(suspected, frozenset(), ", ".join(sorted(told)), possible=told)
    return reading(record, words, SUSPECTED, day, as_of=context.as_of, said=day, note=note)


def dated_in_future(context: Context, subject: str, what: str, day: date | None) -> bool:
    """Whether a day lies after the day asked about: what is dated so is not known yet."""
    if day is None or day <= context.as_of:
        return False
    context.remark(subject, f"{what} dated in the future was left out")
    return True


def believed_end(
    context: Context, subject: str, what: str, began: date | None, ended: date | None
) -> date | None:
    """The day on which something ended; None for one before it began, which cannot be."""
    if began is not None and ended is not None and ended < began:
        context.remark(subject, f"the end of {what} lies before its beginning and was not believed")
        return None
    return ended


def reading(
    record: Resource,
    meaning: Named,
    status: str,
    began: date | None,
    *,
    as_of: date,
    ended: date | None = None,
    said: date | None = None,
    stated: bool = False,
    grade: Grade = NO_GRADE,
    causes: Iterable[str] = (),
    same: Iterable[str] = (),
    note: str = "",
    serious: bool = False,
) -> Reading:
    """A reading as of a day. What ends later lasts on that day; one of a single day lasted it."""
    if status == PRESENT and meaning.certainty == "suspected":
        status = SUSPECTED
    if grade == NO_GRADE and meaning.least_grade is not None and status in _THERE:
        grade = Grade(meaning.least_grade, FROM_TERM, "", least=True)
    over = status == OVER
    if over and ended is not None and ended > as_of:
        status, ended, over = PRESENT, None, False
    if over and began is not None and ended is not None:
        ended = max(ended, began + timedelta(days=1))
    finding = Finding(
        meaning.names,
        status,
        began,
        ended if over else None,
        grade.number,
        grade.least,
        grade.origin,
        frozenset(causes),
        meaning.label,
        record.key,
        ", ".join(text for text in (meaning.note, note) if text),
    )
    return Reading(
        finding,
        meaning.keys,
        record,
        said,
        over=over,
        stated=stated,
        grade_as_sent=grade.as_sent,
        same=frozenset(same),
        serious=serious,
        possible=meaning.possible,
    )

"""The CTCAE grade of a finding: stated, or what a coded severity or the term itself says.

Words alone state no grade, except inside an extension that holds a grade and nothing else. What
stands in such an extension speaks before severity and stage, of which the higher counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.facts.context import Context
from cds_service.facts.grade_scale import STATED
from cds_service.fhir.datatypes import CodeableConcept, Extension
from cds_service.fhir.terminology import concept_keys

HIGHEST = 5
SEVERE_WORDS = "severe in words"
_GRADE_TAILS = ("ctcae-grade", "ctcae-grade-extension", "ae-grade")
_SEVERITY_TAILS = ("ae-severity",)
_WORDED = re.compile(r"\b(?:grade|grad|g)\s*(?:[:=]\s*)?(-?\d{1,4})\b", re.IGNORECASE)
_BARE = re.compile(r"\s*(-?\d{1,4})(?:\.0+)?\s*")


@dataclass(frozen=True, slots=True)
class Grade:
    """A CTCAE grade from 0 to 5, or None; `least` makes it a lower bound."""

    number: int | None = None
    origin: str = ""
    as_sent: str = ""
    least: bool = False


NO_GRADE = Grade()


def tail(url: str | None) -> str:
    """The last part of an extension's address, in lower case: guides differ in what precedes."""
    return (url or "").rstrip("/").rsplit("/", 1)[-1].lower()


def grade_of(
    context: Context,
    subject: str,
    extensions: Iterable[Extension],
    concepts: Iterable[CodeableConcept | None],
) -> Grade:
    """The grade that a record states.

    `extensions` are those of the record, `concepts` its severity, stage or seriousness. `subject`
    names the kind of record for a remark.
    """
    held = list(extensions)
    stated = [item for item in held if tail(item.url) in _GRADE_TAILS]
    found = list(_in_extensions(context, subject, stated))
    if not found:
        severities = (
            item.value_codeable_concept for item in held if tail(item.url) in _SEVERITY_TAILS
        )
        found = list(coded_grades(context, subject, (*concepts, *severities)))
    return max(found, key=lambda item: item.number or 0) if found else NO_GRADE


def coded_grades(
    context: Context, subject: str, concepts: Iterable[CodeableConcept | None]
) -> Iterator[Grade]:
    """The grades that concepts state in codes of a known scale."""
    scale = context.book.grade_scale
    systems = {system for (system, _), (_, origin) in scale.items() if origin == STATED}
    for concept in concepts:
        for key in concept_keys(concept):
            if key in scale:
                number, origin = scale[key]
                label = concept.label if concept is not None else None
                yield Grade(number, origin, label or f"grade {number}")
            elif key[0] in systems and _BARE.fullmatch(key[1]):
                _not_believed(context, subject)


def severe_in_words(context: Context, concept: CodeableConcept | None) -> bool:
    """Whether the text of a severity is, as a whole, a word for severe or worse. It is no grade."""
    words = context.book.knowledge.codes.value_sets[SEVERE_WORDS].match_text
    text = " ".join((concept.text or "").lower().split()) if concept is not None else ""
    return text in words


def _in_extensions(
    context: Context, subject: str, extensions: Iterable[Extension]
) -> Iterator[Grade]:
    """What extensions made for a grade say, whatever type of value they use."""
    for extension in extensions:
        concept = extension.value_codeable_concept
        if extension.value_coding is not None:
            concept = CodeableConcept(coding=(extension.value_coding,))
        coded = list(coded_grades(context, subject, (concept,)))
        if coded:
            yield from coded
            continue
        quantity = extension.value_quantity
        numbers = (
            extension.value_integer,
            extension.value_decimal,
            quantity.number if quantity is not None else None,
        )
        texts = [str(number) for number in numbers if number is not None]
        texts += [text for text in (extension.value_code, extension.value_string) if text]
        if concept is not None:
            # Sites use systems of their own here: the address says that the code is a grade.
            texts += [coding.code for coding in concept.coding if coding.code]
            texts += [concept.label] if concept.label else []
        for text in texts:
            number = _number(text)
            if number is None:
                continue
            if 0 <= number <= HIGHEST:
                yield Grade(number, STATED, text)
            else:
                _not_believed(context, subject)
            break


def _number(text: str) -> int | None:
    # Blanks that may stand in two places are single: a text of any length is read in one go.
    words = " ".join(text.split())
    match = _BARE.fullmatch(words) or _WORDED.search(words)
    return int(match[1]) if match is not None else None


def _not_believed(context: Context, subject: str) -> None:
    context.remark(subject, "a grade outside 0 to 5 was not believed")

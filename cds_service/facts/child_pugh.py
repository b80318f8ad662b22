"""The Child-Pugh class: as class, as points, in a few closed words, or as a diagnosis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from cds_service.facts.context import Context
from cds_service.facts.finding_readings import PRESENT
from cds_service.facts.measurements import READABLE_STATUSES
from cds_service.facts.problems import diagnoses
from cds_service.facts.statement_order import in_order
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import CodeableConcept, Condition, Observation
from cds_service.rules import Statement, Statements

FACT = "Child-Pugh class"
_SCORE = "Child-Pugh score"
_CLASS_IN_WORDS = re.compile(
    r"(?:child[- ]pugh\s+)?(?:score\s+)?(?:class\s+|klasse\s+|classe\s+)?([ABC])", re.IGNORECASE
)
_POINTS = {"A": range(5, 7), "B": range(7, 10), "C": range(10, 16)}


def child_pugh_class(context: Context) -> Statements | None:
    """A, B or C as recorded; points are put into their class, and never worked out here."""
    observed = list(_observed(context))
    newest = max((said.day for said in observed if said.day is not None), default=None)
    return in_order([*observed, *_diagnosed(context, newest)])


def _observed(context: Context) -> Iterator[Statement]:
    scored = {
        result.observation.key: result
        for result in context.record.observations(context.book.value_sets[_SCORE])
        if result.component is None
    }
    for observation in context.record.of_type(Observation):
        value = observation.value_codeable_concept
        answers = value is not None or observation.value_boolean or observation.key in scored
        if not answers or status_of(observation) not in READABLE_STATUSES:
            continue
        letter = _coded(context, value)
        if not letter and observation.value_boolean:
            # The class is the question, and the answer is yes.
            letter = _coded(context, observation.code)
        if not letter and observation.key in scored:
            letter = _answered(context, scored[observation.key])
        moment = context.effective(observation) if letter else None
        if letter and context.usable(moment, FACT) and moment is not None:
            as_sent = (value.label or "") if value is not None else observation.value_string
            yield Statement(letter, moment.day, as_sent or letter, observation.key)


def _diagnosed(context: Context, observed: date | None) -> Iterator[Statement]:
    """The class as an open problem, which holds today unless it was `observed` later on."""
    for item in diagnoses(context):
        condition = item.record
        if item.finding.status == PRESENT and isinstance(condition, Condition):
            letter = _coded(context, condition.code)
            if letter:
                label = condition.code.label if condition.code is not None else None
                began = item.finding.began
                superseded = observed is not None and (began is None or began < observed)
                day = began if superseded else context.as_of
                yield Statement(letter, day, label or letter, condition.key)


def _coded(context: Context, concept: CodeableConcept | None) -> str:
    for letter in _POINTS:
        if concept is not None and context.book.says(concept, f"{FACT} {letter}"):
            return letter
    return ""


def _answered(context: Context, result: CodedResult) -> str:
    """The class that the answer of a score stands for, in closed words or as points."""
    source = result.source
    concept = source.value_codeable_concept
    text = (concept.label if concept is not None else source.value_string) or ""
    worded = _CLASS_IN_WORDS.fullmatch(text.strip())
    if worded is not None:
        return worded[1].upper()
    quantity = source.value_quantity
    number: Decimal | int | None = source.value_integer
    if quantity is not None:
        number = quantity.number
    if number is None:
        return ""
    bounded = quantity is not None and bool(quantity.comparator)
    for letter, points in _POINTS.items() if not bounded else ():
        if number in points:
            return letter
    context.remark(FACT, "a result that is no value of this scale was left out")
    return ""

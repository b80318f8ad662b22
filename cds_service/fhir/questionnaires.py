"""Answers of questionnaires as the results that they are: each question with a code, one result.

A response holds no code of its questions. It is taken from the questionnaire that the response
contains, from the definition of the item, or from a linkId that is a LOINC code; else the question
is known by its words alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from cds_service.fhir.datatypes import CodeableConcept, Coding, Quantity
from cds_service.fhir.questionnaire_views import (
    Answer,
    Questionnaire,
    QuestionnaireItem,
    QuestionnaireResponse,
    ResponseItem,
)
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import LOINC, SNOMED
from cds_service.fhir.views import Observation

_ANSWERED = frozenset({"completed", "amended"})
_SURVEY = CodeableConcept(coding=(Coding(code="survey"),))
_LOINC = re.compile(r"\d{4,5}-\d")
_ADDRESS = re.compile(r"loinc\.org/(?:\S*[/#])?(\d{4,5}-\d)\Z|snomed\.info/(?:id|sct)/(\d{6,18})\Z")


def results_in(response: QuestionnaireResponse) -> Iterator[Observation]:
    """A result for every answer of a response that was completed."""
    if status_of(response) not in _ANSWERED:
        return
    codes = _codes_of_questions(response)
    for number, (item, answer) in enumerate(_answers(response.item)):
        coding = codes.get(item.link_id or "", ()) or tuple(_codes_of(item))
        text = (item.text or "").strip() or None
        coded = answer.value_coding
        decimal = answer.value_decimal
        yield Observation(
            id=f"{response.id}.{number}" if response.id else None,
            meta=response.meta,
            status="final",
            category=(_SURVEY,),
            code=CodeableConcept(coding=coding, text=text),
            subject=response.subject,
            effective_date_time=response.authored,
            value_quantity=answer.value_quantity
            or (Quantity(value=decimal) if decimal is not None else None),
            value_codeable_concept=CodeableConcept(coding=(coded,)) if coded else None,
            value_string=answer.value_string,
            value_integer=answer.value_integer,
            value_boolean=answer.value_boolean,
        )


def has_uncoded_questions(response: QuestionnaireResponse) -> bool:
    """Whether a question that was answered is known by its words alone."""
    return any(result.code is None or not result.code.coding for result in results_in(response))


def _answers(items: tuple[ResponseItem, ...]) -> Iterator[tuple[ResponseItem, Answer]]:
    for item in items:
        for answer in item.answer:
            yield item, answer
            yield from _answers(answer.item)
        yield from _answers(item.item)


def _codes_of(item: ResponseItem) -> Iterator[Coding]:
    """The codes that the definition or the linkId of an item are."""
    address = _ADDRESS.search((item.definition or "").strip())
    if address is not None:
        loinc, snomed = address.groups()
        yield Coding(system=LOINC, code=loinc) if loinc else Coding(system=SNOMED, code=snomed)
        return
    last = (item.link_id or "").strip().rsplit("/", 1)[-1]
    if _LOINC.fullmatch(last) and _checks(last):
        yield Coding(system=LOINC, code=last)


def _checks(code: str) -> bool:
    """Whether the last digit is the one that LOINC works out from the others (modulus 10)."""
    number, _, check = code.partition("-")
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(check)


def _codes_of_questions(response: QuestionnaireResponse) -> dict[str, tuple[Coding, ...]]:
    """By linkId the codes of the questionnaire that the response contains."""
    if not (response.questionnaire or "").startswith("#"):
        return {}
    for raw in response.contained:
        try:
            held = msgspec.json.decode(raw, type=Questionnaire)
        except msgspec.MsgspecError:
            continue
        return dict(_questions(held.item))
    return {}


def _questions(items: tuple[QuestionnaireItem, ...]) -> Iterator[tuple[str, tuple[Coding, ...]]]:
    for item in items:
        if item.link_id and item.code:
            yield item.link_id, item.code
        yield from _questions(item.item)

"""The answers to a questionnaire as FHIR has them, and the questions where they are contained."""

from __future__ import annotations

from decimal import Decimal

from cds_service.fhir.datatypes import Coding, DataType, Quantity, Reference
from cds_service.fhir.resources import Resource


class Answer(DataType, frozen=True):
    """One answer, and the questions that follow from it."""

    value_boolean: bool | None = None
    value_decimal: Decimal | None = None
    value_integer: int | None = None
    value_string: str | None = None
    value_coding: Coding | None = None
    value_quantity: Quantity | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    item: tuple[ResponseItem, ...] = ()


class ResponseItem(DataType, frozen=True):
    """A question, or a group of them."""

    link_id: str | None = None
    definition: str | None = None
    text: str | None = None
    answer: tuple[Answer, ...] = ()
    item: tuple[ResponseItem, ...] = ()


class QuestionnaireResponse(Resource, frozen=True):
    """The answers to a questionnaire."""

    status: str | None = None
    questionnaire: str | None = None
    subject: Reference | None = None
    authored: str | None = None
    item: tuple[ResponseItem, ...] = ()


class QuestionnaireItem(DataType, frozen=True):
    """A question with its codes."""

    link_id: str | None = None
    code: tuple[Coding, ...] = ()
    item: tuple[QuestionnaireItem, ...] = ()


class Questionnaire(Resource, frozen=True):
    """The questions, where a response contains them."""

    item: tuple[QuestionnaireItem, ...] = ()

"""What the client says: the hook request, its context by hook, and feedback.

Requests are read leniently: unknown members are ignored, and an optional member that is null or
empty counts as absent (C-06, C-08, C-10). A required member that cannot be used is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from cds_service.protocol.errors import BadRequest
from cds_service.protocol.urls import parse_address

# Eight, four, four, four and twelve hexadecimal digits; clients send values of no RFC 4122
# version, so nothing more is asked (E-10).
_LOOSE_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_CODE_WORD = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_EARLIEST_YEAR, _LATEST_YEAR = 1900, 2999
_TOKEN = re.compile(r"[\x21-\x7e]+")


def _empty_is_absent(value: Any) -> Any:
    return None if isinstance(value, (str, list, dict)) and len(value) == 0 else value


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _bare_id(text: str) -> str:
    # The id is put into URLs, where a slash or a dot segment would ask for another resource.
    if "/" in text or not text.strip(".") or any(ord(letter) <= 0x20 for letter in text):
        raise ValueError("must be a bare id, without Patient/ or any other type before it")
    return text


def _loose_uuid(text: str) -> str:
    if not _LOOSE_UUID.fullmatch(text):
        raise ValueError("must be a UUID")
    return text


def _base_url(text: str) -> str:
    address = parse_address(text)
    if address is None or address.query or address.fragment:
        raise ValueError("must be an absolute http or https URL")
    return text.rstrip("/")


def _bearer(text: str) -> str:
    if text.lower() != "bearer":
        raise ValueError("must be Bearer")
    return text


def _header_safe(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be a token")
    return text


def _instant_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not _INSTANT.fullmatch(value):
        raise ValueError("must be an instant with an offset from UTC")
    return value


def _in_the_calendar(moment: datetime) -> datetime:
    # A clock that was never set says year 1 or 9999: no time at which anybody answered a card, and
    # one that has no place in the calendar once its offset is taken off.
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ValueError(f"must lie in the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return moment


def _loose_bundle(value: dict[str, Any]) -> dict[str, Any]:
    # Real clients leave out Bundle.type, so only the resource type is looked at.
    if value.get("resourceType") != "Bundle":
        raise ValueError("must be a Bundle")
    return value


RequiredText = Annotated[str, AfterValidator(_not_blank)]
BareId = Annotated[RequiredText, AfterValidator(_bare_id)]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_absent)]
OptionalBareId = Annotated[
    Annotated[str, AfterValidator(_bare_id)] | None, BeforeValidator(_empty_is_absent)
]
Bundle = Annotated[dict[str, Any], AfterValidator(_loose_bundle)]


class RequestModel(BaseModel):
    """Base of everything received: unknown members are ignored, and no value is echoed."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )


class FhirAuthorization(RequestModel):
    """Leave to read the client's FHIR server, for this call only (C-05, C-17).

    The specification requires all five members. Only the token is needed to use it, so the
    others are read if they are there.
    """

    model_config = ConfigDict(alias_generator=None)

    access_token: Annotated[RequiredText, AfterValidator(_header_safe)] = Field(repr=False)
    token_type: Annotated[
        Annotated[str, AfterValidator(_bearer)] | None, BeforeValidator(_empty_is_absent)
    ] = None
    expires_in: Annotated[int | None, BeforeValidator(_empty_is_absent)] = None
    scope: OptionalText = None
    subject: OptionalText = None
    patient: Annotated[OptionalText, Field(repr=False)] = None


class HookContext(RequestModel):
    """What every hook tells; also the whole of what is known of a hook of somebody's own."""

    patient_id: BareId = Field(repr=False)
    user_id: OptionalText = Field(default=None, repr=False)
    encounter_id: OptionalBareId = Field(default=None, repr=False)


class _UserContext(HookContext):
    user_id: RequiredText = Field(repr=False)


class PatientViewContext(_UserContext):
    """H-01."""


class OrderSignContext(_UserContext):
    """H-03. Status of an order may be other than draft when an order is revised (R-214)."""

    draft_orders: Bundle = Field(repr=False)


class OrderSelectContext(OrderSignContext):
    """H-02. ``selections`` are references into ``draft_orders``."""

    selections: tuple[RequiredText, ...] = Field(min_length=1, repr=False)


class OrderDispatchContext(HookContext):
    """H-04. Older clients spell two members otherwise (X-09, E-58)."""

    dispatched_orders: tuple[RequiredText, ...] = Field(
        min_length=1, validation_alias=AliasChoices("dispatchedOrders", "order"), repr=False
    )
    performer: RequiredText = Field(repr=False)
    fulfillment_tasks: tuple[dict[str, Any], ...] = Field(
        default=(),
        validation_alias=AliasChoices("fulfillmentTasks", "fulfillment-tasks", "task"),
        repr=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _single_values_become_lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        changed = dict(value)
        if isinstance(changed.get("order"), str):
            changed["order"] = [changed["order"]]
        if isinstance(changed.get("task"), dict):
            changed["task"] = [changed["task"]]
        for name in ("fulfillmentTasks", "fulfillment-tasks", "task"):
            if name in changed and changed[name] is None:
                del changed[name]
        return changed


class MedicationPrescribeContext(_UserContext):
    """H-05, deprecated in favour of order-select and order-sign."""

    medications: Bundle = Field(repr=False)


class OrderReviewContext(_UserContext):
    """H-06, deprecated in favour of order-sign."""

    orders: Bundle = Field(repr=False)


class MedicationRefillContext(HookContext):
    """H-07. A refill may come without a user (R-215)."""

    medications: Bundle = Field(repr=False)


class EncounterStartContext(_UserContext):
    """H-08."""

    encounter_id: BareId = Field(repr=False)


class EncounterDischargeContext(EncounterStartContext):
    """H-09."""


class AppointmentBookContext(_UserContext):
    """H-10."""

    appointments: Bundle = Field(repr=False)


class ProblemListItemCreateContext(_UserContext):
    """H-11."""

    conditions: Bundle = Field(repr=False)


class AllergyIntoleranceCreateContext(_UserContext):
    """H-12. The resource stands alone or inside a ``resource`` wrapper (X-10)."""

    allergy_intolerance: dict[str, Any] = Field(min_length=1, repr=False)


class MedicationVerifyContext(_UserContext):
    """H-13, from the continuous build; the text and its example disagree on a name (X-11)."""

    medication: dict[str, Any] = Field(
        min_length=1, validation_alias=AliasChoices("medication", "order"), repr=False
    )


class HookRequest(RequestModel):
    """The envelope of a hook call (C-02 to C-08).

    ``context`` is checked by the model of its hook, and ``prefetch`` holds whatever came.
    """

    hook: RequiredText
    hook_instance: Annotated[RequiredText, AfterValidator(_loose_uuid)]
    fhir_server: Annotated[
        Annotated[str, AfterValidator(_base_url)] | None, BeforeValidator(_empty_is_absent)
    ] = None
    fhir_authorization: Annotated[FhirAuthorization | None, BeforeValidator(_empty_is_absent)] = (
        None
    )
    context: dict[str, Any] = Field(repr=False)
    prefetch: Mapping[str, Any] | None = Field(default=None, repr=False)
    extension: Any = Field(default=None, repr=False)


class AcceptedSuggestion(RequestModel):
    """A suggestion that was taken up; ``id`` is the uuid it was sent with."""

    id: RequiredText


class ReceivedCoding(RequestModel):
    """A coding in feedback; a client may use codes and displays of its own (C-37)."""

    code: RequiredText
    system: OptionalText = None
    display: OptionalText = None


class GivenOverrideReason(RequestModel):
    """Why a card was not followed. The comment is free text and may name the patient (R-192).

    Older clients send it flat: the coding itself, its code alone, or a list of one of them. A
    text that is no code counts as a comment.
    """

    reason: Annotated[ReceivedCoding | None, BeforeValidator(_empty_is_absent)] = None
    user_comment: OptionalText = Field(default=None, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _flat_forms(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str):
            return (
                {"reason": {"code": value}}
                if _CODE_WORD.fullmatch(value)
                else ({"userComment": value})
            )
        if not isinstance(value, dict):
            return value
        reason = value.get("reason")
        if reason is None and isinstance(value.get("code"), str):
            coding = {name: value.get(name) for name in ("code", "system", "display")}
            return {**value, "reason": coding}
        if isinstance(reason, list) and len(reason) == 1:
            reason = reason[0]
        if isinstance(reason, dict) and "code" not in reason:
            # A CodeableConcept in place of the Coding.
            codings = reason.get("coding")
            if isinstance(codings, list) and codings:
                reason = codings[0]
        if isinstance(reason, str):
            if not _CODE_WORD.fullmatch(reason):
                return {**value, "reason": None, "userComment": value.get("userComment") or reason}
            reason = {"code": reason}
        return {**value, "reason": reason}

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.reason is None and self.user_comment is None:
            raise ValueError("needs reason or userComment")
        return self


class FeedbackItem(RequestModel):
    """What became of one card (C-31 to C-33). ``outcome_timestamp`` always has an offset."""

    card: RequiredText
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: Annotated[
        datetime, BeforeValidator(_instant_text), AfterValidator(_in_the_calendar)
    ]
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = ()
    override_reason: Annotated[GivenOverrideReason | None, BeforeValidator(_empty_is_absent)] = (
        Field(default=None, validation_alias=AliasChoices("overrideReason", "overrideReasons"))
    )

    @model_validator(mode="before")
    @classmethod
    def _null_suggestions_are_absent(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("acceptedSuggestions", ()) is None:
            return {name: part for name, part in value.items() if name != "acceptedSuggestions"}
        return value

    @model_validator(mode="after")
    def _accepted_names_suggestions(self) -> Self:
        if self.outcome == "accepted" and not self.accepted_suggestions:
            raise ValueError("accepted needs acceptedSuggestions")
        return self


class FeedbackRequest(RequestModel):
    """The body of a feedback call (C-30): several cards, several calls, repeats and all."""

    feedback: tuple[FeedbackItem, ...]


def refusal(error: ValidationError, root: str) -> BadRequest:
    """Turn the first validation error into a BadRequest that names the element under ``root``.

    Only names from our own models and positions reach the text, never a value.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    expression = root
    for step in first["loc"]:
        expression += f"[{step}]" if isinstance(step, int) else f".{step}"
    if first["type"] == "missing" or first["input"] is None:
        return BadRequest(
            "A required element is missing.", expression=expression, issue_code="required"
        )
    # Our own checks say in fixed words what was wanted; a library's message may hold the value.
    own = first["type"] == "value_error"
    wanted = f": it {first['msg'].removeprefix('Value error, ')}" if own else ""
    return BadRequest(
        f"An element does not have the type or value it must have{wanted}.",
        expression=expression,
        issue_code="value",
    )

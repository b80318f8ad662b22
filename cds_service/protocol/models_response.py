"""What the service says: cards, suggestions, actions, links and discovery (CDS Hooks 2.0.1).

Attributes are snake_case here and camelCase on the wire. A model that exists obeys the
specification: unknown members are refused, so a misspelt one cannot be dropped in silence, and
every rule below is checked when the object is made. Objects are frozen, so that one card cannot
change under another.

Clause numbers (R-nn) are those of the project's CDS Hooks conformance table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel

from cds_service.protocol import wire
from cds_service.protocol.urls import is_absolute_url

SPECIFICATION_VERSION = "2.0.1"
SUMMARY_LIMIT = 139

Indicator = Literal["info", "warning", "critical"]
SelectionBehavior = Literal["at-most-one", "any"]
ActionType = Literal["create", "update", "delete"]
LinkType = Literal["absolute", "smart"]

# Longer ids than FHIR's 64 characters are in daily use, so only the alphabet is checked (E-11).
_RELATIVE_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]+")
_LINE_BREAKS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_EXTENSION_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2,}")


def is_relative_reference(text: str) -> bool:
    """Say whether ``text`` is ``Type/id``, as a delete has to name its target (R-133)."""
    return _RELATIVE_REFERENCE.fullmatch(text) is not None


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _absolute_url(text: str) -> str:
    if not is_absolute_url(text):
        raise ValueError("must be an absolute http or https URL")
    return text


def _lower_case_uuid(text: str) -> str:
    try:
        canonical = str(UUID(text))
    except ValueError:
        raise ValueError("must be a UUID") from None
    if canonical != text:
        raise ValueError("must be a UUID in lower case with hyphens")
    return text


def _summary(text: str) -> str:
    # A client in Java or JavaScript counts UTF-16 units, one in Python counts code points.
    length = max(len(text), len(text.encode("utf-16-le", "surrogatepass")) // 2)
    if length > SUMMARY_LIMIT:
        raise ValueError(f"must be shorter than 140 characters, is {length}")
    if _LINE_BREAKS.search(text):
        raise ValueError("must be one line")
    return text


def _new_uuid() -> str:
    return str(uuid4())


Text = Annotated[str, AfterValidator(_not_blank)]
AbsoluteUrl = Annotated[str, AfterValidator(_absolute_url)]
LowerCaseUuid = Annotated[str, AfterValidator(_lower_case_uuid)]
Summary = Annotated[Text, AfterValidator(_summary)]
Resource = dict[str, Any]


class WireModel(BaseModel):
    """Base of everything sent: closed, frozen, and silent about what has no value."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    @model_serializer(mode="wrap")
    def _omit_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in dumped.items()
            if not wire.is_empty(value) or name in self._always_sent()
        }

    @classmethod
    def _always_sent(cls) -> frozenset[str]:
        return frozenset()

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object as Python values, exact decimals kept."""
        dumped: dict[str, Any] = wire.as_json_types(self.model_dump(by_alias=True))
        return dumped

    def to_json(self) -> bytes:
        """Return the JSON text; this, not pydantic's own, writes a Decimal as a number."""
        return wire.encode(self.model_dump(by_alias=True))


class ExtensibleModel(WireModel):
    """A wire model that may carry data agreed with the client (R-195, R-196).

    Member names of ``extension`` are globally unique: reversed domain names with two dots or
    more.
    """

    extension: dict[str, Any] | None = None

    @field_validator("extension")
    @classmethod
    def _check_extension(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        for name in value:
            if not _EXTENSION_NAME.fullmatch(name):
                raise ValueError("member names must be reversed domain names")
        wire.check_json_value(value)
        cleaned: dict[str, Any] = wire.without_empties(value)
        return cleaned


class Coding(WireModel):
    """A code in a code system (R-197)."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReason(Coding):
    """A reason a clinician can pick for not following a card; ``display`` is needed (R-110)."""

    display: Text


class Source(ExtensibleModel):
    """Where the guidance comes from (R-115 to R-120). Both URLs are absolute."""

    label: Text
    url: AbsoluteUrl | None = None
    icon: AbsoluteUrl | None = None
    topic: Coding | None = None


class Action(ExtensibleModel):
    """A change of one FHIR resource (R-128 to R-135).

    ``resource`` is the whole resource as it should be. The numbers in it may be Decimal, which
    are sent digit by digit. Null and empty members are dropped on the way in, because FHIR JSON
    gives them no meaning and the client must not be sent any.
    """

    type: ActionType
    description: Text
    resource: Resource | None = None
    resource_id: str | None = None

    @field_validator("resource")
    @classmethod
    def _check_resource(cls, value: Resource | None) -> Resource | None:
        if value is None:
            return None
        wire.check_json_value(value)
        cleaned: Resource = wire.without_empties(value)
        resource_type = cleaned.get("resourceType")
        if not isinstance(resource_type, str) or not resource_type.strip():
            raise ValueError("must be a FHIR resource with a resourceType")
        return cleaned

    @model_validator(mode="after")
    def _check_target(self) -> Self:
        if self.type == "delete":
            if self.resource is not None:
                raise ValueError("a delete names its target in resourceId, not in resource")
            if self.resource_id is None:
                raise ValueError("a delete needs resourceId")
            if not is_relative_reference(self.resource_id):
                raise ValueError("resourceId must look like Type/id")
        else:
            if self.resource is None:
                raise ValueError(f"{self.type} needs the whole resource")
            if self.resource_id is not None:
                raise ValueError("only a delete has resourceId")
        return self

    @property
    def ends_an_order(self) -> bool:
        """Whether it ends an order in force; a draft has no such status."""
        resource = self.resource
        return (
            self.type == "update" and resource is not None and resource.get("status") == "stopped"
        )


class Suggestion(ExtensibleModel):
    """A set of actions that are taken together (R-121 to R-126)."""

    label: Text
    uuid: LowerCaseUuid = Field(default_factory=_new_uuid)
    is_recommended: bool | None = Field(default=None, strict=True)
    actions: tuple[Action, ...] = ()

    @field_validator("is_recommended")
    @classmethod
    def _omit_false(cls, value: bool | None) -> bool | None:
        return value or None


class Link(ExtensibleModel):
    """A link to a page or a SMART app (R-140 to R-144)."""

    label: Text
    url: AbsoluteUrl
    type: LinkType
    app_context: Text | None = None
    autolaunchable: bool | None = Field(default=None, strict=True)

    @model_validator(mode="after")
    def _check_app_context(self) -> Self:
        if self.app_context is not None and self.type != "smart":
            raise ValueError("appContext is only for smart links")
        return self


class Card(ExtensibleModel):
    """One piece of guidance (R-100 to R-112). A fresh ``uuid`` is drawn unless one is given."""

    uuid: LowerCaseUuid = Field(default_factory=_new_uuid)
    summary: Summary
    detail: Text | None = None
    indicator: Indicator
    source: Source
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: SelectionBehavior | None = None
    override_reasons: tuple[OverrideReason, ...] = ()
    links: tuple[Link, ...] = ()

    @model_validator(mode="after")
    def _check_suggestions(self) -> Self:
        if self.suggestions and self.selection_behavior is None:
            raise ValueError("suggestions need selectionBehavior")
        if not self.suggestions and self.selection_behavior is not None:
            raise ValueError("selectionBehavior is only for a card with suggestions")
        if len({suggestion.label for suggestion in self.suggestions}) != len(self.suggestions):
            raise ValueError("two suggestions of one card have the same label")
        recommended = sum(1 for suggestion in self.suggestions if suggestion.is_recommended)
        if self.selection_behavior == "at-most-one" and recommended > 1:
            raise ValueError("only one of several alternatives can be recommended")
        return self

    @model_validator(mode="after")
    def _check_autolaunch(self) -> Self:
        # A client may open an autolaunch link instead of showing the card.
        if self.indicator != "info" and any(link.autolaunchable for link in self.links):
            raise ValueError("a warning must not depend on a link that opens by itself")
        return self


class CdsResponse(ExtensibleModel):
    """The answer to one hook call (R-85 to R-87). No guidance is ``cards`` as an empty array."""

    cards: tuple[Card, ...] = ()
    system_actions: tuple[Action, ...] = ()

    @classmethod
    def _always_sent(cls) -> frozenset[str]:
        return frozenset({"cards"})

    @model_validator(mode="after")
    def _check_uuids(self) -> Self:
        uuids = [card.uuid for card in self.cards]
        uuids += [suggestion.uuid for card in self.cards for suggestion in card.suggestions]
        if len(set(uuids)) != len(uuids):
            raise ValueError("a uuid is used twice, so feedback could not be told apart")
        return self


class ServiceDescription(ExtensibleModel):
    """One entry of discovery (R-14 to R-22). ``prefetch`` maps a key to its template."""

    hook: Text
    title: Text | None = None
    description: Text
    id: Text
    prefetch: Mapping[str, Text] | None = None
    usage_requirements: Text | None = None
    version: Text | None = SPECIFICATION_VERSION
    hook_version: Text | None = None


class Discovery(ExtensibleModel):
    """The body of ``GET {base}/cds-services`` (R-11, R-12)."""

    services: tuple[ServiceDescription, ...] = ()

    @classmethod
    def _always_sent(cls) -> frozenset[str]:
        return frozenset({"services"})

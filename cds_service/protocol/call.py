"""From the bytes of a body to a :class:`HookCall` that services can trust."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from cds_service.protocol import decoding
from cds_service.protocol.body_limits import BodyLimits
from cds_service.protocol.clients import Client
from cds_service.protocol.errors import BadRequest
from cds_service.protocol.hook_call import HookCall
from cds_service.protocol.hook_definitions import HookDefinition, hook_definition
from cds_service.protocol.models_request import (
    HookContext,
    HookRequest,
    OrderDispatchContext,
    OrderSelectContext,
    OrderSignContext,
    refusal,
)
from cds_service.protocol.registry import Service, ServiceRegistry

ROOT = "CDSHooksRequest"

_USUAL_LIMITS = BodyLimits()
_logger = logging.getLogger("alk_cds.protocol")
# Some clients add the resource a draft refers to as one more entry of the Bundle (E-12).
_RIDES_ALONG = frozenset({"Medication"})
_DRAFT_HOOKS = frozenset({"order-select", "order-sign"})


def read_call(
    body: bytes,
    service_id: str,
    registry: ServiceRegistry,
    *,
    client: Client,
    limits: BodyLimits = _USUAL_LIMITS,
) -> HookCall:
    """Read the body of ``POST {base}/cds-services/{service_id}``.

    Nothing inside ``prefetch`` is decoded here beyond its keys. Raises NotFound for a service
    that does not exist, BadRequest, naming the element, for a body that breaks the rules, and
    TooLarge for one beyond ``limits``.
    """
    registry.require(service_id)
    raw = decoding.members(decoding.check_text(body), ROOT)
    prefetch_raw = raw.pop("prefetch", b"null")
    limits.check_envelope(raw.values())
    request = _read_envelope(raw)
    service = registry.find(service_id, request.hook)
    definition = hook_definition(service.hook)
    if definition is None:
        raise AssertionError("unreachable: the registry admits only hooks with a definition")
    fhir_server, token, expires_in = _read_fhir_access(request, client)
    context, received = _read_context(request.context, definition, client)
    _note_unexpected_user(context, definition, request, service)
    resources, by_reference = _read_bundle(received, definition, limits)
    prefetch, unreadable = _read_prefetch(prefetch_raw, client, limits)
    return HookCall(
        service_id=service_id,
        hook=service.hook,
        hook_instance=request.hook_instance,
        patient_id=context.patient_id,
        user_id=context.user_id,
        encounter_id=context.encounter_id,
        fhir_server=fhir_server,
        access_token=token,
        draft_orders=tuple(
            resource for resource in resources if resource["resourceType"] not in _RIDES_ALONG
        ),
        draft_bundle_resources=resources,
        selections=context.selections if isinstance(context, OrderSelectContext) else (),
        dispatched_orders=(
            context.dispatched_orders if isinstance(context, OrderDispatchContext) else ()
        ),
        prefetch=MappingProxyType(prefetch),
        unreadable_prefetch=unreadable,
        client=client.identity,
        context=MappingProxyType(received),
        extension=request.extension if isinstance(request.extension, dict) else {},
        access_token_expires_in=expires_in,
        allow_private_addresses=client.allow_private_addresses,
        max_cards=client.habits.max_cards,
        agreed_warnings=frozenset(client.habits.agreed_warnings),
        takes_system_actions=client.habits.system_actions,
        draft_resources_by_reference=MappingProxyType(by_reference),
    )


def _read_envelope(raw: Mapping[str, bytes]) -> HookRequest:
    names = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension")
    envelope = {name: decoding.decode(raw[name], f"{ROOT}.{name}") for name in names if name in raw}
    try:
        return HookRequest.model_validate(envelope, by_alias=True, by_name=False)
    except ValidationError as error:
        raise refusal(error, ROOT) from None


def _read_fhir_access(
    request: HookRequest, client: Client
) -> tuple[str | None, str | None, int | None]:
    server, authorization = request.fhir_server, request.fhir_authorization
    if server is None:
        if authorization is not None:
            raise BadRequest(
                "fhirServer is required when fhirAuthorization is present.",
                expression=f"{ROOT}.fhirServer",
                issue_code="required",
            )
        return None, None, None
    if not client.may_offer_fhir_servers:
        return None, None, None
    if not client.permits_fhir_server(server):
        raise BadRequest(
            "This FHIR server is not agreed with the client.",
            expression=f"{ROOT}.fhirServer",
            issue_code="value",
        )
    if authorization is None:
        return server, None, None
    return server, authorization.access_token, authorization.expires_in


def _read_context(
    received: dict[str, Any], definition: HookDefinition, client: Client
) -> tuple[HookContext, dict[str, Any]]:
    model: type[HookContext] = definition.context_model
    if (
        client.habits.tolerate_absent_draft_orders
        and definition.name in _DRAFT_HOOKS
        and not received.get("draftOrders")
    ):
        received = {**received, "draftOrders": {"resourceType": "Bundle"}}
        if not received.get("selections"):
            received.pop("selections", None)
            model = OrderSignContext
    try:
        context = model.model_validate(received, by_alias=True, by_name=False)
    except ValidationError as error:
        raise refusal(error, f"{ROOT}.context") from None
    if isinstance(context, OrderDispatchContext):
        # The three spellings in use become the one of the published table.
        received = {
            **received,
            "dispatchedOrders": list(context.dispatched_orders),
            "fulfillmentTasks": list(context.fulfillment_tasks),
        }
    return context, received


def _read_bundle(
    context: Mapping[str, Any], definition: HookDefinition, limits: BodyLimits
) -> tuple[tuple[Mapping[str, Any], ...], dict[str, Mapping[str, Any]]]:
    if definition.bundle_field is None or definition.bundle_field not in context:
        return (), {}
    expression = f"{ROOT}.context.{definition.bundle_field}.entry"
    entries = context[definition.bundle_field].get("entry")
    if entries is None:
        return (), {}
    if not isinstance(entries, list):
        raise BadRequest("An array is expected here.", expression=expression)
    limits.check_drafts(len(entries), expression)
    resources: list[Mapping[str, Any]] = []
    by_reference: dict[str, Mapping[str, Any]] = {}
    for position, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        resource_type = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource_type, str):
            # An entry that cannot be seen is an order that would go unchecked.
            raise BadRequest(
                "Every entry must hold a FHIR resource with a resourceType.",
                expression=f"{expression}[{position}].resource",
                issue_code="value",
            )
        resources.append(resource)
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str) and full_url:
            by_reference.setdefault(full_url, resource)
        identity = resource.get("id")
        if isinstance(identity, str) and identity:
            by_reference.setdefault(f"{resource_type}/{identity}", resource)
    return tuple(resources), by_reference


def _read_prefetch(
    raw: bytes, client: Client, limits: BodyLimits
) -> tuple[dict[str, bytes | None], frozenset[str]]:
    """The prefetch by key, and the keys whose value cannot be a resource."""
    if raw == b"null":
        return {}, frozenset()
    result: dict[str, bytes | None] = {}
    unreadable: set[str] = set()
    sent = decoding.members(raw, f"{ROOT}.prefetch")
    limits.check_prefetch(sent, f"{ROOT}.prefetch")
    for name, value in sent.items():
        key = client.habits.prefetch_keys.get(name, name)
        if key != name and key in sent:
            continue
        if value == b"null":
            result[key] = None
        elif value.startswith(b"{") and value[1:-1].strip():
            result[key] = value
        else:
            # An empty object, list or text neither supplies a resource nor says that there is
            # none: something stands where data should.
            unreadable.add(key)
    return result, frozenset(unreadable)


def _note_unexpected_user(
    context: HookContext, definition: HookDefinition, request: HookRequest, service: Service
) -> None:
    if context.user_id is None or not definition.user_types:
        return
    if context.user_id.split("/", 1)[0] not in definition.user_types:
        _logger.warning(
            "the user is of a type the hook does not expect",
            extra={
                "hook": service.hook,
                "service": service.id,
                "hook_instance": request.hook_instance,
            },
        )

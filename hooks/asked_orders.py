"""The orders that a call asks about: drafts that came along, and signed orders on the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.alk import UNREAD_DRAFT
from cds_service.fhir.reading import read_resource
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.references import parse_reference, reference_key
from cds_service.fhir.versions import unreadable_element, version_of_type
from cds_service.fhir.views import MedicationRequest, Reference, Resource, ServiceRequest
from cds_service.protocol import BadRequest, HookCall
from cds_service.protocol.hook_definitions import hook_definition
from cds_service.protocol.wire import encode

Drafted = list[tuple[Resource, Mapping[str, object]]]
Orders = tuple[list[tuple[MedicationRequest, Mapping[str, object]]], list[ServiceRequest]]

_NO_CONCERN = frozenset(
    {
        "CommunicationRequest",
        "DeviceRequest",
        "NutritionOrder",
        "SupplyRequest",
        "VisionPrescription",
    }
)
"""Types of orders that nothing here is said about. Any other that is not read is reported."""


def draft_views(call: HookCall, unavailable: dict[str, str]) -> tuple[list[Resource], Drafted]:
    """What rides along in the draft Bundle, and the drafts as views beside what was received."""
    riding: list[Resource] = []
    drafts: Drafted = []
    drafted = {id(resource) for resource in call.draft_orders}
    for position, resource in enumerate(call.draft_bundle_resources):
        _refuse_other_versions(call, resource, position)
        view = read_resource(encode(dict(resource)))
        if not isinstance(view, Resource):
            if id(resource) in drafted and resource["resourceType"] not in _NO_CONCERN:
                unavailable[UNREAD_DRAFT] = _why_unread(resource)
        elif id(resource) in drafted:
            drafts.append((view, resource))
        else:
            riding.append(view)
    return riding, drafts


def _why_unread(resource: Mapping[str, object]) -> str:
    version = version_of_type(resource.get("resourceType"))
    if version is None:
        return "it could not be read"
    return f"it came as {resource['resourceType']} of FHIR {version}, and this service reads R4"


def _refuse_other_versions(call: HookCall, resource: Mapping[str, object], position: int) -> None:
    """400 for a draft in another FHIR version that says in an unread way what it orders."""
    element = unreadable_element(resource)
    definition = hook_definition(call.hook)
    if element is None or definition is None:
        return
    place = f"CDSHooksRequest.context.{definition.bundle_field}.entry[{position}].resource"
    raise BadRequest(
        "This service reads FHIR R4, and of R5 what means the same. This element says what is"
        " ordered in a way that it does not read.",
        expression=f"{place}.{element}",
        issue_code="not-supported",
    )


def own_drafts(record: PatientRecord, drafts: Drafted, unavailable: dict[str, str]) -> Orders:
    """The draft orders for this patient. One that names nobody is for the patient in context, and
    one that says what is not to be given orders nothing."""
    orders: list[tuple[MedicationRequest, Mapping[str, object]]] = []
    tests: list[ServiceRequest] = []
    for view, resource in drafts:
        if record.is_of_another(view):
            unavailable[UNREAD_DRAFT] = "it is for another patient and was not checked"
        elif isinstance(view, MedicationRequest):
            orders += [] if view.do_not_perform else [(view, resource)]
        elif isinstance(view, ServiceRequest):
            tests.append(view)
    return orders, tests


def absent_orders(call: HookCall, record: PatientRecord) -> list[str]:
    """The dispatched orders that the record does not hold, each as `Type/id` to be read."""
    found: dict[str, None] = {}
    for text in call.dispatched_orders:
        key = reference_key(text)
        if key is None or _is_no_concern(text):
            continue
        if record.resolve(Reference(reference=text)) is None:
            found.setdefault(key)
    return list(found)


def dispatched_orders(call: HookCall, record: PatientRecord, unavailable: dict[str, str]) -> Orders:
    """The signed orders that are sent out. One that cannot be seen is said to be unchecked.

    Nothing came along to be changed, so no order has a resource as received (R-216).
    """
    orders: list[tuple[MedicationRequest, Mapping[str, object]]] = []
    tests: list[ServiceRequest] = []
    for text in dict.fromkeys(call.dispatched_orders):
        if _is_no_concern(text):
            continue
        view = record.resolve(Reference(reference=text))
        if isinstance(view, MedicationRequest):
            orders += [] if view.do_not_perform else [(view, {})]
        elif isinstance(view, ServiceRequest):
            tests.append(view)
        else:
            unavailable[UNREAD_DRAFT] = "the dispatched order could not be read for this patient"
    return orders, tests


def selected_keys(call: HookCall) -> frozenset[str] | None:
    """The selected drafts as `Type/id`; None at a hook where nothing is selected.

    A selection is a relative reference by the book, and is also found by a draft's address or by
    its bare id. One that is not among the drafts is left out: see `note_lost_selections`.
    """
    if call.hook != "order-select":
        return None
    return frozenset(
        key for text in call.selections for key in [_selected(call, text)] if key is not None
    )


def note_lost_selections(call: HookCall, unavailable: dict[str, str]) -> None:
    """Say so when an order was selected that did not come along: no card would read as no
    concern (E-05)."""
    for text in call.selections:
        if not _is_no_concern(text) and _selected(call, text) is None:
            unavailable[UNREAD_DRAFT] = "the selected order did not come with the call"


def _is_no_concern(reference: str) -> bool:
    parsed = parse_reference(reference)
    return parsed is not None and parsed.resource_type in _NO_CONCERN


def _selected(call: HookCall, text: str) -> str | None:
    for named in (text, reference_key(text)):
        resource = call.draft_resource(named) if named is not None else None
        if resource is not None:
            return f"{resource['resourceType']}/{resource.get('id') or ''}"
    return next(iter(_by_bare_id(call.draft_orders, text)), None)


def _by_bare_id(drafts: Iterable[Mapping[str, object]], text: str) -> list[str]:
    return [f"{item['resourceType']}/{text}" for item in drafts if item.get("id") == text]

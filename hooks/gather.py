"""Getting the data of one call: prefetch first, then only what is missing from the FHIR server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.alk import UNREAD_DRAFT
from cds_service.facts import Supplied
from cds_service.fhir.client import FetchResult, FhirClient
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.reading import ReadResult, merged, read_resource, read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.versions import unreadable_element
from cds_service.fhir.views import (
    MedicationRequest,
    MedicationUse,
    Resource,
    ServiceRequest,
)
from cds_service.protocol import BadRequest, HookCall, PreconditionFailed, PrefetchTemplate, resolve
from cds_service.protocol.hook_definitions import hook_definition
from cds_service.protocol.wire import encode


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """How the EHR's FHIR server may be asked: seconds in all, and whether private hosts are."""

    deadline_seconds: float
    allow_private: bool


def gather(call: HookCall, templates: Sequence[PrefetchTemplate], access: FhirAccess) -> Supplied:
    """Everything the call's templates ask for, from prefetch and then from the FHIR server.

    What could not be obtained is named in `unavailable`. Raises PreconditionFailed (412) when a
    required key is absent and the FHIR server cannot be asked or does not answer.
    """
    read: dict[str, ReadResult] = {}
    unavailable: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for template in templates:
        sent = call.prefetch.get(template.key)
        if template.key in call.prefetch and sent is None:
            if template.required:
                unavailable[template.key] = "the EHR supplied nothing"
            continue
        if sent is not None:
            read[template.key] = read_resources(sent)
            if _usable(read[template.key]):
                continue
        query = resolve(template, call.context)
        if query is not None:
            wanted[template.key] = query
        else:
            unavailable[template.key] = "the call lacks what its query needs"
    client = _client(call, access)
    # One deadline for all that is asked of the server, products of medications included.
    ends_at = client.deadline() if client is not None else 0.0
    if wanted and client is not None:
        for key, result in client.fetch(wanted, ends_at).items():
            if result.problem is None or key not in read:
                read[key] = result.read
            else:
                # Two parts of an answer tell more than one, and copies are told apart by id.
                read[key] = merged([read[key], result.read])
            if result.problem is not None:
                unavailable[key] = _why(result)
    elif wanted:
        for key in wanted:
            unavailable[key] = _why_not_supplied(read.get(key))
    _refuse_without_required(call, templates, read, unavailable)
    return _supplied(call, read, unavailable, client, ends_at)


def _usable(result: ReadResult) -> bool:
    """Whether a prefetch value answers its question: whole, without a serious outcome."""
    return result.complete and not any(outcome.serious for outcome in result.outcomes)


def _why_not_supplied(result: ReadResult | None) -> str:
    if result is None:
        return "not supplied by the EHR"
    if result.next_link is not None:
        return "only a first page was supplied"
    if result.cut_short:
        return "the EHR supplied fewer resources than it counted"
    return "the EHR sent an error in its place" if result.outcomes else "not readable as sent"


def _client(call: HookCall, access: FhirAccess) -> FhirClient | None:
    if call.fhir_server is None:
        return None
    try:
        return FhirClient(
            call.fhir_server,
            call.access_token,
            deadline_seconds=access.deadline_seconds,
            allow_private=access.allow_private or call.allow_private_addresses,
        )
    except ServerRefused:
        return None


def _why(result: FetchResult) -> str:
    problem = result.problem
    if problem is None:
        return ""
    status = f" (HTTP {problem.status})" if problem.status is not None else ""
    extent = " in full" if result.read.given else ""
    return f"the FHIR server did not answer{extent}: {problem.kind.value}{status}"


def _refuse_without_required(
    call: HookCall,
    templates: Sequence[PrefetchTemplate],
    read: Mapping[str, ReadResult],
    unavailable: Mapping[str, str],
) -> None:
    """412 for required data of which nothing came; a null was an answer, and gets a card."""
    lost = [
        template.key
        for template in templates
        if template.required
        and template.key in unavailable
        and not (template.key in call.prefetch and call.prefetch[template.key] is None)
        and not (template.key in read and read[template.key].resources)
    ]
    if lost:
        named = ", ".join(lost)
        raise PreconditionFailed(
            f"Required data could not be obtained: {named}. Send the prefetch keys, or fhirServer"
            " and fhirAuthorization with read access.",
            expression=f"CDSHooksRequest.prefetch.{lost[0]}",
        )


def _supplied(
    call: HookCall,
    read: dict[str, ReadResult],
    unavailable: dict[str, str],
    client: FhirClient | None,
    ends_at: float,
) -> Supplied:
    riding, drafted = _draft_views(call, unavailable)

    def build(products: Sequence[ReadResult] = ()) -> PatientRecord:
        pages = [*read.values(), *products]
        return PatientRecord.build(call.patient_id, pages, riding, call.fhir_server)

    record = build()
    drafts, tests = _own_drafts(record, drafted, unavailable)
    orders = [view for view, _ in drafts]
    missing = _missing_medications(record, orders)
    if missing and client is not None:
        fetched = client.fetch({key: key for key in missing}, ends_at)
        record = build([result.read for result in fetched.values() if not result.problem])
    for view in orders:
        concept = record.medication_concept(view)
        if concept.missing and not concept.texts:
            unavailable[UNREAD_DRAFT] = "the medication it refers to could not be read"
    foreign = sum(record.ignored.values())
    if foreign:
        unavailable["resources of another patient"] = f"{foreign} were sent and not used"
    unowned = sum(record.unattributed.values())
    if unowned:
        unavailable["resources that do not say whose they are"] = (
            f"{unowned} were sent and not used"
        )
    lost = sum(len(result.lost) for result in read.values())
    if lost:
        unavailable["unreadable resources"] = f"{lost} were sent and not used"
    complete = frozenset(
        key
        for key, result in read.items()
        if key not in unavailable
        and _usable(result)
        and not any(map(record.is_unattributed, result.resources))
    )
    return Supplied(record, complete, unavailable, drafts, tests)


def _missing_medications(record: PatientRecord, orders: Sequence[MedicationRequest]) -> list[str]:
    found: dict[str, None] = {}
    for use in (*record.of_type(MedicationUse), *orders):
        missing = record.medication_concept(use).missing
        if missing:
            found.setdefault(missing)
    return list(found)


_Drafted = list[tuple[Resource, Mapping[str, object]]]


def _draft_views(call: HookCall, unavailable: dict[str, str]) -> tuple[list[Resource], _Drafted]:
    """What rides along in the draft Bundle, and the drafts as views beside what was received."""
    riding: list[Resource] = []
    drafts: _Drafted = []
    drafted = {id(resource) for resource in call.draft_orders}
    for position, resource in enumerate(call.draft_bundle_resources):
        _refuse_other_versions(call, resource, position)
        view = read_resource(encode(dict(resource)))
        if not isinstance(view, Resource):
            if id(resource) in drafted:
                unavailable[UNREAD_DRAFT] = "it could not be read"
        elif id(resource) in drafted:
            drafts.append((view, resource))
        else:
            riding.append(view)
    return riding, drafts


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


def _own_drafts(
    record: PatientRecord, drafts: _Drafted, unavailable: dict[str, str]
) -> tuple[list[tuple[MedicationRequest, Mapping[str, object]]], list[ServiceRequest]]:
    """The draft orders for this patient. One that names nobody is for the patient in context."""
    orders: list[tuple[MedicationRequest, Mapping[str, object]]] = []
    tests: list[ServiceRequest] = []
    for view, resource in drafts:
        if record.is_of_another(view):
            unavailable[UNREAD_DRAFT] = "it is for another patient and was not checked"
        elif isinstance(view, MedicationRequest):
            orders.append((view, resource))
        elif isinstance(view, ServiceRequest):
            tests.append(view)
    return orders, tests

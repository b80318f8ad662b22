"""Getting the data of one call: prefetch first, then only what is missing from the FHIR server."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.alk import UNREAD_DRAFT
from cds_service.facts import Supplied
from cds_service.fhir.client import FetchResult, FhirClient
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.medications import MedicationShape
from cds_service.fhir.reading import ReadResult, merged, read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest, MedicationUse
from cds_service.protocol import HookCall, PreconditionFailed, PrefetchTemplate, resolve
from hooks.asked_orders import (
    absent_orders,
    dispatched_orders,
    draft_views,
    note_lost_selections,
    own_drafts,
)

_NOT_HAD = frozenset({400, 404, 405, 501})
"""How servers answer about a resource type that they do not have."""

_logger = logging.getLogger("alk_cds.hooks")


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
    beside = {template.key for template in templates if template.beside}
    if wanted and client is not None:
        for key, result in client.fetch(wanted, ends_at).items():
            if result.problem is None or key not in read:
                read[key] = result.read
            else:
                # Two parts of an answer tell more than one, and copies are told apart by id.
                read[key] = merged([read[key], result.read])
            if result.problem is not None and not (key in beside and _not_had(result)):
                unavailable[key] = _why(result)
    elif wanted:
        for key in wanted:
            if key in beside and key not in read:
                continue
            unavailable[key] = _why_not_supplied(read.get(key))
    _refuse_without_required(call, templates, read, unavailable)
    return _supplied(call, read, unavailable, client, ends_at)


def _not_had(result: FetchResult) -> bool:
    """Whether a server says that it knows no such resources or no such search."""
    problem = result.problem
    return problem is not None and problem.status in _NOT_HAD and not result.read.given


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
            f" and fhirAuthorization with read access.{_likely_cause(call, templates)}",
            expression=f"CDSHooksRequest.prefetch.{lost[0]}",
        )


def _likely_cause(call: HookCall, templates: Sequence[PrefetchTemplate]) -> str:
    """What whoever connects the EHR should look at first. Names of others' keys are not repeated:
    they are typed by hand, and nobody knows what into (E-02, E-06)."""
    strangers = set(call.prefetch) - {template.key for template in templates}
    if strangers:
        return (
            f" Prefetch keys that this service did not ask for: {len(strangers)}. The operator can"
            " say in the clients file what they stand for (prefetch_keys)."
        )
    if not call.prefetch and call.fhir_server is None:
        _logger.warning(
            "a call came without any data; is its address registered at the EHR?",
            extra={"hook": call.hook, "service": call.service_id, "client": call.client},
        )
        return " Nothing came with the call: some EHRs strip calls to unregistered addresses."
    return ""


def _supplied(
    call: HookCall,
    read: dict[str, ReadResult],
    unavailable: dict[str, str],
    client: FhirClient | None,
    ends_at: float,
) -> Supplied:
    riding, drafted = draft_views(call, unavailable)
    note_lost_selections(call, unavailable)
    further: list[ReadResult] = []

    def build() -> PatientRecord:
        pages = [*read.values(), *further]
        return PatientRecord.build(call.patient_id, pages, riding, call.fhir_server)

    record = build()
    absent = absent_orders(call, record)
    if absent and client is not None:
        further += _read_whole(client, absent, ends_at)
        record = build()
    if call.dispatched_orders:
        drafts, tests = dispatched_orders(call, record, unavailable)
    else:
        drafts, tests = own_drafts(record, drafted, unavailable)
    orders = [view for view, _ in drafts]
    missing = _missing_medications(record, orders)
    if missing and client is not None:
        further += _read_whole(client, missing, ends_at)
        record = build()
    for view in orders:
        concept = record.medication_concept(view)
        if concept.missing and not concept.texts:
            unavailable[UNREAD_DRAFT] = "the medication it refers to could not be read"
        elif concept.shape is MedicationShape.NOTHING and call.hook == "order-sign":
            # At order-select a form may still be empty; an order to be signed names its drug.
            unavailable[UNREAD_DRAFT] = "it names no medication"
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
    signed = frozenset(view.key for view in orders) if call.dispatched_orders else frozenset()
    return Supplied(record, complete, unavailable, drafts, tests, signed)


def _read_whole(client: FhirClient, keys: Sequence[str], ends_at: float) -> list[ReadResult]:
    """The resources `Type/id` that the server gave; what it did not give is not among them."""
    fetched = client.fetch({key: key for key in keys}, ends_at)
    return [result.read for result in fetched.values() if not result.problem]


def _missing_medications(record: PatientRecord, orders: Sequence[MedicationRequest]) -> list[str]:
    found: dict[str, None] = {}
    for use in (*record.of_type(MedicationUse), *orders):
        missing = record.medication_concept(use).missing
        if missing:
            found.setdefault(missing)
    return list(found)

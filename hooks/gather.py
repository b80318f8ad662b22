"""Getting the data of one call: prefetch first, then only what is missing from the FHIR server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from cds_service.alk import UNREAD_DRAFT
from cds_service.facts import Supplied
from cds_service.fhir.client import FetchProblem, FetchResult, FhirClient, ProblemKind
from cds_service.fhir.errors import ServerRefused
from cds_service.fhir.medications import MedicationShape
from cds_service.fhir.read_result import ReadResult
from cds_service.fhir.reading import read_resources
from cds_service.fhir.received import AsReceived
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest, MedicationUse
from cds_service.protocol import HookCall, PreconditionFailed, PrefetchTemplate, resolve
from cds_service.protocol.wire import SentNumber
from hooks.asked_orders import (
    absent_orders,
    dispatched_orders,
    draft_views,
    note_lost_selections,
    own_drafts,
)
from hooks.delivery import Deliveries

_logger = logging.getLogger("alk_cds.hooks")


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """How the EHR's FHIR server may be asked: seconds in all, and whether private hosts are.

    Inside `waiting` a call only waits for it, so that others may compute. `faulted` is told of
    each query that got no answer, or not the whole one.
    """

    deadline_seconds: float
    allow_private: bool
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    faulted: Callable[[FetchProblem], None] = lambda _: None

    def fetch(
        self, client: FhirClient, queries: Mapping[str, str], ends_at: float
    ) -> Mapping[str, FetchResult]:
        """What the server gave by key, after whoever counts the faults was told."""
        found = client.fetch(queries, ends_at)
        for result in found.values():
            if result.problem is not None:
                self.faulted(result.problem)
        return found


def gather(call: HookCall, templates: Sequence[PrefetchTemplate], access: FhirAccess) -> Supplied:
    """Everything the call's templates ask for, from prefetch and then from the FHIR server.

    What could not be obtained is named in `unavailable`. Raises PreconditionFailed (412) when a
    required key is absent and the FHIR server cannot be asked or does not answer.
    """
    came = Deliveries()
    asked = {template.key: template for template in templates}
    wanted: dict[str, tuple[str, ...]] = {}
    for template in templates:
        if template.key in call.unreadable_prefetch:
            came.unreadable(template)
        elif template.key not in call.prefetch:
            came.not_sent(template)
        else:
            sent = call.prefetch[template.key]
            if sent is None:
                came.null(template)
                continue
            if came.sent(template, read_resources(sent).without_agreed(call.agreed_warnings)):
                continue
        queries = [resolve(text, call.context) for text in (template.template, *template.otherwise)]
        if queries[0] is not None:
            wanted[template.key] = tuple(query for query in queries if query is not None)
        else:
            came.not_askable(template)
    client = _client(call, access)
    # One deadline for all that is asked of the server, products of medications included.
    ends_at = client.deadline() if client is not None else 0.0
    if wanted and client is not None:
        for key, result in _fetched(client, wanted, ends_at, call, access).items():
            came.fetched(asked[key], result)
    _refuse_without_required(call, templates, came)

    def read_whole(keys: Sequence[str]) -> list[ReadResult]:
        """The resources `Type/id` that the server gave; what it did not give is not among them."""
        if client is None or not keys:
            return []
        fetched = access.fetch(client, {key: key for key in keys}, ends_at)
        return [result.read for result in fetched.values() if not result.problem]

    return _supplied(call, asked, came, read_whole)


def _fetched(
    client: FhirClient,
    wanted: Mapping[str, tuple[str, ...]],
    ends_at: float,
    call: HookCall,
    access: FhirAccess,
) -> dict[str, FetchResult]:
    """The answers by key; a query that the server refuses is asked in its other forms."""
    found: dict[str, FetchResult] = {}
    asked = dict(wanted)
    while asked:
        now = access.fetch(client, {key: forms[0] for key, forms in asked.items()}, ends_at)
        later: dict[str, tuple[str, ...]] = {}
        for key, result in now.items():
            problem = result.problem
            if problem is not None and problem.status is not None:
                _logger.warning(
                    "the FHIR server refused a query",
                    extra={
                        "service": call.service_id,
                        "client": call.client,
                        "prefetch_key": key,
                        "status": problem.status,
                        "server_reason": problem.reason,
                    },
                )
            if problem is not None and problem.refuses_query and asked[key][1:]:
                later[key] = asked[key][1:]
                # The first refusal says what the server misses; the others follow from it.
                found.setdefault(key, result)
            elif problem is None or key not in found:
                found[key] = result
        asked = later
    return found


def _client(call: HookCall, access: FhirAccess) -> FhirClient | None:
    if call.fhir_server is None:
        return None
    try:
        return FhirClient(
            call.fhir_server,
            call.access_token,
            deadline_seconds=access.deadline_seconds,
            allow_private=access.allow_private or call.allow_private_addresses,
            agreed_warnings=call.agreed_warnings,
            waiting=access.waiting,
        )
    except ServerRefused:
        access.faulted(FetchProblem(ProblemKind.ADDRESS))
        return None


def _refuse_without_required(
    call: HookCall, templates: Sequence[PrefetchTemplate], came: Deliveries
) -> None:
    """412 for required data of which nothing came; a null was an answer, and gets a card."""
    lost = [
        template.key
        for template in templates
        if template.required
        and came.nothing_came_of(template)
        and not (template.key in call.prefetch and call.prefetch[template.key] is None)
    ]
    if lost:
        raise PreconditionFailed(
            f"Required data could not be obtained: {', '.join(lost)}."
            f" {_told(lost, came)}. Send the prefetch keys, each with a FHIR"
            " resource or a Bundle, or fhirServer and fhirAuthorization with read access."
            f"{_likely_cause(call, templates)}",
            expression=f"CDSHooksRequest.prefetch.{lost[0]}",
        )


def _told(lost: Sequence[str], came: Deliveries) -> str:
    """Why each key could not be had, keys with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for key in lost:
        reason = came.reasons.get(key)
        why = f"{came.short[key]}; it says: {reason}" if reason else came.short[key]
        by_reason.setdefault(why, []).append(key)
    return "; ".join(f"{', '.join(keys)}: {why}" for why, keys in by_reason.items())


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
    asked: Mapping[str, PrefetchTemplate],
    came: Deliveries,
    read_whole: Callable[[Sequence[str]], list[ReadResult]],
) -> Supplied:
    unavailable = came.short
    riding, drafted = draft_views(call, unavailable)
    note_lost_selections(call, unavailable)
    further: list[ReadResult] = []

    def build() -> PatientRecord:
        pages = [*came.read.values(), *further]
        return PatientRecord.build(call.patient_id, pages, riding, call.fhir_server)

    record = build()
    if found := read_whole(absent_orders(call, record)):
        further += found
        record = build()
    if call.dispatched_orders:
        drafts, tests = dispatched_orders(call, record, unavailable)
    else:
        drafts, tests = own_drafts(record, drafted, unavailable)
    orders = [view for view, _ in drafts]
    if found := read_whole(_missing_medications(record, orders)):
        further += found
        record = build()
    for view in orders:
        concept = record.medication_concept(view)
        if concept.missing and not concept.texts:
            unavailable[UNREAD_DRAFT] = "the medication it refers to could not be read"
        elif concept.shape is MedicationShape.NOTHING and call.hook != "order-select":
            # There a form may still be empty; an order that is signed or sent out names its drug.
            unavailable[UNREAD_DRAFT] = "it names no medication"
    whole = came.whole_in(record, asked)
    unused = {
        "resources of another patient": sum(record.ignored.values()),
        "resources that do not say whose they are": sum(record.unattributed.values()),
        "unreadable resources": sum(len(result.lost) for result in came.read.values()),
    }
    for what, count in unused.items():
        if count:
            unavailable[what] = f"{count} were sent and not used"
    signed = frozenset(view.key for view in orders) if call.dispatched_orders else frozenset()
    received = _as_received(call, came, further)
    return Supplied(record, frozenset(whole), unavailable, drafts, tests, signed, received=received)


def _as_received(call: HookCall, came: Deliveries, further: Sequence[ReadResult]) -> AsReceived:
    sent = [text for text in call.prefetch.values() if text is not None]
    asked = [text for read in (*came.read.values(), *further) for text in read.texts]
    return AsReceived((*sent, *asked), SentNumber)


def _missing_medications(record: PatientRecord, orders: Sequence[MedicationRequest]) -> list[str]:
    found: dict[str, None] = {}
    for use in (*record.of_type(MedicationUse), *orders):
        missing = record.medication_concept(use).missing
        if missing:
            found.setdefault(missing)
    return list(found)

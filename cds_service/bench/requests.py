"""The request that the bench plays: from a story, a pasted CDS Hooks request or a pasted Bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import uuid4

from cds_service.bench.changes import Changes, FormError
from cds_service.bench.edits import Editor
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import BodyLimits, ProtocolError, Service
from cds_service.protocol.decoding import check_text, decode_object
from fhir_fixtures import UnknownStoryError, load_story
from fhir_fixtures.requests import DRAFT_MEMBERS, NoDraftOrdersError, hook_request
from hooks.data import FINDINGS, LABORATORY, VITAL_SIGNS

Json = dict[str, Any]

_HALVES = re.compile("[\ud800-\udfff]")

NEEDS_ORDERS: Final = frozenset({*DRAFT_MEMBERS, "order-dispatch"})
"""Hooks that cannot be played without an order."""

_NO_ORDERS = (
    "is about orders, and nothing is being ordered: choose one under “Order a drug”,"
    " or another hook"
)


@dataclass(frozen=True)
class Prepared:
    """A request ready to be played, with what was done to it on the way."""

    service: Service = field(repr=False)
    body: Json = field(repr=False)
    title: str = field(repr=False)
    notes: tuple[str, ...] = ()


def from_story(
    name: str, service: Service, changes: Changes, knowledge: Knowledge, told_on: date, day: date
) -> Prepared:
    """The request of a story told on one day and asked about on another. Raises FormError."""
    try:
        story = load_story(name, told_on)
    except UnknownStoryError:
        raise FormError({"story": "is not the name of a fictional patient here"}) from None
    if changes.order:
        draft = Editor(knowledge, {}, story.patient_id, day).draft_order(changes.order)
        entries = story.draft_orders["entry"] if story.draft_orders is not None else []
        drafts = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [*entries, {"resource": draft}],
        }
        story = replace(story, draft_orders=drafts)
    described = {
        "id": service.id,
        "hook": service.hook,
        "prefetch": {item.key: item.template for item in service.prefetch},
    }
    try:
        body = hook_request(story, described)
    except NoDraftOrdersError:
        raise FormError({"hook": _NO_ORDERS}) from None
    Editor(knowledge, body["prefetch"], story.patient_id, day).apply(changes)
    return Prepared(service, body, story.person)


def from_paste(
    pasted: str,
    service: Service,
    services: Sequence[Service],
    changes: Changes,
    knowledge: Knowledge,
    day: date,
    limits: BodyLimits,
) -> Prepared:
    """The request in, or made of, what was pasted. Raises FormError naming the element."""
    text = pasted.encode()
    try:
        limits.check(text)
        content = _writable(decode_object(check_text(text), "content"))
    except ProtocolError as error:
        raise FormError({"pasted": f"cannot be read. {error.diagnostics}"}) from None
    if content.get("resourceType") == "Bundle":
        return _from_bundle(content, service, changes, knowledge, day)
    if "hook" in content:
        return _from_request(content, services, changes, knowledge, day)
    raise FormError(
        {"pasted": "is neither a CDS Hooks request (no “hook”) nor a FHIR Bundle (“resourceType”)"}
    )


def _writable(value: Any) -> Any:
    """The content without halves of surrogate pairs, which JSON can name and no text can hold."""
    if isinstance(value, str):
        return _HALVES.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_writable(name): _writable(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    return value


def _from_request(
    body: Json, services: Sequence[Service], changes: Changes, knowledge: Knowledge, day: date
) -> Prepared:
    service = next((item for item in services if item.hook == body["hook"]), None)
    if service is None:
        known = ", ".join(item.hook for item in services)
        raise FormError({"pasted": f"names in “hook” none of the hooks played here: {known}"})
    notes = [f"The pasted request is for {service.hook}, so that hook was played."]
    if body.pop("fhirServer", None) is not None:
        body.pop("fhirAuthorization", None)
        notes.append(
            "“fhirServer” was taken out: the bench asks no other server. What the prefetch lacks "
            "counts as missing."
        )
    context = body.get("context")
    patient_id = context.get("patientId") if isinstance(context, dict) else None
    if not isinstance(context, dict) or not isinstance(patient_id, str):
        raise FormError({"pasted": "has no “context.patientId”"})
    prefetch = body.get("prefetch")
    if prefetch is None:
        prefetch = body["prefetch"] = {}
    if not isinstance(prefetch, dict):
        raise FormError({"pasted": "has a “prefetch” that is no object"})
    _check_entries(prefetch)
    editor = Editor(knowledge, prefetch, patient_id, day)
    editor.apply(changes)
    if changes.order:
        _order_too(service.hook, context, editor.draft_order(changes.order))
    return Prepared(service, body, "A pasted request", tuple(notes))


def _check_entries(prefetch: Mapping[str, Any]) -> None:
    for key, page in prefetch.items():
        if isinstance(page, dict) and not isinstance(page.get("entry", []), list):
            raise FormError({"pasted": f"has a “prefetch.{key[:64]}.entry” that is no array"})


def _order_too(hook: str, context: Json, draft: Json) -> None:
    member = DRAFT_MEMBERS.get(hook)
    if member is None:
        raise FormError({"order": f"cannot be added to a pasted {hook} request"})
    drafts = context.setdefault(member, {"resourceType": "Bundle", "type": "collection"})
    entries = drafts.setdefault("entry", []) if isinstance(drafts, dict) else None
    if not isinstance(entries, list):
        raise FormError({"pasted": f"has a “context.{member}” that is no Bundle"})
    entries.append({"resource": draft})
    selections = context.get("selections")
    if hook == "order-select" and isinstance(selections, list):
        selections.append(f"MedicationRequest/{draft['id']}")


def _from_bundle(
    bundle: Json, service: Service, changes: Changes, knowledge: Knowledge, day: date
) -> Prepared:
    resources = _resources_of(bundle)
    patients = [item for item in resources if item["resourceType"] == "Patient"]
    if len(patients) != 1 or not isinstance(patients[0].get("id"), str):
        raise FormError(
            {"pasted": f"needs exactly one Patient with an “id”; it has {len(patients)}"}
        )
    patient_id = patients[0]["id"]
    drafts = [item for item in resources if item.get("status") == "draft"]
    chart = [item for item in resources if item.get("status") != "draft"]
    prefetch: Json = {
        template.key: _page(template.key, template.template, chart, patients[0])
        for template in service.prefetch
    }
    editor = Editor(knowledge, prefetch, patient_id, day)
    editor.apply(changes)
    if changes.order:
        drafts.append(editor.draft_order(changes.order))
    context = _context(service.hook, patient_id, drafts)
    body = {
        "hook": service.hook,
        "hookInstance": str(uuid4()),
        "context": context,
        "prefetch": prefetch,
    }
    if service.hook == "order-dispatch":
        _put_on_chart(service, prefetch, drafts)
    return Prepared(service, body, f"A pasted Bundle of {len(resources)} resources")


def _put_on_chart(service: Service, prefetch: Json, drafts: Sequence[Json]) -> None:
    """Orders that are dispatched were signed before: they are active orders of the chart."""
    types = {item.template.partition("?")[0]: item.key for item in service.prefetch}
    for draft in drafts:
        page = prefetch.get(types.get(draft["resourceType"], ""))
        if page is not None:
            page["total"] += 1
            entry = {"resource": {**draft, "status": "active"}, "search": {"mode": "match"}}
            page.setdefault("entry", []).append(entry)


def _resources_of(bundle: Json) -> list[Json]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise FormError({"pasted": "has a “Bundle.entry” that is no array"})
    found = []
    for position, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            where = f"Bundle.entry[{position}].resource"
            raise FormError({"pasted": f"has no FHIR resource at “{where}”"})
        found.append(resource)
    return found


def _page(key: str, template: str, chart: Iterable[Json], patient: Json) -> Json:
    """What the chart answers to a template: by type, and each Observation under one key."""
    wanted, question, _ = template.partition("?")
    if not question:
        return patient
    # The products that orders refer to ride along, as with _include.
    types = {wanted, "Medication"} if wanted == "MedicationRequest" else {wanted}
    found = [
        item
        for item in chart
        if item["resourceType"] in types
        and (wanted != "Observation" or _key_of_observation(item) == key)
    ]
    page: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if found:
        page["entry"] = [{"resource": item, "search": {"mode": "match"}} for item in found]
    return page


def _key_of_observation(resource: Json) -> str:
    words = str(resource.get("category", ""))
    if "vital-signs" in words:
        return VITAL_SIGNS.key
    return LABORATORY.key if "laboratory" in words else FINDINGS.key


def _context(hook: str, patient_id: str, drafts: Sequence[Json]) -> Json:
    context: Json = {"userId": "Practitioner/bench", "patientId": patient_id}
    if hook == "encounter-start":
        return {**context, "encounterId": "bench-encounter"}
    if hook not in NEEDS_ORDERS:
        return context
    if not drafts:
        raise FormError({"hook": _NO_ORDERS})
    references = [f"{item['resourceType']}/{item.get('id', '')}" for item in drafts]
    if hook == "order-dispatch":
        performer = "Organization/bench-pharmacy"
        return {"patientId": patient_id, "dispatchedOrders": references, "performer": performer}
    context[DRAFT_MEMBERS[hook]] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": item} for item in drafts],
    }
    if hook == "order-select":
        context["selections"] = references
    return context

"""Whole CDS Hooks requests made from the patient stories.

`hook_request` plays the EHR: it resolves a service's prefetch templates against a story's chart,
as the fixture server would, and adds the context of the hook with the story's draft orders. The
JSON files beside this module are such requests, good and faulty, written by
``python -m fhir_fixtures.build``. ``templates.json`` is a copy of what the service's discovery
asks for, because this package knows nothing of the service; a test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl
from uuid import NAMESPACE_URL, uuid5

from fhir_fixtures.search import PARAMETERS, BadSearchError, Resource, matcher
from fhir_fixtures.stories import Story

Json = dict[str, Any]

TEMPLATES = "templates.json"
DRAFT_MEMBERS = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "medication-prescribe": "medications",
    "medication-refill": "medications",
}
"""The hooks that carry draft orders, and the member of the context that holds them."""


class NoDraftOrdersError(LookupError):
    """The story orders nothing, so it cannot be played at a hook about orders."""


def request_names() -> list[str]:
    """The names of the stored requests in alphabetical order."""
    folder = files("fhir_fixtures") / "requests"
    names = [file.name for file in folder.iterdir() if file.name.endswith(".json")]
    return sorted(name.removesuffix(".json") for name in names if name != TEMPLATES)


def load_request(name: str) -> Json:
    """One stored request: its `title`, the `service` it is for and the `body`.

    Raises UnknownRequestError for a name that is not in ``request_names``.
    """
    if name not in request_names():
        raise UnknownRequestError(f"no such request: {name!r}")
    return _read(f"{name}.json")


class UnknownRequestError(LookupError):
    """There is no stored request of that name."""


def load_services() -> tuple[Json, ...]:
    """The services with their prefetch templates, as the copy of the discovery tells them."""
    return tuple(_read(TEMPLATES)["services"])


def _read(file_name: str) -> Json:
    file = files("fhir_fixtures") / "requests" / file_name
    content: Json = json.loads(file.read_text(encoding="utf-8"))
    return content


def hook_request(
    story: Story,
    service: Mapping[str, Any],
    *,
    prefetch: bool = True,
    fhir_server: str | None = None,
) -> Json:
    """The body of one call of ``service`` for the person of a story.

    ``service`` is an entry of a discovery document: its hook and its prefetch templates. With
    ``prefetch`` False the service has to ask ``fhir_server`` itself. The same arguments give the
    same body, hookInstance included. Raises NoDraftOrdersError, and BadSearchError for a template
    that the chart cannot be searched by.
    """
    hook = str(service["hook"])
    context = hook_context(story, hook)
    instance = uuid5(NAMESPACE_URL, f"https://fixtures.example.org/{service['id']}/{story.name}")
    body: Json = {"hook": hook, "hookInstance": str(instance), "context": context}
    if fhir_server is not None:
        body["fhirServer"] = fhir_server
    if prefetch:
        chart = signed_chart(story) if hook == "order-dispatch" else story.bundle
        templates = service.get("prefetch", {})
        sent = {
            key: answer(chart, resolved(template, context)) for key, template in templates.items()
        }
        body["prefetch"] = _each_result_once(sent, str(templates.get("findings", "")))
    return body


def _each_result_once(prefetch: dict[str, Json], template: str) -> dict[str, Json]:
    """The same without measured results among the findings that stand under their category, too.

    They are those that the template names by code alone. An EHR may send them twice; whoever
    changes one here would have to change its copy, too.
    """
    by_code = {code for code in template.partition("code=")[2].split(",") if "|" not in code}
    sent = {
        entry["resource"]["id"]
        for key in ("laboratory", "vital_signs")
        for entry in prefetch.get(key, {}).get("entry", ())
        if by_code & {item["code"] for item in entry["resource"]["code"].get("coding", ())}
    }
    findings = prefetch.get("findings")
    if findings is None or not findings.get("entry"):
        return prefetch
    kept = [entry for entry in findings["entry"] if entry["resource"]["id"] not in sent]
    removed = len(findings["entry"]) - len(kept)
    thinner = {**findings, "entry": kept, "total": findings.get("total", len(kept)) - removed}
    return {**prefetch, "findings": thinner}


def hook_context(story: Story, hook: str) -> Json:
    """What the EHR says about the moment: user, patient, and the draft orders if it is about any.

    At order-select every draft order counts as just selected. Raises NoDraftOrdersError.
    """
    context: Json = {"userId": _clinician(story), "patientId": story.patient_id}
    if hook == "encounter-start":
        context["encounterId"] = f"{story.name}-encounter"
    if hook not in DRAFT_MEMBERS and hook != "order-dispatch":
        return context
    if story.draft_orders is None:
        raise NoDraftOrdersError(f"the story {story.name} has no draft orders for {hook}")
    drafts = [entry["resource"] for entry in story.draft_orders["entry"]]
    references = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    if hook == "order-dispatch":
        # No user at this hook, and the orders stand on the server by now.
        return {
            "patientId": story.patient_id,
            "dispatchedOrders": references,
            "performer": "Organization/fixture-pharmacy",
        }
    context[DRAFT_MEMBERS[hook]] = story.draft_orders
    if hook == "order-select":
        context["selections"] = references
    return context


def signed_chart(story: Story) -> Json:
    """The chart of a story after its draft orders were signed: they are active orders in it."""
    drafts = story.draft_orders["entry"] if story.draft_orders is not None else []
    signed = [{**entry, "resource": {**entry["resource"], "status": "active"}} for entry in drafts]
    return {**story.bundle, "entry": [*story.bundle["entry"], *signed]}


def _clinician(story: Story) -> str:
    resources = (entry["resource"] for entry in story.bundle["entry"])
    found = [item["id"] for item in resources if item["resourceType"] == "Practitioner"]
    return f"Practitioner/{found[0]}" if found else "Practitioner/fixture-clinician"


def resolved(template: str, context: Mapping[str, Any]) -> str:
    """A prefetch template with its tokens filled in; only tokens of plain ids are known here."""
    text = template
    for name in ("patientId", "userId"):
        if name in context:
            text = text.replace("{{context." + name + "}}", str(context[name]))
    return text


def answer(bundle: Mapping[str, Any], query: str) -> Resource:
    """What the chart answers to a read (``Patient/1``) or a search (``Condition?patient=1``).

    Raises LookupError for a read of what is not there, BadSearchError for an unknown parameter.
    """
    resources: list[Resource] = [entry["resource"] for entry in bundle["entry"]]
    resource_type, question, parameters = query.partition("?")
    if not question:
        wanted_type, _, wanted_id = query.partition("/")
        for resource in resources:
            if (resource["resourceType"], resource["id"]) == (wanted_type, wanted_id):
                return resource
        raise LookupError("the chart holds no such resource")
    known = PARAMETERS.get(resource_type, {})
    found = [resource for resource in resources if resource["resourceType"] == resource_type]
    for name, value in parse_qsl(parameters, strict_parsing=True):
        parameter = known.get(name)
        if parameter is None:
            raise BadSearchError(name, "not a parameter of this resource type")
        matches = matcher(name, parameter, value)
        found = [resource for resource in found if matches(resource)]
    return searchset(found)


def searchset(resources: list[Resource]) -> Resource:
    """A search answer of one page; without matches it has no entry, as FHIR has no empty array."""
    page: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        page["entry"] = [
            {
                "fullUrl": f"https://fixtures.example.org/fhir/{item['resourceType']}/{item['id']}",
                "resource": item,
                "search": {"mode": "match"},
            }
            for item in resources
        ]
    return page

"""Requests that any service of a hook should be able to read: nobody's data, on purpose.

The contexts follow the hook library 1.0.1 (table H of the clause list); the prefetch answers each
advertised template with what a chart without entries would say.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

Json = dict[str, Any]

PATIENT = "conformance-patient"
DRAFT = "conformance-draft"
REFERENCE = f"MedicationRequest/{DRAFT}"

_SUBJECT = {"reference": f"Patient/{PATIENT}"}
_TYPE = re.compile(r"[A-Z][A-Za-z]+")

BUNDLES = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "medication-prescribe": "medications",
    "order-review": "orders",
    "medication-refill": "medications",
}
"""The hooks about medication orders, and where their context holds them."""

_USER: Json = {"userId": "Practitioner/conformance-user", "patientId": PATIENT}
_ENCOUNTER: Json = {**_USER, "encounterId": "conformance-encounter"}


def medication_order(**changes: Any) -> Json:
    """A draft MedicationRequest of R4; None as a change takes a member away."""
    order = {
        "resourceType": "MedicationRequest",
        "id": DRAFT,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "617993"}],
            "text": "conformance kit, no drug in particular",
        },
        "subject": _SUBJECT,
        **changes,
    }
    return {name: value for name, value in order.items() if value is not None}


def bundle(*resources: Json) -> Json:
    """A Bundle as hooks about orders carry it."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def context(hook: str) -> Json:
    """The context of one call: every required field, and encounterId where it is usual."""
    orders = bundle(medication_order())
    known: dict[str, Json] = {
        "patient-view": dict(_ENCOUNTER),
        "encounter-start": dict(_ENCOUNTER),
        "encounter-discharge": dict(_ENCOUNTER),
        "order-select": {**_ENCOUNTER, "selections": [REFERENCE], "draftOrders": orders},
        "order-sign": {**_ENCOUNTER, "draftOrders": orders},
        "order-dispatch": {
            "patientId": PATIENT,
            "dispatchedOrders": [REFERENCE],
            "performer": "Organization/conformance-performer",
        },
        "medication-prescribe": {**_ENCOUNTER, "medications": orders},
        "medication-refill": {**_ENCOUNTER, "medications": orders},
        "order-review": {**_ENCOUNTER, "orders": orders},
        "appointment-book": {**_ENCOUNTER, "appointments": bundle(_APPOINTMENT)},
        "problem-list-item-create": {**_ENCOUNTER, "conditions": bundle(_CONDITION)},
        "allergyintolerance-create": {**_ENCOUNTER, "allergyIntolerance": _ALLERGY},
        "medication-verify": {**_ENCOUNTER, "medication": medication_order(status="active")},
    }
    return copy.deepcopy(known.get(hook, _ENCOUNTER))


_APPOINTMENT: Json = {
    "resourceType": "Appointment",
    "id": "conformance-appointment",
    "status": "proposed",
    "participant": [{"actor": _SUBJECT, "status": "needs-action"}],
}
_CONDITION: Json = {
    "resourceType": "Condition",
    "id": "conformance-condition",
    "code": {"text": "conformance kit, no disease in particular"},
    "subject": _SUBJECT,
}
_ALLERGY: Json = {
    "resourceType": "AllergyIntolerance",
    "id": "conformance-allergy",
    "code": {"text": "conformance kit, no substance in particular"},
    "patient": _SUBJECT,
}

_OPTIONAL = {
    "medication-refill": {"userId", "encounterId"},
    "encounter-start": set(),
    "encounter-discharge": set(),
}


def required_fields(hook: str) -> list[str]:
    """The members of the context that the hook's definition requires."""
    optional = _OPTIONAL.get(hook, {"encounterId"})
    if "." in hook:
        optional = set(_ENCOUNTER)  # What a hook of somebody's own requires is theirs to say.
    return [name for name in context(hook) if name not in optional]


def request_for(service: Mapping[str, Any], **changes: Any) -> Json:
    """A call of one service of a discovery document, with its whole prefetch."""
    hook = str(service["hook"])
    body: Json = {"hook": hook, "hookInstance": str(uuid4()), "context": context(hook)}
    templates = service.get("prefetch")
    if isinstance(templates, dict) and templates:
        body["prefetch"] = {key: empty_answer(text) for key, text in templates.items()}
    return {**body, **changes}


def empty_answer(template: Any) -> Json | None:
    """What a chart without entries answers: the patient, an empty search, or null for a read."""
    if not isinstance(template, str):
        return None
    if "?" in template:
        return {"resourceType": "Bundle", "type": "searchset", "total": 0}
    found = _TYPE.match(template)
    if found is not None and found[0] == "Patient":
        return {
            "resourceType": "Patient",
            "id": PATIENT,
            "gender": "unknown",
            "birthDate": "1970-01-01",
        }
    if found is not None and found[0] in {"Practitioner", "PractitionerRole", "Encounter"}:
        resource: Json = {"resourceType": found[0], "id": f"conformance-{found[0].lower()}"}
        if found[0] == "Encounter":
            resource |= {"status": "in-progress", "class": {"code": "AMB"}, "subject": _SUBJECT}
        return resource
    return None


def failed_search() -> Json:
    """What a client prefetches when its own query failed."""
    issue = {"severity": "error", "code": "exception", "diagnostics": "The search failed."}
    return {"resourceType": "OperationOutcome", "issue": [issue]}

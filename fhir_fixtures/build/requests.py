"""Whole CDS Hooks requests as real clients send them, the well-formed and the difficult ones.

Each is made from a story; the shapes follow what the public sandbox and large EHRs are known to
send. Nothing here knows the service: its templates are read from ``requests/templates.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_fixtures.requests import Json, hook_request, load_services
from fhir_fixtures.stories import Story, load_story

FHIR_SERVER = "https://fixtures.example.org/fhir"
_LONG_ID = "eQ7xW4.mVb2Kz-Lr9Ty0" * 10


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """One request as stored: its file name, a sentence about it, the service's id, the body."""

    name: str
    title: str
    service: str
    body: Json


def build_requests() -> list[BuiltRequest]:
    """All stored requests, told on the reference day."""
    return [*_full(), *_gaps(), *_clients()]


def write_requests(folder: Path) -> int:
    """Write every request into ``folder`` and return how many there are."""
    requests = build_requests()
    for request in requests:
        file = folder / f"{request.name}.json"
        file.write_text(rendered(request), encoding="utf-8", newline="\n")
    return len(requests)


def rendered(request: BuiltRequest) -> str:
    """The text of one file: one resource a line, so that a change shows as one changed line."""
    content = {"title": request.title, "service": request.service, "body": request.body}
    return f"{_lines(content, '')}\n"


def _lines(value: Any, indent: str) -> str:
    """JSON that opens objects down to the resources and keeps each resource on one line."""
    if isinstance(value, dict) and not _is_leaf(value):
        inner = f"{indent} "
        members = [
            f"{inner}{json.dumps(name)}: {_lines(member, inner)}" for name, member in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = f"{indent} "
        rows = [f"{inner}{json.dumps(item, ensure_ascii=False)}" for item in value]
        return "[\n" + ",\n".join(rows) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def _is_leaf(value: Json) -> bool:
    return not value or ("resourceType" in value and value["resourceType"] != "Bundle")


def _service(hook: str) -> Json:
    return next(item for item in load_services() if item["hook"] == hook)


def _built(name: str, title: str, hook: str, body: Json) -> BuiltRequest:
    return BuiltRequest(name, title, str(_service(hook)["id"]), body)


def _full() -> Iterator[BuiltRequest]:
    for hook, story in (
        ("patient-view", "alectinib-monitoring-overdue"),
        ("order-select", "egfr-inhibitor-ordered"),
        ("order-sign", "alectinib-severe-cirrhosis"),
        ("medication-prescribe", "pregnant-alk-inhibitor-ordered"),
        ("medication-refill", "alectinib-alt-six-times"),
        ("order-dispatch", "lorlatinib-clarithromycin-ordered"),
        ("encounter-start", "alectinib-monitoring-overdue"),
    ):
        body = hook_request(load_story(story), _service(hook))
        yield _built(f"full-{hook}", f"{hook} with every prefetch key.", hook, body)


def _gaps() -> Iterator[BuiltRequest]:
    hook, story = "patient-view", load_story("alectinib-monitoring-overdue")
    service = _service(hook)
    yield _built(
        "no-prefetch",
        "No prefetch; the service has to ask the FHIR server with the token that came along.",
        hook,
        {
            **hook_request(story, service, prefetch=False, fhir_server=FHIR_SERVER),
            "fhirAuthorization": {
                "access_token": "fixture-token-opens-nothing",
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "user/Patient.read user/Observation.read",
                "subject": "fixture-client",
            },
        },
    )
    whole = hook_request(story, service)
    partial = deepcopy(whole)
    del partial["prefetch"]["laboratory"]
    yield _built("partial", "The laboratory results were not sent.", hook, partial)
    nulls = deepcopy(whole)
    for key in ("procedures", "reports", "requests"):
        nulls["prefetch"][key] = None
    yield _built("null-values", "The EHR looked and found nothing for three keys.", hook, nulls)
    required_null = deepcopy(whole)
    required_null["prefetch"]["medications"] = None
    yield _built(
        "null-medications", "The EHR supplies nothing for the medications.", hook, required_null
    )
    outcome = deepcopy(whole)
    outcome["prefetch"]["laboratory"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "timeout", "diagnostics": "the search timed out"}],
    }
    yield _built(
        "outcome", "An OperationOutcome in place of the laboratory results.", hook, outcome
    )
    other = hook_request(load_story("alectinib-hepatitis-with-jaundice"), service)
    mixed = deepcopy(whole)
    mixed["prefetch"]["laboratory"]["entry"] += other["prefetch"]["laboratory"]["entry"][-4:]
    yield _built(
        "another-patient", "Four results of another patient among the laboratory results.",
        hook, mixed,
    )  # fmt: skip
    truncated = deepcopy(whole)
    truncated["prefetch"]["laboratory"]["link"] = [
        {"relation": "next", "url": f"{FHIR_SERVER}/Observation?page=2"}
    ]
    yield _built("truncated", "Only the first page of the laboratory results.", hook, truncated)


def _clients() -> Iterator[BuiltRequest]:
    hook = "order-select"
    story = load_story("alectinib-severe-cirrhosis")
    body = hook_request(story, _service(hook))
    body["context"] |= {
        "userId": "Practitioner/COREPRACTITIONER1",
        "selections": ["MedicationRequest/request-123"],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [
                {
                    "resource": {
                        "resourceType": "MedicationRequest",
                        "id": "request-123",
                        "status": "draft",
                        "subject": {"reference": f"Patient/{story.patient_id}"},
                        "authoredOn": story.as_of.isoformat(),
                    }
                }
            ],
        },
    }
    yield _built(
        "sandbox-draft",
        "The public sandbox before a drug is chosen: a draft without intent and medication.",
        hook,
        body,
    )
    yield _built(
        "epic-like",
        "A long id, a medication by reference with the Medication riding along in the Bundle.",
        "order-sign",
        _epic_like(load_story("alectinib-severe-cirrhosis")),
    )


def _epic_like(story: Story) -> Json:
    body = hook_request(story, _service("order-sign"), fhir_server=FHIR_SERVER)
    body["hookInstance"] = "00000000-007b-9f33-e810-6c9d34a1b2c5"
    body["extension"] = {"com.epic.cdshooks.request.bpa-trigger-action": "23"}
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    concept = draft.pop("medicationCodeableConcept")
    medication = {
        "resourceType": "Medication",
        "id": f"{_LONG_ID}-product",
        "code": {"coding": concept["coding"], "text": "ALECTINIB 150 MG CAPSULE"},
    }
    draft |= {
        "id": _LONG_ID,
        "medicationReference": {
            "reference": f"Medication/{medication['id']}",
            "display": "ALECTINIB 150 MG CAPSULE",
        },
        "subject": {"reference": f"{FHIR_SERVER}/Patient/{story.patient_id}"},
        "category": {"text": "Inpatient"},
    }
    body["context"]["draftOrders"]["entry"].append({"resource": medication})
    return body

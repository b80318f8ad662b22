"""Whatever resources a folder holds, every hook answers 200 or a clear 4xx, never a 5xx.

`FHIR_CORPUS` names the folder; the project's own fixtures are the default. Only JSON files are
read. A Bundle is sent as it is found, any other file by the resources that stand in it; both as
they are and as resources of the patient in the question, so that they reach the reading of facts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.calling import HOOKS, Json, Service

pytestmark = pytest.mark.slow

FIXTURES = Path(__file__).parents[2] / "fhir_fixtures"
CORPUS = Path(os.environ.get("FHIR_CORPUS") or FIXTURES)
PATIENT = "corpus-patient"
MOST_RESOURCES = 400
"""A larger file is sent in parts, as an EHR would send pages."""


def corpus_files() -> list[Path]:
    return sorted(path for path in CORPUS.rglob("*.json") if path.is_file())


def _resources(content: Any) -> Iterator[Json]:
    """Every resource of a file, outermost first, however deep it stands."""
    if isinstance(content, dict):
        if isinstance(content.get("resourceType"), str) and content["resourceType"] != "Bundle":
            yield content
            return
        for member in content.values():
            yield from _resources(member)
    elif isinstance(content, list):
        for member in content:
            yield from _resources(member)


def _of_the_patient(resource: Json) -> Json:
    if resource.get("resourceType") == "Patient":
        return {**resource, "id": PATIENT}
    changed = dict(resource)
    changed["patient" if "patient" in resource else "subject"] = {"reference": f"Patient/{PATIENT}"}
    return changed


def _bundle(resources: list[Json], kind: str = "searchset") -> Json:
    entries = [{"resource": item} for item in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _call(service: Service, hook: str, data: Any, resources: list[Json]) -> Json:
    person = next((item for item in resources if item.get("resourceType") == "Patient"), None)
    patient = str((person or {}).get("id") or PATIENT)
    context: Json = {"userId": "Practitioner/someone", "patientId": patient}
    requests = [item for item in resources if item["resourceType"] in (
        "MedicationRequest", "ServiceRequest", "MedicationOrder", "NutritionOrder")]  # fmt: skip
    if hook == "medication-prescribe":
        context["medications"] = _bundle(requests, "collection")
    elif hook != "patient-view":
        context["draftOrders"] = _bundle(requests, "collection")
    if hook == "order-select":
        context["selections"] = [
            f"{item['resourceType']}/{item['id']}" for item in requests if item.get("id")
        ]
    prefetch = dict.fromkeys(service.for_hook(hook)["prefetch"], data)
    prefetch["patient"] = person or {"resourceType": "Patient", "id": PATIENT}
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": prefetch,
    }


def _answered(service: Service, hook: str, body: Json, path: Path) -> None:
    answer = service.post(hook, json.dumps(body).encode())
    told = (path.name, hook, answer.status_code, answer.text[:500])
    if answer.status_code == 200:
        assert isinstance(answer.json()["cards"], list), told
    else:
        assert 400 <= answer.status_code < 500, told
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome", told
        assert outcome["issue"][0]["diagnostics"].strip(), told


@pytest.fixture(scope="module", autouse=True)
def warm(service: Service) -> None:
    assert service.described


@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: str(path.relative_to(CORPUS)))
def test_every_hook_answers(service: Service, path: Path) -> None:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        pytest.skip("not JSON")
    found = list(_resources(content))
    parts = [
        found[begin : begin + MOST_RESOURCES] for begin in range(0, len(found), MOST_RESOURCES)
    ]
    for hook in HOOKS:
        for part in parts:
            own = [_of_the_patient(item) for item in part]
            _answered(service, hook, _call(service, hook, _bundle(part), part), path)
            _answered(service, hook, _call(service, hook, _bundle(own), own), path)
        if isinstance(content, dict) and content.get("resourceType") == "Bundle":
            _answered(service, hook, _call(service, hook, content, found), path)
        if isinstance(content, dict) and "hook" in content:
            # Nobody's server is asked from a test.
            sent = {name: value for name, value in content.items() if name != "fhirServer"}
            _answered(service, hook, {**sent, "hook": hook}, path)

"""One order-sign request with 200 Observations, made of the patient stories.

The patient is the one of `alectinib-alt-six-times`: alectinib must be withheld and a refill of it
is about to be signed, so the request walks through most of the tables. The older results of
`alectinib-on-track` lengthen the chart, under this patient's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import orjson

from cds_service.knowledge.release import Knowledge
from fhir_fixtures import Story, load_story
from hooks.data import (
    ADMINISTRATIONS,
    ADVERSE_EVENTS,
    ALLERGIES,
    CONDITIONS,
    DISPENSES,
    EVERYTHING,
    EXAMINATIONS,
    EXAMINED,
    FINDINGS,
    LABORATORY,
    MEDICATIONS,
    PATIENT,
    PROCEDURES,
    REPORTS,
    REQUESTS,
    STATEMENTS,
    VISITS,
    VITAL_SIGNS,
    templates,
)

SERVICE_ID = "alk-order-sign"
OBSERVATIONS = 200
STORY = "alectinib-alt-six-times"
LENGTHENING_STORY = "alectinib-on-track"

Resource = dict[str, Any]


def order_sign_request(knowledge: Knowledge, today: date) -> bytes:
    """The body of the request, the same bytes for the same day.

    Every prefetch key is supplied, as a searchset Bundle where its template is a search. Raises
    ValueError when the stories no longer hold enough Observations.
    """
    story = load_story(STORY, today)
    if story.draft_orders is None:
        raise ValueError(f"{STORY} has no draft orders")
    prefetch = _prefetch(_chart(story, today, _finding_codes(knowledge)), knowledge)
    return orjson.dumps(
        {
            "hook": "order-sign",
            "hookInstance": "6ba7b812-9dad-41d1-80b4-00c04fd430c8",
            "context": {
                "userId": "Practitioner/benchmark",
                "patientId": story.patient_id,
                "draftOrders": story.draft_orders,
            },
            "prefetch": prefetch,
        }
    )


def observation_count(body: bytes) -> int:
    """How many different Observations a request carries."""
    bundles = orjson.loads(body)["prefetch"].values()
    return len(
        {
            entry["resource"]["id"]
            for bundle in bundles
            for entry in bundle.get("entry", ())
            if entry["resource"]["resourceType"] == "Observation"
        }
    )


def _finding_codes(knowledge: Knowledge) -> frozenset[str]:
    """The codes that the template for findings lists."""
    (template,) = templates((FINDINGS,), knowledge)
    listed = template.template.partition("&code=")[2]
    return frozenset(token.partition("|")[2] for token in listed.split(","))


def _chart(story: Story, today: date, codes: frozenset[str]) -> list[Resource]:
    """The story's resources, with older results of the other story up to 200 Observations."""
    own = [entry["resource"] for entry in story.bundle["entry"]]
    sent = sum(1 for resource in own if _is_asked_for(resource, codes))
    other = load_story(LENGTHENING_STORY, today)
    older = sorted(
        (
            entry["resource"]
            for entry in other.bundle["entry"]
            if _has_category(entry["resource"], "laboratory")
        ),
        key=lambda resource: (resource.get("effectiveDateTime", ""), resource["id"]),
    )[: OBSERVATIONS - sent]
    if sent + len(older) != OBSERVATIONS:
        raise ValueError(f"the stories hold {sent + len(older)} Observations to send")
    for resource in older:
        resource["subject"] = {"reference": f"Patient/{story.patient_id}"}
    return own + older


def _is_asked_for(resource: Resource, codes: frozenset[str]) -> bool:
    if resource["resourceType"] != "Observation":
        return False
    categories = ("laboratory", "vital-signs", *EXAMINED)
    return any(_has_category(resource, name) for name in categories) or _has_code(resource, codes)


def _prefetch(chart: list[Resource], knowledge: Knowledge) -> dict[str, Resource]:
    codes = _finding_codes(knowledge)
    chosen: dict[str, Callable[[Resource], bool]] = {
        CONDITIONS.key: _of_type("Condition"),
        MEDICATIONS.key: _of_type("MedicationRequest"),
        LABORATORY.key: lambda resource: _has_category(resource, "laboratory"),
        VITAL_SIGNS.key: lambda resource: _has_category(resource, "vital-signs"),
        FINDINGS.key: lambda resource: (
            resource["resourceType"] == "Observation" and _has_code(resource, codes)
        ),
        PROCEDURES.key: _of_type("Procedure"),
        REPORTS.key: _of_type("DiagnosticReport"),
        REQUESTS.key: _of_type("ServiceRequest"),
        ADVERSE_EVENTS.key: _of_type("AdverseEvent"),
        ALLERGIES.key: _of_type("AllergyIntolerance"),
        STATEMENTS.key: _of_type("MedicationStatement"),
        ADMINISTRATIONS.key: _of_type("MedicationAdministration"),
        DISPENSES.key: _of_type("MedicationDispense"),
        EXAMINATIONS.key: lambda resource: any(_has_category(resource, name) for name in EXAMINED),
        VISITS.key: _of_type("Encounter"),
    }
    (patient,) = [resource for resource in chart if resource["resourceType"] == "Patient"]
    prefetch = {PATIENT.key: patient}
    for key, wanted in chosen.items():
        prefetch[key] = _searchset(resource for resource in chart if wanted(resource))
    if prefetch.keys() != {kind.key for kind in EVERYTHING}:
        raise ValueError("the services ask for other data than this request carries")
    return prefetch


def _of_type(name: str) -> Callable[[Resource], bool]:
    return lambda resource: bool(resource["resourceType"] == name)


def _has_category(resource: Resource, name: str) -> bool:
    return resource["resourceType"] == "Observation" and any(
        coding.get("code") == name
        for category in resource.get("category", ())
        for coding in category.get("coding", ())
    )


def _has_code(resource: Resource, codes: frozenset[str]) -> bool:
    concept = resource.get("code", {})
    return any(coding.get("code") in codes for coding in concept.get("coding", ()))


def _searchset(resources: Iterable[Resource]) -> Resource:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    if entries:
        bundle["entry"] = entries
    return bundle

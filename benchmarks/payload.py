"""The requests that are measured, made of the patient stories.

The patient of most is the one of `alectinib-alt-six-times`: alectinib must be withheld and a refill
of it is about to be signed, so the request walks through most of the tables. The results of
`alectinib-on-track` lengthen the chart, under this patient's name. `BODIES` are the same chart
shorter and longer, a chart that is opened, and a patient whom nothing here concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from cds_service.knowledge.release import Knowledge
from fhir_fixtures import Story, load_story
from hooks.data import (
    ADMINISTRATIONS,
    ADVERSE_EVENTS,
    ALERTS,
    ALLERGIES,
    CONDITIONS,
    DEVICES,
    DISPENSES,
    EVERYTHING,
    EXAMINATIONS,
    EXAMINED,
    FINDINGS,
    IMPRESSIONS,
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


@dataclass(frozen=True, slots=True)
class Body:
    """One request that is measured: which story, at which hook, with how many Observations."""

    name: str
    story: str = STORY
    hook: str = "order-sign"
    observations: int = OBSERVATIONS

    @property
    def service_id(self) -> str:
        """The service that is asked."""
        return f"alk-{self.hook}"

    def request(self, knowledge: Knowledge, today: date) -> bytes:
        """The body of the request, the same bytes for the same day.

        Every prefetch key is supplied, as a searchset Bundle where its template is a search.
        Raises ValueError when the stories no longer hold enough Observations.
        """
        story = load_story(self.story, today)
        context: Resource = {
            "userId": "Practitioner/benchmark",
            "patientId": story.patient_id,
        }
        if self.hook == "order-sign":
            context["draftOrders"] = story.draft_orders or _other_draft(story)
        else:
            context["encounterId"] = "benchmark"
        chart = _chart(story, today, _finding_codes(knowledge), self.observations)
        return orjson.dumps(
            {
                "hook": self.hook,
                "hookInstance": "6ba7b812-9dad-41d1-80b4-00c04fd430c8",
                "context": context,
                "prefetch": _prefetch(chart, knowledge),
            }
        )


WHOLE = Body("200 Observations, ALT 6.2 times the upper limit")
BODIES = (
    WHOLE,
    Body("10,000 Observations", observations=10_000),
    Body("no lung cancer, 200 Observations", story="no-lung-cancer"),
    Body("50 Observations", observations=50),
    Body("chart opened, 200 Observations", story=LENGTHENING_STORY, hook="patient-view"),
)


def order_sign_request(knowledge: Knowledge, today: date) -> bytes:
    """The body of the request that most measurements are made with."""
    return WHOLE.request(knowledge, today)


def _other_draft(story: Story) -> Resource:
    """An order of a medicine that has nothing to do with the tables."""
    coding = {
        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "code": "308182",
        "display": "amoxicillin 250 MG Oral Capsule",
    }
    draft = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [coding]},
        "subject": {"reference": f"Patient/{story.patient_id}"},
    }
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}


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


def _chart(story: Story, today: date, codes: frozenset[str], observations: int) -> list[Resource]:
    """The story's resources, with so many Observations that are asked for: the newest of its own,
    and older results of the other story."""
    own = [entry["resource"] for entry in story.bundle["entry"]]
    asked = sorted(
        (resource for resource in own if _is_asked_for(resource, codes)), key=_order, reverse=True
    )
    spared = {id(resource) for resource in asked[observations:]}
    own = [resource for resource in own if id(resource) not in spared]
    wanted = max(0, observations - len(asked))
    older = [resource for _, resource in zip(range(wanted), _older(today), strict=False)]
    if len(older) != wanted:
        raise ValueError(f"the stories hold {len(asked) + len(older)} Observations to send")
    for resource in older:
        resource["subject"] = {"reference": f"Patient/{story.patient_id}"}
    return own + older


def _order(resource: Resource) -> tuple[str, str]:
    return resource.get("effectiveDateTime", ""), resource["id"]


def _older(today: date) -> Iterator[Resource]:
    """The results of the other story, oldest first; and again, each time a year earlier."""
    other = load_story(LENGTHENING_STORY, today)
    results = [
        entry["resource"]
        for entry in other.bundle["entry"]
        if _has_category(entry["resource"], "laboratory")
    ]
    for years in range(60):
        for resource in sorted(results, key=_order):
            copy = deepcopy(resource)
            if years:
                day = date.fromisoformat(copy["effectiveDateTime"][:10])
                earlier = (day - timedelta(days=365 * years)).isoformat()
                copy["effectiveDateTime"] = earlier + copy["effectiveDateTime"][10:]
                copy["id"] = f"{copy['id']}-year-{years}"
            yield copy


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
        IMPRESSIONS.key: _of_type("ClinicalImpression"),
        ALERTS.key: _of_type("Flag"),
        DEVICES.key: _of_type("Device"),
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

"""One clinical event in every form in which a hospital may write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.facts.records import Json, day, resource

CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
GUIDE = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
BACKPORT = "http://hl7.org/fhir/uv/ae-research-backport-ig/StructureDefinition/"
DUE_TO = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
SEVERITY = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"


@dataclass(frozen=True)
class Event:
    """What is so: the code of the event, since and until when (days ago), its grade, the drug.

    `drug` is the CodeableConcept of the medicine behind it, `verification` how sure it is.
    """

    code: Json
    began: int
    ended: int | None = None
    grade: int | None = None
    drug: Json | None = None
    verification: str = "confirmed"

    @property
    def graded(self) -> Json | None:
        """The grade as a coded concept."""
        if self.grade is None:
            return None
        return {"coding": [{"system": CTCAE, "code": str(self.grade)}]}


Form = Callable[[Event], Json]


def as_condition(event: Event) -> Json:
    """A problem on the list, its grade as severity."""
    status = "active" if event.ended is None else "resolved"
    due = [{"url": DUE_TO, "valueCodeableConcept": event.drug}] if event.drug else None
    return resource(
        "Condition",
        {
            "code": event.code,
            "clinicalStatus": {"coding": [{"code": status}]},
            "verificationStatus": {"coding": [{"code": event.verification}]},
            "onsetDateTime": day(event.began),
            "abatementDateTime": None if event.ended is None else day(event.ended),
            "severity": event.graded,
            "extension": due,
        },
    )


def as_graded_condition(event: Event) -> Json:
    """The grade in the extension that mCODE made for it."""
    said = as_condition(event)
    if said.pop("severity", None) is not None:
        extension = {"url": f"{GUIDE}ctcae-grade", "valueCodeableConcept": event.graded}
        said["extension"] = [*said.get("extension", ()), extension]
    return said


def as_recorded_condition(event: Event) -> Json:
    """A problem without an onset, of which only the day of recording is known."""
    said = as_condition(event)
    said["recordedDate"] = said.pop("onsetDateTime")
    return said


def as_adverse_event(event: Event) -> Json:
    """mCODE's adverse event with its grade and its end as extensions."""
    extensions: list[Json] = []
    if event.grade is not None:
        extensions.append({"url": f"{GUIDE}ctcae-grade", "valueCodeableConcept": event.graded})
    if event.ended is not None:
        url = f"{GUIDE}adverse-event-resolved-date"
        extensions.append({"url": url, "valueDateTime": day(event.ended)})
    contained = [{"resourceType": "Medication", "id": "m", "code": event.drug}]
    return resource(
        "AdverseEvent",
        {
            "actuality": "actual",
            "event": event.code,
            "date": day(event.began),
            "extension": extensions or None,
            "contained": contained if event.drug else None,
            "suspectEntity": [{"instance": {"reference": "#m"}}] if event.drug else None,
        },
    )


def as_research_event(event: Event) -> Json:
    """The adverse event of the research guide."""
    said = as_adverse_event(event)
    extensions: list[Json] = []
    if event.grade is not None:
        extensions.append({"url": f"{BACKPORT}ae-grade", "valueInteger": event.grade})
    if event.ended is not None:
        extensions.append({"url": f"{BACKPORT}resolve-date", "valueDateTime": day(event.ended)})
    if event.drug:
        said.pop("suspectEntity")
        suspect = [{"url": "instance", "valueCodeableConcept": event.drug}]
        extensions.append({"url": f"{BACKPORT}suspect-entity", "extension": suspect})
    return {**said, "extension": extensions}


def as_plain_event(event: Event) -> Json:
    """An adverse event of base R4: a severity instead of a grade, an outcome instead of an end."""
    said = as_adverse_event(event)
    said.pop("extension", None)
    words = {1: "mild", 2: "moderate", 3: "severe"}
    if event.grade in words:
        said["severity"] = {"coding": [{"system": SEVERITY, "code": words[event.grade or 0]}]}
    outcome = "ongoing" if event.ended is None else "resolved"
    return {**said, "outcome": {"coding": [{"system": OUTCOME, "code": outcome}]}}


def as_visit(event: Event) -> Json:
    """A diagnosis that a visit contains."""
    held = {**as_condition(event), "id": "d"}
    return resource(
        "Encounter",
        {
            "status": "finished",
            "contained": [held],
            "period": {"start": day(event.began)},
            "diagnosis": [{"condition": {"reference": "#d"}}],
        },
    )


def as_observation(event: Event) -> Json:
    """A finding as the value of an Observation, its grade as a component."""
    part = [{"code": {"text": "grade"}, "valueCodeableConcept": event.graded}]
    return resource(
        "Observation",
        {
            "status": "final",
            "code": {"text": "Clinical finding"},
            "valueCodeableConcept": event.code,
            "effectiveDateTime": day(event.began),
            "component": part if event.grade is not None else None,
        },
    )


def as_asked_observation(event: Event) -> Json:
    """A question whose code is the finding, answered with yes."""
    said = as_observation(event)
    said |= {"code": event.code, "valueBoolean": True}
    del said["valueCodeableConcept"]
    return said


def as_report(event: Event) -> Json:
    """The coded conclusion of a report."""
    body = {"status": "final", "effectiveDateTime": day(event.began)}
    return resource("DiagnosticReport", {**body, "conclusionCode": [event.code]})


def as_allergy(event: Event) -> Json:
    """An intolerance of the drug with the event as its reaction."""
    said = resource(
        "AllergyIntolerance",
        {
            "code": event.drug,
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": event.verification}]},
            "reaction": [{"manifestation": [event.code], "onset": day(event.began)}],
        },
    )
    return {**said, "patient": said.pop("subject")}


FORMS: Mapping[str, Form] = {
    "Condition": as_condition,
    "Condition, mCODE grade": as_graded_condition,
    "Condition, recorded only": as_recorded_condition,
    "visit diagnosis": as_visit,
    "AdverseEvent, mCODE": as_adverse_event,
    "AdverseEvent, research guide": as_research_event,
    "AdverseEvent, base R4": as_plain_event,
    "Observation, value": as_observation,
    "Observation, yes": as_asked_observation,
    "report, conclusion code": as_report,
    "AllergyIntolerance": as_allergy,
}
"""By the name that the matrix uses."""

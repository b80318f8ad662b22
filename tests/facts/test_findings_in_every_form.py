"""The same truth in whatever form a hospital writes it is the same finding."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.rules import Finding
from tests.facts.records import RXNORM, Json, day, facts_of, resource

SNOMED = "http://snomed.info/sct"
CTCAE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
GUIDE = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
BACKPORT = "http://hl7.org/fhir/uv/ae-research-backport-ig/StructureDefinition/"
DUE_TO = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
EVENTS = {
    "interstitial lung disease": "205237003",
    "complete atrioventricular block": "27885002",
    "psychosis": "69322001",
}
DRUG = {"coding": [{"system": RXNORM, "code": "1727455"}]}


@dataclass(frozen=True)
class Truth:
    """What is so: the concept, since and until when (days ago), its grade, the drug behind it."""

    concept: str
    began: int
    ended: int | None
    grade: int | None
    by_a_drug: bool

    @property
    def code(self) -> Json:
        return {"coding": [{"system": SNOMED, "code": EVENTS[self.concept]}]}

    @property
    def graded(self) -> Json | None:
        if self.grade is None:
            return None
        return {"coding": [{"system": CTCAE, "code": str(self.grade)}]}


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    began = draw(st.integers(2, 400))
    ended = draw(st.none() | st.integers(0, began - 1))
    grade = draw(st.none() | st.integers(1, 5))
    return Truth(draw(st.sampled_from(sorted(EVENTS))), began, ended, grade, draw(st.booleans()))


def as_condition(truth: Truth) -> Json:
    status = "active" if truth.ended is None else "resolved"
    due = [{"url": DUE_TO, "valueCodeableConcept": DRUG}] if truth.by_a_drug else None
    return resource(
        "Condition",
        {
            "code": truth.code,
            "clinicalStatus": {"coding": [{"code": status}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "onsetDateTime": day(truth.began),
            "abatementDateTime": None if truth.ended is None else day(truth.ended),
            "severity": truth.graded,
            "extension": due,
        },
    )


def as_graded_condition(truth: Truth) -> Json:
    """The grade in the extension that mCODE made for it."""
    said = as_condition(truth)
    if said.pop("severity", None) is not None:
        extension = {"url": f"{GUIDE}ctcae-grade", "valueCodeableConcept": truth.graded}
        said["extension"] = [*said.get("extension", ()), extension]
    return said


def as_adverse_event(truth: Truth) -> Json:
    extensions: list[Json] = []
    if truth.grade is not None:
        extensions.append({"url": f"{GUIDE}ctcae-grade", "valueCodeableConcept": truth.graded})
    if truth.ended is not None:
        url = f"{GUIDE}adverse-event-resolved-date"
        extensions.append({"url": url, "valueDateTime": day(truth.ended)})
    contained = [{"resourceType": "Medication", "id": "m", "code": DRUG}]
    return resource(
        "AdverseEvent",
        {
            "actuality": "actual",
            "event": truth.code,
            "date": day(truth.began),
            "extension": extensions or None,
            "contained": contained if truth.by_a_drug else None,
            "suspectEntity": [{"instance": {"reference": "#m"}}] if truth.by_a_drug else None,
        },
    )


def as_research_event(truth: Truth) -> Json:
    said = as_adverse_event(truth)
    extensions: list[Json] = []
    if truth.grade is not None:
        extensions.append({"url": f"{BACKPORT}ae-grade", "valueInteger": truth.grade})
    if truth.ended is not None:
        extensions.append({"url": f"{BACKPORT}resolve-date", "valueDateTime": day(truth.ended)})
    if truth.by_a_drug:
        said.pop("suspectEntity")
        suspect = [{"url": "instance", "valueCodeableConcept": DRUG}]
        extensions.append({"url": f"{BACKPORT}suspect-entity", "extension": suspect})
    return {**said, "extension": extensions}


def as_visit(truth: Truth) -> Json:
    held = {**as_condition(truth), "id": "d"}
    return resource(
        "Encounter",
        {
            "status": "finished",
            "contained": [held],
            "diagnosis": [{"condition": {"reference": "#d"}}],
        },
    )


def as_observation(truth: Truth) -> Json:
    part = [{"code": {"text": "grade"}, "valueCodeableConcept": truth.graded}]
    return resource(
        "Observation",
        {
            "status": "final",
            "code": {"text": "Clinical finding"},
            "valueCodeableConcept": truth.code,
            "effectiveDateTime": day(truth.began),
            "component": part if truth.grade is not None else None,
        },
    )


def as_asked_observation(truth: Truth) -> Json:
    said = as_observation(truth)
    said |= {"code": truth.code, "valueBoolean": True}
    del said["valueCodeableConcept"]
    return said


def as_report(truth: Truth) -> Json:
    body = {"status": "final", "effectiveDateTime": day(truth.began)}
    return resource("DiagnosticReport", {**body, "conclusionCode": [truth.code]})


WHOLE = (as_condition, as_graded_condition, as_adverse_event, as_research_event, as_visit)
LASTING = (as_observation, as_asked_observation)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(truth=truths())
def test_the_same_truth_is_the_same_finding_in_every_form_that_can_say_it(truth: Truth) -> None:
    forms = list(WHOLE)
    if truth.ended is None and not truth.by_a_drug:
        forms += LASTING
        forms += [as_report] if truth.grade is None else []
    read = {form.__name__: _finding(truth, form(truth)) for form in forms}
    said = {
        name: (item.names, item.status, item.began, item.ended, item.grade, item.causes)
        for name, item in read.items()
    }
    assert len(set(said.values())) == 1, said
    first = read["as_condition"]
    assert (first.grade, bool(first.causes)) == (truth.grade, truth.by_a_drug)
    assert first.status == ("present" if truth.ended is None else "over")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(truth=truths(), first=st.sampled_from(WHOLE), second=st.sampled_from(WHOLE))
def test_two_records_of_the_same_truth_are_one_finding(truth: Truth, first, second) -> None:  # type: ignore[no-untyped-def]
    alone, both = _finding(truth, first(truth)), _finding(truth, first(truth), second(truth))
    for item in ("names", "status", "began", "ended", "grade", "causes"):
        assert getattr(alone, item) == getattr(both, item)


def _finding(truth: Truth, *resources: Json) -> Finding:
    facts = facts_of(*resources)
    assert facts.found is not None
    (finding,) = facts.found.of(truth.concept).findings
    return finding

"""The same truth in whatever form a hospital writes it is the same finding."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.rules import Finding
from tests.facts.records import RXNORM, Json, facts_of
from tests.forms.finding_forms import (
    Event,
    as_adverse_event,
    as_asked_observation,
    as_condition,
    as_graded_condition,
    as_observation,
    as_report,
    as_research_event,
    as_visit,
)

SNOMED = "http://snomed.info/sct"
EVENTS = {
    "interstitial lung disease": "205237003",
    "complete atrioventricular block": "27885002",
    "psychosis": "69322001",
}
DRUG = {"coding": [{"system": RXNORM, "code": "1727455"}]}


@dataclass(frozen=True)
class Truth:
    """The concept that an event is one of."""

    concept: str
    event: Event


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    began = draw(st.integers(2, 400))
    ended = draw(st.none() | st.integers(0, began - 1))
    grade = draw(st.none() | st.integers(1, 5))
    concept = draw(st.sampled_from(sorted(EVENTS)))
    code = {"coding": [{"system": SNOMED, "code": EVENTS[concept]}]}
    return Truth(concept, Event(code, began, ended, grade, draw(st.sampled_from([None, DRUG]))))


WHOLE = (as_condition, as_graded_condition, as_adverse_event, as_research_event, as_visit)
LASTING = (as_observation, as_asked_observation)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(truth=truths())
def test_the_same_truth_is_the_same_finding_in_every_form_that_can_say_it(truth: Truth) -> None:
    event = truth.event
    forms = list(WHOLE)
    if event.ended is None and event.drug is None:
        forms += LASTING
        forms += [as_report] if event.grade is None else []
    read = {form.__name__: _finding(truth, form(event)) for form in forms}
    said = {
        name: (item.names, item.status, item.began, item.ended, item.grade, item.causes)
        for name, item in read.items()
    }
    assert len(set(said.values())) == 1, said
    first = read["as_condition"]
    assert (first.grade, bool(first.causes)) == (event.grade, event.drug is not None)
    assert first.status == ("present" if event.ended is None else "over")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(truth=truths(), first=st.sampled_from(WHOLE), second=st.sampled_from(WHOLE))
def test_two_records_of_the_same_truth_are_one_finding(truth: Truth, first, second) -> None:  # type: ignore[no-untyped-def]
    event = truth.event
    alone, both = _finding(truth, first(event)), _finding(truth, first(event), second(event))
    for item in ("names", "status", "began", "ended", "grade", "causes"):
        assert getattr(alone, item) == getattr(both, item)


def _finding(truth: Truth, *resources: Json) -> Finding:
    facts = facts_of(*resources)
    assert facts.found is not None
    (finding,) = facts.found.of(truth.concept).findings
    return finding

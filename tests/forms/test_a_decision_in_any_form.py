"""A Decision does not ask in which form an event came: moved between forms, it stays the same."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.alk.patients import rows_heard
from tests.depth import examples
from tests.forms.charts import Base, decided, written_out
from tests.forms.finding_forms import (
    Event,
    Form,
    as_adverse_event,
    as_asked_observation,
    as_condition,
    as_graded_condition,
    as_observation,
    as_recorded_condition,
    as_report,
    as_research_event,
    as_visit,
)

DRUGS = ("alectinib", "brigatinib", "ceritinib", "crizotinib", "lorlatinib")
CODES = {
    "interstitial lung disease": ("snomed 205237003", "cm J84.9", "gm J84.9", "ncit C143767"),
    "complete atrioventricular block": ("snomed 27885002", "cm I44.2", "who I44.2"),
    "pancreatitis": ("snomed 75694006", "cm K85.90", "am K85.9"),
    "psychosis": ("snomed 69322001", "cm F23", "gm F23"),
    "torsades de pointes": ("snomed 31722008", "cm I47.21"),
    "haemolysis": ("snomed 61261009", "cm D59.9", "who D59.9"),
    "perforation of the gut": ("cm K63.1", "gm K63.1"),
    "severe loss of sight": ("cm H54.0", "who H54.0"),
    "syncope": ("snomed 271594007", "cm R55", "ncit C146750"),
}
WHOLE = (as_condition, as_graded_condition, as_adverse_event, as_research_event, as_visit)
"""The forms that can say everything of an event."""
LASTING = (as_observation, as_asked_observation)
"""The forms of what is there, without an end and without a cause."""


@dataclass(frozen=True)
class Course:
    """A patient on a drug and one event, with the codes that mean it."""

    base: Base
    event: Event
    codes: tuple[str, ...]

    def forms(self) -> list[Form]:
        """The forms that can say all that is so."""
        found = list(WHOLE)
        if self.event.grade is None:
            found.append(as_recorded_condition)
        if self.event.ended is None and self.event.drug is None:
            found += LASTING
            found += [as_report] if self.event.grade is None else []
        return found


@st.composite
def courses(draw: st.DrawFn) -> Course:
    drug = draw(st.sampled_from(DRUGS))
    since = draw(st.integers(5, 200))
    began = draw(st.integers(1, 250))
    ended = draw(st.none() | st.integers(0, began - 1))
    codes = CODES[draw(st.sampled_from(sorted(CODES)))]
    cause = draw(st.sampled_from((None, f"text: {drug}")))
    event = Event(
        written_out(codes[0]),
        began,
        ended,
        draw(st.none() | st.integers(1, 5)),
        written_out(cause) if cause else None,
    )
    return Course(Base(drug, since), event, codes)


def _said(course: Course, form: Form, code: str) -> object:
    event = course.event
    moved = Event(written_out(code), event.began, event.ended, event.grade, event.drug)
    decision = decided(course.base, [], [form(moved)])
    kinds = [
        (item.kind, item.drug, item.rule_id)
        for first in decision.recommendations
        for item in (first, *first.also)
    ]
    return kinds, rows_heard(decision), set(decision.undecided)


@pytest.mark.deep
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(course=courses(), data=st.data())
def test_an_event_moved_to_another_form_and_code_leaves_the_decision_as_it_was(
    course: Course, data: st.DataObject
) -> None:
    plain = _said(course, as_condition, course.codes[0])
    form = data.draw(st.sampled_from(course.forms()))
    code = data.draw(st.sampled_from(course.codes))
    assert _said(course, form, code) == plain, form.__name__

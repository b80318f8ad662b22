"""A timeline of a day in the past shows what was known on that day, and nothing of later.

The picture takes the same path as the decision; here it is asked the same questions
(`tests/alk/test_decisions_in_the_past.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cds_service.alk import Question, decide
from cds_service.facts import Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.plots.data import Timeline
from cds_service.plots.timeline import timeline_of
from fhir_fixtures import REFERENCE_DATE
from tests.alk.charts_later_on import Json, ended_on, is_dated, may_end, moved_after
from tests.alk.test_decisions_in_the_past import HOW, READ_LATER, STORIES, chart
from tests.depth import examples
from tests.facts.records import ALL, knowledge, reader
from tests.facts.test_ways_of_sending import charts

MODEST = settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))


def timeline(patient: str, resources: Sequence[Json], read_on: date | None) -> Timeline:
    """What a picture of the day of the stories shows of a chart that was read on another day."""
    entries = [{"resource": item} for item in resources]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    record = PatientRecord.build(patient, [read_resources(json.dumps(bundle).encode())])
    facts, _ = reader().read(Supplied(record, ALL, {}, known_on=read_on), REFERENCE_DATE)
    decision = decide(facts, Question("patient-view"), knowledge(), REFERENCE_DATE).whole()
    return timeline_of(facts, decision, knowledge())


@pytest.mark.deep
@MODEST
@given(st.data(), charts())
def test_what_is_written_after_the_day_asked_about_is_not_drawn(
    data: st.DataObject, drawn: tuple[str, list[Json], list[Json]]
) -> None:
    patient, resources, _ = drawn
    dated = [item for item in resources if is_dated(item)]
    assume(dated)
    copied = data.draw(st.lists(st.sampled_from(dated), min_size=1, max_size=8))
    later = [moved_after(item, REFERENCE_DATE, data.draw(st.integers(1, 120))) for item in copied]

    before = timeline(patient, resources, READ_LATER)
    assert timeline(patient, (*resources, *later), READ_LATER) == before


@pytest.mark.deep
@MODEST
@given(st.data(), STORIES)
def test_what_ended_after_the_day_asked_about_is_drawn_as_it_ran_on_it(
    data: st.DataObject, name: str
) -> None:
    patient, resources = chart(name)
    became = [
        ended_on(
            item, REFERENCE_DATE + timedelta(days=data.draw(st.integers(1, 120))), data.draw(HOW)
        )
        if may_end(item) and data.draw(st.booleans())
        else item
        for item in resources
    ]
    then = timeline(patient, resources, None)
    assert timeline(patient, became, READ_LATER) == then

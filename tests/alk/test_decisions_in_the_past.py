"""Deciding in the past on a chart is deciding then on the chart as it was.

The stories are told on their day. What happens to their people afterwards is drawn: orders and
illnesses end, in any of the ways in which charts say so, and new resources are written.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fhir_fixtures import REFERENCE_DATE, load_story, story_names
from tests.alk.charts_later_on import Json, answer, ended_on, is_dated, may_end, moved_after
from tests.depth import examples
from tests.facts.test_ways_of_sending import charts

MODEST = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
READ_LATER = REFERENCE_DATE + timedelta(days=120)
ON_HOLD_SINCE_NO_DAY = "alectinib-recovered-liver"
STORIES = st.sampled_from([name for name in story_names() if name != ON_HOLD_SINCE_NO_DAY])
HOW = st.sampled_from(["", "period", "held"])


@cache
def chart(name: str) -> tuple[str, tuple[Json, ...]]:
    story = load_story(name)
    return story.patient_id, tuple(entry["resource"] for entry in story.bundle["entry"])


@cache
def answer_then(name: str) -> Json:
    """The answer on the day of the story, from the chart of that day."""
    patient, resources = chart(name)
    return answer(patient, resources, REFERENCE_DATE)


@pytest.mark.deep
@MODEST
@given(st.data(), charts())
def test_what_is_written_after_the_day_asked_about_changes_nothing(
    data: st.DataObject, drawn: tuple[str, list[Json], list[Json]]
) -> None:
    patient, resources, _ = drawn
    dated = [item for item in resources if is_dated(item)]
    assume(dated)
    copied = data.draw(st.lists(st.sampled_from(dated), min_size=1, max_size=8))
    days = data.draw(st.lists(st.integers(1, 120), min_size=len(copied), max_size=len(copied)))
    later = [
        moved_after(item, REFERENCE_DATE, number) for item, number in zip(copied, days, strict=True)
    ]
    before = answer(patient, resources, REFERENCE_DATE, READ_LATER)
    assert answer(patient, (*resources, *later), REFERENCE_DATE, READ_LATER) == before


@pytest.mark.deep
@MODEST
@given(st.data(), charts())
def test_what_becomes_of_a_chart_afterwards_changes_nothing(
    data: st.DataObject, drawn: tuple[str, list[Json], list[Json]]
) -> None:
    patient, resources, _ = drawn
    became = [
        ended_on(item, REFERENCE_DATE + timedelta(days=20), data.draw(HOW))
        if may_end(item)
        else item
        for item in resources
    ]
    before = answer(patient, resources, REFERENCE_DATE, READ_LATER)
    assert answer(patient, became, REFERENCE_DATE, READ_LATER) == before


@pytest.mark.deep
@MODEST
@given(st.data(), STORIES)
def test_what_ended_after_the_day_asked_about_lasted_on_it(data: st.DataObject, name: str) -> None:
    patient, resources = chart(name)
    became = [
        ended_on(
            item,
            REFERENCE_DATE + timedelta(days=data.draw(st.integers(1, 120))),
            data.draw(HOW),
        )
        if may_end(item) and data.draw(st.booleans())
        else item
        for item in resources
    ]
    assert answer(patient, became, REFERENCE_DATE, READ_LATER) == answer_then(name)


@pytest.mark.parametrize("name", [name for name in story_names() if name != ON_HOLD_SINCE_NO_DAY])
def test_a_chart_that_was_read_later_says_of_the_day_what_it_said_then(name: str) -> None:
    patient, resources = chart(name)
    assert answer(patient, resources, REFERENCE_DATE, READ_LATER) == answer_then(name)


def test_an_order_that_is_on_hold_since_no_day_is_asked_about() -> None:
    patient, resources = chart(ON_HOLD_SINCE_NO_DAY)
    found = answer(patient, resources, REFERENCE_DATE, READ_LATER)["recommendations"]
    assert found[0]["rule_id"] == "data-not-available"
    assert {item["kind"] for item in found} == {"ask"}


def test_the_hold_is_there_on_the_day_of_the_reaction_though_the_drug_was_stopped_later() -> None:
    patient, resources = chart("alectinib-alt-six-times")
    stopped = [
        ended_on(item, REFERENCE_DATE + timedelta(days=74), "period") if may_end(item) else item
        for item in resources
    ]
    rules = [
        item["rule_id"]
        for item in answer(patient, stopped, REFERENCE_DATE, READ_LATER)["recommendations"]
    ]
    assert "alectinib-liver-hold" in rules
    assert not any(rule.startswith(("first-line", "progression")) for rule in rules)

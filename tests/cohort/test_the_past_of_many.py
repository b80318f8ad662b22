"""Many patients on a day in the past: each from the chart as it was, and nobody for another."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cds_service.cohort import PatientResult, Setup
from fhir_fixtures import REFERENCE_DATE, load_story
from tests.alk.charts_later_on import Json, ended_on, may_end, moved_after
from tests.cohort.populations import all_results

HELD, WELL = "alectinib-alt-six-times", "alectinib-on-track"
TODAY = REFERENCE_DATE + timedelta(days=90)
SETUP = Setup(REFERENCE_DATE, today=TODAY)


pytestmark = pytest.mark.slow


def resources(story: str) -> list[Json]:
    return [entry["resource"] for entry in load_story(story).bundle["entry"]]


def afterwards(story: str) -> list[Json]:
    """The chart of a story three months later: all that ran has ended, and all came again."""
    told = resources(story)
    ended = [
        ended_on(item, REFERENCE_DATE + timedelta(days=5), "period") if may_end(item) else item
        for item in told
    ]
    results = [item for item in told if item["resourceType"] == "Observation"]
    return ended + [moved_after(item, REFERENCE_DATE, 80) for item in results]


def decided(folder: Path, setup: Setup, *charts: list[Json]) -> list[PatientResult]:
    folder.mkdir()
    for number, chart in enumerate(charts):
        entries = [{"resource": item} for item in chart]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        (folder / f"{number}.json").write_text(json.dumps(bundle), encoding="utf-8")
    return all_results(folder, setup)


def test_charts_read_three_months_later_give_the_results_of_the_day(tmp_path: Path) -> None:
    then = decided(tmp_path / "then", SETUP, resources(HELD), resources(WELL))
    later = decided(tmp_path / "later", SETUP, afterwards(HELD), afterwards(WELL))
    assert later == then
    assert "alectinib-liver-hold" in then[0].rule_ids


def test_the_day_of_the_calendar_need_not_be_told(tmp_path: Path) -> None:
    untold = decided(tmp_path / "untold", replace(SETUP, today=None), afterwards(HELD))
    assert untold == decided(tmp_path / "told", SETUP, afterwards(HELD))


def test_a_slip_of_the_pen_after_today_does_not_make_a_chart_newer(tmp_path: Path) -> None:
    results = [item for item in resources(WELL) if item["resourceType"] == "Observation"]
    slip = moved_after(results[0], date(2062, 1, 1), 1)
    today = replace(SETUP, today=REFERENCE_DATE)
    held = [{**item, "status": "stopped"} if may_end(item) else item for item in resources(WELL)]
    plain = decided(tmp_path / "plain", today, held)
    assert decided(tmp_path / "slip", today, [*held, slip]) == plain


def test_a_day_before_the_birth_of_one_patient_does_not_cost_the_others_their_answer(
    tmp_path: Path,
) -> None:
    born_later = [
        {**item, "birthDate": "2026-12"} if item["resourceType"] == "Patient" else item
        for item in resources(HELD)
    ]
    refused, answered = decided(tmp_path / "both", SETUP, born_later, resources(WELL))
    assert refused.error == "the day asked about, 2026-11-20, lies before Patient.birthDate"
    assert answered.error is None

"""A day in the past, asked about by each command: one chart that was read later, one answer.

ALT is six times its limit on the day of the story. The drug was stopped five days afterwards, and
the disease got worse two months later.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.commands import local
from cds_service.commands.local import LocalServices
from fhir_fixtures import REFERENCE_DATE, Story, load_story
from fhir_fixtures.requests import hook_request
from tests.alk.charts_later_on import ended_on, may_end, moved_after
from tests.cli.conftest import Command

pytestmark = pytest.mark.slow

STORY = "alectinib-alt-six-times"
HOLD = "alectinib-liver-hold"
STOPPED_ON = REFERENCE_DATE + timedelta(days=5)
TODAY = REFERENCE_DATE + timedelta(days=90)
ON_THE_DAY = ("--as-of", REFERENCE_DATE.isoformat())


@pytest.fixture(autouse=True)
def read_three_months_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "clinic_day", lambda: TODAY)
    monkeypatch.setattr("cds_service.commands.running.clinic_day", lambda: TODAY)


def later_chart() -> Story:
    story = load_story(STORY)
    told = [entry["resource"] for entry in story.bundle["entry"]]
    became = [ended_on(item, STOPPED_ON, "period") if may_end(item) else item for item in told]
    results = [item for item in told if item["resourceType"] == "Observation"]
    after = [moved_after(item, REFERENCE_DATE, 60 + place) for place, item in enumerate(results)]
    entries = [{"resource": item} for item in (*became, *after)]
    return replace(story, bundle={**story.bundle, "entry": entries})


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(later_chart().bundle), encoding="utf-8")
    return file


def cohort(run: Command, chart: Path, *arguments: str) -> dict[str, Any]:
    done = run("cohort", str(chart), "--processes", "1", *arguments)
    assert done.exit_code in (0, 1), done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_cohort_has_the_hold_on_the_day_of_the_reaction(
    run: Command, chart: Path, tmp_path: Path
) -> None:
    as_told = tmp_path / "then.json"
    as_told.write_text(json.dumps(load_story(STORY).bundle), encoding="utf-8")
    of_the_day = {**cohort(run, as_told, *ON_THE_DAY), "source": "chart.json"}
    assert cohort(run, chart, *ON_THE_DAY) == of_the_day
    assert HOLD in of_the_day["rule_ids"]


def test_the_cohort_of_today_knows_that_the_drug_was_stopped(run: Command, chart: Path) -> None:
    assert HOLD not in cohort(run, chart, "--as-of", TODAY.isoformat())["rule_ids"]


def test_what_is_explained_of_a_day_in_the_past_is_what_was_explained_then() -> None:
    services = LocalServices(REFERENCE_DATE, 5)
    service = services.find("patient-view")
    described = services.described(service)
    then, later = (
        services.answer(service, hook_request(story, described)).document
        for story in (load_story(STORY), later_chart())
    )
    assert HOLD in [item["rule_id"] for item in later["recommendations"]]
    said = [
        {name: value for name, value in found.items() if name not in ("id", "remarks")}
        for found in (then, later)
    ]
    assert without_cards(said[0]) == without_cards(said[1])
    assert [remark["subject"] for remark in later["remarks"]][:1] == ["the day asked about"]


def without_cards(value: Any) -> Any:
    """The document without the ids that every card gets anew."""
    if isinstance(value, dict):
        return {key: without_cards(item) for key, item in value.items() if key != "card"}
    return [without_cards(item) for item in value] if isinstance(value, list) else value


def test_the_picture_of_a_day_in_the_past_shows_nothing_of_what_came_later(
    run: Command, chart: Path, tmp_path: Path
) -> None:
    as_told = tmp_path / "then.json"
    as_told.write_text(json.dumps(load_story(STORY).bundle), encoding="utf-8")
    then = run("timeline", "--bundle", str(as_told), *ON_THE_DAY)
    later = run("timeline", "--bundle", str(chart), *ON_THE_DAY)
    assert then.exit_code == later.exit_code == 0
    assert then.stdout == later.stdout


@pytest.mark.parametrize("name", ["timeline", "cohort"])
def test_a_day_before_the_birth_is_refused_by_the_name_of_the_field(
    run: Command, chart: Path, name: str
) -> None:
    if name == "cohort":
        found = cohort(run, chart, "--as-of", "1900-01-01")
        assert found["error"] == "the day asked about, 1900-01-01, lies before Patient.birthDate"
        return
    done = run("timeline", "--bundle", str(chart), "--as-of", "1900-01-01")
    assert done.exit_code == 2
    assert "--as-of: the day asked about, 1900-01-01, lies before Patient.birthDate" in done.output


def test_explain_and_evaluate_refuse_a_day_before_the_birth_too(
    run: Command, fhir_server: str
) -> None:
    patient = load_story(STORY).patient_id
    asked = ("--fhir-server", fhir_server, "--patient", patient, "--as-of", "1900-01-01")
    for name in ("explain", "evaluate", "timeline"):
        done = run(name, *asked)
        assert done.exit_code == 2, done.output
        assert "Patient.birthDate" in done.output
    done = run("cohort", *asked)
    assert done.exit_code == 1
    assert "Patient.birthDate" in json.loads(done.stdout)["error"]


def test_the_stories_of_any_day_are_the_present_of_their_people(run: Command) -> None:
    found = run("cohort", "--stories", "--processes", "1", *ON_THE_DAY)
    moved = run("cohort", "--stories", "--processes", "1", "--as-of", "2020-02-29")
    assert found.exit_code == moved.exit_code == 0
    rules = [
        {line["source"]: line["rule_ids"] for line in map(json.loads, done.stdout.splitlines())}
        for done in (found, moved)
    ]
    assert rules[0].keys() == rules[1].keys()
    assert HOLD in rules[1][STORY]

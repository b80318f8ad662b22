"""What of the patient's values a decision document keeps for its plot."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.cards.plotted import MOST_VALUES
from cds_service.commands.local import LocalServices
from fhir_fixtures import REFERENCE_DATE, Story, load_story
from fhir_fixtures.requests import hook_request

SERVICES = LocalServices(REFERENCE_DATE, 20.0)


def plot_of(story: Story, hook: str = "patient-view") -> dict[str, Any]:
    service = SERVICES.find(hook)
    body = hook_request(story, SERVICES.described(service))
    plot: dict[str, Any] = SERVICES.answer(service, body).document["plot"]
    return plot


def course(plot: dict[str, Any], fact: str) -> dict[str, Any]:
    return next(item for item in plot["courses"] if item["fact"] == fact)


def test_a_hold_keeps_the_values_that_its_rule_asked_about_with_their_limits() -> None:
    plot = plot_of(load_story("alectinib-alt-six-times"))

    assert [item["fact"] for item in plot["courses"]] == ["ALT", "AST", "total bilirubin"]
    assert course(plot, "ALT")["unit"] == "U/L"
    assert course(plot, "ALT")["values"][0] == {
        "day": "2026-11-12",
        "as_sent": "341 U/L",
        "value": "341",
        "upper_limit": "55",
    }


def test_thresholds_are_those_of_the_rule_and_of_its_recovery() -> None:
    plot = plot_of(load_story("alectinib-alt-six-times"))

    assert course(plot, "ALT")["thresholds"] == [
        {"operator": ">", "number": "5", "unit": "xULN", "meaning": "hold"},
        {"operator": "<=", "number": "3", "unit": "xULN", "meaning": "resume"},
        {
            "operator": "<=", "number": "1", "unit": "xbaseline", "meaning": "resume",
            "level": "27",
        },
    ]  # fmt: skip


def test_a_bound_that_only_goes_with_another_value_calls_for_nothing() -> None:
    plot = plot_of(load_story("alectinib-alt-six-times"))

    assert course(plot, "total bilirubin")["thresholds"] == [
        {"operator": "<=", "number": "2", "unit": "xULN"}
    ]


def test_a_low_value_that_a_drug_is_held_for_is_a_hold() -> None:
    plot = plot_of(load_story("alectinib-symptomatic-bradycardia"))

    (held,) = [item for item in course(plot, "heart rate")["thresholds"] if item["operator"] == "<"]
    assert held["meaning"] == "hold"


def test_the_choice_of_a_drug_shows_no_old_results_of_tests_that_are_due() -> None:
    plot = plot_of(load_story("first-line-choice"))

    assert plot["courses"] == []


def test_an_absolute_threshold_carries_its_level_in_the_unit_of_the_values() -> None:
    plot = plot_of(load_story("lorlatinib-triglycerides"))

    levels = [item["level"] for item in course(plot, "triglycerides")["thresholds"]]
    assert "1000" in levels


def test_a_test_that_is_due_keeps_its_last_values_without_thresholds() -> None:
    plot = plot_of(load_story("alectinib-monitoring-overdue"))

    assert course(plot, "CPK")["thresholds"] == []
    assert course(plot, "CPK")["values"]


def test_the_orders_of_each_inhibitor_are_kept_with_status_and_dose() -> None:
    (line,) = plot_of(load_story("alectinib-recovered-liver"))["lines"]

    assert line["drug"] == "alectinib"
    assert line["orders"] == [
        {"status": "paused", "start": "2026-07-03", "end": None, "daily_mg": "1200"}
    ]


def test_a_result_in_an_unknown_unit_is_kept_as_sent_with_its_problem() -> None:
    plot = plot_of(load_story("alectinib-no-reference-range"))

    newest = course(plot, "total bilirubin")["values"][0]
    assert "value" not in newest
    assert newest["problem"] == "unknown unit"
    assert newest["as_sent"].startswith("1.4")


def test_a_decision_about_no_measured_value_keeps_no_course() -> None:
    assert plot_of(load_story("alk-amplification-only"))["courses"] == []


def test_no_name_and_no_record_number_is_kept() -> None:
    for name in ("alectinib-alt-six-times", "progression-g1202r"):
        text = json.dumps(plot_of(load_story(name)))
        assert "Patient/" not in text
        assert "Observation/" not in text


@pytest.fixture
def long_story() -> Story:
    """A drug on hold, and two thousand normal results of ALT since the one that asked for it."""
    story = deepcopy(load_story("alectinib-recovered-liver"))
    alt = next(
        entry
        for entry in story.bundle["entry"]
        if entry["resource"].get("code", {}).get("text") == "ALT"
    )
    for number in range(2000):
        copy = deepcopy(alt)
        day: date = REFERENCE_DATE - timedelta(days=1 + number // 100)
        copy["fullUrl"] += f"-again-{number}"
        copy["resource"]["id"] += f"-again-{number}"
        copy["resource"]["effectiveDateTime"] = f"{day}T{number % 24:02}:{number % 60:02}:00Z"
        copy["resource"]["valueQuantity"]["value"] = 20 + number % 5
        story.bundle["entry"].append(copy)
    return story


def test_of_thousands_of_results_the_newest_and_those_that_a_rule_used_are_kept(
    long_story: Story,
) -> None:
    plot = plot_of(long_story)

    kept = course(plot, "ALT")
    assert kept["known"] > 2000
    assert len(kept["values"]) == MOST_VALUES
    sent = [(item["day"], item["as_sent"]) for item in kept["values"]]
    assert ("2026-10-23", "230 U/L") in sent
    assert sum(day >= "2026-11-19" for day, _ in sent) > 50
    assert len(json.dumps(plot)) < 40_000


def test_the_grades_of_a_finding_are_plotted_with_the_limits_of_its_rows() -> None:
    plot = plot_of(load_story("lorlatinib-hallucinations"))
    grades = course(plot, "nervous system effects")
    assert grades["unit"] == "grade"
    assert [value["value"] for value in grades["values"]] == ["2", "2"]
    held = {"operator": ">=", "number": "2", "unit": "grade", "level": "2", "meaning": "hold"}
    assert held in grades["thresholds"]

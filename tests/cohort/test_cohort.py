"""Many patients from files: the same answers as one by one, and nothing lost on the way."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cohort import Chart, CohortFileError, PatientResult, Setup, run_cohort
from cds_service.commands import commands
from cds_service.commands.local import LocalServices
from cds_service.fhir.reading import READ_TYPES
from fhir_fixtures import REFERENCE_DATE, load_story, story_names
from fhir_fixtures.requests import hook_request
from tests.cohort.populations import all_results

pytestmark = pytest.mark.slow

STORIES = ("alectinib-pneumonitis", "chart-almost-empty", "no-lung-cancer")
SETUP = Setup(REFERENCE_DATE)
Json = dict[str, Any]
Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ALK_CDS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def run() -> Command:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(commands, ["cohort", *arguments])

    return invoke


def bundle(story: str) -> Json:
    return load_story(story).bundle


def resources(story: str) -> list[Json]:
    return [entry["resource"] for entry in bundle(story)["entry"]]


def decided(folder: Path) -> dict[str | None, PatientResult]:
    return {result.patient: result for result in all_results(folder, SETUP)}


@pytest.fixture(scope="module")
def one_by_one() -> dict[str, tuple[str, ...]]:
    """The rules behind the cards of each story when the chart is opened."""
    services = LocalServices(REFERENCE_DATE, 5)
    service = services.find("patient-view")
    found: dict[str, tuple[str, ...]] = {}
    for name in story_names():
        story = load_story(name)
        body = hook_request(story, services.described(service))
        answer = services.answer(service, body)
        found[story.patient_id] = tuple(
            item["rule_id"] for item in answer.document["recommendations"] if item["card"]
        )
    return found


def test_a_folder_of_bundles_is_decided_as_the_hook_decides(
    tmp_path: Path, one_by_one: dict[str, tuple[str, ...]]
) -> None:
    for name in story_names():
        (tmp_path / f"{name}.json").write_text(json.dumps(bundle(name)), encoding="utf-8")
    found = decided(tmp_path)
    # A product that prefetch cannot name is in the file, so one more thing is known here.
    assert found.keys() == one_by_one.keys()
    for patient, rules in one_by_one.items():
        if patient != "alectinib-pneumonitis-patient":
            assert set(rules) == set(found[patient].rule_ids), patient
            assert found[patient].error is None
    stop = found["alectinib-pneumonitis-patient"]
    assert ("alectinib-lung-stop", "stop", "critical") in list(
        zip(stop.rule_ids, stop.kinds, stop.severities, strict=True)
    )


def test_bundles_and_bulk_exports_in_lines_give_the_same_as_single_files(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("single", "lines", "export")]
    for folder in folders:
        folder.mkdir()
    single, lines, export = folders
    for name in STORIES:
        (single / f"{name}.json").write_text(json.dumps(bundle(name)), encoding="utf-8")
    (lines / "all.ndjson").write_text(
        "\n".join(json.dumps(bundle(name)) for name in STORIES) + "\n\n", encoding="utf-8"
    )
    by_type: dict[str, list[str]] = {}
    for name in reversed(STORIES):
        for resource in resources(name):
            by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind in READ_TYPES - by_type.keys():
        # An exporter that has none of a type may say so by an empty file.
        (export / f"{kind}.ndjson").touch()
    for kind, texts in by_type.items():
        (export / f"{kind}.ndjson").write_text("\n".join(texts), encoding="utf-8")

    found = [decided(folder) for folder in folders]

    answers = [
        {patient: (item.rule_ids, item.undecided) for patient, item in results.items()}
        for results in found
    ]
    assert len(answers[0]) == 3
    assert answers[0] == answers[1] == answers[2]
    assert found[1]["no-lung-cancer-patient"].source == "all.ndjson:3"


def test_one_bundle_may_hold_several_patients(tmp_path: Path) -> None:
    both = {"resourceType": "Bundle", "type": "collection", "entry": [
        *bundle("alectinib-pneumonitis")["entry"], *bundle("no-lung-cancer")["entry"],
    ]}  # fmt: skip
    (tmp_path / "both.json").write_text(json.dumps(both), encoding="utf-8")
    found = decided(tmp_path)
    assert "alectinib-lung-stop" in found["alectinib-pneumonitis-patient"].rule_ids
    assert found["no-lung-cancer-patient"].rule_ids == ()


def test_several_processes_give_the_results_of_one_in_the_same_order(tmp_path: Path) -> None:
    for name in STORIES:
        (tmp_path / f"{name}.json").write_text(json.dumps(bundle(name)), encoding="utf-8")
    alone = all_results(tmp_path, SETUP)
    assert all_results(tmp_path, SETUP, processes=2) == alone
    charts = [Chart(name, tmp_path / f"{name}.json") for name in STORIES]
    assert list(run_cohort(charts, SETUP, processes=2)) == list(run_cohort(charts, SETUP))


def test_a_first_page_is_not_taken_for_the_whole_chart(tmp_path: Path) -> None:
    page = bundle("alectinib-on-track")
    page["link"] = [{"relation": "next", "url": "https://fixtures.example.org/fhir?page=2"}]
    (tmp_path / "page.json").write_text(json.dumps(page), encoding="utf-8")
    assert "data-not-available" in decided(tmp_path)["alectinib-on-track-patient"].rule_ids


@pytest.mark.parametrize("how", ["an error in it", "fewer than it counts"])
def test_a_chart_that_its_server_did_not_give_whole_says_so(tmp_path: Path, how: str) -> None:
    chart = bundle("alectinib-on-track")
    if how == "an error in it":
        issue = {"severity": "error", "code": "exception"}
        outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
        chart["entry"] = [*chart["entry"], {"resource": outcome}]
    else:
        chart["total"] = len(chart["entry"]) + 1
    (tmp_path / "chart.json").write_text(json.dumps(chart), encoding="utf-8")
    assert "data-not-available" in decided(tmp_path)["alectinib-on-track-patient"].rule_ids


def test_a_chart_without_the_patient_itself_says_so(tmp_path: Path) -> None:
    chart = bundle("alectinib-on-track")
    chart["entry"] = [
        entry for entry in chart["entry"] if entry["resource"]["resourceType"] != "Patient"
    ]
    (tmp_path / "chart.json").write_text(json.dumps(chart), encoding="utf-8")
    assert "data-not-available" in decided(tmp_path)["alectinib-on-track-patient"].rule_ids


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"resourceType": "Bundle"}'])
def test_a_file_without_a_chart_is_an_error_and_not_a_patient_without_findings(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    (result,) = all_results(tmp_path, SETUP)
    assert result.error is not None
    assert "rule_ids" not in result.as_document()


def test_a_broken_line_of_an_export_is_reported_with_its_place(tmp_path: Path) -> None:
    good = [json.dumps(resource) for resource in resources("chart-almost-empty")]
    (tmp_path / "all.ndjson").write_text("\n".join([*good, '{"cut'])[:-1], encoding="utf-8")
    results = all_results(tmp_path, SETUP)
    assert [result.source for result in results if result.error] == ["all.ndjson:5"]
    assert [result.patient for result in results if not result.error] == [
        "chart-almost-empty-patient"
    ]


def test_a_fault_with_one_patient_does_not_cost_the_others_their_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cds_service.cohort.run as module

    real = module.decide

    def sometimes(*arguments: Any) -> Any:
        if arguments[0].patient_id == "chart-almost-empty-patient":
            raise ArithmeticError("a rule broke on Specimen")
        return real(*arguments)

    monkeypatch.setattr(module, "decide", sometimes)
    for name in STORIES:
        (tmp_path / f"{name}.json").write_text(json.dumps(bundle(name)), encoding="utf-8")
    found = decided(tmp_path)
    assert found["chart-almost-empty-patient"].error == "failed: ArithmeticError"
    assert found["alectinib-pneumonitis-patient"].error is None


@pytest.mark.usefixtures("parts_may_break")
def test_a_patient_of_whom_a_part_could_not_be_checked_does_not_count_as_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm = importlib.import_module("cds_service.alk.drug_sections")
    real = algorithm.due_tests

    def sometimes(*arguments: Any) -> Any:
        if any(getattr(item, "patient_id", "") == "alectinib-pneumonitis-patient"
               for item in arguments):  # fmt: skip
            raise ArithmeticError("a rule broke on Specimen")
        return real(*arguments)

    monkeypatch.setattr(algorithm, "due_tests", sometimes)
    for name in STORIES:
        (tmp_path / f"{name}.json").write_text(json.dumps(bundle(name)), encoding="utf-8")
    found = decided(tmp_path)
    assert found["alectinib-pneumonitis-patient"].error == "failed: ArithmeticError"
    assert sum(result.error is not None for result in found.values()) == 1


def test_an_empty_folder_is_refused(tmp_path: Path, run: Command) -> None:
    with pytest.raises(CohortFileError):
        all_results(tmp_path, SETUP)
    assert run(str(tmp_path)).exit_code == 2


def test_the_command_writes_a_line_for_each_patient_and_a_summary(
    tmp_path: Path, run: Command
) -> None:
    out = tmp_path / "out.ndjson"
    result = run("--stories", "--as-of", "2026-11-20", "--out", str(out), "--processes", "1")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {line["source"] for line in lines} == set(story_names())
    for line in lines:
        assert len(line["rule_ids"]) == len(line["kinds"]) == len(line["severities"])
    assert "48 patients decided as of 2026-11-20" in result.stderr
    assert "alectinib-lung-stop" in result.stderr
    assert result.stdout == ""


def test_the_command_ends_with_1_when_a_patient_could_not_be_decided(
    tmp_path: Path, run: Command
) -> None:
    (tmp_path / "odd.json").write_text("no json", encoding="utf-8")
    result = run(str(tmp_path), "--processes", "1")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "patient": None,
        "source": "odd.json",
        "error": "no FHIR resource could be read",
    }
    assert "not decided: odd.json" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--stories", ".")])
def test_the_command_needs_a_path_or_the_stories(run: Command, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2

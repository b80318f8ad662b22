"""`knowledge`, `fixtures`, `--help`, `--version`, and how the operator's faults are told."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, Response, jsonify, request

from cds_service.commands.fixtures import as_transaction
from cds_service.commands.running import LocalServer
from fhir_fixtures import load_story, story_names
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

Command = Callable[..., Result]
COMMANDS = ("call", "cohort", "demo", "evaluate", "explain", "fhir-server", "fixtures",
            "knowledge", "records", "serve")  # fmt: skip


def test_help_lists_every_command_and_answers_quickly() -> None:
    started = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-m", "cds_service.cli", "--help"],
        capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert time.perf_counter() - started < 2
    for name in COMMANDS:
        assert f"\n  {name}" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Command, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_command_is_refused(run: Command) -> None:
    assert run("prescribe").exit_code == 2


def test_the_version_names_the_program(run: Command) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.startswith("alk-cds")


def test_a_wrong_setting_is_one_message_without_a_stack_trace(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_WORKERS", "many")
    result = run("call", "patient-view", "--story", "no-lung-cancer")
    assert result.exit_code == 1
    assert "ALK_CDS_WORKERS" in result.output
    assert isinstance(result.exception, SystemExit)


# -- knowledge check --------------------------------------------------


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A copy of the packaged release."""
    target = tmp_path / "release"
    with_files = files("cds_service.knowledge")
    shutil.copytree(Path(str(with_files)), target, ignore=shutil.ignore_patterns("*.py", "__*"))
    return target


def test_the_packaged_tables_have_nothing_to_mend(run: Command) -> None:
    result = run("knowledge", "check", "--notes")
    assert result.exit_code == 0, result.output
    assert "nothing to mend" in result.output
    assert "drugs/alectinib/dose_changes" in result.output
    assert "settled by file order" in result.output


def test_a_table_that_cannot_be_read_is_told_with_row_and_column(
    run: Command, tables: Path
) -> None:
    file = tables / "drugs" / "alectinib" / "dose_changes.csv"
    text = file.read_text(encoding="utf-8")
    assert "ALT > 5 xULN" in text
    file.write_text(text.replace("ALT > 5 xULN", "ALT > 5 bananas", 1), encoding="utf-8")
    result = run("knowledge", "check", "--folder", str(tables))
    assert result.exit_code == 1
    shown = result.output.replace("\n", "")
    assert "dose_changes.csv" in shown
    for part in ("row: ", "column: ", "expected: "):
        assert part in result.output


def test_a_table_with_a_fault_ends_with_1_and_names_the_row(run: Command, tables: Path) -> None:
    file = tables / "algorithm" / "gates.csv"
    text = file.read_text(encoding="utf-8")
    head, first, rest = text.split("\n", 2)
    own = _with_condition(head, first, "age > 200 years and age < 100 years")
    file.write_text("\n".join((head, first, own, rest)), encoding="utf-8")
    result = run("knowledge", "check", "--folder", str(tables))
    assert result.exit_code == 1, result.output
    assert "gate-that-never-fires" in result.output


def _with_condition(head: str, row: str, condition: str) -> str:
    cells = dict(zip(next(csv.reader([head])), next(csv.reader([row])), strict=True))
    cells |= {"id": "gate-that-never-fires", "when": condition}
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells.values())
    return out.getvalue()


# -- fixtures ---------------------------------------------------------


class WritableServer:
    """As much of a writable FHIR server as loading stories needs."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.refused = ""
        self.words: dict[str, Any] = {"diagnostics": "no MedicationRequest here"}
        self.kind = "transaction"
        self.app = Flask("writable")
        self.app.add_url_rule("/fhir", view_func=self._transaction, methods=["POST"])

    def _transaction(self) -> Response | tuple[Response, int]:
        bundle = request.get_json(force=True)
        assert bundle["resourceType"] == "Bundle"
        assert bundle["type"] == self.kind
        answers = []
        for entry in bundle["entry"]:
            assert entry["request"]["method"] == "PUT"
            url = entry["request"]["url"]
            if self.refused and url.startswith(self.refused):
                issue = {"severity": "error", "code": "forbidden", **self.words}
                outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
                return jsonify(outcome), 422
            self.resources[url] = entry["resource"]
            answers.append({"response": {"status": "201 Created"}})
        return jsonify({"resourceType": "Bundle", "type": "transaction-response", "entry": answers})


@pytest.fixture
def writable() -> Iterator[tuple[str, WritableServer]]:
    found = WritableServer()
    server = LocalServer()
    server.start(found.app)
    yield f"{server.url}/fhir", found
    server.close()


def test_every_story_is_listed_with_its_paragraph(run: Command) -> None:
    result = run("fixtures", "list")
    assert result.exit_code == 0
    for name in story_names():
        assert f"{name}" in result.output
    assert "Nothing was given yet" in result.output.replace("\n    ", " ")


def test_all_stories_are_put_on_the_server_as_of_today(
    run: Command, writable: tuple[str, WritableServer]
) -> None:
    url, server = writable
    result = run("fixtures", "load", "--fhir-server", url)
    assert result.exit_code == 0, result.output
    sent = sum(len(load_story(name).bundle["entry"]) for name in story_names())
    assert len(server.resources) == sent
    assert {"Patient/no-lung-cancer-patient", "Patient/chart-almost-empty-patient"} <= set(
        server.resources
    )


def test_what_a_server_refuses_is_said(run: Command, writable: tuple[str, WritableServer]) -> None:
    url, server = writable
    server.refused = "MedicationRequest"
    result = run(
        "fixtures", "load", "--fhir-server", url,
        "--story", "chart-almost-empty", "--story", "alectinib-on-track",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "chart-almost-empty: 4 resources" in result.output
    assert "alectinib-on-track: refused with HTTP 422: no MedicationRequest here" in result.output
    assert "1 of 2 stories refused" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"details": {"text": "too many entries"}}, "too many entries"),
        ({"details": {"coding": []}}, "forbidden"),
        ({"details": None}, "forbidden"),
        ({}, "forbidden"),
    ],
)
def test_the_words_of_a_refusal_are_found_where_servers_put_them(
    run: Command, writable: tuple[str, WritableServer], words: dict[str, Any], said: str
) -> None:
    url, server = writable
    server.refused, server.words = "Patient", words
    result = run("fixtures", "load", "--fhir-server", url, "--story", "chart-almost-empty")
    assert result.exit_code == 1
    assert f"refused with HTTP 422: {said}" in result.output


def test_a_server_that_limits_transactions_gets_batches(
    run: Command, writable: tuple[str, WritableServer]
) -> None:
    url, server = writable
    server.kind = "batch"
    result = run(
        "fixtures", "load", "--fhir-server", url, "--story", "chart-almost-empty", "--batch"
    )
    assert result.exit_code == 0, result.output
    assert "Patient/chart-almost-empty-patient" in server.resources


def test_a_story_is_loaded_as_of_the_day_that_is_asked_for(
    run: Command, writable: tuple[str, WritableServer]
) -> None:
    url, server = writable
    load = ("fixtures", "load", "--fhir-server", url, "--story", "chart-almost-empty")
    assert run(*load, "--as-of", "2026-11-20").exit_code == 0
    told = load_story("chart-almost-empty", date(2026, 11, 20)).bundle["entry"]
    assert list(server.resources.values()) == [entry["resource"] for entry in told]
    assert run(*load, "--as-of", "2027-02-20").exit_code == 0
    assert list(server.resources.values()) != [entry["resource"] for entry in told]


def test_a_read_only_server_refuses_every_story(run: Command, fhir_server: str) -> None:
    result = run("fixtures", "load", "--fhir-server", fhir_server, "--story", "no-lung-cancer")
    assert result.exit_code == 1
    assert "refused with HTTP 405" in result.output


def test_a_server_that_is_down_is_one_line(run: Command) -> None:
    result = run("fixtures", "load", "--fhir-server", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "no answer from the server" in result.output


def test_a_transaction_replaces_each_resource_under_its_own_id() -> None:
    bundle = as_transaction(load_story("chart-almost-empty").bundle)
    urls = [entry["request"]["url"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls) == 4
    assert all("fullUrl" not in entry for entry in bundle["entry"])

"""`call`, `evaluate` and `explain`: one patient at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask, Response, request

from cds_service.commands.running import LocalServer, own_service
from fhir_fixtures import REFERENCE_DATE, load_story
from fhir_fixtures.server import create_fixture_server

pytestmark = pytest.mark.slow

Command = Callable[..., Result]
AS_OF = REFERENCE_DATE.isoformat()
STORY = "alectinib-alt-six-times"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with own_service() as url:
        yield url


@pytest.fixture
def guarded() -> Iterator[tuple[str, set[str]]]:
    """The stories behind a door that notes the tokens it is shown."""
    app = create_fixture_server(REFERENCE_DATE)
    shown: set[str] = set()

    @app.before_request
    def look() -> Response | None:
        shown.add(request.headers.get("Authorization", "none"))
        return None

    server = LocalServer()
    server.start(app)
    yield server.url, shown
    server.close()


# -- call -------------------------------------------------------------


@pytest.mark.parametrize("how", [(), ("--no-prefetch",)])
def test_a_call_prints_the_cards_in_words(run: Command, how: tuple[str, ...]) -> None:
    result = run("call", "order-sign", "--story", "pregnant-alk-inhibitor-ordered", *how)
    assert result.exit_code == 0, result.output
    assert "CRITICAL" in result.output
    assert "Do not sign alectinib" in result.output
    assert "Remove the alectinib order" in result.output
    assert all(len(line) <= 100 for line in result.output.splitlines())


def test_a_call_can_go_to_a_service_that_runs_elsewhere(run: Command, service: str) -> None:
    result = run(
        "call", "alk-patient-view", "--story", "alectinib-pneumonitis", "--base-url", service,
        "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert isinstance(json.loads(result.stdout)["cards"], list)


def test_a_story_without_orders_cannot_be_signed(run: Command, service: str) -> None:
    result = run("call", "order-sign", "--story", "first-line-choice", "--base-url", service)
    assert result.exit_code == 2
    assert "first-line-choice has no draft orders" in result.output


def test_an_unknown_service_is_answered_with_the_known_ones(run: Command, service: str) -> None:
    result = run("call", "alk-nothing", "--story", "no-lung-cancer", "--base-url", service)
    assert result.exit_code == 2
    assert "alk-patient-view" in result.output


def test_an_unknown_story_is_told_before_anything_starts(run: Command) -> None:
    result = run("call", "patient-view", "--story", "nobody")
    assert result.exit_code == 2
    assert "fixtures list" in result.output


def test_a_refusal_is_shown_and_ends_with_1(run: Command, service: str) -> None:
    result = run(
        "call", "patient-view", "--story", "no-lung-cancer", "--base-url", service,
        "--no-prefetch", "--fhir-server", "http://127.0.0.1:1",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "HTTP 412" in result.output
    assert "Required data could not be obtained" in result.output


def test_a_service_that_does_not_run_is_one_clear_line(run: Command) -> None:
    result = run(
        "call", "patient-view", "--story", "no-lung-cancer", "--base-url", "http://127.0.0.1:1"
    )
    assert result.exit_code == 1
    assert "no answer from http://127.0.0.1:1/cds-services" in result.output


# -- evaluate ---------------------------------------------------------


def test_a_patient_of_a_fhir_server_is_decided_as_of_a_day(run: Command, fhir_server: str) -> None:
    result = run(
        "evaluate", "--fhir-server", fhir_server, "--patient", "alectinib-alt-six-times-patient",
        "--as-of", AS_OF, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    rules = [card["source"]["topic"]["display"] for card in json.loads(result.stdout)["cards"]]
    assert "alectinib-liver-hold" in rules


def test_a_patient_without_lung_cancer_gets_no_cards_and_0(run: Command, fhir_server: str) -> None:
    result = run(
        "evaluate", "--fhir-server", fhir_server, "--patient", "no-lung-cancer-patient",
        "--as-of", AS_OF,
    )  # fmt: skip
    assert result.exit_code == 0
    assert "No cards" in result.output


def test_draft_orders_from_a_file_are_checked_at_the_signature(
    run: Command, fhir_server: str, tmp_path: Path
) -> None:
    story = load_story("pregnant-alk-inhibitor-ordered")
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(story.draft_orders), encoding="utf-8")
    asked = ("evaluate", "--fhir-server", fhir_server, "--patient", story.patient_id,
             "--as-of", AS_OF)  # fmt: skip
    for hook in ("order-select", "order-sign", "medication-prescribe", "medication-refill"):
        result = run(*asked, "--hook", hook, "--draft-orders", str(file))
        assert result.exit_code == 0, result.output
        assert "Do not sign alectinib" in result.output
    assert run(*asked, "--hook", "order-sign").exit_code == 2


@pytest.mark.parametrize(
    ("hook", "instead"), [("encounter-start", "patient-view"), ("order-dispatch", "order-sign")]
)
def test_a_moment_that_only_an_ehr_has_is_asked_for_by_another_name(
    run: Command, fhir_server: str, hook: str, instead: str
) -> None:
    result = run("evaluate", "--fhir-server", fhir_server, "--patient", "somebody",
                 "--hook", hook)  # fmt: skip
    assert result.exit_code == 2
    assert f"ask {instead}" in result.output


@pytest.mark.parametrize(
    ("address", "patient", "told"),
    [
        ("http://127.0.0.1:1", "1", "no connection"),
        (None, "nobody", "HTTP 404"),
    ],
)
def test_what_a_server_does_not_give_is_one_sentence_and_3(
    run: Command, fhir_server: str, address: str | None, patient: str, told: str
) -> None:
    result = run("evaluate", "--fhir-server", address or fhir_server, "--patient", patient)
    assert result.exit_code == 3
    assert told in result.output
    assert result.output.count("\n") == 1
    assert "Traceback" not in result.output


def test_a_server_that_refuses_only_the_conditions_is_told_so(run: Command) -> None:
    app = create_fixture_server(REFERENCE_DATE)

    @app.before_request
    def refuse() -> Response | None:
        return Response(status=403) if request.path.startswith("/Condition") else None

    server = LocalServer()
    server.start(app)
    try:
        result = run("evaluate", "--fhir-server", server.url, "--patient", "no-lung-cancer-patient")
    finally:
        server.close()
    assert result.exit_code == 3
    assert "conditions: an error status (HTTP 403)" in result.output


@pytest.mark.parametrize("address", ["ftp://example.org", "not an address", "https://a:b@c.org"])
def test_an_address_that_is_none_is_refused(run: Command, address: str) -> None:
    result = run("evaluate", "--fhir-server", address, "--patient", "1")
    assert result.exit_code == 2
    assert "--fhir-server" in result.output


def test_an_impossible_patient_id_is_refused(run: Command, fhir_server: str) -> None:
    result = run("evaluate", "--fhir-server", fhir_server, "--patient", "../metadata")
    assert result.exit_code == 2
    assert "patientId" in result.output


def test_the_token_comes_from_the_file_or_the_environment(
    run: Command,
    guarded: tuple[str, set[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, shown = guarded
    asked = ("evaluate", "--fhir-server", url, "--patient", "no-lung-cancer-patient")
    monkeypatch.setenv("ALK_CDS_FHIR_TOKEN", "from-the-environment")
    assert run(*asked).exit_code == 0
    assert shown == {"Bearer from-the-environment"}
    shown.clear()
    file = tmp_path / "token"
    file.write_text("from-the-file\n", encoding="ascii")
    result = run(*asked, "--token-file", str(file))
    assert result.exit_code == 0
    assert shown == {"Bearer from-the-file"}
    file.write_text("two tokens\n", encoding="ascii")
    assert run(*asked, "--token-file", str(file)).exit_code == 2


# -- explain ----------------------------------------------------------


def test_the_tree_shows_verdicts_values_days_and_sources(run: Command) -> None:
    result = run("explain", "--story", "alectinib-alt-without-bilirubin", "--as-of", AS_OF)
    assert result.exit_code == 0, result.output
    for said in (
        "rule alectinib-liver-hold-bilirubin-unknown",
        "MET  ALT: 246 U/L",
        "UNKNOWN  It cannot be said whether total bilirubin > 2 xULN",
        "6.00 x upper limit",
        "2026-11-15",
        "Observation/alectinib-alt-without-bilirubin-alt",
        "resume when",
        "sources:",
    ):
        assert said in result.output
    assert ": could not be decided" not in result.output


def test_one_rule_can_be_asked_for(run: Command, fhir_server: str) -> None:
    asked = ("explain", "--fhir-server", fhir_server, "--patient",
             "alectinib-alt-six-times-patient", "--as-of", AS_OF)  # fmt: skip
    result = run(*asked, "--rule", "alectinib-liver-hold")
    assert result.exit_code == 0, result.output
    assert "rule alectinib-liver-hold," in result.output
    assert "alectinib-monitor-brain" not in result.output
    silent = run(*asked, "--rule", "alectinib-lung-stop")
    assert silent.exit_code == 1
    assert "Rule alectinib-lung-stop says nothing here" in silent.output


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (("explain", "--story", STORY, "--rule", "alectinib-liver-hld"), "alectinib-liver-hold"),
        (("explain", "--story", "alectinib-ontrack"), "alectinib-on-track"),
        (("explain", "--story", STORY, "--hook", "order-sing"), "order-sign"),
        (("knwledge", "check"), "knowledge"),
        (("knowledge", "chek"), "check"),
    ],
)
def test_a_word_that_nobody_knows_is_answered_with_the_nearest_one(
    run: Command, asked: tuple[str, ...], meant: str
) -> None:
    result = run(*asked)
    assert result.exit_code == 2
    assert f"Did you mean '{meant}'" in result.output


def test_undecided_rules_are_shown_when_asked_for(run: Command) -> None:
    result = run("explain", "--story", "alectinib-monitoring-overdue", "--undecided")
    assert result.exit_code == 0
    assert ": could not be decided" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--story", "no-lung-cancer", "--fhir-server", "http://127.0.0.1:1", "--patient", "1"),
        ("--fhir-server", "http://127.0.0.1:1"),
        ("--story", "first-line-choice", "--hook", "order-sign"),
        ("--story", "no-lung-cancer", "--hook", "no-such-hook"),
    ],
)
def test_explain_needs_exactly_one_patient_and_a_hook(
    run: Command, arguments: tuple[str, ...]
) -> None:
    assert run("explain", *arguments).exit_code == 2


def test_a_server_that_answers_no_fhir_is_told_so(run: Command) -> None:
    app = Flask("portal")
    app.add_url_rule("/<path:path>", view_func=lambda path: f"<html>{path}</html>")
    server = LocalServer()
    server.start(app)
    try:
        result = run("evaluate", "--fhir-server", server.url, "--patient", "1")
    finally:
        server.close()
    assert result.exit_code == 3
    assert "not FHIR JSON" in result.output

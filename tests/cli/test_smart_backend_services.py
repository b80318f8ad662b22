"""`evaluate`, `explain` and `cohort` against a server that wants SMART Backend Services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_fixtures import REFERENCE_DATE, load_story, story_names
from fhir_fixtures.server import create_fixture_server
from tests.cli.conftest import Command
from tests.smart_server import CLIENT, SmartServer, new_key, pem_of, smart_server, written

pytestmark = pytest.mark.slow

AS_OF = REFERENCE_DATE.isoformat()
STORIES = ("alectinib-pneumonitis", "no-lung-cancer", "first-line-choice")
KEY = new_key()


@pytest.fixture
def server() -> Iterator[SmartServer]:
    with smart_server(create_fixture_server(REFERENCE_DATE), KEY) as found:
        yield found


@pytest.fixture
def smart(tmp_path: Path) -> tuple[str, ...]:
    file = written(tmp_path, pem_of(KEY))
    return ("--smart-client-id", CLIENT, "--smart-key", str(file))


def patient(story: str) -> str:
    return load_story(story).patient_id


@pytest.mark.parametrize("name", ["evaluate", "explain"])
def test_one_patient_is_decided_with_a_token_of_ones_own(
    run: Command, server: SmartServer, smart: tuple[str, ...], name: str
) -> None:
    asked = (name, "--fhir-server", server.url, "--patient", patient(STORIES[0]), "--as-of", AS_OF)
    result = run(*asked, *smart)
    assert result.exit_code == 0, result.output
    assert "pneumonitis" in result.output
    assert len(server.given) == 1
    assert set(server.shown) == {f"Bearer {server.given[0]}"}
    assert server.given[0] not in result.output
    refused = run(*asked)
    assert refused.exit_code == 3
    assert "HTTP 401" in refused.output


def test_the_token_address_and_the_scope_can_be_given(
    run: Command, server: SmartServer, smart: tuple[str, ...]
) -> None:
    server.configuration = {"token_endpoint": None}
    asked = ("evaluate", "--fhir-server", server.url, "--patient", patient(STORIES[1]))
    more = ("--smart-token-url", f"{server.url}/auth/token", "--smart-scope", "system/Patient.rs")
    assert run(*asked, *smart, *more).exit_code == 0
    assert server.scopes == ["system/Patient.rs"]


def test_a_token_that_is_refused_is_one_sentence_and_3(
    run: Command, server: SmartServer, smart: tuple[str, ...]
) -> None:
    server.key = new_key().public_key()
    result = run("evaluate", "--fhir-server", server.url, "--patient", "x", *smart)
    assert result.exit_code == 3
    assert "the token server refused (HTTP 400, invalid_client)" in result.output


@pytest.mark.parametrize("name", ["evaluate", "cohort"])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--smart-client-id", CLIENT), "belong together"),
        (("--smart-key", "KEY"), "belong together"),
        (("--smart-scope", "x"), "belong together"),
        (("--smart-client-id", CLIENT, "--smart-key", "KEY", "--token-file", "KEY"), "either"),
        (("--smart-client-id", CLIENT, "--smart-key", "BAD"), "neither an unencrypted PEM"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run: Command, tmp_path: Path, name: str, more: tuple[str, ...], said: str
) -> None:
    files = {
        "KEY": str(written(tmp_path, pem_of(KEY))),
        "BAD": str(written(tmp_path, b"no key", "bad")),
    }
    given = [files.get(item, item) for item in more]
    result = run(name, "--fhir-server", "http://127.0.0.1:1", "--patient", "x", *given)
    assert result.exit_code == 2
    assert said in result.output


def test_named_patients_of_a_server_are_decided_as_from_files(
    run: Command, server: SmartServer, smart: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out.ndjson"
    named = [item for story in STORIES for item in ("--patient", patient(story))]
    result = run("cohort", "--fhir-server", server.url, *named, "--as-of", AS_OF,
                 "--out", str(out), *smart)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(server.given) == 1
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["patient"] for line in lines] == [patient(story) for story in STORIES]
    stories = tmp_path / "stories.ndjson"
    assert run("cohort", "--stories", "--as-of", AS_OF, "--out", str(stories)).exit_code == 0
    told = [json.loads(line) for line in stories.read_text(encoding="utf-8").splitlines()]
    by_patient = {line["patient"]: line for line in told}
    for line in lines:
        assert set(line["rule_ids"]) == set(by_patient[line["patient"]]["rule_ids"])


def test_a_token_that_ends_during_a_cohort_is_renewed(
    run: Command, server: SmartServer, smart: tuple[str, ...], tmp_path: Path
) -> None:
    server.lifetime = 0
    named = [item for story in STORIES for item in ("--patient", patient(story))]
    out = ("--out", str(tmp_path / "out.ndjson"))
    result = run("cohort", "--fhir-server", server.url, *named, "--as-of", AS_OF, *out, *smart)
    assert result.exit_code == 0, result.output
    assert len(server.given) == len(STORIES)


def test_all_patients_of_a_server_are_decided(run: Command, fhir_server: str) -> None:
    result = run("cohort", "--fhir-server", fhir_server, "--as-of", AS_OF)
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert {line["patient"] for line in found} == {patient(story) for story in story_names()}


def test_a_patient_who_is_not_there_does_not_cost_the_others_their_answer(
    run: Command, fhir_server: str
) -> None:
    named = ("--patient", "nobody", "--patient", "../metadata", "--patient", patient(STORIES[1]))
    result = run("cohort", "--fhir-server", fhir_server, *named, "--as-of", AS_OF)
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert ["error" in line for line in found] == [True, True, False]
    assert "HTTP 404" in found[0]["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--fhir-server", "ftp://x"), 2, "--fhir-server"),
        (("--fhir-server", "http://127.0.0.1:1"), 3, "did not list its patients: no connection"),
        (("--fhir-server", "http://127.0.0.1:1", "--stories"), 2, "give one of"),
        (("--stories", "--patient", "x"), 2, "need --fhir-server"),
        ((), 2, "give one of"),
    ],
)
def test_what_a_cohort_cannot_begin_with_is_said(
    run: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = run("cohort", *arguments)
    assert result.exit_code == code
    assert said in result.output


def test_a_server_that_hides_its_patients_from_us_is_said(
    run: Command, server: SmartServer, smart: tuple[str, ...]
) -> None:
    result = run("cohort", "--fhir-server", server.url)
    assert result.exit_code == 3
    assert "HTTP 401" in result.output
    server.key = new_key().public_key()
    result = run("cohort", "--fhir-server", server.url, *smart)
    assert result.exit_code == 3
    assert "the token server refused" in result.output

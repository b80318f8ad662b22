"""The fixture FHIR server over a real HTTP port: metadata, reads, refusals, browsers."""

from __future__ import annotations

from datetime import date

import pytest
import requests
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from fhir_fixtures import load_story, story_names
from fhir_fixtures.server import create_fixture_server
from tests.fhir_fixtures.served import FHIR_JSON, ON_TRACK, TIMEOUT, refused, search, serving

pytestmark = pytest.mark.slow


def test_metadata_says_that_this_is_a_fixture_server_not_for_patient_data(base: str) -> None:
    answer = requests.get(f"{base}/metadata", timeout=TIMEOUT)
    statement = answer.json()
    CapabilityStatement.model_validate(statement)
    assert answer.headers["Content-Type"] == FHIR_JSON
    assert statement["fhirVersion"] == "4.0.1"
    for text in (statement["software"]["name"], statement["implementation"]["description"]):
        assert "fixture" in text.lower()
        assert "not for patient data" in text
    assert statement["implementation"]["url"] == base
    types = {item["type"] for item in statement["rest"][0]["resource"]}
    assert {"Patient", "Observation", "Condition", "MedicationRequest"} <= types


def test_the_root_says_the_same(base: str) -> None:
    outcome = requests.get(base, timeout=TIMEOUT).json()
    assert "not for patient data" in outcome["issue"][0]["diagnostics"]


def test_every_resource_of_every_story_can_be_read(base: str) -> None:
    session = requests.Session()
    for name in story_names():
        resource = load_story(name).bundle["entry"][-1]["resource"]
        url = f"{base}/{resource['resourceType']}/{resource['id']}"
        assert session.get(url, timeout=TIMEOUT).json() == resource


def test_every_resource_type_in_the_stories_is_served() -> None:
    statement = create_fixture_server().test_client().get("/metadata").json
    assert statement is not None
    served = {item["type"] for item in statement["rest"][0]["resource"]}
    for name in story_names():
        used = {entry["resource"]["resourceType"] for entry in load_story(name).bundle["entry"]}
        assert used <= served


def test_an_unknown_id_is_a_404_outcome(base: str) -> None:
    refused(requests.get(f"{base}/Patient/nobody", timeout=TIMEOUT), 404)


@pytest.mark.parametrize("path", ["Starship", "Starship/1", "Patient/a/b/c"])
def test_an_unsupported_type_or_path_is_a_404_outcome(base: str, path: str) -> None:
    refused(requests.get(f"{base}/{path}", timeout=TIMEOUT), 404)


def test_another_format_than_json_is_a_406_outcome(base: str) -> None:
    refused(requests.get(f"{base}/Patient?_format=xml", timeout=TIMEOUT), 406)
    assert search(f"{base}/Patient", {"_format": "json", "_count": "1"})["total"] > 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("POST", "Patient"),
        ("PUT", f"Patient/{ON_TRACK}"),
        ("PATCH", f"Patient/{ON_TRACK}"),
        ("DELETE", f"Patient/{ON_TRACK}"),
    ],
)
def test_every_write_is_a_405_outcome(base: str, method: str, path: str) -> None:
    answer = requests.request(method, f"{base}/{path}", json={}, timeout=TIMEOUT)
    assert "read-only" in refused(answer, 405)
    assert "GET" in answer.headers["Allow"]
    assert requests.get(f"{base}/Patient/{ON_TRACK}", timeout=TIMEOUT).ok


def test_a_moved_server_serves_moved_stories() -> None:
    with serving(create_fixture_server(as_of=date(2027, 11, 20))) as url:
        patient = requests.get(f"{url}/Patient/{ON_TRACK}", timeout=TIMEOUT).json()
    assert patient["birthDate"] == "1970-09-21"


@pytest.mark.parametrize("path", ["metadata", f"Patient/{ON_TRACK}", "Observation", "Starship"])
def test_browsers_may_read_every_answer(base: str, path: str) -> None:
    answer = requests.get(
        f"{base}/{path}", headers={"Origin": "https://sandbox.example"}, timeout=TIMEOUT
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered_with_the_headers_it_asks_for(base: str) -> None:
    answer = requests.options(
        f"{base}/Observation/_search",
        headers={
            "Origin": "https://sandbox.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=TIMEOUT,
    )
    assert answer.status_code == 204
    assert answer.content == b""
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,content-type"


def test_only_listed_origins_may_read_when_a_list_is_given() -> None:
    app = create_fixture_server(allowed_origins=["https://sandbox.example"])
    with serving(app) as url:
        friend, stranger = (
            requests.get(f"{url}/metadata", headers={"Origin": origin}, timeout=TIMEOUT)
            for origin in ("https://sandbox.example", "https://elsewhere.example")
        )
    assert friend.headers["Access-Control-Allow-Origin"] == "https://sandbox.example"
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert friend.headers["Vary"] == stranger.headers["Vary"] == "Origin"


def test_a_single_origin_may_be_given_as_text() -> None:
    app = create_fixture_server(allowed_origins="https://sandbox.example")
    answer = app.test_client().get("/metadata", headers={"Origin": "https://sandbox.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://sandbox.example"


def test_an_accident_inside_is_a_500_outcome_without_detail() -> None:
    app = create_fixture_server()

    def fail() -> str:
        message = "inner detail"
        raise RuntimeError(message)

    app.add_url_rule("/Accident/now/happens", view_func=fail)
    with serving(app) as url:
        answer = requests.get(f"{url}/Accident/now/happens", timeout=TIMEOUT)
    refused(answer, 500)
    assert "inner detail" not in answer.text

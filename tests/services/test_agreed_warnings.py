"""A warning that a server adds to every result costs nothing where the operator agreed to it."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from cds_service.fhir.client import FhirClient
from cds_service.fhir.read_result import ReadResult, Shortfall
from cds_service.fhir.reading import read_resources
from cds_service.protocol import ClientHabits, HookCall, PreconditionFailed
from hooks.data import EVERYTHING
from hooks.gather import FhirAccess, gather
from hooks.service import templates
from tests.packaged import packaged_knowledge

Json = dict[str, object]
AGREED = frozenset({"processing|0042"})
CONDITION: Json = {
    "resourceType": "Condition",
    "id": "c",
    "subject": {"reference": "Patient/p"},
    "code": {"text": "cough"},
}


def issue(code: str = "processing", detail: str = "0042", severity: str = "warning") -> Json:
    details = {"coding": [{"system": "urn:site:messages", "code": detail}], "text": "seen"}
    return {"severity": severity, "code": code, "details": details, "diagnostics": "p. 7"}


def result(*issues: Json, resources: tuple[Json, ...] = ()) -> Json:
    entries: list[Json] = [{"resource": item} for item in resources]
    outcome = {"resourceType": "OperationOutcome", "issue": list(issues)}
    entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def read(*issues: Json, resources: tuple[Json, ...] = ()) -> ReadResult:
    return read_resources(result(*issues, resources=resources)).without_agreed(AGREED)


@pytest.mark.parametrize("resources", [(), (CONDITION,)], ids=["an empty result", "a result"])
def test_an_agreed_warning_costs_a_result_nothing(resources: tuple[Json, ...]) -> None:
    assert read_resources(result(issue(), resources=resources)).shortfall is Shortfall.OUTCOME
    assert read(issue(), resources=resources).complete


@pytest.mark.parametrize(
    "other",
    [
        issue(detail="0043"),
        issue(code="not-supported"),
        issue(severity="error"),
        issue(severity="fatal"),
        issue(severity=""),
        {"severity": "warning", "code": "processing"},
    ],
)
def test_anything_else_counts_as_ever_alone_and_beside_it(other: Json) -> None:
    assert read(other, resources=(CONDITION,)).shortfall is Shortfall.OUTCOME
    assert read(issue(), other, resources=(CONDITION,)).shortfall is Shortfall.OUTCOME


def test_a_warning_in_place_of_a_result_is_no_result() -> None:
    alone = {"resourceType": "OperationOutcome", "issue": [issue()]}
    assert read_resources(alone).without_agreed(AGREED).shortfall is Shortfall.NO_ANSWER


def test_the_code_of_an_issue_alone_covers_all_its_details() -> None:
    found = read_resources(result(issue(detail="7"))).without_agreed({"processing"})
    assert found.complete


def test_nothing_is_agreed_to_by_itself() -> None:
    assert ClientHabits().agreed_warnings == ()
    assert HookCall("s", "patient-view", "i", "p").agreed_warnings == frozenset()


@pytest.mark.parametrize(
    "entry", ["suppressed", "incomplete|1", "timeout", "error!", "Processing", "processing|", "|7"]
)
def test_data_that_are_missing_and_words_that_are_no_code_cannot_be_agreed_to(entry: str) -> None:
    with pytest.raises(ValidationError):
        ClientHabits(agreed_warnings=(entry,))


def test_a_fetched_page_is_whole_with_an_agreed_warning(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/fhir/Condition").respond_with_json(result(issue()))

    def fetched(agreed: frozenset[str]) -> bool:
        client = FhirClient(
            httpserver.url_for("/fhir"),
            deadline_seconds=20,
            allow_private=True,
            agreed_warnings=agreed,
        )
        return client.fetch({"conditions": "Condition?patient=p"})["conditions"].complete

    assert fetched(AGREED)
    assert not fetched(frozenset())


def test_what_was_prefetched_is_whole_with_an_agreed_warning() -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    prefetch = {
        kind.key: json.dumps(patient if kind.key == "patient" else result(issue())).encode()
        for kind in EVERYTHING
    }
    asked = templates(EVERYTHING, packaged_knowledge())

    def missing(agreed: frozenset[str]) -> set[str]:
        call = HookCall(
            "alk-patient-view",
            "patient-view",
            "i",
            "p",
            prefetch=prefetch,
            agreed_warnings=agreed,
            context={"patientId": "p"},
        )
        return set(gather(call, asked, FhirAccess(5, allow_private=False)).unavailable)

    assert not missing(AGREED)
    with pytest.raises(PreconditionFailed):
        missing(frozenset())

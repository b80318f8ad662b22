"""The one place that decides what was delivered whole, asked directly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.client import FetchProblem, FetchResult, ProblemKind
from cds_service.fhir.read_result import NOT_GIVEN, ReadResult
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.protocol import PrefetchTemplate
from hooks.delivery import EHR, Deliveries, why_not_whole
from tests.faults.faults import outcome

CONDITIONS = PrefetchTemplate("conditions", "Condition?patient=one", True, "diagnoses")
PATIENT = PrefetchTemplate("patient", "Patient/one", True, "sex")
EVENTS = PrefetchTemplate("events", "AdverseEvent?subject=one", False, "reactions", beside=True)
NEXT = [{"relation": "next", "url": "https://x/2"}]


def resource(identity: str, kind: str = "Condition", owner: str = "Patient/one") -> dict[str, Any]:
    return {"resourceType": kind, "id": identity, "subject": {"reference": owner}}


def page(*resources: Any, **members: Any) -> ReadResult:
    entries = [{"resource": item} for item in resources]
    return read({"resourceType": "Bundle", "type": "searchset", "entry": entries, **members})


def read(value: Any) -> ReadResult:
    return read_resources(json.dumps(value).encode())


def whole_keys(came: Deliveries) -> set[str]:
    asked = {item.key: item for item in (CONDITIONS, PATIENT, EVENTS)}
    return came.whole_in(PatientRecord.build("one", came.read.values()), asked)


def test_a_search_with_what_was_asked_for_is_whole() -> None:
    came = Deliveries()
    assert came.sent(CONDITIONS, page(resource("a"), total=1))
    assert whole_keys(came) == {"conditions"}
    assert not came.short


def test_a_search_that_found_nothing_is_whole_and_a_read_that_found_nothing_is_not() -> None:
    assert why_not_whole(page(total=0), CONDITIONS, EHR) is None
    assert why_not_whole(page(total=0), PATIENT, EHR) is not None
    assert why_not_whole(read({"resourceType": "Patient", "id": "one"}), PATIENT, EHR) is None


def test_what_rides_along_does_no_harm_and_is_no_answer() -> None:
    beside = {"resourceType": "Patient", "id": "one"}
    assert why_not_whole(page(resource("a"), beside), CONDITIONS, EHR) is None
    assert why_not_whole(page(beside), CONDITIONS, EHR) is not None


def test_one_resource_is_used_and_does_not_say_that_it_is_all() -> None:
    came = Deliveries()
    assert not came.sent(CONDITIONS, read(resource("a")))
    assert "a single resource" in came.short["conditions"]
    assert not came.nothing_came_of(CONDITIONS)


def test_what_a_server_gives_whole_takes_the_place_of_what_was_sent_in_part() -> None:
    came = Deliveries()
    came.sent(CONDITIONS, page(resource("a"), link=NEXT))
    came.fetched(CONDITIONS, FetchResult(page(resource("a"), resource("b"))))
    assert whole_keys(came) == {"conditions"}
    assert [item.id for item in came.read["conditions"].resources] == ["a", "b"]


@pytest.mark.parametrize(
    "answer",
    [
        FetchResult(read(outcome("error"))),
        FetchResult(read(outcome("warning"))),
        FetchResult(page()),
        FetchResult(page(resource("p", "Procedure"))),
        FetchResult(page(outcome("error"))),
        FetchResult(NOT_GIVEN, FetchProblem(ProblemKind.CONNECTION)),
        FetchResult(page(resource("c"), link=NEXT), FetchProblem(ProblemKind.PAGE_LINK)),
    ],
)
def test_what_was_sent_in_part_is_kept_when_the_server_gives_no_more(answer: FetchResult) -> None:
    came = Deliveries()
    came.sent(CONDITIONS, page(resource("a"), resource("b"), link=NEXT))
    came.fetched(CONDITIONS, answer)
    assert {"a", "b"} <= {item.id for item in came.read["conditions"].resources}
    assert "conditions" in came.short
    assert whole_keys(came) == set()


def test_the_refusal_of_a_server_is_named_with_its_status() -> None:
    came = Deliveries()
    came.not_sent(CONDITIONS)
    came.fetched(CONDITIONS, FetchResult(NOT_GIVEN, FetchProblem(ProblemKind.STATUS, 403, "no")))
    assert came.short == {
        "conditions": "the FHIR server did not answer: an error status (HTTP 403)"
    }
    assert came.reasons == {"conditions": "no"}
    assert came.nothing_came_of(CONDITIONS)


NOT_HAD = FetchResult(NOT_GIVEN, FetchProblem(ProblemKind.STATUS, 404))


def test_what_a_system_does_not_have_is_no_news_and_not_whole_either() -> None:
    came = Deliveries()
    came.not_sent(EVENTS)
    came.fetched(EVENTS, NOT_HAD)
    assert not came.short
    assert whole_keys(came) == set()


@pytest.mark.parametrize("how", ["unreadable", "an error", "null"])
def test_what_was_sent_and_cannot_be_used_is_news_even_where_a_server_has_none(how: str) -> None:
    came = Deliveries()
    if how == "unreadable":
        came.unreadable(EVENTS)
    elif how == "null":
        came.null(EVENTS)
    else:
        came.sent(EVENTS, read(outcome("error")))
    came.fetched(EVENTS, NOT_HAD)
    assert "events" in came.short


def test_a_server_that_fails_is_news_also_of_what_many_do_not_have() -> None:
    came = Deliveries()
    came.not_sent(EVENTS)
    came.fetched(EVENTS, FetchResult(NOT_GIVEN, FetchProblem(ProblemKind.STATUS, 500)))
    assert "events" in came.short


def test_an_answer_that_is_all_of_another_patient_is_no_answer() -> None:
    came = Deliveries()
    came.sent(CONDITIONS, page(resource("a", owner="Patient/two")))
    assert whole_keys(came) == set()
    assert came.short == {"conditions": "all that was sent is of another patient"}


def test_an_answer_with_some_of_another_patient_is_used_and_not_whole() -> None:
    came = Deliveries()
    came.sent(CONDITIONS, page(resource("a"), resource("b", owner="Patient/two")))
    assert whole_keys(came) == set()
    assert not came.short


def test_an_answer_that_says_nowhere_whose_it_is_is_no_answer() -> None:
    came = Deliveries()
    came.sent(CONDITIONS, page({"resourceType": "Condition", "id": "a"}))
    assert whole_keys(came) == set()
    assert "does not say" in came.short["conditions"]


def test_a_result_about_a_child_in_the_mothers_record_takes_nothing_away() -> None:
    laboratory = PrefetchTemplate("laboratory", "Observation?patient=one", False, "results")
    about = {**resource("b", "Observation"), "focus": [{"reference": "Patient/child"}]}
    came = Deliveries()
    came.sent(laboratory, page(resource("a", "Observation"), about))
    record = PatientRecord.build("one", came.read.values())
    assert came.whole_in(record, {"laboratory": laboratory}) == {"laboratory"}

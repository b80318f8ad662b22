"""What a client and the log are told when something goes wrong."""

from __future__ import annotations

import concurrent.futures
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests

from cds_service.protocol import (
    Card,
    CdsResponse,
    Discovery,
    Forbidden,
    HookCall,
    PreconditionFailed,
    Service,
    Source,
    TooManyRequests,
    Unprocessable,
)
from tests.waiting import PATIENCE

HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


SECRETS = ("Jane", "Doe", "1288992", "secret-token", "MRN-77")


Serve = Callable[..., str]


MakeService = Callable[..., Service]


MakeRequest = Callable[..., dict[str, Any]]


def raising(error: BaseException) -> Callable[[HookCall], CdsResponse]:
    def handler(_: HookCall) -> CdsResponse:
        raise error

    return handler


def outcome_of(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is an OperationOutcome with this status and code; return its issue."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["code"] == code
    assert "Traceback" not in response.text
    return dict(issue)


def post(url: str, body: Any, **kwargs: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=PATIENCE, **kwargs)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PreconditionFailed("patient did not come", expression="x.y"), 412, "incomplete"),
        (Unprocessable("not agreed"), 422, "business-rule"),
        (TooManyRequests(7), 429, "throttled"),
    ],
)
def test_what_a_service_raises_on_purpose_reaches_the_client(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    error: Exception,
    status: int,
    code: str,
) -> None:
    """R-64, R-89, R-90, D-05, D-11."""
    base = serve(make_service(handler=raising(error)))
    response = post(f"{base}/cds-services/greeting", make_request())
    issue = outcome_of(response, status, code)
    assert issue["severity"] == "error"
    assert response.json()["id"] == HOOK_INSTANCE
    if status == 429:
        assert response.headers["Retry-After"] == "7"


def test_a_forbidden_call_is_bare(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """D-10."""
    base = serve(make_service(handler=raising(Forbidden())))
    response = post(f"{base}/cds-services/greeting", make_request())
    assert (response.status_code, response.content) == (403, b"")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"cards": []},
        [],
        "text",
        Discovery(),
        Card(summary="Alone", indicator="info", source=Source(label="t")),
    ],
)
def test_a_handler_that_gives_no_response_is_a_500(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, answer: Any
) -> None:
    """D-12: never an empty list of cards."""
    base = serve(make_service(handler=lambda _: answer))
    response = post(f"{base}/cds-services/greeting", make_request())
    outcome_of(response, 500, "exception")
    assert "cards" not in response.text


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Jane Doe MRN-77"),
        KeyError("MRN-77"),
        RecursionError("deep"),
        AssertionError("Jane"),
    ],
)
def test_a_crash_is_a_500_that_names_no_patient_and_leaves_a_trail(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """D-12, R-90, R-177 and the peers' fault of {"cards": []} on any exception."""
    caplog.set_level(logging.DEBUG, "alk_cds.protocol")
    base = serve(make_service(handler=raising(error)))
    response = post(f"{base}/cds-services/greeting", make_request())
    issue = outcome_of(response, 500, "exception")
    assert issue["severity"] == "fatal"
    assert HOOK_INSTANCE in issue["diagnostics"]
    assert "cards" not in response.json()
    records = [record for record in caplog.records if record.name == "alk_cds.protocol"]
    unhandled = [record for record in records if "unhandled" in record.getMessage()]
    assert type(error).__name__ in unhandled[0].getMessage()
    assert "test_faults_and_logs_over_http.py" in unhandled[0].getMessage()
    assert HOOK_INSTANCE in unhandled[0].getMessage()
    text = response.text + str([record.__dict__ for record in records])
    assert not [secret for secret in SECRETS if secret in text]


def test_a_card_that_breaks_the_rules_is_a_500_and_not_a_shorter_answer(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """D-12, R-101."""

    def broken(_: HookCall) -> CdsResponse:
        return CdsResponse(
            cards=(Card(summary="Jane " * 60, indicator="info", source=Source(label="t")),)
        )

    base = serve(make_service(handler=broken))
    response = post(f"{base}/cds-services/greeting", make_request())
    outcome_of(response, 500, "exception")
    assert "Jane" not in response.text


def test_each_answer_leaves_one_log_line_of_known_fields(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """R-176, R-177, N-70 and the peers' fault of logging the whole request."""
    caplog.set_level(logging.DEBUG, "alk_cds.protocol")
    base = serve(make_service())
    body = make_request(
        prefetch={"patient": {"resourceType": "Patient", "name": [{"family": "Doe"}]}},
        fhirServer="https://ehr.example.org/fhir",
        fhirAuthorization={"access_token": "secret-token"},
    )
    post(f"{base}/cds-services/greeting", body)
    (record,) = [item for item in caplog.records if item.name == "alk_cds.protocol"]
    known = set(logging.makeLogRecord({}).__dict__) | {"message"}
    added = {name: value for name, value in record.__dict__.items() if name not in known}
    duration = added.pop("duration_ms")
    assert isinstance(duration, float)
    assert added == {
        "hook": "patient-view",
        "service": "greeting",
        "hook_instance": HOOK_INSTANCE,
        "status": 200,
        "client": "test-ehr",
    }
    assert not [secret for secret in SECRETS if secret in str(record.__dict__)]


def test_a_path_made_up_by_the_client_is_not_logged(
    serve: Serve, make_request: MakeRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """R-176: a path can hold a name."""
    caplog.set_level(logging.DEBUG, "alk_cds.protocol")
    post(f"{serve()}/cds-services/Jane-Doe", make_request())
    ours = [item for item in caplog.records if item.name == "alk_cds.protocol"]
    assert ours
    assert "Jane" not in str([record.__dict__ for record in ours])


def test_patients_never_mix_between_threads(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """The peers' fault: an evaluator shared between requests."""

    def name_patient(call: HookCall) -> CdsResponse:
        patient = call.prefetch["patient"]
        assert patient is not None
        same = json.loads(patient)["id"] == call.patient_id == call.context["patientId"]
        summary = f"{call.patient_id} {same}"
        return CdsResponse(
            cards=(Card(summary=summary, indicator="info", source=Source(label="t")),)
        )

    base = serve(make_service(handler=name_patient))

    def call(number: int) -> bool:
        body = make_request(
            context={"userId": "Practitioner/1", "patientId": f"p{number}"},
            prefetch={"patient": {"resourceType": "Patient", "id": f"p{number}"}},
        )
        answer = post(f"{base}/cds-services/greeting", body).json()
        return bool(answer["cards"][0]["summary"] == f"p{number} True")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(call, range(80)))

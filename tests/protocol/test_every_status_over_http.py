"""Every status that the service answers with, told as one table, over real HTTP."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from cds_service.protocol import (
    BodyLimits,
    CdsResponse,
    ClientProfile,
    HookCall,
    JwtAuthenticator,
    PreconditionFailed,
    RateLimits,
    ReplayStoreError,
    Service,
    Unprocessable,
)
from tests.waiting import PATIENCE

Serve = Callable[..., str]
MakeService = Callable[..., Service]
MakeRequest = Callable[..., dict[str, Any]]

PUBLIC = "https://cds.example.org/cds-services"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
PLANTED = "Quillfeather"


def raising(error: BaseException) -> Callable[[HookCall], CdsResponse]:
    def handler(_: HookCall) -> CdsResponse:
        raise error

    return handler


@dataclass(frozen=True)
class Row:
    """One way to be refused. Without a body of its own a valid request is sent."""

    status: int
    code: str | None = None
    path: str = "/greeting"
    method: str = "POST"
    body: bytes | None = None
    content_type: str = "application/json"
    signed: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    issue: dict[str, Any] = field(default_factory=dict)
    known_instance: bool = False


BAD_FEEDBACK = b'{"feedback":[{"card":"c","outcome":"ignored","outcomeTimestamp":"x"}]}'
TABLE = {
    "R-85 200": Row(200),
    "R-10 200 discovery": Row(200, path="", method="GET"),
    "R-191 200 feedback": Row(200, path="/greeting/feedback", body=b'{"feedback":[]}'),
    "D-14 200 trailing slash": Row(200, path="/greeting/"),
    "D-14 200 double slash": Row(200, path="//greeting"),
    "R-185 204 preflight": Row(204, method="OPTIONS", signed=False),
    "D-02 400 no JSON": Row(400, "structure", body=b"Quillfeather"),
    "D-02 400 another top level": Row(400, "structure", body=b'["Quillfeather"]'),
    "D-02 400 empty": Row(400, "structure", body=b""),
    "D-16 400 repeated name": Row(400, "structure", body=b'{"hook":"Quillfeather","hook":"b"}'),
    "D-16 400 NaN": Row(400, "structure", body=b'{"hook":"Quillfeather","x":NaN}'),
    "D-16 400 Infinity in the context": Row(
        400, "structure", body=b'{"hook":"patient-view","context":{"patientId":-Infinity}}'
    ),
    "N-10 400 too deep": Row(400, "too-costly", body=b"[" * 70 + b"]" * 70),
    "D-03 400 a member is missing": Row(
        400,
        "required",
        body=b'{"hook":"patient-view","context":{}}',
        issue={"expression": ["CDSHooksRequest.hookInstance"]},
    ),
    "D-04 400 another hook": Row(400, "value", body=b"order-sign"),
    "C-31 400 feedback": Row(400, None, path="/greeting/feedback", body=BAD_FEEDBACK),
    "D-09 401": Row(401, signed=False, headers={"WWW-Authenticate": "Bearer"}),
    "D-09 401 feedback": Row(401, path="/greeting/feedback", signed=False),
    "D-09 401 discovery": Row(401, path="", method="GET", signed=False),
    "D-10 403": Row(403, path="/forbidden"),
    "D-10 403 feedback": Row(403, path="/forbidden/feedback", body=b'{"feedback":[]}'),
    "D-10 403 before the body is read": Row(403, path="/forbidden", body=b"Quillfeather"),
    "D-01 404 also for one who may call few": Row(404, "not-found", path="/forbidden-too"),
    "D-01 404 service": Row(404, "not-found", path="/Quillfeather"),
    "D-01 404 feedback": Row(404, "not-found", path="/Quillfeather/feedback"),
    "D-01 404 path": Row(404, "not-found", path="/greeting/Quillfeather/x", signed=False),
    "D-08 405 service": Row(405, "not-supported", method="GET", headers={"Allow": "OPTIONS, POST"}),
    "D-08 405 feedback": Row(405, "not-supported", path="/greeting/feedback", method="PUT"),
    "D-08 405 discovery": Row(405, "not-supported", path="", method="DELETE"),
    "R-64 412": Row(412, "incomplete", path="/unfed", known_instance=True),
    "D-07 413 bytes": Row(413, "too-long", body=b'"%s"' % (b"x" * 60_000)),
    "D-07 413 resources": Row(413, "too-long", body=b'{"x":[%s]}' % (b'{"resourceType":1},' * 60)),
    "D-06 415": Row(415, "not-supported", content_type="text/plain"),
    "D-06 415 charset": Row(415, "not-supported", content_type="application/json; charset=utf-16"),
    "D-05 422": Row(422, "business-rule", path="/disagreed", known_instance=True),
    "D-12 500": Row(500, "exception", path="/broken", known_instance=True),
}


@pytest.fixture
def base(serve: Serve, make_service: MakeService, ec_key: Any) -> str:
    profile = ClientProfile(
        name="test-ehr",
        iss="https://ehr.example.org",
        jwks={"keys": [ec_key.public]},
        services=("greeting", "unfed", "disagreed", "broken"),
    )
    errors: dict[str, BaseException] = {
        "forbidden": AssertionError("called by somebody who may not"),
        "unfed": PreconditionFailed("patient did not come"),
        "disagreed": Unprocessable("not agreed"),
        "broken": KeyError(f"{PLANTED} in a message"),
    }
    return serve(
        make_service(),
        *(make_service(id=name, handler=raising(error)) for name, error in errors.items()),
        authenticator=JwtAuthenticator([profile]),
        public_url="https://cds.example.org",
        body_limits=BodyLimits(max_bytes=50_000, max_resources=50),
        cors_origins=("https://sandbox.example.org",),
    )


@pytest.mark.clause(
    "R-90", "R-162", "R-172", "R-185", "D-01", "D-02", "D-03", "D-04", "D-05", "D-06", "D-07",
    "D-08", "D-09", "D-10", "D-12", "D-14", "D-15", "D-16",
)  # fmt: skip
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_every_status_is_answered_as_the_table_says(
    base: str,
    make_request: MakeRequest,
    ec_key: Any,
    caplog: pytest.LogCaptureFixture,
    row: Row,
) -> None:
    caplog.set_level(logging.DEBUG, "alk_cds.protocol")
    body = row.body
    if body is None or body == b"order-sign":
        request = make_request("order-sign" if body else "patient-view")
        body = json.dumps({**request, "extension": {"x": PLANTED}}).encode()
    headers = {"Content-Type": row.content_type, "Origin": "https://sandbox.example.org"}
    if row.signed:
        audience = PUBLIC + row.path.replace("//", "/").rstrip("/")
        headers["Authorization"] = f"Bearer {ec_key.sign(audience)}"
    answer = requests.request(
        row.method,
        f"{base}/cds-services{row.path}",
        data=body,
        headers=headers,
        timeout=PATIENCE,
        allow_redirects=False,
    )
    assert answer.status_code == row.status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://sandbox.example.org"
    for name, value in row.headers.items():
        assert answer.headers[name] == value
    assert PLANTED not in answer.text
    ours = [record for record in caplog.records if record.name.startswith("alk_cds")]
    assert PLANTED not in str([record.__dict__ for record in ours])
    if row.status < 400:
        assert row.status == 204 or answer.headers["Content-Type"] == "application/json"
        return
    if row.status in {401, 403}:
        assert answer.content == b""
        assert "Content-Type" not in answer.headers
        return
    assert answer.headers["Content-Type"] == "application/json"
    outcome = answer.json()
    assert set(outcome) == {"resourceType", "id", "issue"}
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert issue["severity"] == ("fatal" if row.status == 500 else "error")
    assert row.code in {None, issue["code"]}
    assert row.issue.items() <= issue.items()
    assert issue["diagnostics"]
    assert "Traceback" not in answer.text
    # The correlation id is the hookInstance once it is known, and stands in the log line.
    correlation_id = outcome["id"]
    assert correlation_id == (
        HOOK_INSTANCE if row.known_instance else str(uuid.UUID(outcome["id"]))
    )
    assert any(correlation_id in record.getMessage() for record in caplog.records)


@pytest.mark.clause("D-10")
def test_a_client_sees_the_services_that_it_may_call(
    serve: Serve, make_service: MakeService, ec_key: Any
) -> None:
    def listed(*allowed: str) -> list[str]:
        profile = ClientProfile(
            name="test-ehr",
            iss="https://ehr.example.org",
            jwks={"keys": [ec_key.public]},
            services=allowed,
        )
        base = serve(
            make_service(),
            make_service(id="farewell"),
            authenticator=JwtAuthenticator([profile]),
            public_url="https://cds.example.org",
        )
        signed = {"Authorization": f"Bearer {ec_key.sign(PUBLIC)}"}
        answer = requests.get(f"{base}/cds-services", headers=signed, timeout=PATIENCE)
        return [service["id"] for service in answer.json()["services"]]

    assert listed("farewell") == ["farewell"]
    assert listed() == ["greeting", "farewell"]


@pytest.mark.clause("D-11")
def test_the_status_of_a_client_in_a_hurry_is_429(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    base = serve(make_service(), rate_limits=RateLimits("1/hour"))
    answers = [
        requests.post(f"{base}/cds-services/greeting", json=make_request(), timeout=PATIENCE)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["issue"][0]["code"] == "throttled"
    assert int(answers[1].headers["Retry-After"]) > 0


class LostStore:
    """A store of used tokens that cannot be asked."""

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        raise ReplayStoreError(f"no answer about {PLANTED}")


@pytest.mark.clause("R-173")
def test_the_status_without_a_store_of_used_tokens_is_503_and_a_bad_token_still_401(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    ec_key: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def client(**changes: Any) -> ClientProfile:
        return ClientProfile(**{"name": "test-ehr", "iss": "https://ehr.example.org",
                                "jwks": {"keys": [ec_key.public]}, **changes})  # fmt: skip

    door = JwtAuthenticator(
        [client(), client(name="retrying", iss="https://two.example.org", refuse_replay=False)],
        replay_store=LostStore(),
    )
    base = serve(make_service(), authenticator=door, public_url="https://cds.example.org")

    def call(token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{base}/cds-services/greeting"
        return requests.post(address, json=make_request(), headers=headers, timeout=PATIENCE)

    answer = call(ec_key.sign(f"{PUBLIC}/greeting"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["issue"][0]["code"] == "transient"
    assert PLANTED not in answer.text + caplog.text
    assert "replay-store-failed" in caplog.text
    assert call(ec_key.sign(f"{PUBLIC}/other")).status_code == 401
    admitted = call(ec_key.sign(f"{PUBLIC}/greeting", iss="https://two.example.org"))
    assert admitted.status_code == 200

"""The three addresses over real HTTP: paths, methods, bodies and answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
from flask import Flask

from cds_service.protocol import (
    Action,
    BodyLimits,
    Card,
    CdsResponse,
    HookCall,
    Service,
    ServiceRegistry,
    Source,
    Suggestion,
    create_blueprint,
)
from tests.waiting import PATIENCE

Serve = Callable[..., str]


MakeService = Callable[..., Service]


MakeRequest = Callable[..., dict[str, Any]]


def greet(call: HookCall) -> CdsResponse:
    return CdsResponse(
        cards=(
            Card(summary=f"Hello {call.service_id}", indicator="info", source=Source(label="t")),
        )
    )


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


def test_discovery_answers_with_the_services(serve: Serve, make_service: MakeService) -> None:
    """R-01, R-10, R-11, R-12."""
    base = serve(make_service())
    response = requests.get(f"{base}/cds-services", timeout=PATIENCE)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert [item["id"] for item in response.json()["services"]] == ["greeting"]


def test_discovery_of_no_services_is_an_empty_array(serve: Serve) -> None:
    """R-12."""
    assert requests.get(f"{serve()}/cds-services", timeout=PATIENCE).content == b'{"services":[]}'


def test_every_advertised_service_answers_at_its_address(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """R-17, R-23, R-85, R-201, C-01: two services on one hook, one id on two hooks."""
    base = serve(
        make_service(id="one", handler=greet),
        make_service(id="two", handler=greet),
        make_service(id="one", hook="order-sign", handler=greet),
    )
    for item in requests.get(f"{base}/cds-services", timeout=PATIENCE).json()["services"]:
        response = post(f"{base}/cds-services/{item['id']}", make_request(item["hook"]))
        assert response.status_code == 200
        assert [card["summary"] for card in response.json()["cards"]] == [f"Hello {item['id']}"]
        assert response.headers["Cache-Control"] == "no-store"


def test_no_guidance_is_200_with_no_cards(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """R-87, R-03, R-04."""
    base = serve(make_service())
    assert post(f"{base}/cds-services/greeting", make_request()).content == b'{"cards":[]}'


def test_a_dose_comes_back_digit_by_digit(
    serve: Serve,
    make_service: MakeService,
    make_request: MakeRequest,
    make_card: Callable[..., Card],
) -> None:
    """R-131."""

    def echo(call: HookCall) -> CdsResponse:
        (order,) = call.draft_orders
        assert isinstance(order["dose"], Decimal)
        action = Action(type="update", description="Same again", resource=dict(order))
        again = Suggestion(label="Same again", actions=(action,))
        card = make_card(suggestions=(again,), selection_behavior="any")
        return CdsResponse(cards=(card,))

    base = serve(make_service(hook="order-sign", prefetch=(), handler=echo))
    text = json.dumps(make_request("order-sign")).replace('"id"', '"dose": 1.50, "id"')
    response = requests.post(
        f"{base}/cds-services/greeting",
        data=text,
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    assert '"dose":1.50' in response.text


def test_the_url_leads_and_the_bodys_hook_must_agree(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """D-04, N-12, R-23."""
    base = serve(make_service())
    issue = outcome_of(
        post(f"{base}/cds-services/greeting", make_request("order-sign")), 400, "value"
    )
    assert issue["expression"] == ["CDSHooksRequest.hook"]


def test_an_unknown_service_or_path_is_404(serve: Serve, make_request: MakeRequest) -> None:
    """D-01, N-12."""
    base = serve()
    for path in ("/nobody", "/nobody/feedback", "/a/b/c"):
        outcome_of(post(f"{base}/cds-services{path}", make_request()), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/greeting", {"POST", "OPTIONS"}),
        ("GET", "/greeting/feedback", {"POST", "OPTIONS"}),
        ("POST", "", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/greeting", {"POST", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(
    serve: Serve, make_service: MakeService, method: str, path: str, allowed: set[str]
) -> None:
    """C-01, D-08, N-12, R-190, E-41."""
    response = requests.request(
        method, f"{serve(make_service())}/cds-services{path}", timeout=PATIENCE
    )
    outcome_of(response, 405, "not-supported")
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_pages_of_others_keep_their_own_errors(serve: Serve) -> None:
    """The blueprint answers for its own paths only."""
    base = serve()
    assert requests.get(f"{base}/elsewhere", timeout=PATIENCE).text == "a page"
    for path in ("/nowhere", "/cds-services-not"):
        response = requests.get(base + path, timeout=PATIENCE)
        assert response.status_code == 404
        assert "text/html" in response.headers["Content-Type"]
    assert requests.post(f"{base}/elsewhere", timeout=PATIENCE).status_code == 405


@pytest.mark.parametrize(
    "path", ["/cds-services/greeting/", "//cds-services//greeting", "/cds-services///greeting//"]
)
def test_slashes_too_many_are_served_without_a_redirect(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, path: str
) -> None:
    """D-14, S-05."""
    base = serve(make_service())
    response = post(base + path, make_request(), allow_redirects=False)
    assert (response.status_code, response.content) == (200, b'{"cards":[]}')
    preflight = requests.options(base + path, allow_redirects=False, timeout=PATIENCE)
    assert preflight.status_code == 204


def test_double_slashes_never_redirect_even_without_the_middleware(
    make_service: MakeService, open_door: Callable[..., Any]
) -> None:
    """D-14."""
    app = Flask("bare")
    app.register_blueprint(
        create_blueprint(
            ServiceRegistry([make_service()]),
            open_door(),
            public_url=None,
            feedback_sink=lambda *_: 0,
        )
    )
    assert app.test_client().post("/cds-services//greeting").status_code == 404


def test_the_blueprint_may_be_mounted_below_a_prefix(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """R-10."""
    base = serve(make_service(), url_prefix="/tenant")
    assert requests.get(f"{base}/cds-services", timeout=PATIENCE).status_code == 200
    assert post(f"{base}/cds-services/greeting", make_request()).status_code == 200
    outcome_of(
        requests.get(f"{base}/cds-services/greeting", timeout=PATIENCE), 405, "not-supported"
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/fhir+json",
        "text/json",
    ],
)
def test_json_by_any_of_its_names_is_read(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, content_type: str
) -> None:
    """D-06."""
    response = requests.post(
        f"{serve(make_service())}/cds-services/greeting",
        data=json.dumps(make_request()),
        headers={"Content-Type": content_type},
        timeout=PATIENCE,
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {},
    ],
)
def test_anything_else_is_415(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, headers: dict[str, str]
) -> None:
    """D-06."""
    response = requests.post(
        f"{serve(make_service())}/cds-services/greeting",
        data=json.dumps(make_request()).encode(),
        headers=headers,
        timeout=PATIENCE,
    )
    outcome_of(response, 415, "not-supported")


def test_a_body_over_the_limit_is_413(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """D-07, N-10."""
    base = serve(make_service(), body_limits=BodyLimits(max_bytes=2000))
    body = make_request(prefetch={"patient": {"resourceType": "Patient", "x": "y" * 3000}})
    outcome_of(post(f"{base}/cds-services/greeting", body), 413, "too-long")
    assert post(f"{base}/cds-services/greeting", make_request()).status_code == 200


def test_a_body_that_ends_early_is_no_answer(serve: Serve, make_service: MakeService) -> None:
    """D-02: half a request is not a request."""
    base = serve(make_service())
    port = int(base.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(
            b"POST /cds-services/greeting HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
            b'Content-Type: application/json\r\n\r\n{"hook":'
        )
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b"OperationOutcome" in answer


def test_a_malformed_body_is_400(serve: Serve, make_service: MakeService) -> None:
    """D-02, N-10."""
    response = requests.post(
        f"{serve(make_service())}/cds-services/greeting",
        data=b'{"hook": NaN}',
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    outcome_of(response, 400, "structure")

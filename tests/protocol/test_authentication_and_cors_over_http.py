"""Tokens and browser origins over real HTTP."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from cds_service.protocol import (
    CdsResponse,
    ClientProfile,
    DevelopmentAuthenticator,
    HookCall,
    JwtAuthenticator,
    PreconditionFailed,
    Service,
    ServiceRegistry,
    create_blueprint,
)
from tests.waiting import PATIENCE

ORIGIN = "https://sandbox.example.org"


Serve = Callable[..., str]


MakeService = Callable[..., Service]


MakeRequest = Callable[..., dict[str, Any]]


def raising(error: BaseException) -> Callable[[HookCall], CdsResponse]:
    def handler(_: HookCall) -> CdsResponse:
        raise error

    return handler


def post(url: str, body: Any, **kwargs: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=PATIENCE, **kwargs)


@pytest.fixture
def guarded(
    serve: Serve, make_service: MakeService, ec_key: Any, rsa_key: Any
) -> Callable[..., str]:
    def start(*services: Service, **settings: Any) -> str:
        profile = ClientProfile(
            name="test-ehr",
            iss="https://ehr.example.org",
            jwks={"keys": [ec_key.public, rsa_key.public]},
        )
        return serve(
            *(services or (make_service(),)),
            authenticator=JwtAuthenticator([profile]),
            public_url="https://cds.example.org/base/",
            **settings,
        )

    return start


PUBLIC = "https://cds.example.org/base/cds-services"


@pytest.mark.parametrize(
    ("method", "path", "audience", "status"),
    [
        ("GET", "", PUBLIC, 200),
        ("GET", "", f"{PUBLIC}/greeting", 401),
        ("POST", "/greeting", f"{PUBLIC}/greeting", 200),
        ("POST", "/greeting", PUBLIC, 401),
        ("POST", "/greeting", f"{PUBLIC}/other", 401),
        ("POST", "/nobody", f"{PUBLIC}/nobody", 404),
        ("POST", "/greeting/feedback", f"{PUBLIC}/greeting/feedback", 200),
        ("POST", "/greeting/feedback", f"{PUBLIC}/greeting", 200),
        ("POST", "/greeting/feedback", PUBLIC, 401),
    ],
)
def test_a_token_opens_the_endpoint_it_was_made_for(
    guarded: Callable[..., str],
    make_request: MakeRequest,
    ec_key: Any,
    method: str,
    path: str,
    audience: str,
    status: int,
) -> None:
    """R-13, R-26, R-165, C-24, C-35, I-11: the public address counts, not the Host header."""
    body = {"feedback": []} if path.endswith("feedback") else make_request()
    response = requests.request(
        method,
        f"{guarded()}/cds-services{path}",
        json=body,
        headers={"Authorization": f"Bearer {ec_key.sign(audience)}"},
        timeout=PATIENCE,
    )
    assert response.status_code == status


@pytest.mark.parametrize("header", [None, "Basic dTpw", "Bearer ", "Bearer a.b.c"])
def test_a_401_is_bare_and_always_the_same(
    guarded: Callable[..., str], make_request: MakeRequest, header: str | None
) -> None:
    """R-162, R-172, D-09, N-01: and the body is not looked at first."""
    headers = {"Origin": ORIGIN, **({"Authorization": header} if header else {})}
    base = guarded(cors_origins=(ORIGIN,))
    response = post(f"{base}/cds-services/greeting", {"not": "valid"}, headers=headers)
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Content-Type" not in response.headers


def test_two_authorization_headers_are_refused(guarded: Callable[..., str], ec_key: Any) -> None:
    """N-01."""
    base = guarded()
    port = int(base.rsplit(":", 1)[1])
    token = ec_key.sign(PUBLIC)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(
            (
                "GET /cds-services HTTP/1.0\r\nHost: x\r\n"
                f"Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n"
            ).encode()
        )
        answer = connection.makefile("rb").read()
    assert b" 401 " in answer.split(b"\r\n")[0]


def test_a_token_is_never_logged(
    guarded: Callable[..., str],
    make_request: MakeRequest,
    ec_key: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """R-176, N-70."""
    caplog.set_level(logging.DEBUG)
    base = guarded()
    tokens = [ec_key.sign(f"{PUBLIC}/greeting"), ec_key.sign("elsewhere")]
    for token in tokens:
        headers = {"Authorization": f"Bearer {token}"}
        post(f"{base}/cds-services/greeting", make_request(), headers=headers)
    text = str([record.__dict__ for record in caplog.records])
    assert not [token for token in tokens if token.split(".")[1] in text]


def test_jwt_needs_the_public_address(make_service: MakeService, ec_key: Any) -> None:
    """R-165: the Host header is the caller's own word."""
    profile = ClientProfile(name="a", iss="b", jwks={"keys": [ec_key.public]})
    with pytest.raises(ValueError, match="public_url"):
        create_blueprint(
            ServiceRegistry(),
            JwtAuthenticator([profile]),
            public_url=None,
            feedback_sink=lambda *_: 0,
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"public_url": "cds.example.org"},
        {"cors_origins": ("*",)},
        {"cors_origins": ("null",)},
        {"cors_origins": ("https://a.example/path",)},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    """R-165, R-186, D-07."""
    defaults: dict[str, Any] = {"public_url": None, "feedback_sink": lambda *_: 0}
    with pytest.raises(ValueError, match="must be"):
        create_blueprint(ServiceRegistry(), DevelopmentAuthenticator(), **{**defaults, **settings})


@pytest.mark.parametrize("path", ["", "/greeting", "/greeting/feedback"])
def test_a_preflight_needs_no_token(guarded: Callable[..., str], path: str) -> None:
    """R-185, N-60."""
    response = requests.options(
        f"{guarded(cors_origins=(ORIGIN,))}/cds-services{path}",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=PATIENCE,
    )
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "OPTIONS"} <= set(
        response.headers["Access-Control-Allow-Methods"].split(", ")
    )
    assert set(response.headers["Access-Control-Allow-Headers"].split(", ")) == {
        "authorization",
        "content-type",
    }
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_an_origin_that_is_not_listed_gets_no_permission(
    serve: Serve, make_service: MakeService, make_request: MakeRequest, origin: str | None
) -> None:
    """R-186, N-60."""
    base = serve(make_service(), cors_origins=(ORIGIN,))
    headers = {"Origin": origin} if origin else {}
    for response in (
        requests.options(f"{base}/cds-services", headers=headers, timeout=PATIENCE),
        post(f"{base}/cds-services/greeting", make_request(), headers=headers),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Methods" not in response.headers
        assert response.headers["Vary"] == "Origin"


def test_errors_carry_the_cors_headers_too(
    serve: Serve, make_service: MakeService, make_request: MakeRequest
) -> None:
    """R-185, N-60."""
    base = serve(
        make_service(handler=raising(PreconditionFailed("nothing came"))), cors_origins=(ORIGIN,)
    )
    headers = {"Origin": ORIGIN}
    for response in (
        post(f"{base}/cds-services/greeting", make_request(), headers=headers),
        post(f"{base}/cds-services/greeting", {}, headers=headers),
        post(f"{base}/cds-services/nobody", {}, headers=headers),
        requests.get(f"{base}/cds-services/greeting", headers=headers, timeout=PATIENCE),
    ):
        assert response.status_code >= 400
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

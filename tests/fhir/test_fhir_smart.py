"""SMART Backend Services against an authorization server that judges every assertion."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask, Response, redirect

from cds_service.fhir.smart import BackendServices, NoAccessToken, SigningKey, read_key
from tests.smart_server import (
    CLIENT,
    SmartServer,
    jwk_of,
    new_key,
    pem_of,
    smart_server,
    written,
)

pytestmark = pytest.mark.slow

KEY = new_key()


@pytest.fixture
def server() -> Iterator[SmartServer]:
    with smart_server(Flask("ehr"), KEY) as found:
        yield found


def backend(server: SmartServer, **options: Any) -> BackendServices:
    key = options.pop("key", SigningKey(KEY, "ES384"))
    client = options.pop("client", CLIENT)
    return BackendServices(server.url, client, key, allow_private=True, **options)


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def test_a_token_is_given_for_a_signed_assertion(server: SmartServer) -> None:
    assert backend(server).token() == server.given[0]
    assert server.scopes == ["system/*.rs"]


def test_the_scope_and_the_token_address_can_be_given(server: SmartServer) -> None:
    server.configuration = {"token_endpoint": f"{server.url}/nowhere"}
    own = backend(server, token_url=f"{server.url}/auth/token", scope="system/Patient.rs")
    assert own.token() == server.given[0]
    assert server.scopes == ["system/Patient.rs"]


def test_a_token_is_kept_until_shortly_before_it_ends(server: SmartServer) -> None:
    clock = server.clock = Clock()
    server.lifetime = 120
    services = backend(server, clock=clock)
    first = services.token()
    clock.now += 89
    assert services.token() == first
    clock.now += 1
    second = services.token()
    assert second != first
    assert server.given == [first, second]


@pytest.mark.parametrize("lifetime", [0, 10, -5])
def test_a_token_that_hardly_lives_is_not_kept(server: SmartServer, lifetime: int) -> None:
    server.lifetime = lifetime
    services = backend(server)
    assert services.token() != services.token()


@pytest.mark.parametrize("lifetime", [None, "soon", True])
def test_a_lifetime_that_is_no_number_is_taken_for_a_minute(
    server: SmartServer, lifetime: Any
) -> None:
    clock = server.clock = Clock()
    server.lifetime = lifetime
    services = backend(server, clock=clock)
    first = services.token()
    clock.now += 29
    assert services.token() == first
    clock.now += 1
    assert services.token() != first


def test_threads_share_one_token(server: SmartServer) -> None:
    services = backend(server)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: services.token(), range(24)))
    assert len(tokens) == len(server.given) == 1


def test_every_assertion_has_an_id_of_its_own(server: SmartServer) -> None:
    server.lifetime = 0
    services = backend(server)
    # The server refuses an id that it has seen.
    assert len({services.token() for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"client": "somebody-else"}, "HTTP 400, invalid_client"),
        ({"key": SigningKey(new_key(), "ES384")}, "HTTP 400, invalid_client"),
        ({"key": SigningKey(KEY, "ES384", "unknown")}, "HTTP 400, invalid_client"),
        ({"clock": lambda: 1_000_000.0}, "HTTP 400, invalid_client"),
    ],
)
def test_a_refusal_is_told_without_the_servers_words(
    server: SmartServer, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoAccessToken) as caught:
        backend(server, **options).token()
    assert said in str(caught.value)
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"token_endpoint": None}, "names no token endpoint"),
        ({"token_endpoint": 5}, "names no token endpoint"),
        ({"token_endpoint": "ftp://example.org"}, "cannot be used"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "private_key_jwt"),
        ({"token_endpoint_auth_signing_alg_values_supported": ["RS384"]}, "keys for ES384"),
        ({"grant_types_supported": ["authorization_code"]}, "client_credentials"),
    ],
)
def test_a_configuration_that_does_not_fit_is_said(
    server: SmartServer, changed: dict[str, Any], said: str
) -> None:
    server.configuration = changed
    with pytest.raises(NoAccessToken, match=said):
        backend(server).token()
    assert server.given == []


def test_a_configuration_that_does_not_say_what_it_supports_is_tried(server: SmartServer) -> None:
    server.configuration = dict.fromkeys(
        (
            "token_endpoint_auth_methods_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "grant_types_supported",
        )
    )
    assert backend(server).token() == server.given[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"access_token": None}, "no usable access token"),
        ({"access_token": ""}, "no usable access token"),
        ({"access_token": "two words"}, "no usable access token"),
        ({"access_token": "line\nbreak"}, "no usable access token"),
        ({"token_type": "mac"}, "no bearer token"),
        ({"token_type": None}, "no bearer token"),
    ],
)
def test_an_answer_without_a_usable_token_is_said(
    server: SmartServer, answer: dict[str, Any], said: str
) -> None:
    server.answer = answer
    with pytest.raises(NoAccessToken, match=said):
        backend(server).token()


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Response("secret words", status=500), "HTTP 500"),
        (Response('{"error": "invalid_scope"}', status=400), "HTTP 400, invalid_scope"),
        (Response('{"error": "secret words"}', status=400), "HTTP 400"),
        (Response('["secret words"]', status=400), "HTTP 400"),
        (Response("secret words", status=200), "no usable access token"),
    ],
)
def test_what_the_token_server_says_freely_stays_behind(
    server: SmartServer, refusal: Response, said: str
) -> None:
    server.refusal = refusal
    with pytest.raises(NoAccessToken) as caught:
        backend(server).token()
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_assertion_is_not_carried_through_a_redirect(server: SmartServer) -> None:
    with smart_server(Flask("other"), KEY) as elsewhere:
        with server.app.app_context():
            server.refusal = redirect(f"{elsewhere.url}/auth/token", 307)  # type: ignore[assignment]
        with pytest.raises(NoAccessToken, match="HTTP 307"):
            backend(server).token()
        assert elsewhere.given == []


def test_a_server_that_is_down_or_has_no_configuration_is_said(server: SmartServer) -> None:
    key = SigningKey(KEY, "ES384")
    away = BackendServices("http://127.0.0.1:1", CLIENT, key, allow_private=True)
    with pytest.raises(NoAccessToken, match="no answer"):
        away.token()
    below = BackendServices(f"{server.url}/fhir", CLIENT, key, allow_private=True)
    with pytest.raises(NoAccessToken, match=r"no SMART configuration \(HTTP 40"):
        below.token()


@pytest.mark.parametrize("address", ["http://ehr.example.org", "https://10.0.0.1", "no address"])
def test_outside_of_development_only_public_https_is_asked(address: str) -> None:
    with pytest.raises(NoAccessToken, match="cannot be used"):
        BackendServices(address, CLIENT, SigningKey(KEY, "ES384"))
    with pytest.raises(NoAccessToken, match="the token address cannot be used"):
        BackendServices(
            "https://ehr.example.org", CLIENT, SigningKey(KEY, "ES384"), token_url=address
        )


def test_nothing_secret_is_shown_or_logged(
    server: SmartServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    services = backend(server)
    token = services.token()
    for shown in (repr(services), repr(SigningKey(KEY, "ES384")), caplog.text):
        assert token not in shown
        assert CLIENT not in shown
        assert "eyJ" not in shown
        assert "PrivateKey" not in shown


# -- key files ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["EC", "RSA"])
@pytest.mark.parametrize("form", ["PEM", "JWK", "JWKS"])
def test_a_key_of_every_form_gets_a_token(kind: str, form: str, tmp_path: Path) -> None:
    key = new_key(kind)
    content: Any = pem_of(key)
    if form != "PEM":
        content = jwk_of(key, "k1")
    if form == "JWKS":
        public = {"kty": "EC", "crv": "P-384", "kid": "public-only"}
        content = {"keys": [public, jwk_of(new_key(), "other"), content]}
    read = read_key(written(tmp_path, content), "k1" if form != "JWK" else None)
    assert (read.algorithm, read.key_id) == ("ES384" if kind == "EC" else "RS384", "k1")
    with smart_server(Flask("ehr"), key, "k1") as server:
        assert backend(server, key=read).token() == server.given[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither an unencrypted PEM nor a JWK"),
        (b"not a key", "neither an unencrypted PEM nor a JWK"),
        (b"{", "no JWK"),
        (b'{"keys": 5}', "no JWK"),
        (b'{"keys": []}', "no private key"),
        (b'{"kty": "oct", "k": "c2VjcmV0", "d": "x"}', "no private key"),
        (b'{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}', "damaged"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "P-384"),
        (pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "2048"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(NoAccessToken, match=said):
        read_key(written(tmp_path, content))


def test_a_public_key_is_not_taken_for_the_private_one(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(NoAccessToken, match="public key"):
        read_key(written(tmp_path, public))


def test_a_key_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoAccessToken, match="cannot be read"):
        read_key(tmp_path / "nothing")

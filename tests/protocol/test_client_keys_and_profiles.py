"""Where the keys of a client come from, and what a profile may say."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from cds_service.protocol import (
    Client,
    ClientProfile,
    DevelopmentAuthenticator,
    JwtAuthenticator,
    Unauthorized,
)
from cds_service.protocol import security as security_module
from cds_service.protocol.keys import FetchedKeys, KeySetError, StaticKeys

SERVICE = "https://cds.example.org/cds-services/greeting"


ISSUER = "https://ehr.example.org"


def profile(*keys: Any, **changes: Any) -> ClientProfile:
    settings: dict[str, Any] = {
        "name": "test-ehr",
        "iss": ISSUER,
        "fhir_servers": ("https://ehr.example.org/fhir",),
    }
    if keys:
        settings["jwks"] = {"keys": [key.public for key in keys]}
    return ClientProfile(**{**settings, **changes})


def admit(
    authenticator: JwtAuthenticator, token: str | None, audience: tuple[str, ...] = (SERVICE,)
) -> Client:
    return authenticator.authenticate(None if token is None else f"Bearer {token}", audience)


def refusal_code(
    authenticator: JwtAuthenticator,
    caplog: pytest.LogCaptureFixture,
    token: str | None,
    audience: tuple[str, ...] = (SERVICE,),
) -> str:
    caplog.clear()
    with pytest.raises(Unauthorized) as caught:
        admit(authenticator, token, audience)
    assert caught.value.diagnostics == ""
    (record,) = caplog.records
    if token:
        assert token not in str(record.__dict__)
    return record.getMessage().removeprefix("authentication refused: ")


@pytest.fixture
def authenticator(ec_key: Any, rsa_key: Any) -> JwtAuthenticator:
    return JwtAuthenticator([profile(ec_key, rsa_key)])


def fetching(url: str, **changes: Any) -> JwtAuthenticator:
    return JwtAuthenticator([profile(jwks_url=url, allow_private_addresses=True, **changes)])


def test_keys_are_fetched_once_and_an_unknown_kid_fetches_no_more(
    httpserver: HTTPServer, ec_key: Any, other_ec_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-171, N-03."""
    httpserver.expect_request("/jwks").respond_with_json({"keys": [ec_key.public]})
    authenticator = fetching(httpserver.url_for("/jwks"))
    jku = {"jku": httpserver.url_for("/jwks")}
    assert admit(authenticator, ec_key.sign(SERVICE, headers=jku))
    assert admit(authenticator, ec_key.sign(SERVICE))
    for _ in range(5):
        token = other_ec_key.sign(SERVICE)
        assert refusal_code(authenticator, caplog, token) == "unknown-key"
    assert len(httpserver.log) == 1


def test_an_unknown_issuer_or_key_address_causes_no_outbound_request(
    httpserver: HTTPServer, ec_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-169, N-07."""
    httpserver.expect_request("/jwks").respond_with_json({"keys": [ec_key.public]})
    authenticator = fetching(httpserver.url_for("/jwks"))
    attacker = {"jku": httpserver.url_for("/attacker")}
    token = ec_key.sign(SERVICE, iss="https://attacker.example", headers=attacker)
    assert refusal_code(authenticator, caplog, token) == "unknown-issuer"
    token = ec_key.sign(SERVICE, headers=attacker)
    assert refusal_code(authenticator, caplog, token) == "unknown-key-address"
    assert httpserver.log == []


def test_a_key_address_is_never_followed_for_a_client_with_fixed_keys(
    httpserver: HTTPServer, authenticator: JwtAuthenticator, ec_key: Any
) -> None:
    """R-169, R-170: some clients always send jku."""
    jku = {"jku": httpserver.url_for("/jwks")}
    assert admit(authenticator, ec_key.sign(SERVICE, headers=jku))
    assert httpserver.log == []


def test_a_new_key_is_found_after_the_pause_and_an_outage_leaves_the_old_ones(
    httpserver: HTTPServer, ec_key: Any, other_ec_key: Any
) -> None:
    """R-171: rotation, and a JWKS outage with a warm cache."""
    keys = FetchedKeys(httpserver.url_for("/jwks"), pause=0.0, lifespan=0.000001)
    httpserver.expect_oneshot_request("/jwks").respond_with_json({"keys": [ec_key.public]})
    assert keys.find(ec_key.kid) is not None
    httpserver.expect_oneshot_request("/jwks").respond_with_data("broken", status=500)
    assert keys.find(ec_key.kid) is not None
    httpserver.expect_oneshot_request("/jwks").respond_with_data("not json")
    assert keys.find(ec_key.kid) is not None
    httpserver.expect_oneshot_request("/jwks").respond_with_json({"keys": [other_ec_key.public]})
    assert keys.find(other_ec_key.kid) is not None
    assert keys.find(ec_key.kid) is None


def test_a_redirect_of_the_key_address_is_not_followed(httpserver: HTTPServer, ec_key: Any) -> None:
    """R-169: the agreed address is the agreed address."""
    httpserver.expect_request("/elsewhere").respond_with_json({"keys": [ec_key.public]})
    httpserver.expect_request("/jwks").respond_with_data(
        "", status=302, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    assert FetchedKeys(httpserver.url_for("/jwks")).find(ec_key.kid) is None
    assert len(httpserver.log) == 1


def test_keys_older_than_the_grace_are_not_trusted(httpserver: HTTPServer, ec_key: Any) -> None:
    """R-171: an outage may not keep a withdrawn key alive for ever."""
    httpserver.expect_oneshot_request("/jwks").respond_with_json({"keys": [ec_key.public]})
    keys = FetchedKeys(httpserver.url_for("/jwks"), pause=0.0, lifespan=1e-9, grace=1e-9)
    keys.find(ec_key.kid)
    assert keys.find(ec_key.kid) is None


@pytest.mark.parametrize("text", ["private", "symmetric", "twice", "no list", "no kid", "odd"])
def test_a_key_set_that_cannot_be_trusted_is_refused(ec_key: Any, text: str) -> None:
    """R-167, S-02, T-1: a set that shows private keys is no proof of anything."""
    document: Any = {
        "private": {"keys": [{**ec_key.public, "d": "AA"}]},
        "symmetric": {"keys": [{"kty": "oct", "kid": "1", "k": "AA"}]},
        "twice": {"keys": [ec_key.public, ec_key.public]},
        "no list": {"keys": {}},
        "no kid": {"keys": [{name: ec_key.public[name] for name in ("kty", "crv", "x", "y")}]},
        "odd": {"keys": ["text"]},
    }[text]
    with pytest.raises(KeySetError) as caught:
        StaticKeys(document)
    assert ec_key.public["x"] not in str(caught.value)


def test_keys_may_come_from_a_file(tmp_path: Path, ec_key: Any) -> None:
    """R-170."""
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [ec_key.public]}), encoding="utf-8")
    authenticator = JwtAuthenticator([profile(jwks_file=path)])
    assert admit(authenticator, ec_key.sign(SERVICE))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"jwks": {"keys": []}, "jwks_url": "https://ehr.example.org/jwks"},
        {"jwks_url": "http://ehr.example.org/jwks"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks": {"keys": [1]}, "audience_aliases": ("",)},
        {"jwks": {"keys": [1]}, "tenants": (" ",)},
        {"jwks": {"keys": [1]}, "fhir_servers": ("ehr.example.org",)},
        {"jwks": {"keys": [1]}, "tennants": ("a",)},
        {"jwks": {"keys": [1]}, "name": ""},
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    """R-169, R-170, R-175, R-78: a misspelt setting is an error, not a default."""
    with pytest.raises(ValidationError):
        profile(**changes)


def test_two_profiles_of_one_issuer_are_refused(ec_key: Any) -> None:
    """R-169: the issuer decides which keys count."""
    with pytest.raises(ValueError, match="same iss"):
        JwtAuthenticator([profile(ec_key), profile(ec_key, name="again")])


def test_plain_http_and_private_hosts_need_the_private_flag() -> None:
    """C-04, R-78, N-22."""
    servers = ("http://10.0.0.1/fhir", "https://10.0.0.1/fhir", "https://localhost/fhir")
    careful = Client(name="a", fhir_servers=servers)
    lenient = Client(name="a", fhir_servers=servers, allow_private_addresses=True)
    for server in servers:
        assert not careful.permits_fhir_server(server)
        assert lenient.permits_fhir_server(server)
    assert not lenient.permits_fhir_server("http://10.0.0.2/fhir")


def test_development_lets_everyone_in_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-160."""
    monkeypatch.setattr(security_module, "_warned", threading.Event())
    for _ in range(3):
        client = DevelopmentAuthenticator().authenticate(None, [SERVICE])
    assert client.permits_fhir_server("http://127.0.0.1:8080/fhir")
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    assert not client.permits_fhir_server("nonsense")

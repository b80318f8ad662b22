"""Where the keys of a client come from, and what a profile may say."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
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
from tests.waiting import PATIENCE, held, until

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
    (record,) = (one for one in caplog.records if one.name.startswith("alk_cds"))
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


@pytest.mark.parametrize(
    "body",
    [
        "[" * 200_000,
        '{"keys":' * 50_000,
        '{"keys": [' + '{"kid": ' * 200 + "1" + "}" * 200 + "]}",
        '{"keys": [' + " " * 1_000_000 + "]}",
        '{"keys": [{"kid": "1", "kty": ["EC"]}]}',
        '{"keys": [{"kid": ["1"], "kty": "EC"}]}',
        '{"keys": [{"kid": "1", "kty": "EC", "crv": {"a": 1}}]}',
        '{"keys": [{"kid": "1", "kty": "RSA", "n": [], "e": {}}]}',
        "\ud800",
    ],
    ids=lambda body: body[:24],
)
def test_a_key_set_that_is_nested_large_or_odd_is_a_401_and_no_fault(
    httpserver: HTTPServer, ec_key: Any, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    """R-171: what an address serves is a stranger's text like any other."""
    httpserver.expect_request("/jwks").respond_with_data(body.encode("utf-8", "surrogatepass"))
    authenticator = fetching(httpserver.url_for("/jwks"))
    assert refusal_code(authenticator, caplog, ec_key.sign(SERVICE)) == "unknown-key"


@pytest.mark.parametrize(
    "changes",
    [{"x": 5}, {"x": "*"}, {"x": "AA"}, {"x": None}, {"y": ""}, {"crv": "P-521"}, {"alg": 1}],
    ids=str,
)
def test_a_key_that_is_no_key_fits_no_token(
    ec_key: Any, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    odd = {"keys": [{**ec_key.public, **changes}]}
    authenticator = JwtAuthenticator([ClientProfile(name="ehr", iss=ISSUER, jwks=odd)])
    token = ec_key.sign(SERVICE)
    assert refusal_code(authenticator, caplog, token) == "key-does-not-fit-algorithm"


def test_a_key_address_that_drips_holds_a_call_for_its_time_only_and_leaves_no_thread(
    ec_key: Any,
) -> None:
    """A byte now and then is never late for a socket; the whole errand has one end."""
    with socket.create_server(("127.0.0.1", 0)) as listening, held() as dripping:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while dripping.is_held:
                    connection.sendall(b"a")
                    time.sleep(0.01)

        server = threading.Thread(target=drip)
        server.start()
        before = set(threading.enumerate())
        port = listening.getsockname()[1]
        keys = FetchedKeys(f"http://127.0.0.1:{port}/jwks", timeout=0.2)
        assert keys.find(ec_key.kid) is None
        assert dripping.is_held
        until(lambda: set(threading.enumerate()) <= before, "the thread that fetches ends")
    server.join(PATIENCE)


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


def certified(ec_key: Any, last_day: datetime) -> dict[str, Any]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ehr")])
    certificate = (
        x509.CertificateBuilder(name, name, ec_key.private_key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(last_day)
        .sign(ec_key.private_key, hashes.SHA384())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {**ec_key.public, "x5c": [base64.b64encode(der).decode()]}


def test_an_arranged_key_whose_certificate_has_expired_stops_the_start(ec_key: Any) -> None:
    with pytest.raises(KeySetError, match=r"has expired on 2021-05-01"):
        StaticKeys({"keys": [certified(ec_key, datetime(2021, 5, 1, tzinfo=UTC))]})
    with pytest.raises(KeySetError, match="cannot be read"):
        StaticKeys({"keys": [{**ec_key.public, "x5c": ["AAAA"]}]})
    assert StaticKeys({"keys": [certified(ec_key, datetime(2999, 1, 1, tzinfo=UTC))]})


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

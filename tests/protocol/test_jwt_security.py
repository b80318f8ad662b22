"""Who is let in: signed tokens, and everything that is wrong with the others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cds_service.protocol import (
    Client,
    ClientProfile,
    JwtAuthenticator,
    MemoryReplayStore,
    Unauthorized,
)

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


def test_tokens_of_both_recommended_algorithms_are_admitted(
    authenticator: JwtAuthenticator, ec_key: Any, rsa_key: Any
) -> None:
    """R-162, R-163, R-168, R-170, E-30: extra claims and odd kid characters do no harm."""
    for key in (ec_key, rsa_key):
        client = admit(authenticator, key.sign(SERVICE, sub="client-id"))
        assert (client.name, client.issuer) == ("test-ehr", ISSUER)
        assert client.fhir_servers == ("https://ehr.example.org/fhir",)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer a.b",
        "Bearer a.b.c,Bearer d.e.f",
    ],
)
def test_a_header_that_holds_no_one_token_is_refused(
    authenticator: JwtAuthenticator, header: str | None
) -> None:
    """N-01."""
    with pytest.raises(Unauthorized) as caught:
        authenticator.authenticate(header, [SERVICE])
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


def encoded(part: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


@pytest.mark.parametrize("name", ["none", "None", "nOnE"])
def test_an_unsigned_token_is_refused(
    authenticator: JwtAuthenticator, ec_key: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """R-166, N-02."""
    payload = ec_key.sign(SERVICE).split(".")[1]
    header = encoded({"alg": name, "typ": "JWT", "kid": ec_key.kid}).decode()
    for signature in ("", "AA"):
        with pytest.raises(Unauthorized):
            admit(authenticator, f"{header}.{payload}.{signature}")
    assert refusal_code(authenticator, caplog, f"{header}.{payload}.AA") == "wrong-algorithm"


def test_the_public_key_used_as_an_hmac_secret_is_refused(
    authenticator: JwtAuthenticator, rsa_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-167, N-02: the confusion attack."""
    secret = rsa_key.private_key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    payload = rsa_key.sign(SERVICE).split(".")[1].encode()
    signed = encoded({"alg": "HS256", "typ": "JWT", "kid": rsa_key.kid}) + b"." + payload
    signature = base64.urlsafe_b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    token = (signed + b"." + signature.rstrip(b"=")).decode()
    assert refusal_code(authenticator, caplog, token) == "wrong-algorithm"


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("ES384", "HS512")])
def test_only_asymmetric_algorithms_can_be_configured(
    ec_key: Any, algorithms: tuple[str, ...]
) -> None:
    """R-166, R-167, and the peers' default of HS256 with a known secret."""
    with pytest.raises(ValueError, match="asymmetric"):
        JwtAuthenticator([profile(ec_key)], algorithms=algorithms)


def test_an_algorithm_that_does_not_fit_the_key_is_refused(
    ec_key: Any, rsa_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-168."""
    posing = {**rsa_key.public, "kid": ec_key.kid}
    authenticator = JwtAuthenticator([profile(jwks={"keys": [posing]})])
    token = ec_key.sign(SERVICE)
    assert refusal_code(authenticator, caplog, token) == "key-does-not-fit-algorithm"
    off_curve = {**ec_key.public, "y": ec_key.public["x"]}
    authenticator = JwtAuthenticator([profile(jwks={"keys": [off_curve]})])
    assert refusal_code(authenticator, caplog, token) == "key-does-not-fit-algorithm"
    narrowed = {**ec_key.public, "alg": "ES256"}
    authenticator = JwtAuthenticator([profile(jwks={"keys": [narrowed]})])
    assert refusal_code(authenticator, caplog, token) == "key-does-not-fit-algorithm"


def test_a_forged_or_altered_token_is_refused(
    authenticator: JwtAuthenticator,
    ec_key: Any,
    other_ec_key: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """N-03."""
    forged = other_ec_key.sign(SERVICE, headers={"kid": ec_key.kid})
    assert refusal_code(authenticator, caplog, forged) == "wrong-signature"
    header, _, signature = ec_key.sign(SERVICE).split(".")
    other_payload = ec_key.sign(SERVICE, iss=ISSUER, sub="admin").split(".")[1]
    altered = f"{header}.{other_payload}.{signature}"
    assert refusal_code(authenticator, caplog, altered) == "wrong-signature"


def test_a_key_of_another_issuer_is_refused(
    ec_key: Any, other_ec_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """N-03."""
    authenticator = JwtAuthenticator(
        [profile(ec_key), profile(other_ec_key, name="other", iss="https://other.example.org")]
    )
    token = other_ec_key.sign(SERVICE)
    assert refusal_code(authenticator, caplog, token) == "unknown-key"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"kid": None}, "no-key-id"),
        ({"kid": ""}, "no-key-id"),
        ({"kid": "unknown"}, "unknown-key"),
        ({"crit": ["b64"], "b64": True}, "unknown-critical-header"),
        ({"typ": "JOSE"}, "wrong-type"),
        ({"typ": None}, "wrong-type"),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused(
    authenticator: JwtAuthenticator,
    ec_key: Any,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, Any],
    code: str,
) -> None:
    """R-163, N-03."""
    signed = ec_key.sign(SERVICE, headers={})
    parts = signed.split(".")
    header = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
    for name, value in headers.items():
        header.pop(name) if value is None else header.update({name: value})
    token = ".".join((encoded(header).decode(), *parts[1:]))
    assert refusal_code(authenticator, caplog, token) == code


def test_typ_is_compared_without_case_and_may_be_waived(ec_key: Any) -> None:
    """R-163."""
    authenticator = JwtAuthenticator([profile(ec_key)])
    assert admit(authenticator, ec_key.sign(SERVICE, headers={"typ": "jwt"}))
    waived = JwtAuthenticator([profile(ec_key, require_typ=False)])
    assert admit(waived, ec_key.sign(SERVICE, headers={"typ": None}))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti"])
@pytest.mark.parametrize("value", [None, "", [], {}, True, "text"])
def test_a_claim_that_is_missing_or_of_a_wrong_type_is_refused(
    authenticator: JwtAuthenticator, ec_key: Any, name: str, value: Any
) -> None:
    """R-164, N-04, N-05."""
    if name == "jti" and value == "text":
        value = "   "
    with pytest.raises(Unauthorized):
        admit(authenticator, ec_key.sign(SERVICE, **{name: value}))
    with pytest.raises(Unauthorized):
        admit(authenticator, ec_key.sign(SERVICE, without=(name,)))


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iat": NOW - 300, "exp": NOW - 29}, None),
        ({"iat": NOW - 300, "exp": NOW - 30}, "expired"),
        ({"iat": NOW + 30, "exp": NOW + 100}, None),
        ({"iat": NOW + 31, "exp": NOW + 100}, "issued-in-the-future"),
        ({"iat": NOW, "exp": NOW + 3600}, None),
        ({"iat": NOW, "exp": NOW + 3601}, "lives-too-long"),
        ({"iat": NOW + 20, "exp": NOW + 20}, "lives-too-long"),
        ({"iat": NOW, "exp": 10**400}, "no-times"),
        ({"iat": NOW, "exp": NOW + 300, "nbf": NOW - 300}, None),
        ({"iat": NOW, "exp": NOW + 300, "nbf": NOW + 31}, "not-yet-valid"),
        ({"iat": NOW, "exp": NOW + 300, "nbf": "soon"}, "not-yet-valid"),
        ({"iat": NOW - 60_000_000, "exp": NOW + 51_287_890}, "lives-too-long"),
    ],
)
def test_times_are_judged_to_the_second(
    ec_key: Any, caplog: pytest.LogCaptureFixture, claims: dict[str, Any], code: str | None
) -> None:
    """R-174, N-04, X-08 (a life of 3.5 years)."""
    with time_machine.travel(NOW, tick=False):
        authenticator = JwtAuthenticator([profile(ec_key)])
        token = ec_key.sign(SERVICE, **claims)
        if code is None:
            assert admit(authenticator, token).name == "test-ehr"
        else:
            assert refusal_code(authenticator, caplog, token) == code


def test_the_leeway_is_bounded(ec_key: Any) -> None:
    """R-174."""
    with pytest.raises(ValueError, match="leeway"):
        JwtAuthenticator([profile(ec_key)], leeway_seconds=61)
    with pytest.raises(ValueError, match="life"):
        JwtAuthenticator([profile(ec_key)], longest_life_seconds=0)


@pytest.mark.parametrize(
    "audience",
    [
        SERVICE,
        SERVICE + "/",
        "HTTPS://CDS.example.org:443/cds-services/greeting",
        [SERVICE],
        ["https://elsewhere.example.org", SERVICE],
        "typed-by-hand",
    ],
)
def test_an_audience_that_means_this_endpoint_is_admitted(ec_key: Any, audience: Any) -> None:
    """R-165, N-05, E-31, E-51."""
    authenticator = JwtAuthenticator([profile(ec_key, audience_aliases=("typed-by-hand",))])
    assert admit(authenticator, ec_key.sign(audience))


@pytest.mark.parametrize(
    "audience",
    [
        "https://cds.example.org/cds-services",
        "https://cds.example.org/cds-services/other",
        "https://cds.example.org/CDS-services/greeting",
        "http://cds.example.org/cds-services/greeting",
        "https://cds.example.org:8443/cds-services/greeting",
        "https://user@cds.example.org/cds-services/greeting",
        SERVICE + "?x=1",
        "https://cds.example.org:x/cds-services/greeting",
        "sand_man",
        [],
        [SERVICE, 5],
        {"a": SERVICE},
    ],
)
def test_an_audience_that_means_another_endpoint_is_refused(
    authenticator: JwtAuthenticator,
    ec_key: Any,
    caplog: pytest.LogCaptureFixture,
    audience: Any,
) -> None:
    """R-165, R-26, N-05."""
    token = ec_key.sign(audience)
    assert refusal_code(authenticator, caplog, token) == "wrong-audience"


def test_a_token_used_twice_is_refused_the_second_time(
    authenticator: JwtAuthenticator, ec_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-173, N-06."""
    token = ec_key.sign(SERVICE)
    assert admit(authenticator, token)
    assert refusal_code(authenticator, caplog, token) == "replayed"


def test_a_refused_token_is_not_remembered(authenticator: JwtAuthenticator, ec_key: Any) -> None:
    """R-173: stored only after all checks pass."""
    token = ec_key.sign(SERVICE)
    with pytest.raises(Unauthorized):
        admit(authenticator, token, ("https://cds.example.org/cds-services/other",))
    assert admit(authenticator, token)


def test_two_workers_with_one_store_refuse_each_others_replays(
    ec_key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """R-173, N-06."""
    store = MemoryReplayStore()
    first = JwtAuthenticator([profile(ec_key)], replay_store=store)
    second = JwtAuthenticator([profile(ec_key)], replay_store=store)
    token = ec_key.sign(SERVICE)
    assert admit(first, token)
    assert refusal_code(second, caplog, token) == "replayed"


def test_replay_may_be_allowed_for_a_client_that_retries(ec_key: Any) -> None:
    """R-173."""
    authenticator = JwtAuthenticator([profile(ec_key, refuse_replay=False)])
    token = ec_key.sign(SERVICE)
    assert admit(authenticator, token) == admit(authenticator, token)


def test_the_replay_store_forgets_what_has_expired() -> None:
    """R-173: kept for the life of the token, by issuer and id."""
    store = MemoryReplayStore()
    with time_machine.travel(NOW, tick=False) as clock:
        assert store.remember("a", "1", NOW + 10)
        assert store.remember("b", "1", NOW + 10)
        clock.shift(9)
        assert not store.remember("a", "1", NOW + 10)
        clock.shift(1)
        assert store.remember("a", "1", NOW + 20)


@pytest.mark.parametrize(
    ("tenants", "claims", "admitted"),
    [
        ((), {}, True),
        ((), {"tenant": "a"}, True),
        (("a",), {"tenant": "a"}, True),
        (("a",), {"tenant": "b"}, False),
        (("a",), {}, False),
        ((), {"tenant": 5}, False),
    ],
)
def test_tenants_are_held_to_the_list(
    ec_key: Any, tenants: tuple[str, ...], claims: dict[str, Any], admitted: bool
) -> None:
    """R-175."""
    authenticator = JwtAuthenticator([profile(ec_key, tenants=tenants)])
    token = ec_key.sign(SERVICE, **claims)
    if admitted:
        assert admit(authenticator, token).tenant == claims.get("tenant")
    else:
        with pytest.raises(Unauthorized):
            admit(authenticator, token)

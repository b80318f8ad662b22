"""SMART Backend Services: an access token for a program that no user has signed in to.

The program proves who it is with a short assertion signed by its own key (private_key_jwt) and
gets a token by client_credentials. Source: HL7 SMART App Launch 2.2, "Backend Services" and
"Client Authentication: Asymmetric". No key, assertion or token appears in an error or a `repr`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import jwt
import requests
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.fhir.errors import FhirError, ServerRefused
from cds_service.fhir.network import checked_base

DEFAULT_SCOPE = "system/*.rs"
DISCOVERY_PATH = ".well-known/smart-configuration"

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 240
"""SMART allows five minutes at most; one is kept for a server whose clock is behind."""
_SOONER_SECONDS = 30
"""A token is renewed so long before it ends: it must outlive the reading that begins with it."""
_ASSUMED_LIFETIME = 60
"""Of a token whose server names no lifetime, although it should."""
_TIMEOUT_SECONDS = 30
_SMALLEST_RSA = 2048
_MOST_BYTES = 1_000_000
_OAUTH_ERRORS = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope", "temporarily_unavailable", "server_error",
    }
)  # fmt: skip


class NoAccessToken(FhirError):  # noqa: N818 - says what happened, as the others of the room
    """No token could be had. The message says what to mend and holds no secret."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the algorithm that SMART wants for its kind: ES384 or RS384."""

    key: Any = field(repr=False)
    algorithm: str
    key_id: str | None = None


def read_key(file: Path, key_id: str | None = None) -> SigningKey:
    """The private key of a file: PEM, a JWK, or a JWK Set of which the first that fits is taken.

    `key_id` chooses the key of a set, and names the one of a PEM file. Raises NoAccessToken.
    """
    try:
        text = file.read_bytes()
    except OSError:
        raise NoAccessToken("the key file cannot be read") from None
    if text.lstrip().startswith(b"{"):
        return _from_json(text, key_id)
    for reader in (ECAlgorithm(ECAlgorithm.SHA384), RSAAlgorithm(RSAAlgorithm.SHA384)):
        try:
            key = reader.prepare_key(text)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return _signing(key, key_id)
    raise NoAccessToken("the key file is neither an unencrypted PEM nor a JWK")


def _from_json(text: bytes, key_id: str | None) -> SigningKey:
    try:
        content = json.loads(text)
        listed = content.get("keys", [content])
        candidates = [
            item
            for item in listed
            if "d" in item
            and item.get("use", "sig") == "sig"
            and (key_id is None or item.get("kid") == key_id)
        ]
    except (ValueError, TypeError, AttributeError):
        raise NoAccessToken("the key file is no JWK") from None
    for item in candidates:
        algorithm = {"EC": "ES384", "RSA": "RS384"}.get(str(item.get("kty")))
        if algorithm is None or item.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK(item, algorithm=algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError):
            raise NoAccessToken("the key of the key file is damaged") from None
        return _signing(key, str(item["kid"]) if item.get("kid") else key_id)
    raise NoAccessToken("the key file holds no private key for ES384 or RS384 of that id")


def _signing(key: Any, key_id: str | None) -> SigningKey:
    if not hasattr(key, "sign"):
        raise NoAccessToken("the key file holds a public key, not the private one")
    curve = getattr(key, "curve", None)
    if curve is not None and curve.name == "secp384r1":
        return SigningKey(key, "ES384", key_id)
    if curve is None and key.key_size >= _SMALLEST_RSA:
        return SigningKey(key, "RS384", key_id)
    raise NoAccessToken("the key must be an EC key on P-384 or an RSA key of 2048 bits or more")


class BackendServices:
    """Access tokens for one FHIR server, each kept until shortly before it ends.

    Without `token_url` the server's own discovery says where tokens are given. `allow_private`
    admits http and private addresses, as for the FHIR server itself. May be shared by threads.
    """

    def __init__(
        self,
        fhir_server: str,
        client_id: str,
        key: SigningKey,
        *,
        token_url: str | None = None,
        scope: str = DEFAULT_SCOPE,
        allow_private: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fhir_server = _checked(fhir_server, "the FHIR server", allow_private=allow_private)
        self._client_id = client_id
        self._key = key
        self._token_url = (
            _checked(token_url, "the token address", allow_private=allow_private)
            if token_url is not None
            else None
        )
        self._scope = scope
        self._allow_private = allow_private
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._ends_at = 0.0

    def __repr__(self) -> str:
        return f"<BackendServices {self._key.algorithm}>"

    def token(self) -> str:
        """A token that holds for the next reading. Raises NoAccessToken."""
        with self._lock:
            if self._clock() >= self._ends_at:
                self._token, lifetime = self._fresh()
                # Of a token that lives no longer than the margin every reading needs a new one.
                self._ends_at = self._clock() + lifetime - _SOONER_SECONDS
            return self._token

    def _fresh(self) -> tuple[str, float]:
        with requests.Session() as session:
            # No proxy, .netrc or cookie may come between the key's owner and the server.
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            if self._token_url is None:
                self._token_url = self._discovered(session)
            form = {
                "grant_type": "client_credentials",
                "scope": self._scope,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._assertion(self._token_url),
            }
            status, answer = _exchange(session, "POST", self._token_url, form)
        if status != 200:
            said = answer.get("error")
            reason = f", {said}" if said in _OAUTH_ERRORS else ""
            raise NoAccessToken(f"the token server refused (HTTP {status}{reason})")
        token, lifetime = answer.get("access_token"), answer.get("expires_in", _ASSUMED_LIFETIME)
        usable = isinstance(token, str) and token.isascii() and token.isprintable()
        if not usable or not token or " " in str(token):
            raise NoAccessToken("the token server gave no usable access token")
        if str(answer.get("token_type", "")).lower() != "bearer":
            raise NoAccessToken("the token server gave a token that is no bearer token")
        number = isinstance(lifetime, int | float) and not isinstance(lifetime, bool)
        return str(token), float(lifetime) if number else _ASSUMED_LIFETIME

    def _assertion(self, token_url: str) -> str:
        now = int(self._clock())
        # No `iat`: SMART does not ask for it, and servers whose clock is behind refuse it.
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": token_url,
            "exp": now + _ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        headers = {"kid": self._key.key_id} if self._key.key_id else None
        return jwt.encode(claims, self._key.key, algorithm=self._key.algorithm, headers=headers)

    def _discovered(self, session: requests.Session) -> str:
        address = f"{self._fhir_server}/{DISCOVERY_PATH}"
        status, answer = _exchange(session, "GET", address)
        if status != 200:
            raise NoAccessToken(f"the server has no SMART configuration (HTTP {status})")
        for member, wanted, what in (
            ("token_endpoint_auth_methods_supported", "private_key_jwt", "private_key_jwt"),
            ("token_endpoint_auth_signing_alg_values_supported", self._key.algorithm,
             f"keys for {self._key.algorithm}"),
            ("grant_types_supported", "client_credentials", "client_credentials"),
        ):  # fmt: skip
            offered = answer.get(member)
            if isinstance(offered, list) and wanted not in offered:
                raise NoAccessToken(f"the server does not accept {what}")
        found = answer.get("token_endpoint")
        if not isinstance(found, str):
            raise NoAccessToken("the SMART configuration names no token endpoint")
        return _checked(found, "the token endpoint", allow_private=self._allow_private)


def _checked(address: str, what: str, *, allow_private: bool) -> str:
    try:
        checked_base(address, allow_private=allow_private)
    except ServerRefused as error:
        raise NoAccessToken(f"{what} cannot be used: {error}") from None
    # A slash at the end belongs to a token address, whose every letter the assertion repeats.
    return address.rstrip("/") if what == "the FHIR server" else address


def _exchange(
    session: requests.Session, method: str, url: str, form: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Status and JSON object of an answer; an empty one for what is no JSON object."""
    try:
        with session.request(
            method,
            url,
            data=form,
            headers={"Accept": "application/json"},
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = answer.raw.read(_MOST_BYTES, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise NoAccessToken(f"no answer for an access token: {type(error).__name__}") from None
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    return status, content if isinstance(content, dict) else {}

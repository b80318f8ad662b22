"""Public keys of the clients: which key a token's ``kid`` means, and where it is looked up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

import jwt
from jwt import PyJWK, PyJWKClient

from cds_service.protocol.clients import ClientProfile

ALLOWED_ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
}
"""Asymmetric algorithms with the key type and curve each one needs (RFC 7518)."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeySetError(ValueError):
    """A JWK Set that cannot be used; the message holds no key material."""


class KeySource(Protocol):
    """Finds a client's public key by its id."""

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        """Return the JWK with this ``kid``, or None if the client has no such key."""
        ...


def read_key_set(document: Any) -> dict[str, Mapping[str, Any]]:
    """Return the public signing keys of a JWK Set by ``kid`` (RFC 7517).

    Keys without a ``kid``, for encryption, or of a type no allowed algorithm uses are left out.
    A set that shows a private or symmetric key is refused whole: whoever can read that set can
    sign in the client's name. So is a set that gives one ``kid`` to two keys.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        raise KeySetError("a JWK Set must be an object with an array of keys")
    result: dict[str, Mapping[str, Any]] = {}
    for key in keys:
        if not isinstance(key, Mapping):
            raise KeySetError("a key of the JWK Set is not an object")
        if _PRIVATE_MEMBERS & set(key):
            raise KeySetError("the JWK Set holds a private or symmetric key")
        key_id = key.get("kid")
        usable = (
            isinstance(key_id, str)
            and bool(key_id)
            and key.get("use") in (None, "sig")
            and key.get("kty") in {"EC", "RSA"}
        )
        if not usable or not isinstance(key_id, str):
            continue
        if key_id in result:
            raise KeySetError("two keys of the JWK Set have the same kid")
        result[key_id] = key
    return result


def public_key(key: Mapping[str, Any], algorithm: str) -> PyJWK | None:
    """Return the key made ready for ``algorithm``, or None if it is not a key for it (R-168)."""
    key_type, curve = ALLOWED_ALGORITHMS[algorithm]
    if key.get("kty") != key_type or (curve is not None and key.get("crv") != curve):
        return None
    if key.get("alg") not in (None, algorithm):
        return None
    try:
        return PyJWK.from_dict(dict(key), algorithm=algorithm)
    except jwt.PyJWTError:
        return None


class StaticKeys:
    """Keys arranged out of band (R-170)."""

    def __init__(self, document: Any) -> None:
        self._keys = read_key_set(document)
        if not self._keys:
            raise KeySetError("the JWK Set holds no signing key with a kid")

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        return self._keys.get(key_id)


class FetchedKeys:
    """Keys served at the client's own address, kept between calls (R-171).

    The set is fetched anew after ``lifespan`` seconds or when a ``kid`` is unknown, but never
    sooner than ``pause`` seconds after the last attempt, so that a stranger with made-up key
    ids cannot make this service hammer the client. If the address fails, keys fetched before
    stay good for ``grace`` seconds. ``timeout`` is in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 2.0,
        lifespan: float = 300.0,
        pause: float = 30.0,
        grace: float = 86_400.0,
    ) -> None:
        self._client = PyJWKClient(url, cache_jwk_set=False, cache_keys=False, timeout=timeout)
        self._lifespan = lifespan
        self._pause = pause
        self._grace = grace
        self._lock = threading.Lock()
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        with self._lock:
            now = time.monotonic()
            stale = now - self._fetched_at >= self._lifespan
            if (stale or key_id not in self._keys) and now - self._tried_at >= self._pause:
                self._tried_at = now
                self._refresh(now)
            if now - self._fetched_at >= self._grace:
                return None
            return self._keys.get(key_id)

    def _refresh(self, now: float) -> None:
        try:
            keys = read_key_set(self._client.fetch_data())
        except (jwt.PyJWTError, KeySetError, OSError, ValueError):
            return
        self._keys = keys
        self._fetched_at = now


def key_source(profile: ClientProfile) -> KeySource:
    """Return where the keys of this client come from. Raises KeySetError, OSError, ValueError."""
    if profile.jwks_url is not None:
        return FetchedKeys(profile.jwks_url)
    if profile.jwks_file is not None:
        return StaticKeys(json.loads(profile.jwks_file.read_text(encoding="utf-8")))
    return StaticKeys(profile.jwks)

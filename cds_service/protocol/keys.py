"""Public keys of the clients: which key a token's ``kid`` means, and where it is looked up."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Protocol
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from cryptography import x509
from jwt import PyJWK

from cds_service.protocol.body_limits import depth
from cds_service.protocol.clients import ClientProfile
from cds_service.sockets import EndableSockets

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

_MOST_BYTES = 1_000_000
_MOST_LEVELS = 16

_PLAIN_MEMBERS = ("alg", "crv", "e", "n", "x", "y")
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeySetError(ValueError):
    """A JWK Set that cannot be used; the message holds no key material."""


class KeySource(Protocol):
    """Finds a client's public key by its id."""

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        """Return the JWK with this ``kid``, or None if the client has no such key."""
        ...

    def has_keys(self) -> bool:
        """Whether any key of the client can be had now."""
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
            and key.get("kty") in ("EC", "RSA")
            and not any(isinstance(key.get(name), Mapping | list) for name in _PLAIN_MEMBERS)
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
    except Exception:  # noqa: BLE001 - the libraries' own errors for what a stranger's key can hold
        return None


class StaticKeys:
    """Keys arranged out of band (R-170).

    A certificate that comes with a key and has expired is refused: whoever arranged the key meant
    it to end there, and the operator is the one who can ask for the next.
    """

    def __init__(self, document: Any) -> None:
        self._keys = read_key_set(document)
        if not self._keys:
            raise KeySetError("the JWK Set holds no signing key with a kid")
        for key in self._keys.values():
            _refuse_expired(key)

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        return self._keys.get(key_id)

    def has_keys(self) -> bool:
        return True


def _refuse_expired(key: Mapping[str, Any]) -> None:
    chain = key.get("x5c")
    if not isinstance(chain, list) or not chain:
        return
    try:
        ends = x509.load_der_x509_certificate(base64.b64decode(chain[0])).not_valid_after_utc
    except (TypeError, ValueError):
        raise KeySetError("a certificate (x5c) of the JWK Set cannot be read") from None
    if ends < datetime.now(UTC):
        raise KeySetError(f"a certificate (x5c) of the JWK Set has expired on {ends:%Y-%m-%d}")


class FetchedKeys:
    """Keys served at the client's own address, kept between calls (R-171).

    The set is fetched anew after ``lifespan`` seconds or when a ``kid`` is unknown, but never
    sooner than ``pause`` seconds after the last attempt, so that a stranger with made-up key
    ids cannot make this service hammer the client. If the address fails, keys fetched before
    stay good for ``grace`` seconds.

    A call waits ``timeout`` seconds at most for a fetch, however slowly its bytes come. One
    thread fetches at a time; who comes meanwhile is answered from the keys that are there.
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
        self._url = url
        self._timeout = timeout
        self._lifespan = lifespan
        self._pause = pause
        self._grace = grace
        self._lock = threading.Lock()
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: threading.Thread | None = None

    def find(self, key_id: str) -> Mapping[str, Any] | None:
        fetching = self._begun(key_id)
        if fetching is not None:
            # Counted from its beginning: who comes while a fetch is slow waits for its rest only.
            fetching.join(max(0.0, self._tried_at + self._timeout - time.monotonic()))
        with self._lock:
            if time.monotonic() - self._fetched_at >= self._grace:
                return None
            return self._keys.get(key_id)

    def has_keys(self) -> bool:
        known = next(iter(self._keys), "")
        return self.find(known) is not None

    def _begun(self, key_id: str) -> threading.Thread | None:
        """The fetch that this call has to wait for, begun if it is time for one."""
        with self._lock:
            now = time.monotonic()
            known = key_id in self._keys
            if known and now - self._fetched_at < self._lifespan:
                return None
            under_way = self._fetching is not None and self._fetching.is_alive()
            if now - self._tried_at >= self._pause and not under_way:
                self._tried_at = now
                self._fetching = threading.Thread(target=self._refresh, daemon=True)
                self._fetching.start()
                return self._fetching
            return None if known else self._fetching

    def _refresh(self) -> None:
        try:
            keys = read_key_set(fetch_document(self._url, self._timeout))
        except (KeySetError, OSError, HTTPException, RecursionError):
            return
        with self._lock:
            self._keys = keys
            self._fetched_at = time.monotonic()


class _NoRedirect(HTTPRedirectHandler):
    """The agreed address is the agreed address (R-169)."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Held(HTTPHandler, HTTPSHandler):
    """Connections that can be ended while they are read."""

    def __init__(self, sockets: EndableSockets) -> None:
        HTTPHandler.__init__(self)
        HTTPSHandler.__init__(self)
        self._sockets = sockets

    def do_open(self, http_class: Any, req: Request, **arguments: Any) -> Any:
        def connection(host: str, **options: Any) -> Any:
            made = http_class(host, **options)
            connect = made._create_connection
            made._create_connection = lambda *given: self._sockets.hold(connect(*given))
            return made

        return super().do_open(connection, req, **arguments)


def fetch_document(url: str, seconds: float) -> Any:
    """The JSON document at an http(s) address, within limits of time, size and depth.

    Raises KeySetError, OSError or HTTPException.
    """
    sockets = EndableSockets()
    ending = threading.Timer(seconds, sockets.end)
    ending.daemon = True
    ending.start()
    try:
        opener = build_opener(_NoRedirect, _Held(sockets))
        with opener.open(Request(url), timeout=seconds) as response:  # noqa: S310 - from a profile
            body = response.read(_MOST_BYTES + 1)
    finally:
        ending.cancel()
        sockets.end()
    return read_document(body)


def read_document(text: bytes) -> Any:
    """The JSON document, unless it is nested as no JWK Set is. Raises KeySetError."""
    if len(text) > _MOST_BYTES or depth(text) > _MOST_LEVELS:
        raise KeySetError("the JWK Set is too large or nested too deeply")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise KeySetError("the JWK Set is not JSON") from None


def key_source(profile: ClientProfile) -> KeySource:
    """Return where the keys of this client come from. Raises KeySetError or OSError."""
    if profile.jwks_url is not None:
        return FetchedKeys(profile.jwks_url)
    if profile.jwks_file is not None:
        return StaticKeys(read_document(profile.jwks_file.read_bytes()))
    return StaticKeys(profile.jwks)

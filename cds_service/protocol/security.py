"""Who calls: JSON Web Tokens signed by the CDS client (CDS Hooks 2.0.1, "Trusting CDS Clients").

Whatever is wrong with a token, the client sees one bare 401. The reason is logged as a fixed
code, without the token or any claim from it.
"""

from __future__ import annotations

import heapq
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import jwt

from cds_service.protocol.client_habits import ClientHabits
from cds_service.protocol.clients import Client, ClientProfile, client_of
from cds_service.protocol.errors import ServiceUnavailable, Unauthorized
from cds_service.protocol.keys import ALLOWED_ALGORITHMS, KeySource, key_source, public_key
from cds_service.protocol.past_time import PastTime
from cds_service.protocol.urls import is_same_endpoint

DEFAULT_ALGORITHMS = ("ES384", "RS384")
LONGEST_LEEWAY_SECONDS = 60.0
_RETRY_SECONDS = 5
_LONGEST_TENANT = 200

_logger = logging.getLogger("alk_cds.protocol")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")


class Authenticator(Protocol):
    """Tells who sends a request."""

    def authenticate(
        self, authorization_header: str | None, audience_urls: Sequence[str]
    ) -> Client:
        """Return the caller, or raise Unauthorized.

        ``audience_urls`` are the addresses that the token may have been made for: the endpoint
        that was called, and for feedback also the service it is about (C-35).
        """
        ...


class ReplayStoreError(RuntimeError):
    """The store of used tokens cannot say whether a token is new."""


class ReplayStore(Protocol):
    """Remembers which tokens were used (R-173). Workers that share traffic must share one."""

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        """Record the token until ``expires_at`` (seconds since 1970); False if it is known.

        Of several callers at once exactly one gets True. Raises ReplayStoreError.
        """
        ...


class MemoryReplayStore:
    """A replay store for one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._past = PastTime()
        self._seen: set[tuple[str, str]] = set()
        self._expiries: list[tuple[float, tuple[str, str]]] = []

    def remember(self, issuer: str, token_id: str, expires_at: float) -> bool:
        entry = (issuer, token_id)
        with self._lock:
            past = self._past.now()
            while self._expiries and self._expiries[0][0] <= past:
                self._seen.discard(heapq.heappop(self._expiries)[1])
            if entry in self._seen:
                return False
            self._seen.add(entry)
            heapq.heappush(self._expiries, (expires_at, entry))
            return True


class _RefusalError(Exception):
    """Why a token was refused, as a fixed code for the log."""

    def __init__(self, code: str, client: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.client = client


class JwtAuthenticator:
    """Admits the clients of ``clients`` by a signed token, and nobody else.

    ``algorithms`` may be narrowed or widened within the asymmetric ones; ``none`` and the HMAC
    family are not to be had (R-166, R-167). ``leeway_seconds`` (at most 60) forgives clocks
    that differ; ``longest_life_seconds`` bounds ``exp - iat`` (R-174).
    """

    def __init__(
        self,
        clients: Sequence[ClientProfile],
        *,
        algorithms: Sequence[str] = DEFAULT_ALGORITHMS,
        leeway_seconds: float = 30.0,
        longest_life_seconds: float = 3600.0,
        replay_store: ReplayStore | None = None,
    ) -> None:
        unknown = [name for name in algorithms if name not in ALLOWED_ALGORITHMS]
        if unknown or not algorithms:
            raise ValueError("algorithms must be asymmetric signature algorithms")
        if not 0 <= leeway_seconds <= LONGEST_LEEWAY_SECONDS:
            raise ValueError("the leeway must lie between 0 and 60 seconds")
        if longest_life_seconds <= 0:
            raise ValueError("the longest life of a token must be above zero")
        self._profiles = {profile.iss: profile for profile in clients}
        if len(self._profiles) != len(clients):
            raise ValueError("two clients have the same iss")
        self._keys: dict[str, KeySource] = {profile.iss: key_source(profile) for profile in clients}
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway_seconds
        self._longest_life = longest_life_seconds
        self._replays: ReplayStore = MemoryReplayStore() if replay_store is None else replay_store

    @property
    def client_count(self) -> int:
        """How many clients may call."""
        return len(self._profiles)

    def clients_without_keys(self) -> list[str]:
        """The operator's names of the clients of whom no key can be had now."""
        return [
            profile.name
            for issuer, profile in self._profiles.items()
            if not self._keys[issuer].has_keys()
        ]

    def authenticate(
        self, authorization_header: str | None, audience_urls: Sequence[str]
    ) -> Client:
        try:
            return self._admit(authorization_header, audience_urls)
        except _RefusalError as refusal:
            _logger.warning(
                "authentication refused: %s",
                refusal.code,
                extra={"status": 401, "client": refusal.client},
            )
            raise Unauthorized from None

    def _admit(self, header: str | None, audience_urls: Sequence[str]) -> Client:
        token = _bearer_token(header)
        token_header, unverified = _read_unverified(token)
        algorithm, key_id = self._check_header(token_header)
        issuer = unverified.get("iss")
        profile = self._profiles.get(issuer) if isinstance(issuer, str) else None
        if profile is None:
            # Known before any key is looked up, so a stranger causes no outbound request.
            raise _RefusalError("unknown-issuer")
        if profile.require_typ or "typ" in token_header:
            typ = token_header.get("typ")
            if not isinstance(typ, str) or typ.upper() != "JWT":
                raise _RefusalError("wrong-type", profile.name)
        if (
            profile.jwks_url is not None
            and "jku" in token_header
            and token_header["jku"] != profile.jwks_url
        ):
            raise _RefusalError("unknown-key-address", profile.name)
        self._check_signature(token, profile, algorithm, key_id)
        # From here on the claims are the client's own.
        self._check_audience(unverified.get("aud"), profile, audience_urls)
        expires_at = self._check_times(unverified, profile)
        tenant = unverified.get("tenant")
        if tenant is not None and not _is_tenant(tenant):
            raise _RefusalError("wrong-tenant", profile.name)
        if profile.tenants and tenant not in profile.tenants:
            raise _RefusalError("wrong-tenant", profile.name)
        token_id = unverified.get("jti")
        if not isinstance(token_id, str) or not token_id.strip():
            raise _RefusalError("no-token-id", profile.name)
        if profile.refuse_replay and not self._is_first_use(profile, token_id, expires_at):
            raise _RefusalError("replayed", profile.name)
        return client_of(profile, tenant)

    def _is_first_use(self, profile: ClientProfile, token_id: str, expires_at: float) -> bool:
        try:
            return self._replays.remember(profile.iss, token_id, expires_at + self._leeway)
        except ReplayStoreError:
            _logger.error("replay-store-failed", extra={"status": 503, "client": profile.name})
            # The signature was good, so this is no stranger who learns something by the answer,
            # and a 401 would send the client's operators looking for a fault in their keys.
            raise ServiceUnavailable(
                "Whether the token is new cannot be checked now, so nothing was checked.",
                headers={"Retry-After": str(_RETRY_SECONDS)},
            ) from None

    def _check_header(self, header: Mapping[str, Any]) -> tuple[str, str]:
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise _RefusalError("wrong-algorithm")
        if "crit" in header:
            raise _RefusalError("unknown-critical-header")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise _RefusalError("no-key-id")
        return algorithm, key_id

    def _check_signature(
        self, token: str, profile: ClientProfile, algorithm: str, key_id: str
    ) -> None:
        key = self._keys[profile.iss].find(key_id)
        if key is None:
            raise _RefusalError("unknown-key", profile.name)
        prepared = public_key(key, algorithm)
        if prepared is None:
            raise _RefusalError("key-does-not-fit-algorithm", profile.name)
        try:
            jwt.api_jws.decode(token, key=prepared, algorithms=[algorithm])
        except jwt.PyJWTError:
            raise _RefusalError("wrong-signature", profile.name) from None

    def _check_audience(
        self, audience: Any, profile: ClientProfile, audience_urls: Sequence[str]
    ) -> None:
        named = [audience] if isinstance(audience, str) else audience
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise _RefusalError("wrong-audience", profile.name)
        for name in named:
            if name in profile.audience_aliases:
                return
            if any(is_same_endpoint(name, url) for url in audience_urls):
                return
        raise _RefusalError("wrong-audience", profile.name)

    def _check_times(self, claims: Mapping[str, Any], profile: ClientProfile) -> float:
        now = time.time()
        expires_at = _seconds(claims.get("exp"))
        issued_at = _seconds(claims.get("iat"))
        if expires_at is None or issued_at is None:
            raise _RefusalError("no-times", profile.name)
        if expires_at + self._leeway <= now:
            raise _RefusalError("expired", profile.name)
        if issued_at - self._leeway > now:
            raise _RefusalError("issued-in-the-future", profile.name)
        if not 0 < expires_at - issued_at <= self._longest_life:
            raise _RefusalError("lives-too-long", profile.name)
        if "nbf" in claims:
            not_before = _seconds(claims["nbf"])
            if not_before is None or not_before - self._leeway > now:
                raise _RefusalError("not-yet-valid", profile.name)
        return expires_at


def _is_tenant(tenant: Any) -> bool:
    # It becomes part of a name that is stored and logged.
    usable = isinstance(tenant, str) and 0 < len(tenant) <= _LONGEST_TENANT
    return usable and tenant.isprintable() and tenant == tenant.strip()


def _bearer_token(header: str | None) -> str:
    # Two Authorization headers reach a WSGI application joined by a comma, which no token has.
    match = _BEARER.fullmatch(header.strip()) if header is not None else None
    if match is None:
        raise _RefusalError("no-bearer-token")
    return match.group(1)


def _read_unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _RefusalError("malformed-token") from None
    return parts["header"], parts["payload"]


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if abs(seconds) < 1e12 else None


_warned = threading.Event()


class DevelopmentAuthenticator:
    """Lets everyone in. For work on one's own machine; it must be asked for by name (R-160).

    ``habits`` are those of the client that is being tried out.
    """

    def __init__(self, habits: ClientHabits | None = None) -> None:
        self._habits = habits or ClientHabits()
        if not _warned.is_set():
            _warned.set()
            _logger.critical(
                "AUTHENTICATION IS OFF: every caller is let in. Never use this with patient data."
            )

    def authenticate(
        self, authorization_header: str | None, audience_urls: Sequence[str]
    ) -> Client:
        return Client(
            name="development",
            any_fhir_server=True,
            allow_private_addresses=True,
            habits=self._habits,
        )

"""Looks at everything the service needs, and says what to do (`alk-cds doctor`)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cds_service.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from cds_service.knowledge.release import Knowledge
    from cds_service.protocol import ClientProfile

_SECONDS = 5.0
_MOST_SKEW_SECONDS = 30
_SOON_DAYS = 14


class WrongError(Exception):
    """What is wrong, and what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


Check = Callable[[], str]
"""Says what was found; raises WrongError."""


def checks() -> Iterator[tuple[str, Check]]:
    """What is looked at, by name, in the order in which it is needed."""
    from cds_service.app import clients_of
    from cds_service.knowledge.errors import KnowledgeError
    from cds_service.releases import load_chosen

    try:
        settings = load_settings()
    except SettingsError as error:
        yield "settings", _failing(str(error), _how_to_set(error))
        return
    yield "settings", lambda: f"{settings.environment}, {settings.workers} workers"
    try:
        knowledge = load_chosen(settings).knowledge
    except KnowledgeError as error:
        yield "knowledge", _failing(str(error), "run `alk-cds knowledge check`")
        return
    yield "knowledge", lambda: f"release {knowledge.release.version}"
    yield "knowledge of today", lambda: _current(knowledge, settings)
    yield "database", lambda: _database(settings)
    yield "disk", lambda: _disk(settings)
    if settings.redis_url is not None:
        yield "Redis", lambda: _redis(settings)
    try:
        profiles = clients_of(settings, knowledge)
    except SettingsError as error:
        yield "clients", _failing(str(error), "mend the file that ALK_CDS_CLIENTS_FILE names")
        profiles = ()
    for profile in profiles:
        yield f"keys of {profile.name}", partial(_keys, profile)
        for address in profile.fhir_servers:
            yield f"FHIR server of {profile.name}", partial(_fhir_server, address)
    if settings.public_url is not None:
        yield "public address", lambda: _public_address(str(settings.public_url))


def _how_to_set(error: SettingsError) -> str:
    """What each setting that is wrong is for, from the table of settings."""
    rows = {row.variable: row for row in Settings.describe()}
    wrong = [name for name in rows if name in error.problems or name in str(error)]
    told = [f"{name} takes {rows[name].kind}. {rows[name].in_words}" for name in wrong]
    return "\n          ".join([*told, "docs/run.md lists all; nothing else is seen until then"])


def _failing(what: str, advice: str) -> Check:
    def check() -> str:
        raise WrongError(what, advice)

    return check


def _current(knowledge: Knowledge, settings: Settings) -> str:
    from cds_service.knowledge.out_of_date import out_of_date

    late = out_of_date(knowledge, datetime.now(settings.zone).date())
    if late:
        raise WrongError(late[0].says, "install a newer knowledge release, if there is one")
    return "nothing has to be looked up again"


def _database(settings: Settings) -> str:
    from cds_service.records import RecordsError, look_at

    try:
        return look_at(settings.database_url)
    except (RecordsError, ValueError) as error:
        raise WrongError(
            str(error),
            "start the database, or mend ALK_CDS_DATABASE_URL, its rights and its network",
        ) from None


def _disk(settings: Settings) -> str:
    from cds_service.operations.health import NotReadyError, check_disk
    from cds_service.stores import queue_folder

    folder = queue_folder(settings)
    try:
        check_disk(folder)
    except (NotReadyError, OSError) as error:
        raise WrongError(
            str(error), f"free {folder.absolute()}, or set ALK_CDS_QUEUE_FOLDER"
        ) from None
    return str(folder.absolute())


def _redis(settings: Settings) -> str:
    import redis

    address = "" if settings.redis_url is None else settings.redis_url.get_secret_value()
    host = urlsplit(address).hostname
    store = redis.Redis.from_url(address, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    try:
        policy = store.config_get("maxmemory-policy")
    except (redis.RedisError, OSError) as error:
        raise WrongError(
            f"{host} does not answer: {type(error).__name__}", "start it, or mend ALK_CDS_REDIS_URL"
        ) from None
    if policy.get("maxmemory-policy") not in (None, "noeviction"):
        raise WrongError(f"{host} throws keys away", "set its maxmemory-policy to noeviction")
    return f"{host} answers"


def _keys(profile: ClientProfile) -> str:
    from http.client import HTTPException

    from cds_service.protocol.keys import KeySetError, StaticKeys, fetch_document, key_source

    try:
        if profile.jwks_url is None:
            key_source(profile)
            return "arranged"
        StaticKeys(fetch_document(profile.jwks_url, _SECONDS))
    except (KeySetError, OSError, HTTPException) as error:
        where = profile.jwks_url or profile.jwks_file or "the clients file"
        reason = str(error) if isinstance(error, KeySetError) else _reason(error)
        raise WrongError(f"{where}: {reason}", "ask whoever runs that EHR for its keys") from None
    return f"{profile.jwks_url} serves them"


def _fhir_server(address: str) -> str:
    headers = _asked(f"{address.rstrip('/')}/metadata", "the EHR's network, or fhir_servers")
    _check_clock(headers, address)
    return f"{address} answers"


def _public_address(address: str) -> str:
    headers = _asked(f"{address}/health/live", "the proxy and ALK_CDS_PUBLIC_URL, and start both")
    _check_clock(headers, address)
    _check_certificate(address)
    return f"{address} leads here"


def _asked(address: str, place: str) -> dict[str, str]:
    import requests

    try:
        answer = requests.get(address, timeout=_SECONDS, stream=True)
    except (requests.RequestException, OSError) as error:
        raise WrongError(f"{address}: {_reason(error)}", f"look at {place}") from None
    with answer:
        if answer.status_code >= 400:
            raise WrongError(f"{address} answers {answer.status_code}", f"look at {place}")
        return {name.lower(): value for name, value in answer.headers.items()}


def _check_clock(headers: dict[str, str], address: str) -> None:
    try:
        there = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return
    skew = abs(datetime.now(UTC).timestamp() - there.replace(tzinfo=UTC).timestamp())
    if skew > _MOST_SKEW_SECONDS:
        raise WrongError(
            f"the clock here and that of {address} differ by {skew:.0f} s",
            "keep both by NTP: tokens are refused when clocks differ",
        )


def _check_certificate(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname is None:
        return
    try:
        pem = ssl.get_server_certificate((parts.hostname, parts.port or 443), timeout=_SECONDS)
    except OSError as error:
        raise WrongError(
            f"{address}: {_reason(error)}", "look at the proxy's certificate"
        ) from None
    from cryptography import x509

    ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    days = (ends - time.time()) / 86_400
    if days < _SOON_DAYS:
        raise WrongError(f"the certificate ends in {days:.0f} days", "renew it at the proxy")


def _reason(error: BaseException) -> str:
    """The innermost cause in words: a refused connection, an unknown name, a bad certificate."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)

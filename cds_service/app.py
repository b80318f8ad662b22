"""Wires the rooms together into one Flask application."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from datetime import date, datetime
from functools import partial
from pathlib import Path

import yaml
from flask import Flask

from cds_service.answering import Common, application
from cds_service.fhir import outgoing
from cds_service.knowledge.release import Knowledge
from cds_service.operations.health import NotReadyError
from cds_service.operations.metrics import Metrics
from cds_service.operations.pseudonyms import Pseudonyms
from cds_service.protocol import (
    Authenticator,
    ClientProfile,
    ClientsFileError,
    DevelopmentAuthenticator,
    JwtAuthenticator,
    RateLimits,
    ReplayStore,
    read_clients,
    ready_profiles,
)
from cds_service.records import RecordsError, look_at
from cds_service.releases import Releases, load_chosen
from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.stores import open_records, replay_store, store_checks
from cds_service.turns import Turns
from cds_service.web import LinkSigner
from hooks import DEFINITIONS
from hooks.data import templates


def create_app(
    settings: Settings | None = None,
    *,
    knowledge: Knowledge | None = None,
    today: Callable[[], date] | None = None,
) -> Flask:
    """The service. `today` gives the day of the question; the clinic's calendar by default.

    Raises SettingsError or KnowledgeError when it cannot start safely.
    """
    settings = settings if settings is not None else load_settings()
    turns = Turns()
    releases = Releases(settings, load_chosen(settings, knowledge), turns)
    # Outside production a secret of this process suffices: its links and pages die with it.
    given = settings.link_secret
    secret = given.get_secret_value() if given is not None else secrets.token_urlsafe(32)
    records = open_records(settings, secret)
    try:
        look_at(settings.database_url)
        records.prepare()
    except RecordsError as error:
        raise SettingsError({"ALK_CDS_DATABASE_URL": str(error)}) from None
    tokens = replay_store(settings, records)
    authenticator = _authenticator(settings, releases.knowledge, tokens)
    checks = store_checks(settings, records, tokens)
    checks["knowledge"] = partial(_check_release, releases)
    if isinstance(authenticator, JwtAuthenticator):
        checks["keys"] = partial(_check_keys, authenticator)
    zone = settings.zone
    day = today or (lambda: datetime.now(zone).date())
    common = Common(
        settings,
        day,
        records,
        authenticator,
        RateLimits(
            settings.rate_limit, settings.refused_rate_limit, redis_url=_redis_url(settings)
        ),
        LinkSigner(secret, settings.link_lifetime_hours),
        Pseudonyms(secret),
        turns,
        Metrics(
            lambda: releases.knowledge,
            day,
            records.waiting,
            shadow=bool(settings.shadow_services or settings.shadow_rules),
        ),
        checks,
    )
    app = releases.application(partial(application, common))
    # The first order that leaves must not pay for building the FHIR models.
    outgoing.warm()
    return app


def _authenticator(settings: Settings, knowledge: Knowledge, tokens: ReplayStore) -> Authenticator:
    if settings.environment == "development":
        return DevelopmentAuthenticator(ready_profiles()[settings.unsigned_profile])
    clients = clients_of(settings, knowledge)
    try:
        return JwtAuthenticator(
            clients,
            algorithms=settings.token_algorithms,
            leeway_seconds=settings.token_leeway_seconds,
            longest_life_seconds=settings.token_max_life_seconds,
            replay_store=tokens,
        )
    except OSError as error:
        reason = f"a file with keys cannot be read: {type(error).__name__}"
    except ValueError as error:
        # Our own checks of the keys, which quote none.
        reason = str(error)
    raise SettingsError({"ALK_CDS_CLIENTS_FILE": reason})


def _check_release(releases: Releases) -> None:
    if releases.refused is not None:
        raise NotReadyError(releases.refused, is_fatal=False)


def _check_keys(authenticator: JwtAuthenticator) -> None:
    keyless = authenticator.clients_without_keys()
    if keyless:
        everybody = len(keyless) == authenticator.client_count
        reason = "no keys could be had of: " + ", ".join(keyless)
        raise NotReadyError(reason, is_fatal=everybody)


def clients_of(settings: Settings, knowledge: Knowledge) -> tuple[ClientProfile, ...]:
    """The clients that these settings name. Raises SettingsError."""
    asked = {template.key for item in DEFINITIONS for template in templates(item.data, knowledge)}
    return _clients(settings.clients_file, asked, {item.id for item in DEFINITIONS})


def _redis_url(settings: Settings) -> str | None:
    return None if settings.redis_url is None else settings.redis_url.get_secret_value()


def _clients(
    file: Path | None, prefetch_keys: Collection[str], services: Collection[str]
) -> tuple[ClientProfile, ...]:
    if file is None:
        return ()
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return read_clients(content, prefetch_keys, services)
    except yaml.YAMLError:
        reason = "it is not well-formed YAML"
    except ClientsFileError as error:
        reason = str(error)
    raise SettingsError({"ALK_CDS_CLIENTS_FILE": reason})

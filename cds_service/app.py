"""Wires the rooms together into one Flask application."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import yaml
from flask import Flask, Response

from cds_service import software_version
from cds_service.cards.system_actions import ReasonCodes
from cds_service.facts import FactReader
from cds_service.fhir import outgoing
from cds_service.health import Health, NotReadyError, create_health_blueprint
from cds_service.knowledge.out_of_date import Notice, out_of_date
from cds_service.knowledge.places import load_release, release_folder
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.yaml_files import knowledge_folder
from cds_service.metrics import Metrics, metrics_view
from cds_service.protocol import (
    Authenticator,
    BodyLimits,
    ClientProfile,
    ClientsFileError,
    CollapseSlashes,
    DevelopmentAuthenticator,
    FeedbackRequest,
    JwtAuthenticator,
    RateLimits,
    ReadableBodies,
    ReplayStore,
    ServiceRegistry,
    ServiceUnavailable,
    api_description_json,
    create_blueprint,
    read_clients,
    ready_profiles,
)
from cds_service.pseudonyms import Pseudonyms
from cds_service.records import CardAnswer, CardRecord, DecisionRecord, RecordsError, look_at
from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.stores import open_records, replay_store, store_checks
from cds_service.turns import Turns
from cds_service.web import LinkSigner, create_knowledge_blueprint, create_web_blueprint
from hooks import DEFINITIONS, AnsweredCall, Engine, as_service
from hooks.data import templates
from hooks.gather import FhirAccess
from hooks.memory import Answer, Memory, People, Shadow

_RETRY_SECONDS = 5
COMPUTING_SECONDS = 2.0
"""What a chart of the largest size that is let in takes is half of it, on two ordinary cores."""

_logger = logging.getLogger("alk_cds.app")


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
    if knowledge is None:
        knowledge = load_release(
            settings.knowledge_folder, settings.local_codes_file, settings.concept_maps
        )
    records = open_records(settings)
    try:
        look_at(settings.database_url)
        records.prepare()
    except RecordsError as error:
        raise SettingsError({"ALK_CDS_DATABASE_URL": str(error)}) from None
    # Outside production a secret of this process suffices: its links die with it.
    given = settings.link_secret
    secret = given.get_secret_value() if given is not None else secrets.token_urlsafe(32)
    signer = LinkSigner(secret, settings.link_lifetime_hours)

    def link(decision_id: str) -> str | None:
        if settings.public_url is None:
            return None
        return f"{settings.public_url}/decisions/{signer.token(decision_id)}"

    people = Pseudonyms(secret)
    day = today or (lambda: datetime.now(settings.zone).date())

    def overtaken() -> tuple[Notice, ...]:
        return out_of_date(knowledge, day())

    for notice in overtaken():
        _logger.warning("knowledge_out_of_date", extra={"kind": notice.kind, "where": notice.about})
    metrics = Metrics(knowledge.release.version, overtaken, records.waiting)

    def keep(answered: AnsweredCall) -> None:
        _log(answered, knowledge)
        metrics.decided(answered)
        try:
            if not records.save_decision(_record(answered, knowledge, people)):
                metrics.waits()
        except Exception:
            metrics.not_stored()
            raise

    def take_feedback(service_id: str, feedback: FeedbackRequest, client: str) -> int:
        try:
            stored = records.save_feedback(service_id, feedback, client)
        except RecordsError as error:
            _logger.error("feedback_not_stored", exc_info=error)
            raise ServiceUnavailable(
                "The feedback could not be stored; send it again.",
                headers={"Retry-After": str(_RETRY_SECONDS)},
            ) from None
        metrics.feedback(service_id, feedback)
        return stored

    turns = Turns()
    engine = Engine(
        knowledge,
        FactReader(knowledge, settings.zone),
        day,
        keep,
        link,
        FhirAccess(
            settings.fhir_deadline_seconds, settings.allow_private_fhir_servers, turns.given_up
        ),
        settings.jurisdiction,
        settings.max_cards,
        Memory(
            People(people.patient, people.user),
            lambda prints, since: map(_answer, records.answers_since(prints, since)),
            settings.snooze_days,
        ),
        _shadow(settings, knowledge),
        ReasonCodes(knowledge),
        settings.smart_launch_url,
    )
    registry = ServiceRegistry(
        (as_service(definition, engine) for definition in DEFINITIONS),
        extension={
            "alk-cds.version.software": software_version(),
            "alk-cds.version.knowledge": knowledge.release.version,
        },
    )
    tokens = replay_store(settings, records)
    authenticator = _authenticator(settings, registry, tokens)
    app = Flask("cds_service")
    description = api_description_json(settings.public_url)
    app.register_blueprint(
        create_blueprint(
            registry,
            authenticator,
            public_url=settings.public_url,
            feedback_sink=take_feedback,
            cors_origins=settings.cors_origins,
            body_limits=_limits(settings),
            rate_limits=RateLimits(
                settings.rate_limit, settings.refused_rate_limit, redis_url=_redis_url(settings)
            ),
            deadline_seconds=settings.request_deadline_seconds,
            observe=metrics.served,
            turns=turns,
            computing_seconds=COMPUTING_SECONDS,
        )
    )
    app.register_blueprint(
        create_web_blueprint(
            records,
            release=lambda: {
                **knowledge.release.model_dump(mode="json"),
                "out_of_date": [notice.says for notice in overtaken()],
            },
            services=lambda: [
                {"id": item.id, "hook": item.hook, "title": item.title, "text": item.description}
                for item in DEFINITIONS
            ],
            sources=knowledge.sources,
            signer=signer,
            public_url=settings.public_url,
            readiness=lambda: health.readiness(),
            description=json.loads(description),
        )
    )
    app.register_blueprint(
        create_knowledge_blueprint(
            knowledge,
            knowledge_folder()
            if settings.knowledge_folder is None
            else release_folder(settings.knowledge_folder),
            [release_folder(place) for place in settings.earlier_releases],
        )
    )
    if settings.bench:
        # Only the bench needs the fictional patients.
        from cds_service.bench import create_bench_blueprint

        app.register_blueprint(create_bench_blueprint(engine, _limits(settings), turns))
    about = {"version": software_version(), "release": knowledge.release.version}
    checks = store_checks(settings, records, tokens)
    if isinstance(authenticator, JwtAuthenticator):
        checks["keys"] = partial(_check_keys, authenticator)
    health = Health(checks)
    app.register_blueprint(create_health_blueprint(about, health))
    token = settings.metrics_token
    if token is not None or settings.environment == "development":
        shown = metrics_view(metrics, None if token is None else token.get_secret_value())
        app.add_url_rule("/metrics", view_func=shown, endpoint="metrics")
    app.add_url_rule("/openapi.json", view_func=_description(description))
    app.after_request(_harmless)
    app.extensions["alk_cds"] = engine
    app.wsgi_app = ReadableBodies(CollapseSlashes(app.wsgi_app))  # type: ignore[method-assign]
    # The first order that leaves must not pay for building the FHIR models.
    outgoing.warm()
    return app


def _limits(settings: Settings) -> BodyLimits:
    return BodyLimits(settings.max_body_bytes, settings.max_json_depth, settings.max_resources)


def _harmless(response: Response) -> Response:
    """Headers for what no page set its own for: a browser shall make nothing of it."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def _description(body: bytes) -> Callable[[], Response]:
    def openapi() -> Response:
        return Response(body, mimetype="application/json")

    return openapi


def _authenticator(
    settings: Settings, registry: ServiceRegistry, tokens: ReplayStore
) -> Authenticator:
    if settings.environment == "development":
        return DevelopmentAuthenticator(ready_profiles()[settings.unsigned_profile])
    asked = {template.key for service in registry.services for template in service.prefetch}
    clients = _clients(settings.clients_file, asked, {item.id for item in registry.services})
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


def _log(answered: AnsweredCall, knowledge: Knowledge) -> None:
    call = answered.call
    _logger.info(
        "decided",
        extra={
            "hook": call.hook,
            "service": call.service_id,
            "hook_instance": call.hook_instance,
            "client": call.client,
            "release": knowledge.release.version,
            "rule_ids": [item.rule_id for item in answered.decision.recommendations],
            "card_count": len(answered.cards),
        },
    )


def _answer(answer: CardAnswer) -> Answer:
    return Answer(
        answer.fingerprint,
        answer.outcome,
        answer.has_reason,
        answer.user_key,
        answer.received_at,
    )


def _shadow(settings: Settings, knowledge: Knowledge) -> Shadow:
    """What stays in the shadow. A name that nothing has is refused: it would hide nothing."""
    services = {item.id for item in DEFINITIONS}
    rules = {row.identifier for table in knowledge.all_tables() for row in table}
    for variable, names, known in (
        ("ALK_CDS_SHADOW_SERVICES", settings.shadow_services, services),
        ("ALK_CDS_SHADOW_RULES", settings.shadow_rules, rules),
    ):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise SettingsError({variable: f"nothing here is called {unknown[0]}"})
    return Shadow(frozenset(settings.shadow_services), frozenset(settings.shadow_rules))


def _record(answered: AnsweredCall, knowledge: Knowledge, people: Pseudonyms) -> DecisionRecord:
    call = answered.call
    return DecisionRecord(
        id=answered.decision_id,
        created_at=datetime.now(UTC),
        service_id=call.service_id,
        hook=call.hook,
        hook_instance=call.hook_instance,
        client=call.client,
        as_of=answered.decision.as_of,
        release=knowledge.release.version,
        patient_key=people.patient(call),
        user_key=people.user(call),
        rule_ids=tuple(item.rule_id for item in answered.decision.recommendations),
        cards=tuple(
            CardRecord(
                card.uuid,
                card.rule_id,
                card.card.indicator,
                card.recommendations[0].kind.value,
                answered.fingerprints.get(card.uuid),
                in_shadow,
                tuple(suggestion.uuid for suggestion in card.card.suggestions),
            )
            for in_shadow, cards in ((False, answered.cards), (True, answered.shadowed))
            for card in cards
        ),
        document=answered.document,
    )

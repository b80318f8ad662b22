"""The application that answers with one knowledge release: its services and its pages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from flask import Flask, Response, request

from cds_service import software_version
from cds_service.cards.system_actions import ReasonCodes
from cds_service.facts import FactReader
from cds_service.knowledge.out_of_date import Notice, out_of_date
from cds_service.knowledge.release import Knowledge
from cds_service.operations.health import Check, Health, create_health_blueprint
from cds_service.operations.metrics import Metrics, metrics_view
from cds_service.operations.pseudonyms import Pseudonyms
from cds_service.protocol import (
    Authenticator,
    BodyLimits,
    CollapseSlashes,
    FeedbackRequest,
    RateLimits,
    ReadableBodies,
    ServiceRegistry,
    ServiceUnavailable,
    api_description_json,
    create_blueprint,
)
from cds_service.records import CardAnswer, CardRecord, DecisionRecord, Records, RecordsError
from cds_service.releases import Loaded
from cds_service.settings import Settings, SettingsError
from cds_service.turns import Turns
from cds_service.web import LinkSigner, create_knowledge_blueprint, create_web_blueprint
from hooks import DEFINITIONS, AnsweredCall, Engine, as_service
from hooks.gather import FhirAccess
from hooks.memory import Answer, Memory, People, Shadow

_RETRY_SECONDS = 5
COMPUTING_SECONDS = 2.0
"""What a chart of the largest size that is let in takes is half of it, on two ordinary cores."""

_logger = logging.getLogger("alk_cds.app")


@dataclass(frozen=True)
class Common:
    """What stays the same whichever release answers."""

    settings: Settings
    today: Callable[[], date]
    records: Records
    authenticator: Authenticator
    rate_limits: RateLimits
    signer: LinkSigner
    people: Pseudonyms
    turns: Turns
    metrics: Metrics
    checks: Mapping[str, Check]

    def link(self, decision_id: str) -> str | None:
        """The absolute address of a decision's page."""
        if self.settings.public_url is None:
            return None
        return f"{self.settings.public_url}/decisions/{self.signer.token(decision_id)}"


def application(common: Common, loaded: Loaded) -> Flask:
    """The application for one release. Raises SettingsError when the settings do not go with it."""
    settings, knowledge, metrics = common.settings, loaded.knowledge, common.metrics

    def overtaken() -> tuple[Notice, ...]:
        return out_of_date(knowledge, common.today())

    for notice in overtaken():
        _logger.warning("knowledge_out_of_date", extra={"kind": notice.kind, "where": notice.about})

    engine = _engine(common, knowledge)
    registry = ServiceRegistry(
        (as_service(definition, engine) for definition in DEFINITIONS),
        extension={
            "alk-cds.version.software": software_version(),
            "alk-cds.version.knowledge": knowledge.release.version,
        },
    )
    app = Flask("cds_service")
    description = api_description_json(settings.public_url)
    health = Health(common.checks)
    app.register_blueprint(
        create_blueprint(
            registry,
            common.authenticator,
            public_url=settings.public_url,
            feedback_sink=lambda *given: _take_feedback(common, *given),
            cors_origins=settings.cors_origins,
            body_limits=_limits(settings),
            rate_limits=common.rate_limits,
            deadline_seconds=settings.request_deadline_seconds,
            observe=metrics.served,
            turns=common.turns,
            computing_seconds=COMPUTING_SECONDS,
        )
    )
    app.register_blueprint(
        create_web_blueprint(
            common.records,
            release=lambda: {
                **knowledge.release.model_dump(mode="json"),
                "out_of_date": [notice.says for notice in overtaken()],
            },
            services=lambda: [
                {"id": item.id, "hook": item.hook, "title": item.title, "text": item.description}
                for item in DEFINITIONS
            ],
            sources=knowledge.sources,
            signer=common.signer,
            public_url=settings.public_url,
            readiness=health.readiness,
            description=json.loads(description),
        )
    )
    app.register_blueprint(create_knowledge_blueprint(knowledge, loaded.tables, loaded.earlier))
    if settings.bench:
        # Only the bench needs the fictional patients.
        from cds_service.bench import create_bench_blueprint

        app.register_blueprint(create_bench_blueprint(engine, _limits(settings), common.turns))
    about = {"version": software_version(), "release": knowledge.release.version}
    app.register_blueprint(create_health_blueprint(about, health))
    token = settings.metrics_token
    if token is not None or settings.environment == "development":
        shown = metrics_view(metrics, None if token is None else token.get_secret_value())
        app.add_url_rule("/metrics", view_func=shown, endpoint="metrics")
    app.add_url_rule("/openapi.json", view_func=_description(description))
    app.after_request(_harmless)
    app.after_request(partial(_to_our_address, public_url=settings.public_url))
    app.extensions["alk_cds"] = engine
    app.wsgi_app = ReadableBodies(CollapseSlashes(app.wsgi_app))  # type: ignore[method-assign]
    return app


def _engine(common: Common, knowledge: Knowledge) -> Engine:
    settings, records, people = common.settings, common.records, common.people

    def keep(answered: AnsweredCall) -> None:
        _log(answered, knowledge)
        common.metrics.decided(answered)
        try:
            with common.metrics.lap(answered.call.service_id, "record"):
                stored = records.save_decision(_record(answered, knowledge, people))
            if not stored:
                common.metrics.waits()
        except Exception:
            common.metrics.not_stored()
            raise

    return Engine(
        knowledge,
        FactReader(knowledge, settings.zone),
        common.today,
        keep,
        common.link,
        FhirAccess(
            settings.fhir_deadline_seconds,
            settings.allow_private_fhir_servers,
            common.turns.given_up,
            common.metrics.fhir_fault,
        ),
        settings.jurisdiction,
        settings.max_cards,
        Memory(
            People(people.patient, people.user),
            lambda prints, since: map(_answer, records.answers_since(prints, since)),
            settings.snooze_days,
        ),
        shadow(settings, knowledge),
        ReasonCodes(knowledge),
        settings.smart_launch_url,
    )


def _take_feedback(common: Common, service_id: str, feedback: FeedbackRequest, client: str) -> int:
    try:
        stored = common.records.save_feedback(service_id, feedback, client)
    except RecordsError as error:
        _logger.error("feedback_not_stored", exc_info=error)
        raise ServiceUnavailable(
            "The feedback could not be stored; send it again.",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        ) from None
    common.metrics.feedback(service_id, feedback)
    return stored


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


def _to_our_address(response: Response, public_url: str | None) -> Response:
    """Lead a redirect to our own address: the one in the request is the caller's own word."""
    where = response.headers.get("Location")
    if where is not None and where.startswith(request.host_url):
        path = where.removeprefix(request.host_url)
        response.headers["Location"] = f"{public_url or ''}/{path}"
        # The page that says so would name the other address.
        response.set_data(b"")
    return response


def _description(body: bytes) -> Callable[[], Response]:
    def openapi() -> Response:
        return Response(body, mimetype="application/json")

    return openapi


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


def shadow(settings: Settings, knowledge: Knowledge) -> Shadow:
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

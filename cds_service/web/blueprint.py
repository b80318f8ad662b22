"""The pages as a Flask blueprint: home, one decision, and its JSON twin."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from functools import partial
from typing import Any, Protocol

import msgspec
import orjson
from flask import Blueprint, Response, current_app, render_template, url_for
from werkzeug.exceptions import HTTPException

from cds_service import software_version
from cds_service.knowledge.algorithm_points import named_point
from cds_service.knowledge.sources import is_own_advice
from cds_service.records import DecisionRecord, FeedbackRecord, Records, RecordsError
from cds_service.web import wording
from cds_service.web.api_page import messages, operations
from cds_service.web.document import DecisionDocument, RecommendationPart, read_document
from cds_service.web.links import LinkExpired, LinkInvalid, LinkSigner
from cds_service.web.plot import page_plot
from cds_service.web.reasons import reason_sentences
from cds_service.web.security import content_security_policy, secure
from cds_service.web.trouble import Trouble, error_page

_logger = logging.getLogger("alk_cds.web")


class Standing(Protocol):
    """Whether an EHR gets its cards now, and why not."""

    @property
    def status(self) -> str:
        """ready, degraded or not ready."""
        ...

    @property
    def checks(self) -> Mapping[str, str]:
        """What each part says, by its name."""
        ...


class CitedSource(Protocol):
    """What a page needs to know of a source."""

    @property
    def citation(self) -> str:
        """The citation in words."""
        ...

    @property
    def kind(self) -> str:
        """What kind of text it is, such as a label or a trial."""
        ...

    @property
    def address(self) -> str | None:
        """Where it can be read."""
        ...

    @property
    def date_checked(self) -> date:
        """The day it was last read."""
        ...


_ADVICE = (
    "Open the patient in the EHR and let it ask again: the new card carries a new link. "
    "Do not rely on an earlier copy of the page."
)

_INVALID = Trouble(
    404,
    "This link does not open a decision",
    "The address is not one that this service made, or part of it was lost, for example when "
    "it was copied or when a mail program broke the line.",
    "Open the link from the card itself, or copy the whole address. " + _ADVICE,
)

_EXPIRED = Trouble(
    410,
    "This link has expired",
    "Links to decision pages work for a limited time only, because a page shows values from a "
    "patient's record and those values change.",
    _ADVICE,
)

_NOT_KEPT = Trouble(
    404,
    "This decision is not on record",
    "The link is genuine, but the decision behind it was not kept.",
    _ADVICE,
)

_UNREADABLE = Trouble(
    503,
    "The decision cannot be shown now",
    "The record of the decision could not be read. This says nothing about the patient.",
    "Try again in a minute. If it stays so, tell the people who run this service.",
)


@dataclass(frozen=True)
class _Found:
    """Everything that a decision page shows."""

    record: DecisionRecord
    document: DecisionDocument
    feedback: tuple[FeedbackRecord, ...]


class _Pages:
    """The work behind the addresses."""

    def __init__(
        self,
        records: Records,
        release: Callable[[], Mapping[str, Any]],
        services: Callable[[], Sequence[Mapping[str, Any]]],
        sources: Mapping[str, CitedSource],
        signer: LinkSigner,
        public_url: str | None,
        readiness: Callable[[], Standing] | None,
    ) -> None:
        self._readiness = readiness
        self._records = records
        self._release = release
        self._services = services
        self._sources = sources
        self._signer = signer
        self._public_url = public_url

    def home(self) -> str:
        """``GET /``."""
        return render_template(
            "web/home.html",
            version=software_version(),
            release=self._release(),
            services=self._services(),
            standing=self._readiness() if self._readiness is not None else None,
            public_url=self._public_url,
        )

    def decision(self, token: str) -> Response:
        """``GET /decisions/<token>``."""
        found = self._find(token)
        if isinstance(found, Trouble):
            body = render_template("web/trouble.html", trouble=found)
            return _kept_nowhere(Response(body, status=found.status, mimetype="text/html"))
        body = render_template(
            "web/decision.html",
            record=found.record,
            document=found.document,
            feedback=found.feedback,
            cited=self._cited(found.document),
            plot=page_plot(found.document),
            token=token,
        )
        return _kept_nowhere(Response(body, mimetype="text/html"))

    def decision_json(self, token: str) -> Response:
        """``GET /decisions/<token>.json``."""
        found = self._find(token)
        if isinstance(found, Trouble):
            refusal = {
                "error": found.title,
                "happened": found.happened,
                "advice": found.advice,
            }
            return _kept_nowhere(_json(refusal, found.status))
        answer = {
            **found.record.document,
            "service": found.record.service_id,
            "created_at": found.record.created_at.astimezone(UTC).isoformat(),
            "feedback": [_feedback_document(item) for item in found.feedback],
        }
        return _kept_nowhere(_json(answer))

    def _find(self, token: str) -> _Found | Trouble:
        try:
            decision_id = self._signer.decision_id(token)
            record = self._records.decision(decision_id)
            if record is None:
                return _NOT_KEPT
            document = read_document(record.document)
            return _Found(record, document, self._records.feedback(decision_id=decision_id))
        except LinkExpired:
            return _EXPIRED
        except LinkInvalid:
            return _INVALID
        except (RecordsError, msgspec.ValidationError) as error:
            # The validation error may quote the document, so only its kind is logged.
            _logger.error("decision page failed with %s", type(error).__name__)
            return _UNREADABLE

    def _cited(self, document: DecisionDocument) -> dict[str, CitedSource | None]:
        return {
            identifier: self._sources.get(identifier)
            for recommendation in _all(document.recommendations)
            for identifier in recommendation.sources
        }


_API_DESCRIPTION = "/openapi.json"
API_PAGE = "/api"
"""Where people read what the API description says."""


def _api(description: Mapping[str, Any]) -> str:
    """``GET /api``: the API description for people."""
    return render_template(
        "web/api.html",
        about=description["info"],
        operations=tuple(operations(description)),
        messages=tuple(messages(description)),
        as_data=_more().get("api_as_data", _API_DESCRIPTION),
    )


def _secured(answer: Response | HTTPException, policy: str) -> Response | HTTPException:
    return secure(answer, policy) if isinstance(answer, Response) else answer


def _more() -> dict[str, str]:
    """The addresses of pages and descriptions that this application has besides these."""
    found = {
        name: url_for(endpoint)
        for name, endpoint in (("knowledge", "knowledge.index"), ("bench", "bench.page"))
        if endpoint in current_app.view_functions
    }
    rules = {rule.rule: rule.endpoint for rule in current_app.url_map.iter_rules()}
    if "web.api" in current_app.view_functions:
        found["api"] = url_for("web.api")
    for name, address in (("api_as_data", _API_DESCRIPTION), ("health", "/health/ready")):
        if address in rules:
            found[name] = url_for(rules[address])
    return found


def _all(recommendations: Sequence[RecommendationPart]) -> list[RecommendationPart]:
    return [part for item in recommendations for part in (item, *_all(item.also))]


def _feedback_document(item: FeedbackRecord) -> dict[str, Any]:
    # The comment and the reason's own text are free and may name the patient; they stay inside.
    return {
        "card": item.card,
        "outcome": item.outcome,
        "outcome_timestamp": item.outcome_timestamp.isoformat(),
        "received_at": item.received_at.isoformat(),
        "accepted_suggestions": list(item.suggestion_ids),
        "reason_code": item.reason_code,
        "has_comment": item.user_comment is not None,
    }


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(body, status=status, mimetype="application/json")


def _kept_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def create_web_blueprint(
    records: Records,
    *,
    release: Callable[[], Mapping[str, Any]],
    services: Callable[[], Sequence[Mapping[str, Any]]],
    sources: Mapping[str, CitedSource],
    signer: LinkSigner,
    public_url: str | None = None,
    frame_ancestors: Sequence[str] = (),
    readiness: Callable[[], Standing] | None = None,
    description: Mapping[str, Any] | None = None,
) -> Blueprint:
    """Return the blueprint with the pages at ``/`` and ``/decisions/<token>``.

    ``release`` gives version, date, reviewers, review_note and changes of the knowledge release
    in use, and under out_of_date the sentences about what must be looked up again; ``services``
    gives id, hook, title and description (or text) of each CDS service; ``sources`` are the
    citations by id. ``public_url`` is shown to people who connect an EHR. ``frame_ancestors`` are
    the origins of EHRs that may show the pages in a frame. ``readiness`` says whether an EHR gets
    its cards now; ``description`` is the OpenAPI description of the service.

    Raises ValueError for a frame ancestor that is no origin.
    """
    policy = content_security_policy(frame_ancestors)
    pages = _Pages(records, release, services, sources, signer, public_url, readiness)
    blueprint = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/assets",
    )
    blueprint.add_url_rule("/", "home", pages.home)
    blueprint.add_url_rule("/decisions/<token>", "decision", pages.decision)
    blueprint.add_url_rule("/decisions/<token>.json", "decision_json", pages.decision_json)
    if description is not None:
        blueprint.add_url_rule(API_PAGE, "api", partial(_api, description))
    blueprint.after_request(lambda response: secure(response, policy))
    blueprint.app_errorhandler(HTTPException)(lambda error: _secured(error_page(error), policy))
    blueprint.app_context_processor(lambda: {"more": _more()})
    for name, function in (
        ("verdict_mark", wording.verdict_mark),
        ("severity_mark", wording.severity_mark),
        ("effect_mark", wording.effect_mark),
        ("plain_date", wording.plain_date),
        ("plain_time", wording.plain_time),
        ("web_address", wording.web_address),
        ("one_sentence", wording.one_sentence),
        ("level_words", wording.level_words),
        ("own_advice", is_own_advice),
        ("named_point", named_point),
        ("reason_sentences", reason_sentences),
    ):
        blueprint.add_app_template_filter(function, name)
    return blueprint

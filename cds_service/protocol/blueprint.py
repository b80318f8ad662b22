"""The three addresses of CDS Hooks as a Flask blueprint: discovery, service and feedback.

Every answer under ``/cds-services`` is made here, errors included, so that it is JSON, carries
its CORS headers and is never cached. A fault of ours is a 500 with an OperationOutcome: an
empty list of cards would read as "nothing to worry about" (D-12).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from pydantic import ValidationError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.exceptions import MethodNotAllowed as RoutedMethodNotAllowed

from cds_service.protocol import decoding, wire
from cds_service.protocol.adaptation import adapted
from cds_service.protocol.bodies import UnreadableBody
from cds_service.protocol.body_limits import BodyLimits
from cds_service.protocol.call import read_call
from cds_service.protocol.clients import Client
from cds_service.protocol.cors import CorsPolicy
from cds_service.protocol.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    ProtocolError,
    ServiceUnavailable,
    TooLarge,
    Unauthorized,
    Unprocessable,
    UnsupportedMediaType,
    operation_outcome,
    places,
)
from cds_service.protocol.models_request import FeedbackRequest, refusal
from cds_service.protocol.models_response import CdsResponse
from cds_service.protocol.rate_limits import RateLimits
from cds_service.protocol.registry import ServiceRegistry
from cds_service.protocol.security import Authenticator, JwtAuthenticator
from cds_service.protocol.time_limit import OutOfTime, TooCostly, time_limit
from cds_service.protocol.urls import parse_address
from cds_service.turns import Turns

FeedbackSink = Callable[[str, FeedbackRequest, str], int]
"""Stores what one client reported at one service: service id, feedback, name of the client."""


@dataclass(frozen=True, slots=True)
class Served:
    """One answer under ``/cds-services``: nothing of it comes out of the request's own words.

    ``service`` and ``hook`` are None until they are known to be on offer.
    """

    service: str | None
    hook: str | None
    status: int
    seconds: float


ROOT_PATH = "/cds-services"
FEEDBACK_ROOT = "CDSHooksFeedbackRequest"

_CONTENT_TYPES = frozenset({"application/json", "application/fhir+json", "text/json"})

_logger = logging.getLogger("alk_cds.protocol")


@dataclass
class _Exchange:
    """What is known of one request, for its answer and its log line. No value of the body."""

    started: float = field(default_factory=time.perf_counter)
    correlation_id: str = field(default_factory=lambda: str(uuid4()))
    service: str | None = None
    hook: str | None = None
    hook_instance: str | None = None
    client: str | None = None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def log_fields(self, status: int) -> dict[str, object]:
        return {
            "hook": self.hook,
            "service": self.service,
            "hook_instance": self.hook_instance,
            "status": status,
            "duration_ms": round(self.seconds * 1000, 3),
            "client": self.client,
        }


class _Endpoint:
    """The work behind the three addresses."""

    def __init__(
        self,
        registry: ServiceRegistry,
        authenticator: Authenticator,
        public_url: str | None,
        feedback_sink: FeedbackSink,
        cors: CorsPolicy,
        body_limits: BodyLimits,
        rate_limits: RateLimits,
        deadline_seconds: float | None,
        observe: Callable[[Served], None],
        turns: Turns,
        computing_seconds: float | None,
    ) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._public_url = public_url.rstrip("/") if public_url is not None else None
        self._feedback_sink = feedback_sink
        self._cors = cors
        self._body_limits = body_limits
        self._rate_limits = rate_limits
        self._deadline_seconds = deadline_seconds
        self._observe = observe
        self._turns = turns
        self._computing_seconds = computing_seconds
        self._prefixes: set[str] = set()

    def remember_prefix(self, state: BlueprintSetupState) -> None:
        """Keep the path the blueprint is mounted at, which tells our routing errors apart."""
        self._prefixes.add((state.url_prefix or "").rstrip("/"))

    def discovery(self) -> Response:
        """Answer ``GET {base}/cds-services``."""
        return self._answer(self._discover)

    def service(self, service_id: str) -> Response:
        """Answer ``POST {base}/cds-services/{id}``."""
        return self._answer(lambda exchange: self._serve(exchange, service_id))

    def feedback(self, service_id: str) -> Response:
        """Answer ``POST {base}/cds-services/{id}/feedback``."""
        return self._answer(lambda exchange: self._take_feedback(exchange, service_id))

    def preflight(self, service_id: str | None = None) -> Response:
        """Answer OPTIONS without asking who calls: a browser sends no token here (R-185)."""
        response = Response(status=204)
        response.headers["Allow"] = "GET, HEAD, OPTIONS" if service_id is None else "OPTIONS, POST"
        self._cors.apply_preflight(response, request.headers.get("Origin"))
        return self._finish(response)

    def routing_error(self) -> Response | None:
        """Answer a path or method that no route takes, if the path is one of ours.

        Flask would answer in HTML, or redirect, which breaks a POST and a preflight (D-14).
        """
        routed = request.routing_exception
        if routed is None or not self._is_ours(request.path):
            return None
        if isinstance(routed, RoutedMethodNotAllowed):
            error: ProtocolError = MethodNotAllowed(tuple(routed.valid_methods or ()))
        else:
            error = NotFound("There is nothing at this address.")
        exchange = _Exchange()
        return self._observed(self._refuse(error, exchange), exchange)

    def _is_ours(self, path: str) -> bool:
        roots = [prefix + ROOT_PATH for prefix in self._prefixes]
        return any(path == root or path.startswith(root + "/") for root in roots)

    def _discover(self, exchange: _Exchange) -> Response:
        client = self._authenticate(exchange, [self._url()])
        return _json(self._registry.discovery(client.may_call).to_json())

    def _serve(self, exchange: _Exchange, service_id: str) -> Response:
        client = self._authenticate(exchange, [self._url(service_id)])
        self._permit(exchange, client, service_id)
        body = self._body()
        with self._turns.taken(), time_limit(None, self._computing_seconds):
            call = read_call(
                body, service_id, self._registry, client=client, limits=self._body_limits
            )
            exchange.hook = call.hook
            exchange.hook_instance = exchange.correlation_id = call.hook_instance
            answer: object = self._registry.find(service_id, call.hook).handler(call)
            if not isinstance(answer, CdsResponse):
                raise InternalError("The service gave no CDS Hooks response.")
            return _json(adapted(answer, client.habits).to_json())

    def _take_feedback(self, exchange: _Exchange, service_id: str) -> Response:
        client = self._authenticate(
            exchange, [self._url(service_id, "feedback"), self._url(service_id)]
        )
        self._permit(exchange, client, service_id)
        body = decoding.check_text(self._body())
        self._body_limits.check_feedback(body)
        received = decoding.decode_object(body, FEEDBACK_ROOT)
        entries = received.get("feedback")
        if isinstance(entries, list):
            self._body_limits.check_feedback_entries(len(entries), f"{FEEDBACK_ROOT}.feedback")
        try:
            feedback = FeedbackRequest.model_validate(received, by_alias=True, by_name=False)
        except ValidationError as error:
            raise refusal(error, FEEDBACK_ROOT) from None
        # Stored before it is acknowledged: what was acknowledged must survive a crash.
        stored = self._feedback_sink(service_id, feedback, client.identity)
        return _json(wire.encode({"received": stored}))

    def _permit(self, exchange: _Exchange, client: Client, service_id: str) -> None:
        self._registry.require(service_id)
        exchange.service = service_id
        if not client.may_call(service_id):
            raise Forbidden

    def _authenticate(self, exchange: _Exchange, audience_urls: Sequence[str]) -> Client:
        header = request.headers.get("Authorization")
        try:
            client = self._authenticator.authenticate(header, audience_urls)
        except Unauthorized:
            self._rate_limits.count_refused(request.remote_addr or "")
            raise
        exchange.client = client.name
        self._rate_limits.count_client(client.name)
        return client

    def _url(self, *segments: str) -> str:
        base = self._public_url
        if base is None:
            path = request.path[: request.path.index(ROOT_PATH)]
            base = request.root_url.rstrip("/") + path
        return "/".join((base + ROOT_PATH, *segments))

    def _body(self) -> bytes:
        if request.mimetype not in _CONTENT_TYPES:
            raise UnsupportedMediaType("The body must be sent as application/json.")
        if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType("The body must be sent as UTF-8.")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("The body must be sent without a content encoding.")
        request.max_content_length = self._body_limits.max_bytes
        try:
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            limit = self._body_limits.max_bytes
            raise TooLarge(f"The body is larger than {limit} bytes.") from None
        except ClientDisconnected:
            raise BadRequest("The body ended early.") from None
        except UnreadableBody:
            raise BadRequest("The transfer coding of the body is broken.") from None
        self._body_limits.check(body)
        return body

    def _answer(self, produce: Callable[[_Exchange], Response]) -> Response:
        exchange = _Exchange()
        return self._observed(self._produced(produce, exchange), exchange)

    def _observed(self, response: Response, exchange: _Exchange) -> Response:
        served = Served(exchange.service, exchange.hook, response.status_code, exchange.seconds)
        self._observe(served)
        return self._finish(response)

    def _produced(self, produce: Callable[[_Exchange], Response], exchange: _Exchange) -> Response:
        try:
            with time_limit(self._deadline_seconds):
                response = produce(exchange)
        except ProtocolError as error:
            return self._refuse(error, exchange)
        except TooCostly:
            costly = Unprocessable(
                f"Reading this request takes more than {self._computing_seconds:g} seconds of"
                " computing, so nothing was checked.",
                issue_code="too-costly",
            )
            return self._refuse(costly, exchange)
        except OutOfTime:
            late = ServiceUnavailable(
                "The request took too long, so nothing was checked.", issue_code="timeout"
            )
            return self._refuse(late, exchange)
        except Exception as error:  # noqa: BLE001 - the one place where a fault becomes a 500
            # Not logger.exception: the message of an exception can quote the patient's data.
            _logger.error(
                "unhandled %s at %s, correlation id %s",
                type(error).__name__,
                places(error),
                exchange.correlation_id,
                extra=exchange.log_fields(500),
            )
            fault = InternalError("The service failed, so nothing was checked.")
            return self._refuse(fault, exchange)
        _logger.info("answered", extra=exchange.log_fields(response.status_code))
        return response

    def _refuse(self, error: ProtocolError, exchange: _Exchange) -> Response:
        _logger.log(
            logging.ERROR if error.status >= 500 else logging.WARNING,
            "refused with %s, correlation id %s",
            error.issue_code,
            exchange.correlation_id,
            extra=exchange.log_fields(error.status),
        )
        if error.bare:
            response = Response(status=error.status)
            del response.headers["Content-Type"]
        else:
            outcome = operation_outcome(error, exchange.correlation_id)
            response = _json(wire.encode(outcome), error.status)
        response.headers.update(error.headers)
        return response

    def _finish(self, response: Response) -> Response:
        self._cors.apply(response, request.headers.get("Origin"))
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status=status, content_type="application/json")


def create_blueprint(
    registry: ServiceRegistry,
    authenticator: Authenticator,
    *,
    public_url: str | None,
    feedback_sink: FeedbackSink,
    cors_origins: Sequence[str] = (),
    body_limits: BodyLimits | None = None,
    rate_limits: RateLimits | None = None,
    deadline_seconds: float | None = None,
    observe: Callable[[Served], None] = lambda _: None,
    turns: Turns | None = None,
    computing_seconds: float | None = None,
) -> Blueprint:
    """Return the blueprint that serves ``registry`` at ``/cds-services``.

    ``public_url`` is the address clients use, up to but without ``/cds-services``; the ``aud``
    of a token is compared with it. It is needed with JwtAuthenticator, because the Host header
    is the caller's own word (R-165). ``feedback_sink`` stores one feedback request durably and
    returns how many entries it took; the client gets its answer after that. ``cors_origins``
    are the web origins of clients that run in a browser, listed one by one. Without
    ``rate_limits`` nobody is told to wait. ``deadline_seconds`` ends a request that takes
    longer, and ``computing_seconds`` one that computes for so long (see :mod:`.time_limit`).
    ``observe`` is told of every answer. Calls compute one at a time, by ``turns``.

    Wrap the application in :class:`cds_service.protocol.slashes.CollapseSlashes` too.
    Raises ValueError for a public URL or an origin that cannot be used.
    """
    if public_url is None and isinstance(authenticator, JwtAuthenticator):
        raise ValueError("public_url is needed to check whom a token is meant for")
    if public_url is not None and parse_address(public_url) is None:
        raise ValueError("public_url must be an absolute http or https URL")
    endpoint = _Endpoint(
        registry,
        authenticator,
        public_url,
        feedback_sink,
        CorsPolicy(cors_origins),
        body_limits or BodyLimits(),
        rate_limits or RateLimits(),
        deadline_seconds,
        observe,
        turns or Turns(),
        computing_seconds,
    )
    blueprint = Blueprint("cds_hooks", __name__)
    one, feedback = f"{ROOT_PATH}/<service_id>", f"{ROOT_PATH}/<service_id>/feedback"
    for path, name, view, method in (
        (ROOT_PATH, "discovery", endpoint.discovery, "GET"),
        (one, "service", endpoint.service, "POST"),
        (feedback, "feedback", endpoint.feedback, "POST"),
    ):
        blueprint.add_url_rule(
            path,
            name,
            view,
            methods=[method],
            strict_slashes=False,
            provide_automatic_options=False,
        )
        blueprint.add_url_rule(
            path,
            f"{name}_preflight",
            endpoint.preflight,
            methods=["OPTIONS"],
            strict_slashes=False,
            provide_automatic_options=False,
        )
    blueprint.record(endpoint.remember_prefix)
    blueprint.before_app_request(endpoint.routing_error)
    return blueprint

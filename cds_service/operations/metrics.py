"""What an operator watches: numbers about calls, rules and faults, in the format of Prometheus.

Labels are ids of services, hooks and rules, and codes of outcomes. Nothing in them comes out of a
request, so there is no patient in them and their number is bounded.
"""

from __future__ import annotations

import functools
import hmac
import logging
import os
import time
from collections import Counter as Counted
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import ParamSpec

from flask import Response, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.fhir.client import FetchProblem
from cds_service.knowledge.out_of_date import OVERTAKEN, out_of_date
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import FeedbackRequest, Served
from hooks import AnsweredCall

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the library: the folder in which workers add up their numbers."""

_logger = logging.getLogger("alk_cds.metrics")

_Given = ParamSpec("_Given")


def _harmless(count: Callable[_Given, None]) -> Callable[_Given, None]:
    """Numbers that cannot be kept, on a full disk for one, must not cost a clinician the card."""

    @functools.wraps(count)
    def counted(*given: _Given.args, **named: _Given.kwargs) -> None:
        try:
            count(*given, **named)
        except Exception:
            _logger.exception("metrics_not_counted")

    return counted


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The numbers of one application; of all its workers when they share a folder."""

    def __init__(
        self,
        knowledge: Callable[[], Knowledge],
        today: Callable[[], date],
        waiting: Callable[[], int] = lambda: 0,
        *,
        shadow: bool = False,
    ) -> None:
        """Which release answers, and which day it is, is asked at each scrape: both can change
        while nothing else happens. So is ``waiting``, how many decisions wait on disk. ``shadow``
        says whether any service or rule is in the shadow.
        """
        self._shadow = shadow
        self._asked_waiting = waiting
        self._asked_knowledge = knowledge
        self._today = today
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "alk_cds_requests",
            "Answers under /cds-services, by service and hook (empty before they are known) and"
            " HTTP status.",
            ("service", "hook", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "alk_cds_request_duration_seconds",
            "Time from the start of a request to its answer.",
            ("service", "hook"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._cards = Counter(
            "alk_cds_cards", "Cards sent.", ("service", "indicator"), registry=registry
        )
        self._recommendations = Counter(
            "alk_cds_recommendations",
            "Rules that spoke, whether or not a card of theirs was shown.",
            ("rule", "kind"),
            registry=registry,
        )
        self._failed_parts = Counter(
            "alk_cds_failed_parts",
            "Parts of checks and cards that broke; the answer said so. Any is a fault to mend.",
            ("service",),
            registry=registry,
        )
        self._not_stored = Counter(
            "alk_cds_decisions_not_stored",
            "Decisions that were answered and could not be stored.",
            registry=registry,
        )
        self._waits = Counter(
            "alk_cds_decisions_queued",
            "Decisions that the database did not take in time and that went to the queue on disk.",
            registry=registry,
        )
        self._waiting = Gauge(
            "alk_cds_decisions_waiting",
            "Decisions in the queue on disk of this machine. It empties when the database is back.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._parts = Histogram(
            "alk_cds_part_duration_seconds",
            "Time of each part of an answer: data (from prefetch and FHIR server), facts, decision,"
            " cards, record.",
            ("service", "part"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._undecided = Counter(
            "alk_cds_undecided",
            "Reasons why something could not be judged and was asked about, by kind and fact.",
            ("kind", "fact"),
            registry=registry,
        )
        self._fhir_faults = Counter(
            "alk_cds_fhir_faults",
            "Queries to FHIR servers that got no answer or not the whole one, by kind and HTTP"
            " status (empty where there was none).",
            ("kind", "status"),
            registry=registry,
        )
        self._shadow_cards = Counter(
            "alk_cds_shadow_cards",
            "Cards that shadow mode kept back, by service and the rule that leads them.",
            ("service", "rule"),
            registry=registry,
        )
        self._shadow_answers = Counter(
            "alk_cds_shadow_answers",
            "Answers from which shadow mode kept something back (differs yes), and the others that"
            " were given while something is in the shadow (no).",
            ("service", "differs"),
            registry=registry,
        )
        self._feedback = Counter(
            "alk_cds_feedback",
            "Feedback on cards, as delivered.",
            ("service", "outcome"),
            registry=registry,
        )
        self._release = Gauge(
            "alk_cds_knowledge_release",
            "1 for the knowledge release that answers, 0 for one that did before.",
            ("version",),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._versions = {knowledge().release.version}
        self._out_of_date = Gauge(
            "alk_cds_knowledge_out_of_date",
            "Parts of the knowledge release to be looked up again, by kind.",
            ("kind",),
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    @_harmless
    def served(self, served: Served) -> None:
        """Count one answer of the CDS Hooks addresses."""
        service, hook = served.service or "", served.hook or ""
        self._requests.labels(service, hook, str(served.status)).inc()
        self._seconds.labels(service, hook).observe(served.seconds)

    @_harmless
    def decided(self, answered: AnsweredCall) -> None:
        """Count what one call was answered with."""
        service = answered.call.service_id
        for card in answered.cards:
            self._cards.labels(service, card.card.indicator).inc()
        for item in answered.decision.recommendations:
            self._recommendations.labels(item.rule_id, item.kind.value).inc()
        for part, seconds in answered.seconds.items():
            self._parts.labels(service, part).observe(seconds)
        self._count_undecided(answered)
        self._count_shadow(answered)
        faults = len(answered.decision.failures) + sum(
            card.fault is not None for card in answered.cards
        )
        if faults:
            self._failed_parts.labels(service).inc(faults)

    def _count_undecided(self, answered: AnsweredCall) -> None:
        known = self._asked_knowledge().vocabulary
        reasons = {
            reason: None
            for item in answered.decision.recommendations
            for said in (item, *item.also)
            for reason in said.reasons
        }
        for reason in reasons:
            # What is no name of the vocabulary could be words of a chart.
            fact = known.find(reason.subject).name if reason.subject in known else "other"
            self._undecided.labels(reason.kind.name.lower(), fact).inc()

    def _count_shadow(self, answered: AnsweredCall) -> None:
        if not self._shadow:
            return
        service = answered.call.service_id
        for card in answered.shadowed:
            self._shadow_cards.labels(service, card.rule_id).inc()
        self._shadow_answers.labels(service, "yes" if answered.shadowed else "no").inc()

    @contextmanager
    def lap(self, service: str, part: str) -> Iterator[None]:
        """Count how long a part of an answer takes, also when it fails."""
        since = time.perf_counter()
        try:
            yield
        finally:
            self._took(service, part, time.perf_counter() - since)

    @_harmless
    def _took(self, service: str, part: str, seconds: float) -> None:
        self._parts.labels(service, part).observe(seconds)

    @_harmless
    def fhir_fault(self, problem: FetchProblem) -> None:
        """Count one query that a FHIR server did not answer, or not wholly."""
        status = "" if problem.status is None else str(problem.status)
        self._fhir_faults.labels(problem.kind.name.lower(), status).inc()

    @_harmless
    def not_stored(self) -> None:
        """Count one decision that could not be stored."""
        self._not_stored.inc()

    @_harmless
    def waits(self) -> None:
        """Count one decision that went to the queue on disk."""
        self._waits.inc()

    @_harmless
    def feedback(self, service_id: str, received: FeedbackRequest) -> None:
        """Count what one delivery reported."""
        for entry in received.feedback:
            self._feedback.labels(service_id, entry.outcome).inc()

    @_harmless
    def _look_at_the_release(self) -> None:
        knowledge = self._asked_knowledge()
        answers = knowledge.release.version
        self._versions.add(answers)
        for version in self._versions:
            self._release.labels(version).set(version == answers)
        kinds = Counted(notice.kind for notice in out_of_date(knowledge, self._today()))
        for kind in OVERTAKEN:
            self._out_of_date.labels(kind).set(kinds[kind])

    @_harmless
    def _look_at_the_queue(self) -> None:
        self._waiting.set(self._asked_waiting())

    def text(self) -> bytes:
        """All numbers in the text format."""
        self._look_at_the_release()
        self._look_at_the_queue()
        registry = self._registry
        if os.environ.get(SHARED_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def metrics_view(metrics: Metrics, token: str | None) -> Callable[[], Response]:
    """The view of `/metrics`. Who does not send the `token`, if there is one, gets a bare 401."""

    def view() -> Response:
        given = request.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(
            given.encode(), f"Bearer {token}".encode()
        ):
            return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return Response(
            metrics.text(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
        )

    return view

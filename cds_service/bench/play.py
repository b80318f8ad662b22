"""Playing one prepared request as an EHR's call, without keeping anything of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import msgspec

from cds_service.bench.requests import Prepared
from cds_service.knowledge.release import Knowledge
from cds_service.plots import Timeline
from cds_service.plots.timeline import timeline_of
from cds_service.protocol import (
    CdsResponse,
    Client,
    ProtocolError,
    Service,
    ServiceRegistry,
    operation_outcome,
    read_call,
)
from cds_service.protocol.wire import encode
from cds_service.web.document import DecisionDocument, read_document
from hooks import DEFINITIONS, AnsweredCall, Engine, as_service
from hooks.gather import FhirAccess
from hooks.memory import Shadow

_CLIENT = Client(name="bench")


@dataclass(frozen=True)
class Played:
    """The answer to one call: as sent, and the decision behind it when there was one."""

    status: int
    request: str = field(repr=False)
    response: str = field(repr=False)
    cards: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    document: DecisionDocument | None = field(default=None, repr=False)
    timeline: Timeline | None = field(default=None, repr=False)
    refusal: str = ""
    milliseconds: float = 0.0


class Player:
    """All services with the engine of the application, except that nothing is stored.

    Every card is shown each time: what was answered before, or stands in the shadow, is what a
    bench is there to show.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.services: tuple[Service, ...] = self._registry(engine).services

    @property
    def knowledge(self) -> Knowledge:
        """The release that answers."""
        return self._engine.knowledge

    def today(self) -> date:
        """Today in the clinic's calendar."""
        return self._engine.today()

    def service(self, hook: str) -> Service | None:
        """The service of a hook."""
        return next((item for item in self.services if item.hook == hook), None)

    def play(self, prepared: Prepared, day: date) -> Played:
        """The answer on a day. A refusal of the protocol is an answer too."""
        kept: list[AnsweredCall] = []
        engine = replace(
            self._engine,
            today=lambda: day,
            keep=kept.append,
            link=lambda _: None,
            access=FhirAccess(1, allow_private=False),
            memory=None,
            shadow=Shadow(),
            calendar_day=self._engine.today(),
        )
        sent = encode(prepared.body)
        registry = self._registry(engine)
        started = time.perf_counter()
        try:
            call = read_call(sent, prepared.service.id, registry, client=_CLIENT)
            answer: Any = registry.find(prepared.service.id, call.hook).handler(call)
        except ProtocolError as error:
            outcome = operation_outcome(error, prepared.body.get("hookInstance") or "bench")
            places = ", ".join(error.expression)
            refusal = error.diagnostics + (f" Element: {places}." if places else "")
            return Played(error.status, _shown(sent), _shown(encode(outcome)), refusal=refusal)
        took = (time.perf_counter() - started) * 1000
        if not isinstance(answer, CdsResponse):
            raise AssertionError("unreachable: every service answers with a CDS Hooks response")
        body = answer.to_json()
        cards = msgspec.json.decode(body).get("cards", ())
        document = read_document(kept[-1].document) if kept else None
        return Played(
            200,
            _shown(sent),
            _shown(body),
            tuple(cards),
            document,
            _timeline(kept[-1], engine.knowledge) if kept else None,
            milliseconds=took,
        )

    @staticmethod
    def _registry(engine: Engine) -> ServiceRegistry:
        return ServiceRegistry(as_service(item, engine) for item in DEFINITIONS)


def _timeline(answered: AnsweredCall, knowledge: Knowledge) -> Timeline | None:
    if answered.facts is None:
        return None
    return timeline_of(answered.facts, answered.decision, knowledge)


def _shown(body: bytes) -> str:
    return msgspec.json.format(body, indent=2).decode()

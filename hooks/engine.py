"""The straight line of one hook call: data, facts, decision, cards."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from cds_service.alk import Decision, Question, Recommendation, decide
from cds_service.cards import BuiltCard, CardContext, all_cards, decision_document, folded
from cds_service.cards.suggestions import OrderContext
from cds_service.cards.system_actions import ReasonCodes
from cds_service.facts import FactReader, Supplied
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Action, CdsResponse, HookCall, PrefetchTemplate
from hooks.asked_orders import selected_keys
from hooks.gather import FhirAccess, gather
from hooks.memory import Memory, Shadow

_logger = logging.getLogger("alk_cds.hooks")


@dataclass(frozen=True)
class AnsweredCall:
    """One answered call, for the record: no name, no token, no resource.

    `shadowed` are cards that were made and not shown; `fingerprints` go by the uuid of a card.
    `facts` are for looking at once; nobody stores them. `seconds` is how long each part of the
    answer took, by its name: data, facts, decision, cards.
    """

    decision_id: str
    call: HookCall = field(repr=False)
    decision: Decision = field(repr=False)
    cards: tuple[BuiltCard, ...] = field(repr=False)
    document: dict[str, Any] = field(repr=False)
    shadowed: tuple[BuiltCard, ...] = field(default=(), repr=False)
    fingerprints: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: PatientFacts | None = field(default=None, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, repr=False)


class _Laps:
    """How long each part of an answer takes, one after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def done(self, part: str) -> None:
        """What was done since the part before belongs to this one."""
        now = time.perf_counter()
        self.seconds[part] = now - self._since
        self._since = now


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The cards of one call, and why others that were made are not among them."""

    cards: list[BuiltCard]
    shadowed: list[BuiltCard]
    not_shown_because: Mapping[str, str]
    fingerprints: Mapping[str, str]

    @property
    def shown_by_rule(self) -> dict[str, str]:
        return {item.rule_id: card.uuid for card in self.cards for item in card.recommendations}


CARDS_AT_SIGNING = dict.fromkeys(
    ("order-sign", "medication-prescribe", "medication-refill", "order-dispatch"), 3
)
"""Cards that somebody reads with the pen in hand; what is critical is never folded away."""


@dataclass(frozen=True)
class Engine:
    """What every service needs to answer; built once at start-up.

    `today` gives the day of the question, `keep` stores an answered call, `link` gives the
    absolute address of a decision's page or None. `memory` keeps answered cards away; without it
    every card is shown each time. `reason_codes` are added for clients that agreed to it, and
    `smart_launch_url` is offered on every card. `calendar_day` is today where `today` may give
    another day, such as one in the past; an EHR's call is always about today.
    """

    knowledge: Knowledge
    reader: FactReader
    today: Callable[[], date]
    keep: Callable[[AnsweredCall], None]
    link: Callable[[str], str | None]
    access: FhirAccess
    jurisdiction: str = "US"
    max_cards: int = 6
    memory: Memory | None = None
    shadow: Shadow = field(default_factory=Shadow)
    reason_codes: ReasonCodes | None = None
    smart_launch_url: str | None = None
    calendar_day: date | None = None

    def answer(
        self,
        call: HookCall,
        templates: Sequence[PrefetchTemplate],
        matters: Callable[[Recommendation, Question], bool],
    ) -> CdsResponse:
        """The cards for one call. Raises ProtocolError for what the EHR must mend (412)."""
        as_of, laps = self.today(), _Laps()
        supplied = self.gathered(call, templates)
        laps.done("data")
        facts, orders = self.reader.read(supplied, as_of)
        laps.done("facts")
        signed = bool(call.dispatched_orders)
        question = Question(call.hook, orders, selected_keys(call), self.jurisdiction, signed)
        decision = decide(facts, question, self.knowledge, as_of)
        laps.done("decision")
        for failure in decision.failures:
            _log_fault(call, failure.error)
        decision_id = str(uuid4())
        context = CardContext(
            OrderContext(call.patient_id, call.user_id, call.encounter_id, supplied.received),
            self.link(decision_id),
            self._most_cards(call),
            self.smart_launch_url,
        )
        prepared = self._prepared(call, decision, matters, context)
        for card in (*prepared.cards, *prepared.shadowed):
            if card.fault is not None:
                _log_fault(call, card.fault)
        laps.done("cards")
        self._kept(call, decision_id, decision, prepared, facts, laps.seconds)
        return CdsResponse(
            cards=tuple(card.card for card in prepared.cards),
            system_actions=self._system_actions(call, facts, decision),
        )

    def _most_cards(self, call: HookCall) -> int:
        """How many cards an answer holds: the site's limit, the client's, and few at signing."""
        limits = [self.max_cards, call.max_cards, CARDS_AT_SIGNING.get(call.hook)]
        return min(limit for limit in limits if limit is not None)

    def gathered(self, call: HookCall, templates: Sequence[PrefetchTemplate]) -> Supplied:
        """The data of a call, dated where the day of the question may be in the past."""
        supplied = gather(call, templates, self.access)
        if self.calendar_day is None:
            return supplied
        return self.reader.known_by(supplied, self.calendar_day, self.today())

    def _system_actions(
        self, call: HookCall, facts: PatientFacts, decision: Decision
    ) -> tuple[Action, ...]:
        if self.reason_codes is None or not call.takes_system_actions or decision.failures:
            return ()
        if call.service_id in self.shadow.services:
            return ()
        return self.reason_codes.actions(facts, decision)

    def _prepared(
        self,
        call: HookCall,
        decision: Decision,
        matters: Callable[[Recommendation, Question], bool],
        context: CardContext,
    ) -> _Prepared:
        question = decision.question
        hides = self.shadow.hides
        made = all_cards(
            decision,
            lambda item: matters(item, question) and not hides(call, item),
            self.knowledge,
            context,
        )
        shadowed: list[BuiltCard] = []
        if not self.shadow.is_empty:
            shadowed = all_cards(
                decision,
                lambda item: matters(item, question) and hides(call, item),
                self.knowledge,
                context,
            )
        why = {item.rule_id: "in shadow mode" for card in shadowed for item in card.recommendations}
        if self.memory is None:
            return _Prepared(folded(made, decision, self.knowledge, context), shadowed, why, {})
        quiet = self.memory.quiet(call, made, self.memory.fingerprints(call, made))
        why |= {
            item.rule_id: quiet[card.uuid]
            for card in made
            if card.uuid in quiet
            for item in card.recommendations
        }
        left = [card for card in made if card.uuid not in quiet]
        cards = folded(left, decision, self.knowledge, context)
        prints = self.memory.fingerprints(call, [*cards, *shadowed])
        return _Prepared(cards, shadowed, why, prints)

    def _kept(
        self,
        call: HookCall,
        decision_id: str,
        decision: Decision,
        prepared: _Prepared,
        facts: PatientFacts,
        seconds: Mapping[str, float],
    ) -> None:
        """Store the answer. A full disk must not keep a stop card from the clinician."""
        try:
            document = decision_document(
                decision_id,
                decision,
                self.knowledge,
                prepared.shown_by_rule,
                facts.remarks,
                prepared.not_shown_because,
                facts,
            )
            answered = AnsweredCall(
                decision_id,
                call,
                decision,
                tuple(prepared.cards),
                document,
                tuple(prepared.shadowed),
                prepared.fingerprints,
                facts,
                seconds,
            )
            self.keep(answered)
        except Exception:
            _logger.exception("decision_not_stored")


def _log_fault(call: HookCall, error: Exception) -> None:
    _logger.error(
        "part_failed",
        exc_info=error,
        extra={"hook_instance": call.hook_instance, "service": call.service_id},
    )

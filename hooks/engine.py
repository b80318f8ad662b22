"""The straight line of one hook call: data, facts, decision, cards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from cds_service.alk import Decision, Question, Recommendation, decide
from cds_service.cards import BuiltCard, CardContext, build_cards, decision_document
from cds_service.cards.suggestions import OrderContext
from cds_service.facts import FactReader
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import CdsResponse, HookCall, PrefetchTemplate
from hooks.asked_orders import selected_keys
from hooks.gather import FhirAccess, gather

_logger = logging.getLogger("alk_cds.hooks")


@dataclass(frozen=True)
class AnsweredCall:
    """One answered call, for the record: no name, no token, no resource."""

    decision_id: str
    call: HookCall = field(repr=False)
    decision: Decision = field(repr=False)
    cards: tuple[BuiltCard, ...] = field(repr=False)
    document: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Engine:
    """What every service needs to answer; built once at start-up.

    `today` gives the day of the question, `keep` stores an answered call, `link` gives the
    absolute address of a decision's page or None.
    """

    knowledge: Knowledge
    reader: FactReader
    today: Callable[[], date]
    keep: Callable[[AnsweredCall], None]
    link: Callable[[str], str | None]
    access: FhirAccess
    jurisdiction: str = "US"
    max_cards: int = 6

    def answer(
        self,
        call: HookCall,
        templates: Sequence[PrefetchTemplate],
        matters: Callable[[Recommendation, Question], bool],
    ) -> CdsResponse:
        """The cards for one call. Raises ProtocolError for what the EHR must mend (412)."""
        as_of = self.today()
        supplied = gather(call, templates, self.access)
        facts, orders = self.reader.read(supplied, as_of)
        signed = bool(call.dispatched_orders)
        question = Question(call.hook, orders, selected_keys(call), self.jurisdiction, signed)
        decision = decide(facts, question, self.knowledge, as_of)
        decision_id = str(uuid4())
        context = CardContext(
            OrderContext(call.patient_id, call.user_id, call.encounter_id),
            self.link(decision_id),
            min(self.max_cards, call.max_cards or self.max_cards),
        )
        cards = build_cards(decision, lambda item: matters(item, question), self.knowledge, context)
        shown = {item.rule_id: card.card.uuid for card in cards for item in card.recommendations}
        document = decision_document(decision_id, decision, self.knowledge, shown, facts.remarks)
        self._kept(AnsweredCall(decision_id, call, decision, tuple(cards), document))
        return CdsResponse(cards=tuple(card.card for card in cards))

    def _kept(self, answered: AnsweredCall) -> None:
        """Store the answer. A full disk must not keep a stop card from the clinician."""
        try:
            self.keep(answered)
        except Exception:
            _logger.exception("decision_not_stored")

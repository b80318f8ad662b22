"""What a client carries out by itself, without a card: only for clients that agreed to it."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.alk import Decision
from cds_service.cards.medication_orders import reason_for_order
from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.fhir.outgoing import updated
from cds_service.fhir.versions import foreign_element
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Action
from cds_service.rules import Evaluation, RuleCompiler, Verdict

_INDICATED = "ALK is confirmed and cancers include non-small cell lung cancer"


class ReasonCodes:
    """Adds the missing reason to a draft order of an ALK inhibitor, where the chart proves it.

    The reason is what payers and pharmacists ask back for. Nothing is added to an order that any
    rule speaks against, that has a reason already, or that is not R4.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._reason = reason_for_order(knowledge.codes)
        self._indicated = RuleCompiler(knowledge.vocabulary).compile(_INDICATED)

    def actions(self, facts: PatientFacts, decision: Decision) -> tuple[Action, ...]:
        """One update for each order that lacks its reason."""
        question = decision.question
        if question.signed or not question.orders_asked_about:
            return ()
        trace = self._indicated.evaluate(Evaluation(facts, decision.as_of, thorough=False))
        if trace.verdict is not Verdict.MET:
            return ()
        return tuple(self._with_reason(order) for order in self._lacking(decision))

    def _lacking(self, decision: Decision) -> Iterator[OrderedMedication]:
        questioned = {
            item.order.reference
            for item in decision.recommendations
            if item.order is not None and item.severity != "info"
        }
        for order in decision.question.orders_asked_about:
            resource = order.resource
            if (
                "ALK inhibitor" in order.names
                and resource.get("resourceType") == "MedicationRequest"
                and order.reference not in questioned
                and not resource.get("reasonCode")
                and not resource.get("reasonReference")
                and foreign_element(resource) is None
            ):
                yield order

    def _with_reason(self, order: OrderedMedication) -> Action:
        concept = {
            "coding": [
                {"system": coding.system, "code": coding.code, "display": coding.display}
                for coding in self._reason.codings
            ],
            "text": self._reason.text,
        }
        return Action(
            type="update",
            description=f"Add the reason {self._reason.text} to the order",
            resource=updated(order.resource, {"reasonCode": [concept]}),
        )

"""What can be done with one click: complete FHIR R4 orders, checked before they leave.

Only verified rows order a test or take an order back; a drug or a dose is ordered only by a row
whose level the release takes for that. No order exceeds the label, and nothing is suggested that is
already requested.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from cds_service.alk import Decision, Dose, DueTest, Kind, Recommendation, Topic
from cds_service.cards.medication_orders import (
    OrderContext,
    new_order,
    reason_for_order,
    steps_for,
    with_dose,
)
from cds_service.cards.text import dose_words, listed
from cds_service.facts.patient import OrderedMedication
from cds_service.fhir.datatypes import Coding
from cds_service.fhir.outgoing import InvalidResource, service_request, updated
from cds_service.fhir.versions import foreign_element
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.tests_catalogue import TestOrder
from cds_service.protocol import Action, Suggestion, is_relative_reference


def suggestions(
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    context: OrderContext,
) -> tuple[list[Suggestion], str]:
    """The suggestions of one recommendation, and how they are selected (`any`, `at-most-one`)."""
    if not item.verified:
        return [], "any"
    if decision.failures:
        # What speaks against a new order may be in the part that did not run; taking a draft back
        # is safe without it.
        taken_back = removes_order(item) and not decision.question.signed
        return (_removal(item.order, decision) if taken_back else []), "any"
    if decision.question.signed:
        # A signed order can neither be changed nor taken back by editing a draft, and any other
        # drug would come on top of what is on its way.
        return _tests(item, decision, knowledge, context), "any"
    if item.kind is Kind.CHOOSE:
        offered = _choices(item, decision.as_of, knowledge, context)
        return _in_place_of(_spoken_against(decision), offered, decision), "at-most-one"
    if "first line" in item.offers and decision.choice is not None and _may_order(item):
        drafted = _inhibitors_beside(item, decision)
        instead = _choices(_meant_first(decision.choice, item), decision.as_of, knowledge, context)
        if instead and not _already_right(drafted, decision.choice):
            # Alternatives stand alone: taking two of them would start two drugs.
            alone = _removal(item.order, decision) if removes_order(item) else []
            wrong = [item.order, *drafted]
            return [*alone, *_in_place_of(wrong, instead, decision)], "at-most-one"
    found: list[Suggestion] = []
    orders = item.kind in (Kind.REDUCE, Kind.RESUME, Kind.START) and not item.settled
    orders = orders and _may_order(item)
    if item.dose is not None and orders:
        found += _dose_order(item, item.dose, decision.as_of, knowledge, context)
    if removes_order(item):
        found += _removal(item.order, decision)
    found += _endings(item, context)
    found += _tests(item, decision, knowledge, context)
    return found, "any"


def _may_order(item: Recommendation) -> bool:
    """Whether the release takes the level of the row behind an item for the order of a drug."""
    return item.row is None or item.row.may_order


def removes_order(item: Recommendation) -> bool:
    """Whether the order that it speaks about should be taken back."""
    if item.order is None:
        return False
    held = item.topic is Topic.TOXICITY and item.kind in (Kind.STOP, Kind.WITHHOLD)
    return held or _is_avoided(item, item.order) or "remove order" in item.offers


def _is_avoided(item: Recommendation, order: OrderedMedication) -> bool:
    """Whether the order is one of the two that must not, or should not, be taken together.

    What is to be avoided beside a running drug is the other medication: its order goes, also when
    the label names a lower dose for the case that it cannot be avoided.
    """
    if item.topic is not Topic.INTERACTION:
        return False
    asked = item.kind is Kind.ASK and item.row is not None and item.row.text("action") == "avoid"
    avoided = asked or item.kind in (Kind.AVOID, Kind.REDUCE)
    return (avoided and item.drug not in order.ingredients) or item.kind is Kind.STOP


def _meant_first(choice: Recommendation, item: Recommendation) -> Recommendation:
    """The choice with the drug that was ordered in front: its right order is what was meant."""
    ordered = item.order.ingredients if item.order is not None else ()
    options = sorted(choice.options, key=lambda option: option.drug not in ordered)
    return choice.changed(options=tuple(options))


def _inhibitors_beside(item: Recommendation, decision: Decision) -> list[OrderedMedication]:
    """The ALK inhibitors among all drafts, selected or not, beside the order of an item.

    What comes in the place of that order would come on top of them.
    """
    return [
        order
        for order in decision.question.orders
        if order is not item.order and "ALK inhibitor" in order.names
    ]


def _already_right(drafted: Iterable[OrderedMedication], choice: Recommendation) -> bool:
    """Whether a preferred drug that nothing speaks against is among the drafts already."""
    preferred = {
        option.drug
        for option in choice.options
        if option.place == "preferred" and not option.speaks_against
    }
    return any(preferred.intersection(order.ingredients) for order in drafted)


def _spoken_against(decision: Decision) -> list[OrderedMedication]:
    """The draft orders in whose place a drug of the next treatment would come.

    Those are the other ALK inhibitors, selected or not, because two never run together, and
    whatever a check of this decision says not to order.
    """
    refused = [
        item.order.reference
        for item in decision.recommendations
        if item.topic is Topic.ORDER and item.kind in (Kind.STOP, Kind.AVOID) and item.order
    ]
    return [
        order
        for order in decision.question.orders
        if "ALK inhibitor" in order.names or order.reference in refused
    ]


def _removal(order: OrderedMedication | None, decision: Decision) -> list[Suggestion]:
    """The removal of a draft, which is told from another draft of the same drug by its dose."""
    # An id that no delete can name costs the button, not the card. To delete an order that is being
    # revised would take away the one in force and not its revision.
    if order is None or not is_relative_reference(order.reference) or order.is_revised:
        return []
    name = " and ".join(order.ingredients) or "this order"
    alike = [one for one in decision.question.orders if one.ingredients == order.ingredients]
    dose = f" of {dose_words(order.dose)}" if len(alike) > 1 else ""
    label = f"Remove the {name} order{dose}"
    action = Action(type="delete", description=label, resource_id=order.reference)
    return [Suggestion(label=label, actions=(action,))]


def _in_place_of(
    orders: Iterable[OrderedMedication | None], offered: list[Suggestion], decision: Decision
) -> list[Suggestion]:
    """Each alternative together with the removal of the orders that it replaces.

    Nothing is offered when one of them cannot be removed: it would come on top of that one.
    """
    wrong = [order for order in orders if order is not None]
    removals = [_removal(order, decision) for order in wrong]
    if not all(removals):
        return []
    removed = tuple(action for found in removals for one in found for action in one.actions)
    return [
        Suggestion(
            label=f"{one.label} instead" if removed else one.label,
            actions=(*one.actions, *removed),
        )
        for one in offered
    ]


# -- medication orders ------------------------------------------------------------


def _dose_order(
    item: Recommendation,
    dose: Dose,
    start: date,
    knowledge: Knowledge,
    context: OrderContext,
) -> list[Suggestion]:
    """An update of the draft order if there is one, else a new order.

    No new order lowers a dose: the drug runs, and one click must not put a second order of it
    beside the running one.
    """
    drug = knowledge.drugs[dose.drug].drug
    words = f"{dose.drug} {dose_words(dose)}{_after_lead_in(drug, dose)}"
    order = item.order
    if not drug.dosing.may_order:
        return []
    if order is not None and dose.drug in order.ingredients:
        if foreign_element(order.resource) is not None:
            return []
        resource = with_dose(order.resource, drug, dose)
        label = f"Change the order to {words}"
        action = Action(type="update", description=label, resource=resource)
        return [Suggestion(label=label, actions=(action,))]
    if item.kind is Kind.REDUCE:
        return []
    resource_or_none = new_order(drug, dose, start, context, reason_for_order(knowledge.codes))
    if resource_or_none is None:
        return []
    label = f"Order {words}" + (f" for {dose.months} months" if dose.months else "")
    action = Action(type="create", description=label, resource=resource_or_none)
    return [Suggestion(label=label, actions=(action,))]


def _endings(item: Recommendation, context: OrderContext) -> list[Suggestion]:
    """The end of the running orders that a switch replaces, each sent back whole.

    Nothing is offered when one of them cannot be: the drug would still run beside the next one.
    """
    drugs = listed(sorted({one.ingredient for one in item.ends}))
    successor = listed(item.order.ingredients) if item.order is not None else ""
    reason = item.end_reason or f"replaced by {successor}"
    reason = reason[:1].upper() + reason[1:]
    ended: dict[str, dict[str, Any]] = {}
    for one in item.ends:
        resource = context.received.whole(one.source)
        if resource is None or resource.get("status") != "active":
            return []
        changes = {"status": "stopped", "statusReason": {"text": reason}}
        ended[one.source] = updated(resource, changes)
    if not ended:
        return []
    orders = "the order" if len(ended) == 1 else f"the {len(ended)} orders"
    label = f"End {orders} of {drugs}"
    actions = tuple(
        Action(type="update", description=f"End the order of {drugs}", resource=resource)
        for resource in ended.values()
    )
    return [Suggestion(label=label, actions=actions)]


def _after_lead_in(drug: Drug, dose: Dose) -> str:
    lead = drug.dosing.lead_in
    if lead is None or dose.lead_in_mg is None:
        return ""
    return f" after {lead.days} days at a lower dose"


def _choices(
    item: Recommendation, start: date, knowledge: Knowledge, context: OrderContext
) -> list[Suggestion]:
    """One order for each preferred drug that nothing speaks against; none is recommended."""
    found: list[Suggestion] = []
    for option in item.options:
        if option.place != "preferred" or option.approval != "approved":
            continue
        if not (option.verified and option.may_order):
            continue
        if option.stop_first:
            # One click must not put a second ALK inhibitor beside the one that is running.
            continue
        dose = option.dose
        if option.speaks_against or dose is None:
            continue
        drug = knowledge.drugs[option.drug].drug
        resource = new_order(drug, dose, start, context, reason_for_order(knowledge.codes))
        if resource is None:
            continue
        label = f"Order {option.drug} {dose_words(dose)}{_after_lead_in(drug, dose)}"
        action = Action(type="create", description=label, resource=resource)
        found.append(Suggestion(label=label, actions=(action,)))
    return found


# -- tests ------------------------------------------------------------


def _tests(
    item: Recommendation, decision: Decision, knowledge: Knowledge, context: OrderContext
) -> list[Suggestion]:
    """The tests that are due as one suggestion; what a finding asks for stands each alone.

    An order that runs already, or stands among the drafts, is not offered a second time.
    """
    by_test: dict[str, list[Action]] = {}
    known = set(decision.requested_tests)
    for due in item.tests:
        test = knowledge.tests[due.test]
        new = [order for order in test.orders if order.key not in known]
        if not due.orderable or not test.verified:
            continue
        if not new and all(order.key in decision.requested_tests for order in test.orders):
            continue
        known |= {order.key for order in new}
        by_test[test.label] = [
            _test_order(order, due, decision.as_of, knowledge, context) for order in new
        ]
    if item.topic in (Topic.MONITORING, Topic.BASELINE) and len(by_test) > 1:
        names = listed([label.split(" (")[0] for label in by_test])
        together = tuple(action for actions in by_test.values() for action in actions)
        return [Suggestion(label=f"Order {len(by_test)} tests: {names}", actions=together)]
    return [
        Suggestion(label=f"Order {label}", actions=tuple(actions))
        for label, actions in by_test.items()
        # What another test of the card orders already is not ordered twice.
        if actions
    ]


def _test_order(
    order: TestOrder, due: DueTest, today: date, knowledge: Knowledge, context: OrderContext
) -> Action:
    day = max(due.due, today)
    urgent = due.status == "repeat" and (day - today).days <= 3
    resource = service_request(
        patient_id=context.patient_id,
        codings=(
            [Coding(system=order.system, code=order.code, display=order.display)]
            if order.code
            else []
        ),
        text=order.display,
        occurrence=day,
        priority="urgent" if urgent else "routine",
        authored_on=today,
        reasons=[reason_for_order(knowledge.codes)],
        requester=context.requester,
        encounter_id=context.encounter_id,
    )
    return Action(type="create", description=words_of_test_order(order), resource=resource)


def words_of_test_order(order: TestOrder) -> str:
    """How the order of one test is described."""
    return f"Order {order.display}"


__all__ = [
    "InvalidResource",
    "OrderContext",
    "removes_order",
    "steps_for",
    "suggestions",
    "words_of_test_order",
]

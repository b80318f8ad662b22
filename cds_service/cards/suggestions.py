"""What can be done with one click: complete FHIR R4 orders, checked before they leave.

Only verified rows carry an order, no order exceeds the label, and nothing is suggested that is
already requested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.alk import Decision, Dose, DueTest, Kind, Recommendation, Topic
from cds_service.cards.text import dose_words
from cds_service.facts.patient import OrderedMedication
from cds_service.fhir.datatypes import Coding
from cds_service.fhir.outgoing import (
    InvalidResource,
    OrderedStep,
    Reason,
    dosage_instructions,
    medication_request,
    service_request,
    updated,
)
from cds_service.fhir.versions import foreign_element
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import Knowledge
from cds_service.protocol import Action, Suggestion, is_relative_reference

LUNG_CANCER = Reason(text="ALK-positive non-small cell lung cancer")


@dataclass(frozen=True, slots=True)
class OrderContext:
    """Who orders for whom: ids as the hook call gave them."""

    patient_id: str
    user_id: str | None = None
    encounter_id: str | None = None

    @property
    def requester(self) -> str | None:
        """The user as a reference, if the user is somebody who may order."""
        if self.user_id and self.user_id.split("/")[0] in ("Practitioner", "PractitionerRole"):
            return self.user_id
        return None


def suggestions(
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    context: OrderContext,
) -> tuple[list[Suggestion], str]:
    """The suggestions of one recommendation, and how they are selected (`any`, `at-most-one`)."""
    if not item.verified:
        return [], "any"
    if item.kind is Kind.CHOOSE:
        offered = _choices(item, decision.as_of, knowledge, context)
        return _in_place_of(_spoken_against(decision), offered), "at-most-one"
    if "first line" in item.offers and decision.choice is not None:
        instead = _choices(_meant_first(decision.choice, item), decision.as_of, knowledge, context)
        if instead:
            # Alternatives stand alone: taking two of them would start two drugs.
            alone = _removal(item.order) if _removes_order(item) else []
            return [*alone, *_in_place_of([item.order], instead)], "at-most-one"
    found: list[Suggestion] = []
    if item.dose is not None and item.kind in (Kind.REDUCE, Kind.RESUME, Kind.START):
        found += _dose_order(item, item.dose, decision.as_of, knowledge, context)
    if _removes_order(item):
        found += _removal(item.order)
    found += _tests(item.tests, decision.as_of, knowledge, context)
    return found, "any"


def _removes_order(item: Recommendation) -> bool:
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
    avoided = item.kind in (Kind.AVOID, Kind.REDUCE) and item.drug not in order.ingredients
    return avoided or item.kind is Kind.STOP


def _meant_first(choice: Recommendation, item: Recommendation) -> Recommendation:
    """The choice with the drug that was ordered in front: its right order is what was meant."""
    ordered = item.order.ingredients if item.order is not None else ()
    options = sorted(choice.options, key=lambda option: option.drug not in ordered)
    return choice.changed(options=tuple(options))


def _spoken_against(decision: Decision) -> list[OrderedMedication]:
    """The draft orders in whose place a drug of the next treatment would come.

    Those are the other ALK inhibitors, because two never run together, and whatever a check of
    this decision says not to order.
    """
    refused = [
        item.order.reference
        for item in decision.recommendations
        if item.topic is Topic.ORDER and item.kind in (Kind.STOP, Kind.AVOID) and item.order
    ]
    return [
        order
        for order in decision.question.orders_asked_about
        if "ALK inhibitor" in order.names or order.reference in refused
    ]


def _removal(order: OrderedMedication | None) -> list[Suggestion]:
    # An id that no delete can name costs the button, not the card.
    if order is None or not is_relative_reference(order.reference):
        return []
    name = " and ".join(order.ingredients) or "this order"
    label = f"Remove the {name} order"
    action = Action(type="delete", description=label, resource_id=order.reference)
    return [Suggestion(label=label, actions=(action,))]


def _in_place_of(
    orders: Iterable[OrderedMedication | None], offered: list[Suggestion]
) -> list[Suggestion]:
    """Each alternative together with the removal of the orders that it replaces."""
    removed = tuple(
        action for order in orders for wrong in _removal(order) for action in wrong.actions
    )
    return [
        Suggestion(
            label=f"{one.label} instead" if removed else one.label,
            actions=(*one.actions, *removed),
        )
        for one in offered
    ]


# -- medication orders ------------------------------------------------------------


def steps_for(drug: Drug, dose: Dose) -> list[OrderedStep]:
    """The dosage steps of an order, with the lower dose of the first days when it is a start.

    Raises ValueError when the dose lies above the label's full dose.
    """
    if dose.daily_mg > drug.dosing.full_dose.daily_mg:
        raise ValueError("a dose above the label is never suggested")
    steps: list[OrderedStep] = []
    lead = drug.dosing.lead_in
    if dose.lead_in_mg is not None and lead is not None:
        steps.append(_step(drug, dose.lead_in_mg, lead.per_day, lead.days))
    months = dose.months
    days = None if months is None else round(months * Decimal("30.4375"))
    steps.append(_step(drug, dose.amount_mg, dose.per_day, days))
    return steps


def _step(drug: Drug, amount: Decimal, per_day: int, days: int | None) -> OrderedStep:
    dispensed = drug.dispensed(amount)
    pieces, piece = None, None
    if dispensed is not None and len(dispensed.units) == 1:
        unit = dispensed.units[0]
        pieces = unit.count
        piece = next(
            (item.form for item in drug.products if item.strength_mg == unit.strength_mg), None
        )
    food = drug.dosing.food == "with food"
    return OrderedStep(amount, per_day, pieces if piece else None, piece, days, food or None)


def _coding_for(drug: Drug, amount: Decimal) -> Coding | None:
    """The clinical drug whose strength makes up the dose; None when no verified code is known."""
    dispensed = drug.dispensed(amount)
    strengths = [unit.strength_mg for unit in dispensed.units] if dispensed is not None else []
    for product in drug.products:
        code = product.clinical_drug
        if code is not None and code.verified and product.strength_mg in strengths[:1]:
            return Coding(system=code.system, code=code.code, display=code.display)
    return None


def _new_order(drug: Drug, dose: Dose, start: date, context: OrderContext) -> dict[str, Any] | None:
    coding = _coding_for(drug, dose.amount_mg)
    if coding is None or not drug.dosing.verified:
        return None
    return medication_request(
        patient_id=context.patient_id,
        codings=[coding],
        text=f"{drug.ingredient} {coding.display or ''}".strip(),
        steps=steps_for(drug, dose),
        start=start,
        authored_on=start,
        reasons=[LUNG_CANCER],
        requester=context.requester,
        encounter_id=context.encounter_id,
    )


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
    if not drug.dosing.verified:
        return []
    if order is not None and dose.drug in order.ingredients:
        if foreign_element(order.resource) is not None:
            return []
        resource = _with_dose(order.resource, drug, dose)
        label = f"Change the order to {words}"
        action = Action(type="update", description=label, resource=resource)
        return [Suggestion(label=label, actions=(action,))]
    if item.kind is Kind.REDUCE:
        return []
    resource_or_none = _new_order(drug, dose, start, context)
    if resource_or_none is None:
        return []
    label = f"Order {words}" + (f" for {dose.months} months" if dose.months else "")
    action = Action(type="create", description=label, resource=resource_or_none)
    return [Suggestion(label=label, actions=(action,))]


def _after_lead_in(drug: Drug, dose: Dose) -> str:
    lead = drug.dosing.lead_in
    if lead is None or dose.lead_in_mg is None:
        return ""
    return f" after {lead.days} days at a lower dose"


def _with_dose(resource: Mapping[str, object], drug: Drug, dose: Dose) -> dict[str, Any]:
    """The whole draft as received, with only its dosage replaced (and its quantity, if it has
    one in capsules or tablets for the old dose, taken out: it would no longer fit)."""
    instructions = dosage_instructions(steps_for(drug, dose))
    changes: dict[str, Any] = {"dosageInstruction": instructions}
    dispense = resource.get("dispenseRequest")
    if isinstance(dispense, Mapping) and "quantity" in dispense:
        kept = {name: value for name, value in dispense.items() if name != "quantity"}
        changes["dispenseRequest"] = kept or None
    return updated(resource, changes)


def _choices(
    item: Recommendation, start: date, knowledge: Knowledge, context: OrderContext
) -> list[Suggestion]:
    """One order for each preferred drug that nothing speaks against; none is recommended."""
    found: list[Suggestion] = []
    for option in item.options:
        if option.place != "preferred" or not option.verified or option.approval != "approved":
            continue
        if option.stop_first:
            # One click must not put a second ALK inhibitor beside the one that is running.
            continue
        dose = option.dose
        if option.speaks_against or dose is None:
            continue
        drug = knowledge.drugs[option.drug].drug
        resource = _new_order(drug, dose, start, context)
        if resource is None:
            continue
        label = f"Order {option.drug} {dose_words(dose)}{_after_lead_in(drug, dose)}"
        action = Action(type="create", description=label, resource=resource)
        found.append(Suggestion(label=label, actions=(action,)))
    return found


# -- tests ------------------------------------------------------------


def _tests(
    tests: tuple[DueTest, ...], today: date, knowledge: Knowledge, context: OrderContext
) -> list[Suggestion]:
    found: list[Suggestion] = []
    for due in tests:
        test = knowledge.tests[due.test]
        if not due.orderable or not test.orders or not test.verified:
            continue
        day = max(due.due, today)
        urgent = due.status == "repeat" and (day - today).days <= 3
        actions = tuple(
            Action(
                type="create",
                description=f"Order {order.display}",
                resource=service_request(
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
                    reasons=[LUNG_CANCER],
                    requester=context.requester,
                    encounter_id=context.encounter_id,
                ),
            )
            for order in test.orders
        )
        found.append(Suggestion(label=f"Order {test.label}", actions=actions))
    return found


__all__ = ["InvalidResource", "OrderContext", "steps_for", "suggestions"]

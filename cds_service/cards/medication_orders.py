"""Orders for an ALK inhibitor: a new one, or a draft with another dose.

No order exceeds the label, and what is ordered can be made up of the product that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from cds_service.alk import Dose
from cds_service.fhir.datatypes import Coding
from cds_service.fhir.outgoing import (
    OrderedStep,
    Reason,
    Supply,
    dosage_instructions,
    medication_concept,
    medication_request,
    supply_quantity,
    updated,
)
from cds_service.fhir.received import AsReceived
from cds_service.knowledge.codes import Codes
from cds_service.knowledge.drugs import Drug, Product

SUPPLY_DAYS = 30
"""Days that a new order supplies, without a refill: the next order meets these checks again."""

MOST_PIECES = 4
"""Capsules or tablets a dose before another strength, or two together, are the better order."""

_SUPPLY_UNIT_DAYS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}


@dataclass(frozen=True, slots=True)
class OrderContext:
    """Who orders for whom: ids as the hook call gave them, and the resources as they were sent."""

    patient_id: str
    user_id: str | None = None
    encounter_id: str | None = None
    received: AsReceived = field(default_factory=AsReceived, repr=False)

    @property
    def requester(self) -> str | None:
        """The user as a reference, if the user is somebody who may order."""
        if self.user_id and self.user_id.split("/")[0] in ("Practitioner", "PractitionerRole"):
            return self.user_id
        return None


def reason_for_order(codes: Codes) -> Reason:
    """Why everything here is ordered: the disease by its verified code, and in full in words."""
    known = codes.value_sets["non-small cell lung cancer"].codes
    code = next((code for code in known if code.verified), None)
    codings = () if code is None else (Coding(system=code.system, code=code.code,
                                              display=code.display),)  # fmt: skip
    return Reason(codings, "ALK-positive non-small cell lung cancer")


# -- doses as pieces ------------------------------------------------------------


def steps_for(drug: Drug, dose: Dose) -> list[OrderedStep]:
    """The dosage steps of an order, with the lower dose of the first days when it is a start.

    Raises ValueError when the dose lies above the label's full dose.
    """
    if dose.daily_mg > drug.dosing.full_dose.daily_mg:
        raise ValueError("a dose above the label is never suggested")
    product = product_for(drug, dose)
    steps: list[OrderedStep] = []
    lead = drug.dosing.lead_in
    if dose.lead_in_mg is not None and lead is not None:
        steps.append(_step(drug, product, dose.lead_in_mg, lead.per_day, lead.days))
    months = dose.months
    days = None if months is None else round(months * Decimal("30.4375"))
    steps.append(_step(drug, product, dose.amount_mg, dose.per_day, days))
    return steps


def product_for(drug: Drug, dose: Dose) -> Product | None:
    """The one strength of which every step of the dose is a whole number of pieces, if any."""
    amounts = [dose.amount_mg, *([dose.lead_in_mg] if dose.lead_in_mg is not None else [])]
    fitting = [product for product in drug.products if _makes(product, amounts)]
    return max(fitting, key=lambda product: product.strength_mg, default=None)


def _makes(product: Product, amounts: list[Decimal]) -> bool:
    return all(
        amount % product.strength_mg == 0 and amount / product.strength_mg <= MOST_PIECES
        for amount in amounts
    )


def _step(
    drug: Drug, product: Product | None, amount: Decimal, per_day: int, days: int | None
) -> OrderedStep:
    pieces = int(amount / product.strength_mg) if product is not None else None
    return OrderedStep(
        amount,
        per_day,
        pieces,
        product.form if product is not None else None,
        days,
        (drug.dosing.food == "with food") or None,
        _two_strengths(drug, amount) if product is None else None,
    )


def _two_strengths(drug: Drug, amount: Decimal) -> str | None:
    """``1 tablet of 100 mg and 1 tablet of 25 mg``, where the table says so."""
    dispensed = drug.dispensed(amount)
    if dispensed is None:
        return None
    forms = {product.strength_mg: product.form for product in drug.products}
    return " and ".join(
        f"{unit.count} {forms[unit.strength_mg]}{'' if unit.count == 1 else 's'}"
        f" of {unit.strength_mg.normalize():f} mg"
        for unit in dispensed.units
    )


def _coding_for(drug: Drug, product: Product | None) -> Coding | None:
    """The product as a clinical drug, or the ingredient where no single product makes the dose.

    None when the code is not verified.
    """
    if product is not None:
        code = product.clinical_drug
    else:
        code = next((code for code in drug.codes if code.kind == "IN"), None)
    if code is None or not code.verified:
        return None
    return Coding(system=code.system, code=code.code, display=code.display)


def supply_of(steps: list[OrderedStep], days: int) -> Supply:
    """What `days` days of these steps need; without a number where two strengths are mixed."""
    pieces: int | None = 0
    left = days
    for step in steps:
        taken = left if step.days is None else min(step.days, left)
        left -= taken
        pieces = (
            None
            if pieces is None or step.pieces is None
            else pieces + step.pieces * step.times_per_day * taken
        )
    return Supply(days - left, pieces or None, steps[-1].piece)


# -- orders ------------------------------------------------------------


def new_order(
    drug: Drug, dose: Dose, start: date, context: OrderContext, reason: Reason
) -> dict[str, Any] | None:
    """A draft order of this dose; None when the dose or the product's code is not verified."""
    coding = _coding_for(drug, product_for(drug, dose))
    if coding is None or not drug.dosing.may_order:
        return None
    steps = steps_for(drug, dose)
    return medication_request(
        patient_id=context.patient_id,
        codings=[coding],
        text=_product_text(drug, coding),
        steps=steps,
        supply=supply_of(steps, SUPPLY_DAYS),
        start=start,
        authored_on=start,
        reasons=[reason],
        requester=context.requester,
        encounter_id=context.encounter_id,
    )


def _product_text(drug: Drug, coding: Coding) -> str:
    """The product in words, with the ingredient before a name that does not say it."""
    display = coding.display or ""
    if drug.ingredient.casefold() in display.casefold():
        return display
    return f"{drug.ingredient} {display}".strip()


def with_dose(resource: Mapping[str, object], drug: Drug, dose: Dose) -> dict[str, Any]:
    """The whole draft as received with another dosage, and with what that dosage makes untrue.

    A quantity is counted again for the days that the draft supplies, or taken out where it does
    not say how many. A product whose strength cannot make up the dose is replaced.
    """
    steps = steps_for(drug, dose)
    changes: dict[str, Any] = {"dosageInstruction": dosage_instructions(steps)}
    dispense = resource.get("dispenseRequest")
    if isinstance(dispense, Mapping) and "quantity" in dispense:
        kept = {name: value for name, value in dispense.items() if name != "quantity"}
        days = _days_supplied(dispense)
        counted = supply_quantity(supply_of(steps, days)) if days else None
        if counted is not None:
            kept["quantity"] = counted
        changes["dispenseRequest"] = kept or None
    ordered = _product_named(resource, drug)
    amounts = [step.amount_mg for step in steps]
    if ordered is not None and not _makes(ordered, amounts):
        coding = _coding_for(drug, product_for(drug, dose))
        codings = [coding] if coding is not None else []
        text = coding.display if coding is not None and coding.display else drug.ingredient
        changes["medicationCodeableConcept"] = medication_concept(codings, text)
    return updated(resource, changes)


def _product_named(resource: Mapping[str, object], drug: Drug) -> Product | None:
    """The strength that the draft names by its clinical drug code, if it names one."""
    concept = resource.get("medicationCodeableConcept")
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    named = {
        (coding.get("system"), coding.get("code"))
        for coding in (codings if isinstance(codings, list) else ())
        if isinstance(coding, Mapping)
    }
    for product in drug.products:
        code = product.clinical_drug
        if code is not None and (code.system, code.code) in named:
            return product
    return None


def _days_supplied(dispense: Mapping[str, Any]) -> int | None:
    duration = dispense.get("expectedSupplyDuration")
    if not isinstance(duration, Mapping):
        return None
    value, unit = duration.get("value"), duration.get("code") or duration.get("unit")
    factor = _SUPPLY_UNIT_DAYS.get(str(unit))
    if factor is None or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    days = Decimal(str(value)) * factor
    return int(days) if days == int(days) and 0 < days <= 366 else None

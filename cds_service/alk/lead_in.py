"""Drugs that begin with a lower dose, which a later order may leave out."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.knowledge.drugs import Drug
from cds_service.rules import Events


def skips_lead_in(
    drug: Drug,
    order: OrderedMedication,
    facts: PatientFacts,
    beside: Iterable[OrderedMedication] = (),
) -> bool | None:
    """Whether an order leaves out the lower dose of the first days that the label asks for.

    It does when its first step is above that dose and the patient never took the drug, or last
    took it so long ago that the label starts again; never for a drug without such a dose. None
    when the dose cannot be read, when not all earlier orders are known, or when it is not
    recorded until when the drug was taken.

    `beside` are the other orders of the same moment. One that holds the lower dose is the lead-in
    (a row of its own asks whether the two follow each other), one that cannot be read may be it.
    """
    lead_in = drug.dosing.lead_in
    if lead_in is None:
        return False
    first = order.starting_dose.daily_mg
    if first is None:
        return None
    steps = [one.starting_dose.daily_mg for one in beside if drug.ingredient in one.ingredients]
    if first <= lead_in.daily_mg or any(mg is not None and mg <= lead_in.daily_mg for mg in steps):
        return False
    taken = facts.dose_taken((drug.ingredient,))
    if not isinstance(taken, Events):
        return None
    if not taken.events:
        return True if taken.complete and None not in steps else None
    pause = (facts.as_of - taken.events[0].day).days
    if drug.restart is None or pause < drug.restart.interrupted_days_at_least:
        # A later dose than the one recorded would make the pause shorter still.
        return False
    return True if taken.complete and None not in steps else None

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

    It does not where another order of the same moment holds that dose; whether the two are meant
    to follow each other is asked by a row of its own.

    It does when its first step is above that dose and the patient never took the drug, or last
    took it so long ago that the label starts again; never for a drug without such a dose. None
    when the dose cannot be read, when not all earlier orders are known, or when it is not
    recorded until when the drug was taken.
    """
    lead_in = drug.dosing.lead_in
    if lead_in is None:
        return False
    first = order.starting_dose.daily_mg
    if first is None:
        return None
    if first <= lead_in.daily_mg or any(
        drug.ingredient in other.ingredients
        and other.starting_dose.daily_mg is not None
        and other.starting_dose.daily_mg <= lead_in.daily_mg
        for other in beside
    ):
        return False
    taken = facts.dose_taken((drug.ingredient,))
    if not isinstance(taken, Events):
        return None
    if not taken.events:
        return True if taken.complete else None
    pause = (facts.as_of - taken.events[0].day).days
    if drug.restart is None or pause < drug.restart.interrupted_days_at_least:
        # A later dose than the one recorded would make the pause shorter still.
        return False
    return True if taken.complete else None

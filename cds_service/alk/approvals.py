"""Whether an ordered ALK inhibitor is approved where the site is, for what the chart says."""

from __future__ import annotations

from datetime import date
from typing import Literal

from cds_service.alk.decision import Recommendation
from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.jurisdiction_cells import NAMES
from cds_service.knowledge.jurisdictions import UNAPPROVED, approval
from cds_service.knowledge.label_statements import EarlierInhibitors
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Collection, Statements

NOT_APPROVED_HERE = "ordered drug not approved here"
"""The flag of an order whose drug has no approval in the jurisdiction for this setting."""

_PLACE = "{place}"


def earlier_inhibitors(facts: PatientFacts) -> EarlierInhibitors:
    """The ALK inhibitors taken so far, with what is known of their order."""
    used = facts.find("ALK inhibitors used")
    items = used.items if isinstance(used, Collection) else ()
    days = {item.label: item.day for item in items}
    names = sorted(days, key=lambda name: days[name] or date.min)
    apart = None not in days.values() and len({*days.values()}) == len(days)
    return EarlierInhibitors(tuple(names), apart, isinstance(used, Collection) and used.complete)


def not_approved_here(
    order: OrderedMedication, facts: PatientFacts, knowledge: Knowledge, jurisdiction: str
) -> bool:
    """Whether an ordered drug has, as far as its file says, no such approval there.

    After a resection this is asked of drugs that have an adjuvant use somewhere; the others are
    refused there by a row of their own. What is not known of an approval is no missing one.
    """
    drugs = [knowledge.drugs[name].drug for name in order.ingredients if name in knowledge.drugs]
    situation = _situation(facts)
    earlier = earlier_inhibitors(facts)
    return any(
        approval(drug, situation, jurisdiction, earlier) in UNAPPROVED
        for drug in drugs
        if situation == "advanced" or _has_adjuvant_use(drug)
    )


def _situation(facts: PatientFacts) -> Literal["advanced", "adjuvant"]:
    said = facts.find("setting")
    newest = said.statements[0].value if isinstance(said, Statements) and said.statements else ""
    return "adjuvant" if newest == "resected" else "advanced"


def _has_adjuvant_use(drug: Drug) -> bool:
    return any(one.setting == "adjuvant" for one in drug.indications)


def naming_the_place(item: Recommendation, jurisdiction: str) -> Recommendation:
    """The words of a row with the name of the jurisdiction in them."""
    if _PLACE not in item.summary + item.detail:
        return item
    name = NAMES.get(jurisdiction, jurisdiction)
    return item.changed(
        summary=item.summary.replace(_PLACE, name), detail=item.detail.replace(_PLACE, name)
    )

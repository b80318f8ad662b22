"""Medicines that no table knows: said once, with a question where one could be contraindicated."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.alk.decision import Kind, Question, Recommendation, Topic
from cds_service.facts.patient import OrderedMedication, PatientFacts, TreatmentLine
from cds_service.facts.still_acting import INDUCER
from cds_service.knowledge.release import Knowledge
from cds_service.rules.syntax import Expression, Includes, predicates
from cds_service.rules.words import listed

NOT_CHECKED_RULE = "medicines-not-recognised"


def not_checked(
    facts: PatientFacts,
    question: Question,
    knowledge: Knowledge,
    in_view: Sequence[tuple[TreatmentLine, OrderedMedication | None]],
) -> list[Recommendation]:
    """One line for all medicines, taken, on hold or drafted, that were not recognised.

    Only beside an ALK inhibitor that is running, on hold or ordered. Their names as in the record
    go on the card alone.
    """
    drafted = {
        order.unrecognised.label.casefold(): (order, order.unrecognised)
        for order in question.orders
        if order.unrecognised is not None
    }
    unknown = {item.label.casefold(): item for item in facts.unrecognised}
    unknown |= {name: item for name, (_, item) in drafted.items()}
    drugs = [line.ingredient for line, _ in in_view]
    if not unknown or not drugs:
        return []
    order = _asked_about(question, in_view, [found for found, _ in drafted.values()])
    feared = [name for name in drugs if _forbids_inducers(name, knowledge)]
    asks = order is not None and bool(feared) and any(item.may_induce for item in unknown.values())
    count = len(unknown)
    what = "1 medicine was" if count == 1 else f"{count} medicines were"
    says = (
        f"{what} not recognised by name or code, so nothing that interacts was looked for in"
        " it. What is said about the other medicines stands. The site can say in its local codes"
        " file what a name of its own stands for."
    )
    item = Recommendation(
        Kind.INFORM,
        Topic.COVERAGE,
        NOT_CHECKED_RULE,
        "info",
        drug=drugs[0],
        summary=f"Not checked for interactions: {what} not recognised",
        detail=f"{says[0].upper()}{says[1:]}",
        order=order,
        named=tuple(sorted(found.label for found in unknown.values())),
    )
    if not asks:
        return [item]
    return [
        item.changed(
            kind=Kind.ASK,
            severity="warning",
            drug=feared[0],
            summary=f"Before signing, settle for {feared[0]}: {what} not recognised",
            ask=f"Is one of them a strong CYP3A inducer? With {feared[0]} that is contraindicated.",
        )
    ]


def without_interactions(
    drug: str, order: OrderedMedication, knowledge: Knowledge
) -> Recommendation | None:
    """What an order of another medicine could do to a drug whose interactions are not in this
    release: said of every medicine that the tables of any other drug ask about."""
    tables = knowledge.drugs.get(drug)
    if drug not in knowledge.inhibitors or (tables is not None and tables.interactions is not None):
        return None
    asked = {
        name
        for other in knowledge.drugs.values()
        for row in other.interactions or ()
        for name in asked_members(row.when.expression)
    }
    if not asked & order.names:
        return None
    return Recommendation(
        Kind.INFORM,
        Topic.COVERAGE,
        f"{drug}-not-covered",
        "warning",
        drug=drug,
        summary=f"Check {listed(list(order.ingredients))} with {drug}: this release has no"
        f" interactions of {drug}",
        detail=f"Not in this release of the knowledge for {drug}: interactions. Nothing about this"
        " order beside it was checked.",
        order=order,
        verified=False,
    )


def _asked_about(
    question: Question,
    in_view: Sequence[tuple[TreatmentLine, OrderedMedication | None]],
    drafted: Sequence[OrderedMedication],
) -> OrderedMedication | None:
    """The order that is asked about and concerned: of an ALK inhibitor, or not recognised."""
    of_drugs = [order for _, order in in_view if order is not None]
    asked = {order.reference for order in question.orders_asked_about}
    return next(
        (order for order in (*of_drugs, *drafted) if order.reference in asked),
        None,
    )


def _forbids_inducers(drug: str, knowledge: Knowledge) -> bool:
    """Whether a row of the drug contraindicates strong CYP3A inducers."""
    tables = knowledge.drugs.get(drug)
    return tables is not None and any(
        row.text("action") == "contraindicated" and INDUCER in asked_members(row.when.expression)
        for row in tables.interactions or ()
    )


def asked_members(expression: Expression) -> frozenset[str]:
    """The medicines and classes that a condition looks for among the patient's medicines."""
    return frozenset(
        member
        for leaf in predicates(expression)
        if isinstance(leaf, Includes) and leaf.fact.startswith("medications")
        for member in leaf.members
    )

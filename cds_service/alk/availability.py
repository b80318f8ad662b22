"""What could not be obtained, and whether its absence is anybody's concern here."""

from __future__ import annotations

from cds_service.alk.decision import Kind, Question, Recommendation, Topic
from cds_service.facts.patient import UNREAD_DRAFT, PatientFacts
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Collection


def unavailable(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> list[Recommendation]:
    """Say what could not be obtained, unless the patient surely has nothing to do with ALK."""
    if not facts.unavailable:
        return []
    unread = UNREAD_DRAFT in facts.unavailable
    if not unread and (
        set(facts.unavailable) <= _QUIET or surely_no_concern(facts, question, knowledge, found)
    ):
        return []
    return [
        Recommendation(
            Kind.ASK,
            Topic.AVAILABILITY,
            _rule(facts, question),
            "info" if set(facts.unavailable) <= _BESIDE else "warning",
            detail="; ".join(f"{what}: {why}" for what, why in facts.unavailable.items()),
        )
    ]


def _rule(facts: PatientFacts, question: Question) -> str:
    if UNREAD_DRAFT in facts.unavailable:
        return UNREAD_DRAFT_RULE
    procedures = facts.find("ordered procedures")
    about_one = isinstance(procedures, Collection) and bool(procedures.items)
    if about_one and not question.orders_asked_about:
        return PROCEDURE_RULE
    return "data-not-available"


UNREAD_DRAFT_RULE = "draft-order-not-checked"
"""Rule id of the card that says so; it matters even when no other order is left."""

PROCEDURE_RULE = "ordered-procedure-not-checked"
"""Rule id where a procedure that a table speaks of is ordered, and no medication beside it."""

_QUIET = frozenset({"requests"})
"""Kinds of data whose absence alone is worth no card: the answer then says more, never less.

What a system does not have at all never gets here: the services leave it out of `unavailable`.
"""

_BESIDE = _QUIET | {
    "medication_statements",
    "medication_administrations",
    "medication_dispenses",
    "adverse_events",
    "allergies",
    "examinations",
    "visits",
    "impressions",
    "alerts",
    "devices",
}
"""Kinds of data that stand beside those of another: what is said without them is said calmly."""

_LUNG = frozenset(
    {"non-small cell lung cancer", "lung cancer of unknown type", "suspected lung cancer"}
)


def surely_no_concern(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> bool:
    """Whether the patient certainly has neither lung cancer nor an ALK inhibitor, taken, paused,
    ended or ordered: then missing data are nobody's concern here."""
    cancers = facts.find("cancers")
    inhibitors = facts.find("active ALK inhibitors")
    if not (isinstance(cancers, Collection) and isinstance(inhibitors, Collection)):
        return False
    ordered = {name for order in question.orders_asked_about for name in order.ingredients}
    return (
        not found
        and cancers.complete
        and not any(item.names & _LUNG for item in cancers.items)
        and inhibitors.complete
        and not inhibitors.items
        and not facts.lines
        and not any(name in knowledge.inhibitors for name in ordered)
    )

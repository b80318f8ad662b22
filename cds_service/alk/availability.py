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
    severity = "info" if set(facts.unavailable) <= _MINOR else "warning"
    return [
        Recommendation(
            Kind.ASK,
            Topic.AVAILABILITY,
            UNREAD_DRAFT_RULE if unread else "data-not-available",
            severity,
            detail="; ".join(
                f"{what}: {why}"
                for what, why in facts.unavailable.items()
                if what not in _NOT_EVERYWHERE
            ),
        )
    ]


UNREAD_DRAFT_RULE = "draft-order-not-checked"
"""Rule id of the card that says so; it matters even when no other order is left."""

_NOT_EVERYWHERE = frozenset(
    {"medication_statements", "medication_administrations", "medication_dispenses"}
)
"""Kinds of data that many systems do not have: their absence is not said on a card."""

_QUIET = _NOT_EVERYWHERE | {"requests"}
"""Kinds of data whose absence alone is worth no card."""

_MINOR = _QUIET | {"procedures", "reports"}
"""Kinds of data whose absence hides no danger: a resection, an image, a test on order."""

_LUNG = frozenset(
    {"non-small cell lung cancer", "lung cancer of unknown type", "suspected lung cancer"}
)


def surely_no_concern(
    facts: PatientFacts, question: Question, knowledge: Knowledge, found: list[Recommendation]
) -> bool:
    """Whether the patient certainly has neither lung cancer nor an ALK inhibitor, taken or
    ordered: then missing data are nobody's concern here."""
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
        and not any(name in knowledge.inhibitors for name in ordered)
    )

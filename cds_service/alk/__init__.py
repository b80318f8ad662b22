"""The ALK algorithm: one pure function from facts and a date to a Decision.

The tables do the talking; this room knows the order in which they are asked and how their rows
combine, but no drug, no threshold and no wording of a card.
"""

from cds_service.alk.decide import UNREAD_DRAFT, UNREAD_DRAFT_RULE, decide
from cds_service.alk.decision import (
    Decision,
    Dose,
    DueTest,
    Kind,
    Modifier,
    Option,
    Question,
    Recommendation,
    Topic,
)

__all__ = [
    "UNREAD_DRAFT",
    "UNREAD_DRAFT_RULE",
    "Decision",
    "Dose",
    "DueTest",
    "Kind",
    "Modifier",
    "Option",
    "Question",
    "Recommendation",
    "Topic",
    "decide",
]

"""The ALK algorithm: one pure function from facts and a date to a Decision.

The tables do the talking; this room knows the order in which they are asked and how their rows
combine, but no drug, no threshold and no wording of a card.
"""

from cds_service.alk.availability import PROCEDURE_RULE, UNREAD_DRAFT_RULE
from cds_service.alk.decide import decide
from cds_service.alk.decision import (
    Decision,
    Dose,
    DueTest,
    Failure,
    Kind,
    Modifier,
    Option,
    Question,
    Recommendation,
    Topic,
)
from cds_service.alk.section import CHECK_INCOMPLETE_RULE
from cds_service.alk.uncovered import UNCOVERED_RULE
from cds_service.facts.patient import UNREAD_DRAFT

__all__ = [
    "CHECK_INCOMPLETE_RULE",
    "PROCEDURE_RULE",
    "UNCOVERED_RULE",
    "UNREAD_DRAFT",
    "UNREAD_DRAFT_RULE",
    "Decision",
    "Dose",
    "DueTest",
    "Failure",
    "Kind",
    "Modifier",
    "Option",
    "Question",
    "Recommendation",
    "Topic",
    "decide",
]

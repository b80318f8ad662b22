"""The rule language: one sentence about a patient, three possible answers, and the basis of each.

A pure room: no FHIR, no HTTP, no drug's name, no clock. Rules are parsed over a ``Vocabulary``,
compiled once by a ``RuleCompiler`` and evaluated for one patient on one day by an ``Evaluation``.
"""

from cds_service.rules.compile import Rule, RuleCompiler
from cds_service.rules.conditions import Evaluation
from cds_service.rules.errors import RuleError
from cds_service.rules.spans import Span
from cds_service.rules.trace import Trace, explain
from cds_service.rules.values import (
    A_DRUG,
    ANOTHER_CAUSE,
    FINDING_STATUSES,
    THE_DRUG,
    Collection,
    Event,
    Events,
    Evidence,
    FactSource,
    FactValue,
    Finding,
    Findings,
    Item,
    Measurement,
    Series,
    Statement,
    Statements,
)
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict
from cds_service.rules.vocabulary import (
    CollectionOf,
    Concept,
    FactKind,
    Occurrence,
    Quantity,
    State,
    Vocabulary,
    flag,
)

__all__ = [
    "ANOTHER_CAUSE",
    "A_DRUG",
    "FINDING_STATUSES",
    "THE_DRUG",
    "Collection",
    "CollectionOf",
    "Concept",
    "Evaluation",
    "Event",
    "Events",
    "Evidence",
    "FactKind",
    "FactSource",
    "FactValue",
    "Finding",
    "Findings",
    "Item",
    "Measurement",
    "Occurrence",
    "Quantity",
    "Reason",
    "ReasonKind",
    "Rule",
    "RuleCompiler",
    "RuleError",
    "Series",
    "Span",
    "State",
    "Statement",
    "Statements",
    "Trace",
    "Verdict",
    "Vocabulary",
    "explain",
    "flag",
]

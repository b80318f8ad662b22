"""`patient-view`: the chart is opened. Where does this patient stand, and what is due?"""

from __future__ import annotations

from cds_service.alk import Kind, Question, Recommendation, Topic
from hooks.service import ServiceDefinition

_ALWAYS = frozenset(
    {
        Topic.GATE,
        Topic.TOXICITY,
        Topic.IN_FORCE,
        Topic.CHOICE,
        Topic.ADJUVANT,
        Topic.PROGRESSION,
        Topic.BASELINE,
        Topic.MONITORING,
        Topic.COVERAGE,
        Topic.AVAILABILITY,
    }
)


def matters(item: Recommendation, _: Question) -> bool:
    """Everything on diagnosis, treatment and tests; of interactions and special populations only
    what asks for a change or a decision: advice to watch repeats itself at every opening."""
    changes = (Kind.STOP, Kind.AVOID, Kind.REDUCE, Kind.ASK)
    return item.topic in _ALWAYS or item.kind in changes


SERVICE = ServiceDefinition(
    id="alk-patient-view",
    hook="patient-view",
    title="ALK-positive lung cancer: overview",
    description=(
        "For patients with ALK-positive non-small cell lung cancer: first-line choice with"
        " reasons side by side, dose changes for reactions, tests that are due, and what is"
        " missing before anything can be said."
    ),
    matters=matters,
)

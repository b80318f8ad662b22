"""`order-select`: a drug has just been picked. Is it the right one for this patient?"""

from __future__ import annotations

from cds_service.alk import Question, Recommendation, Topic
from hooks.service import ServiceDefinition, about_an_order

_LATER = frozenset({"order-dose-unreadable", "order-dose-not-divided"})
"""Dose details are often missing while a drug is picked; they are asked for at signing."""


def matters(item: Recommendation, question: Question) -> bool:
    """What concerns the selected orders. Due tests of running treatment wait for the signature."""
    if item.rule_id in _LATER or item.topic is Topic.MONITORING:
        return False
    return about_an_order(item, question)


SERVICE = ServiceDefinition(
    id="alk-order-select",
    hook="order-select",
    title="ALK-positive lung cancer: drug choice",
    description=(
        "Checks a newly selected cancer drug against ALK status, disease and other medications:"
        " wrong target, wrong order of treatment, contraindication, missing ALK test."
    ),
    matters=matters,
)

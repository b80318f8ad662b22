"""`order-sign`: the order is complete. May it be signed as it stands?"""

from __future__ import annotations

from cds_service.alk import Question, Recommendation
from hooks.service import ServiceDefinition, about_an_order


def matters(item: Recommendation, question: Question) -> bool:
    """Everything that concerns the orders about to be signed, with tests due for their drugs."""
    return about_an_order(item, question)


SERVICE = ServiceDefinition(
    id="alk-order-sign",
    hook="order-sign",
    title="ALK-positive lung cancer: before signing",
    description=(
        "Checks cancer drug orders before the signature: dose against label, laboratory values"
        " and organ function, reactions that ask to hold or stop, duplicate ALK inhibitors, and"
        " tests that are due."
    ),
    matters=matters,
)

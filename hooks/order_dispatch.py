"""`order-dispatch`: a signed order goes out to whoever carries it out. Is it still safe?"""

from __future__ import annotations

from cds_service.alk import Question, Recommendation
from hooks.service import ServiceDefinition, about_an_order


def matters(item: Recommendation, question: Question) -> bool:
    """Only what warns about the orders: what merely informs was told at the signature."""
    return item.severity != "info" and about_an_order(item, question)


SERVICE = ServiceDefinition(
    id="alk-order-dispatch",
    hook="order-dispatch",
    title="ALK-positive lung cancer: before dispatch",
    description=(
        "Safety checks of signed cancer drug orders, and of drugs that interact with an ALK"
        " inhibitor, when they are sent out, for sites where this happens later or elsewhere than"
        " the signature. Signed orders are never changed with one click."
    ),
    matters=matters,
)

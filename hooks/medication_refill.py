"""`medication-refill`: a running drug is about to be renewed. May it go on as it is?"""

from __future__ import annotations

from hooks.order_sign import matters
from hooks.service import ServiceDefinition

SERVICE = ServiceDefinition(
    id="alk-medication-refill",
    hook="medication-refill",
    title="ALK-positive lung cancer: before a refill",
    description=(
        "The checks of alk-order-sign when a prescription is renewed: reactions that ask to hold,"
        " lower or stop the drug, tests that are overdue, and what has been added since."
    ),
    matters=matters,
)

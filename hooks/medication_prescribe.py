"""`medication-prescribe` (CDS Hooks 1.0, superseded): the same questions as at signing."""

from __future__ import annotations

from hooks.order_sign import matters
from hooks.service import ServiceDefinition

SERVICE = ServiceDefinition(
    id="alk-medication-prescribe",
    hook="medication-prescribe",
    title="ALK-positive lung cancer: prescribing",
    description=(
        "For EHRs that still call the older medication-prescribe hook: the checks of"
        " alk-order-sign on the drafted prescriptions."
    ),
    matters=matters,
)

"""Why a card may be set aside: reasons that fit what the card asks for.

Coded from the standard code system of CDS Hooks 3.0 (trial use) where it has the reason, with
its own words; the rest is coded by us. Codes are stable across releases: sites map them once.
"""

from __future__ import annotations

from cds_service.alk import Kind, Recommendation
from cds_service.protocol import OverrideReason

STANDARD_SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_SYSTEM = "urn:alk-cds:override-reason"


def _standard(code: str, display: str) -> OverrideReason:
    return OverrideReason(code=code, system=STANDARD_SYSTEM, display=display)


_DATA = OverrideReason(
    code="data-not-current",
    system=OVERRIDE_SYSTEM,
    display="The data shown are wrong or not current",
)
_JUDGED = OverrideReason(
    code="known-and-judged", system=OVERRIDE_SYSTEM, display="Known; judged clinically"
)
_DONE = _standard("action-completed", "Recommended action was already completed")
_ORDERED = _standard("indication-order-exists", "Patient has indication/order for intended action")
_PENDING = _standard(
    "need-more-info",
    "Could not address recommended action due to need for more information/pending"
    " results/pending consult",
)
_RISK = _standard("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio")
_EXPERT = _standard("expert-contradicts", "Advice from expert contradicts the recommended action")
_CONTRAINDICATED = _standard(
    "patient-contraindication", "Patient has contraindication to recommended action"
)
_REFUSES = _standard("patient-refuses", "Patient refuses/declines (no context given)*")
_ALTERNATIVE = _standard(
    "prefers-alternative", "Patient prefers an alternative approach or treatment"
)
_UNAVAILABLE = _standard(
    "service-not-available", "Treatment or service is not practically available"
)

_LESS = (_RISK, _EXPERT, _ALTERNATIVE, _DATA)
"""For a card that asks to give less, or not to give."""
_FITTING = {
    Kind.STOP: _LESS,
    Kind.WITHHOLD: _LESS,
    Kind.REDUCE: _LESS,
    Kind.AVOID: _LESS,
    Kind.RESUME: (_CONTRAINDICATED, _RISK, _REFUSES, _DATA),
    Kind.START: (_CONTRAINDICATED, _EXPERT, _REFUSES, _DATA),
    Kind.CHOOSE: (_CONTRAINDICATED, _EXPERT, _ALTERNATIVE, _UNAVAILABLE, _DATA),
    Kind.ORDER_TEST: (_DONE, _ORDERED, _REFUSES, _UNAVAILABLE, _DATA),
    Kind.ASK: (_JUDGED, _DONE, _PENDING, _DATA),
    Kind.INFORM: (_JUDGED, _DATA),
}


def override_reasons(item: Recommendation) -> tuple[OverrideReason, ...]:
    """The reasons that fit a card; none for one that only informs and asks for nothing."""
    if item.severity == "info" and item.kind in (Kind.INFORM, Kind.CHOOSE):
        return ()
    return _FITTING[item.kind]


def all_override_reasons() -> tuple[OverrideReason, ...]:
    """Every reason that a card may carry, in the order of the code systems."""
    found = {(item.system, item.code): item for group in _FITTING.values() for item in group}
    return tuple(found[key] for key in sorted(found))

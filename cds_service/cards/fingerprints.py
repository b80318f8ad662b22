"""What makes two cards the same one: the patient, the rules and the facts behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from cds_service.alk import Kind, Recommendation, Topic
from cds_service.rules import Evidence, Finding

_NEVER_QUIET = frozenset({Kind.STOP, Kind.WITHHOLD})


def fingerprint(patient_key: str, recommendations: Iterable[Recommendation]) -> str:
    """64 hexadecimal digits that stay the same until a fact behind the card changes.

    A new result, another day of a test or a more severe answer gives another fingerprint. Where
    the card is shown and how the EHR numbers its draft orders does not. `patient_key` is opaque.
    """
    content = [patient_key, [_basis(item) for item in recommendations]]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


def _basis(item: Recommendation) -> list[Any]:
    evidence = {
        (used.source, used.day.isoformat() if used.day is not None else "", _said(used))
        for trace in (item.trace, item.until)
        if trace is not None
        for used in trace.evidence
    }
    ordered = sorted(item.order.ingredients) if item.order is not None else []
    return [
        item.rule_id,
        item.kind.value,
        item.severity,
        item.drug or "",
        ordered,
        sorted([test.test, test.status] for test in item.tests),
        sorted([option.drug, option.place] for option in item.options),
        sorted([reason.subject, reason.kind_name] for reason in item.reasons),
        [_basis(other) for other in item.also],
        sorted(evidence),
    ]


def _said(used: Evidence) -> str:
    """What was sent. A finding that is confirmed or becomes graver is another fact."""
    if isinstance(used, Finding):
        return f"{used.as_sent} {used.status} {used.grade}"
    return used.as_sent


def may_be_quiet(recommendations: Iterable[Recommendation]) -> bool:
    """Whether a card may be left out because somebody answered it before.

    Whatever is critical, asks to stop or to hold a drug, or says that the check was not whole, is
    said each time.
    """
    return not any(
        item.severity == "critical" or item.kind in _NEVER_QUIET or item.topic is Topic.AVAILABILITY
        for item in recommendations
    )

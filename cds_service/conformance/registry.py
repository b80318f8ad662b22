"""Every check, in the order in which a report shows them."""

from __future__ import annotations

from cds_service.conformance import (
    actions,
    callers,
    calls,
    cards,
    discovery,
    documents,
    feedback,
    refusals,
    templates,
)
from cds_service.conformance.checks import Check

CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (
        documents,
        discovery,
        templates,
        cards,
        actions,
        calls,
        refusals,
        callers,
        feedback,
    )
    for check in module.CHECKS
)


def checks_of(clause: str) -> tuple[Check, ...]:
    """The checks that ask about one clause."""
    return tuple(check for check in CHECKS if clause in check.clauses)

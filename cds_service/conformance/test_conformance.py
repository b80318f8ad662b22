"""One test for each check; see `cds_service.conformance.plugin` for how to run them."""

from __future__ import annotations

import warnings

import pytest

from cds_service.conformance.checks import Check, Outcome
from cds_service.conformance.registry import CHECKS
from cds_service.conformance.subject import Subject


@pytest.mark.parametrize(
    "check", [pytest.param(item, id=f"{item.clauses[0]}-{item.id}") for item in CHECKS]
)
def test_clause(check: Check, subject: Subject) -> None:
    """The check passes against the service."""
    result = check.run(subject)
    told = "; ".join((check.title, *result.says))
    if result.outcome is Outcome.NOT_TESTED:
        pytest.skip("; ".join(result.says))
    if result.outcome in (Outcome.FAILED, Outcome.UNSAFE):
        pytest.fail(told, pytrace=False)
    if result.outcome is not Outcome.PASSED:
        warnings.warn(f"{result.outcome.value}: {told}", stacklevel=1)

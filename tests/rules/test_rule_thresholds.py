"""What a leaf on a measured quantity is compared with: the line that a picture of its values draws.

Each kind of condition on a number is here, since each is a class of its own.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from rule_samples import result, results, trace_of

FACTS = {"ALT": results(result("6", "1"), result("1", "1", ago=1), result("6", "1", ago=2))}


@pytest.mark.parametrize(
    "rule",
    [
        "ALT > 5 xULN",
        "any ALT > 5 xULN in the last 30 days",
        "second episode of ALT > 5 xULN",
        "second episode of ALT > 5 xULN recovering to <= 3 xULN",
        "at least 2 results of ALT > 5 xULN",
    ],
)
def test_a_condition_on_a_number_names_what_it_is_compared_with(rule: str) -> None:
    trace = trace_of(rule, FACTS)
    assert trace.subject == "ALT"
    assert trace.threshold is not None
    amount = trace.threshold.amount
    assert (trace.threshold.operator, amount.number, amount.unit) == (">", Decimal(5), "xULN")

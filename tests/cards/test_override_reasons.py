"""Reasons for setting a card aside fit what it asks for."""

from __future__ import annotations

import pytest

from cds_service.alk import Kind, Recommendation, Topic
from cds_service.cards.override_reasons import (
    OVERRIDE_SYSTEM,
    STANDARD_SYSTEM,
    all_override_reasons,
    override_reasons,
)


def _reasons(kind: Kind, severity: str) -> list[str]:
    item = Recommendation(kind, Topic.TOXICITY, "a-rule", severity)
    return [reason.code or "" for reason in override_reasons(item)]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_card_that_asks_for_something_can_be_set_aside(kind: Kind) -> None:
    reasons = _reasons(kind, "warning")
    assert 2 <= len(reasons) <= 5
    assert "data-not-current" in reasons


def test_a_due_test_may_be_done_already_and_a_hold_may_not() -> None:
    assert "action-completed" in _reasons(Kind.ORDER_TEST, "info")
    assert "action-completed" not in _reasons(Kind.WITHHOLD, "warning")


@pytest.mark.parametrize("kind", [Kind.INFORM, Kind.CHOOSE])
def test_what_only_informs_needs_no_reason(kind: Kind) -> None:
    assert _reasons(kind, "info") == []


def test_each_code_has_one_system_and_one_wording() -> None:
    reasons = all_override_reasons()
    assert {reason.system for reason in reasons} == {STANDARD_SYSTEM, OVERRIDE_SYSTEM}
    assert len({reason.code for reason in reasons}) == len(reasons)
    assert len({reason.display for reason in reasons}) == len(reasons)

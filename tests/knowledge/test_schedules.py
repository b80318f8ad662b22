"""Monitoring intervals: how they are written and on which day a test is due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.knowledge.schedules import check_phase, next_due, parse_phase, within
from cds_service.rules import Span


@pytest.mark.parametrize(
    ("text", "every", "lasts"),
    [
        ("every 2 weeks for 3 months", Span(2, "weeks"), Span(3, "months")),
        ("every 1 month", Span(1, "months"), None),
        ("every 14 days", Span(14, "days"), None),
        (" every 1 week for 1 month ", Span(1, "weeks"), Span(1, "months")),
    ],
)
def test_an_interval_is_read(text: str, every: Span, lasts: Span | None) -> None:
    phase = parse_phase(text)
    assert (phase.every, phase.lasts) == (every, lasts)
    assert check_phase(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "monthly", "every week", "every two weeks", "every 2 years", "every 2 weeks for",
     "every 2 weeks for ever", "2 weeks", "every 2.5 weeks", "every 2 weeks and more"],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    assert "every 2 weeks for 3 months" in (check_phase(text) or "")
    with pytest.raises(ValueError, match="every 2 weeks for 3 months"):
        parse_phase(text)


@pytest.mark.parametrize(
    ("last", "every", "due"),
    [
        (date(2026, 11, 6), Span(2, "weeks"), date(2026, 11, 20)),
        (date(2026, 10, 20), Span(1, "months"), date(2026, 11, 20)),
        (date(2026, 1, 31), Span(1, "months"), date(2026, 3, 1)),
        (date(2024, 1, 31), Span(1, "months"), date(2024, 3, 1)),
        (date(2026, 2, 28), Span(1, "months"), date(2026, 3, 28)),
        (date(2026, 11, 20), Span(3, "months"), date(2027, 2, 20)),
        (date(2025, 12, 31), Span(2, "months"), date(2026, 3, 1)),
        (date(2026, 11, 20), Span(10, "days"), date(2026, 11, 30)),
    ],
)
def test_a_test_is_due_again_after_its_interval(last: date, every: Span, due: date) -> None:
    assert next_due(last, every) == due


@pytest.mark.parametrize(
    ("day", "inside"),
    [(date(2026, 8, 20), True), (date(2026, 11, 20), True), (date(2026, 11, 21), False)],
)
def test_a_phase_holds_up_to_and_including_its_last_day(day: date, inside: bool) -> None:
    assert within(date(2026, 8, 20), Span(3, "months"), day) is inside


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 24),
    st.sampled_from(["days", "weeks", "months"]),
)
def test_the_due_day_is_the_first_one_that_lies_the_interval_after(
    last: date, number: int, unit: str
) -> None:
    every = Span(number, unit)
    due = next_due(last, every)
    assert every.before(due) >= last
    assert every.before(due - timedelta(days=1)) < last


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 12))
def test_the_due_day_never_comes_earlier_for_a_later_test(last: date, number: int) -> None:
    every = Span(number, "months")
    assert next_due(last, every) <= next_due(last + timedelta(days=1), every)

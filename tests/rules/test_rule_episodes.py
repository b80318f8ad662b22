"""Counting episodes: where they begin and end, windows, recovery levels, doubtful results."""

from __future__ import annotations

import pytest
from rule_samples import kinds_of, result, results, trace_of, verdict_of

from cds_service.rules import ReasonKind, Series, Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


def _alt(*values: str | None) -> dict[str, Series]:
    """ALT of the last days, oldest first, one a day, the last one today; None is unusable."""
    unusable = ReasonKind.UNKNOWN_UNIT
    found = [
        result(value, "40", ago=len(values) - 1 - index, problem=None if value else unusable)
        for index, value in enumerate(values)
    ]
    return {"ALT": results(*reversed(found))}


def _certain_numbers(rule: str, facts: dict[str, Series]) -> list[int]:
    """Every number N for which ``at least N episodes`` is certain."""
    return [
        number
        for number in range(1, 8)
        if verdict_of(rule.replace(" N ", f" {number} "), facts) is MET
    ]


PLAIN = "at least N episodes of ALT > 5 xULN"
RECOVERING = "at least N episodes of ALT > 5 xULN recovering to <= 2.5 xULN"


@pytest.mark.parametrize(
    ("values", "plain", "recovering"),
    [
        (("100",), 0, 0),
        (("200",), 0, 0),
        (("201",), 1, 1),
        (("201", "300"), 1, 1),
        (("201", "200", "201"), 2, 1),
        (("201", "101", "201"), 2, 1),
        (("201", "100", "201"), 2, 2),
        (("100", "201", "99", "201", "150", "201"), 3, 2),
        (("201", "150", "100", "150", "201"), 2, 2),
    ],
)
def test_an_episode_ends_at_its_recovery_level_or_when_the_comparison_fails(
    values: tuple[str, ...], plain: int, recovering: int
) -> None:
    facts = _alt(*values)
    assert _certain_numbers(PLAIN, facts) == list(range(1, plain + 1))
    assert _certain_numbers(RECOVERING, facts) == list(range(1, recovering + 1))


@pytest.mark.parametrize(
    ("ordinal", "expected"),
    [
        ("first", (NOT_MET, MET, NOT_MET, NOT_MET)),
        ("second", (NOT_MET, NOT_MET, MET, NOT_MET)),
        ("first or later", (NOT_MET, MET, MET, MET)),
        ("second or later", (NOT_MET, NOT_MET, MET, MET)),
        ("third or later", (NOT_MET, NOT_MET, NOT_MET, MET)),
    ],
)
def test_an_ordinal_asks_for_just_that_episode_and_or_later_for_more(
    ordinal: str, expected: tuple[Verdict, ...]
) -> None:
    rule = f"{ordinal} episode of ALT > 5 xULN"
    courses = (("40",), ("300",), ("300", "40", "300"), ("300", "40", "300", "40", "300"))
    assert tuple(verdict_of(rule, _alt(*course)) for course in courses) == expected


def test_an_unusable_result_that_could_be_an_episode_of_its_own_leaves_the_count_open() -> None:
    facts = _alt("40", None, "40", "300")
    assert verdict_of("first episode of ALT > 5 xULN", facts) is UNKNOWN
    assert kinds_of("first episode of ALT > 5 xULN", facts) == {ReasonKind.UNKNOWN_UNIT}
    assert verdict_of("first or later episode of ALT > 5 xULN", facts) is MET
    assert verdict_of("third or later episode of ALT > 5 xULN", facts) is NOT_MET


@pytest.mark.parametrize("values", [(None, "300"), ("300", None), ("300", "40", None, "300")])
def test_an_unusable_result_that_cannot_add_an_episode_changes_nothing(
    values: tuple[str | None, ...],
) -> None:
    episodes = sum(value == "300" for value in values)
    word = {1: "first", 2: "second"}[episodes]
    assert verdict_of(f"{word} episode of ALT > 5 xULN", _alt(*values)) is MET


def test_an_unusable_result_inside_an_episode_may_have_been_the_recovery() -> None:
    facts = _alt("300", None, "300")
    assert verdict_of("second episode of ALT > 5 xULN", facts) is UNKNOWN
    assert verdict_of("first or later episode of ALT > 5 xULN", facts) is MET


def test_two_unusable_results_in_a_row_are_at_most_one_episode() -> None:
    facts = _alt("40", None, None, "40")
    assert verdict_of("first or later episode of ALT > 5 xULN", facts) is UNKNOWN
    assert verdict_of("second or later episode of ALT > 5 xULN", facts) is NOT_MET


def test_a_bound_that_settles_the_comparison_but_not_the_recovery_leaves_the_end_open() -> None:
    rule = "second or later episode of ALT > 200 U/L recovering to <= 100 U/L"
    assert verdict_of(rule, _alt("300", "<150", "300")) is UNKNOWN
    assert kinds_of(rule, _alt("300", "<150", "300")) == {ReasonKind.IMPRECISE}
    assert verdict_of(rule, _alt("300", "<100", "300")) is MET
    assert verdict_of(rule, _alt("300", ">150", "300")) is NOT_MET


def test_an_episode_counts_in_the_window_in_which_it_began() -> None:
    rule = "first or later episode of ALT > 100 U/L in the last 28 days"
    begun_before = results(result("300", ago=1), result("300", ago=29), result("40", ago=30))
    begun_inside = results(result("300", ago=1), result("300", ago=28), result("40", ago=30))
    assert verdict_of(rule, {"ALT": begun_before}) is NOT_MET
    assert verdict_of(rule, {"ALT": begun_inside}) is MET


def test_a_window_in_which_nothing_was_measured_tells_nothing() -> None:
    rule = "second or later episode of ALT > 100 U/L in the last 28 days"
    facts = {"ALT": results(result("20", ago=29))}
    assert verdict_of(rule, facts) is UNKNOWN
    assert kinds_of(rule, facts) == {ReasonKind.MISSING}


def test_results_that_contradict_each_other_leave_the_count_open_in_any_order() -> None:
    high, low, latest = result("300", ago=1), result("40", ago=1), result("300")
    for pair in ((high, low), (low, high)):
        facts = {"ALT": results(latest, *pair)}
        assert verdict_of("first episode of ALT > 100 U/L", facts) is MET
        facts = {"ALT": results(latest, *pair, result("300", ago=2))}
        assert verdict_of("first episode of ALT > 100 U/L", facts) is UNKNOWN


def test_an_episode_of_tomorrow_has_not_begun() -> None:
    facts = {"ALT": results(result("300", ago=-1), result("40"))}
    assert verdict_of("first or later episode of ALT > 100 U/L", facts) is NOT_MET


def test_episodes_against_a_missing_range_are_unknown() -> None:
    facts = {"ALT": results(result("300"))}
    assert kinds_of("first episode of ALT > 5 xULN", facts) == {ReasonKind.NO_REFERENCE_RANGE}


def test_a_trace_names_the_results_with_which_the_episodes_began() -> None:
    second, between, first = result("300"), result("40", ago=1), result("301", ago=2)
    facts = {"ALT": results(second, between, first)}
    trace = trace_of("second episode of ALT > 100 U/L", facts)
    assert trace.used == (first, second)
    assert "18 Nov 2026, 20 Nov 2026" in trace.sentence

"""Counting separate results: which are one, which are several, what doubtful ones leave open."""

from __future__ import annotations

import pytest
from rule_samples import compiled, kinds_of, result, results, trace_of, verdict_of

from cds_service.rules import Measurement, ReasonKind, Series, Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
TWO = "at least 2 results of ALT > 200 U/L"


def _alt(*found: Measurement) -> dict[str, Series]:
    return {"ALT": results(*found)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("201",), NOT_MET),
        (("201", "200"), NOT_MET),
        (("201", "200.01"), MET),
        (("201", "201"), MET),
        (("40", "201", "40", "201"), MET),
        (("201", "202", "203"), MET),
    ],
)
def test_results_of_different_days_are_separate(values: tuple[str, ...], expected: Verdict) -> None:
    found = [result(value, ago=index) for index, value in enumerate(values)]
    assert verdict_of(TWO, _alt(*found)) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((result("300", hour=20), result("300", hour=8)), MET),
        ((result("300", hour=8), result("300", hour=8)), NOT_MET),
        ((result("300", hour=8), result("310", hour=8)), NOT_MET),
        ((result("300"), result("300")), NOT_MET),
        ((result("300"), result("300", hour=8)), NOT_MET),
        ((result("300"), result("300", hour=20), result("300", hour=8)), MET),
        ((result("300"), result("310")), UNKNOWN),
        ((result("310"), result("300", hour=8)), UNKNOWN),
        ((result("310"), result("320", hour=20), result("300", hour=8)), MET),
        ((result("40"), result("320", hour=20), result("300", hour=8)), UNKNOWN),
    ],
)
def test_results_of_one_day_are_separate_only_if_their_times_say_so(
    found: tuple[Measurement, ...], expected: Verdict
) -> None:
    assert verdict_of(TWO, _alt(*found)) is expected
    assert verdict_of(TWO, _alt(*reversed(found))) is expected


def test_what_may_be_one_result_or_two_is_called_contradictory() -> None:
    facts = _alt(result("300"), result("310"))
    assert kinds_of(TWO, facts) == {ReasonKind.CONTRADICTORY}
    assert "several results on 20 Nov 2026 that may be one" in trace_of(TWO, facts).sentence
    assert verdict_of("at least 1 result of ALT > 200 U/L", facts) is MET
    assert verdict_of("at least 3 results of ALT > 200 U/L", facts) is NOT_MET


@pytest.mark.parametrize(
    ("doubtful", "kind"),
    [
        (result(">190", ago=1), ReasonKind.IMPRECISE),
        (result("<900", ago=1), ReasonKind.IMPRECISE),
        (result(None, ago=1, problem=ReasonKind.UNKNOWN_UNIT), ReasonKind.UNKNOWN_UNIT),
        (result(None, ago=1), ReasonKind.MISSING),
    ],
)
def test_a_doubtful_result_may_count_and_may_not(doubtful: Measurement, kind: ReasonKind) -> None:
    assert verdict_of(TWO, _alt(result("300"), doubtful)) is UNKNOWN
    assert kinds_of(TWO, _alt(result("300"), doubtful)) == {kind}
    assert verdict_of(TWO, _alt(result("40"), doubtful)) is NOT_MET
    assert verdict_of(TWO, _alt(result("300"), doubtful, result("300", ago=2))) is MET


def test_a_bound_that_settles_the_comparison_counts() -> None:
    assert verdict_of(TWO, _alt(result(">=201"), result(">200", ago=1))) is MET
    assert verdict_of(TWO, _alt(result("300"), result("<=200", ago=1))) is NOT_MET


def test_a_result_without_its_reference_range_may_count_and_may_not() -> None:
    rule = "at least 2 results of ALT > 5 xULN"
    known, bare = result("300", "40"), result("300", ago=1)
    assert verdict_of(rule, _alt(known, bare)) is UNKNOWN
    assert kinds_of(rule, _alt(known, bare)) == {ReasonKind.NO_REFERENCE_RANGE}
    assert verdict_of(rule, _alt(known, result("300", "60", ago=1))) is NOT_MET
    assert verdict_of(rule, _alt(known, result("300", "59.9", ago=1))) is MET


def test_a_doubtful_repeat_takes_nothing_from_a_certain_result() -> None:
    unusable = result(None, hour=8, problem=ReasonKind.UNKNOWN_UNIT)
    found = (result("300", hour=8), unusable, result("300", ago=1))
    assert verdict_of(TWO, _alt(*found)) is MET


def test_one_moment_with_results_on_both_sides_may_count_and_may_not() -> None:
    facts = _alt(result("300", hour=8), result("40", hour=8), result("300", ago=1))
    assert verdict_of(TWO, facts) is UNKNOWN
    assert kinds_of(TWO, facts) == {ReasonKind.CONTRADICTORY}
    assert verdict_of("at least 1 result of ALT > 200 U/L", facts) is MET


def test_only_results_in_the_window_count_and_its_first_day_belongs_to_it() -> None:
    rule = f"{TWO} in the last 30 days"
    assert verdict_of(rule, _alt(result("300"), result("300", ago=30))) is MET
    assert verdict_of(rule, _alt(result("300"), result("300", ago=31))) is NOT_MET
    assert verdict_of(TWO, _alt(result("300"), result("300", ago=31))) is MET


def test_where_nothing_was_measured_nothing_can_be_said() -> None:
    assert kinds_of(TWO, {}) == {ReasonKind.MISSING}
    assert kinds_of(TWO, _alt()) == {ReasonKind.MISSING}
    assert kinds_of(TWO, _alt(result("300", ago=-1))) == {ReasonKind.MISSING}
    old = _alt(result("300", ago=31), result("300", ago=32))
    assert kinds_of(f"{TWO} in the last 30 days", old) == {ReasonKind.MISSING}
    assert verdict_of(f"not {TWO}", {}) is UNKNOWN


def test_a_result_of_tomorrow_does_not_count() -> None:
    assert verdict_of(TWO, _alt(result("300", ago=-1), result("300"))) is NOT_MET


def test_a_trace_names_the_results_that_count() -> None:
    first, second, low = result("300", ago=2), result("301"), result("40", ago=1)
    trace = trace_of(TWO, _alt(second, low, first))
    assert trace.used == (second, first)
    assert trace.sentence == (
        "Results with ALT > 200 U/L: 301 on 20 Nov 2026; 300 on 18 Nov 2026; so this holds."
    )
    failed = trace_of(TWO, _alt(low))
    assert failed.used == (low,)
    assert failed.sentence == "Results with ALT > 200 U/L: none; so this does not hold."


def test_counting_gives_no_signal_because_the_latest_result_need_not_meet_it() -> None:
    # A caller that skips days without a signal would otherwise skip a day on which this holds.
    assert compiled(TWO).signals == ()
    assert len(compiled(f"{TWO} and ALT > 100 U/L").signals) == 1
    assert compiled(f"{TWO} or ALT > 100 U/L").signals == ()

"""Comparing measured quantities: boundaries, limits, units, bounds, age, order, duration."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from rule_samples import AS_OF, compiled, kinds_of, on, result, results, trace_of, verdict_of

from cds_service.rules import Measurement, Reason, ReasonKind, Series, Span, Verdict
from cds_service.rules.measured_leaves import multiple

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
# For each operator: the verdict for a value below, exactly on and above the number.
OPERATORS = {
    ">": (NOT_MET, NOT_MET, MET),
    ">=": (NOT_MET, MET, MET),
    "<": (MET, NOT_MET, NOT_MET),
    "<=": (MET, MET, NOT_MET),
    "=": (NOT_MET, MET, NOT_MET),
    "!=": (MET, NOT_MET, MET),
}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("multiple_of_limit", "limit", "around"),
    [
        ("3", "1.1", ("3.29", "3.3", "3.31")),
        ("3", "1.2", ("3.59", "3.6", "3.61")),
        ("3", "0.7", ("2.0999", "2.1", "2.1001")),
        ("1.5", "1.1", ("1.649", "1.65", "1.651")),
        ("2.5", "40", ("99.999", "100", "100.001")),
        ("5", "40", ("199", "200", "201")),
        ("0.1", "3", ("0.29", "0.3", "0.31")),
    ],
)
def test_a_multiple_of_the_upper_limit_is_exact_at_the_boundary(
    operator: str, multiple_of_limit: str, limit: str, around: tuple[str, str, str]
) -> None:
    rule = f"ALT {operator} {multiple_of_limit} xULN"
    found = tuple(verdict_of(rule, {"ALT": results(result(value, limit))}) for value in around)
    assert found == OPERATORS[operator]


def test_the_values_above_are_ones_where_floating_point_division_lies() -> None:
    assert 3.3 / 1.1 != 3
    assert 2.1 / 0.7 != 3
    assert 3.6 / 1.2 != 3 or 3 * 1.2 != 3.6


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_multiple_of_the_baseline_is_exact_at_the_boundary(operator: str) -> None:
    found = tuple(
        verdict_of(f"ALT {operator} 3 xbaseline", {"ALT": results(result(value), baseline="1.1")})
        for value in ("3.29", "3.3", "3.31")
    )
    assert found == OPERATORS[operator]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("rule", "around"),
    [
        ("total bilirubin {} 2 mg/dL", ("34.19", "34.2", "34.21")),
        ("total bilirubin {} 34.2 umol/L", ("34.19", "34.2", "34.21")),
        ("ALT {} 0.7 ukat/L", ("41.9", "42", "42.1")),
        ("heart rate {} 60 bpm", ("59", "60", "61")),
        ("pneumonitis {} grade 3", ("2", "3", "4")),
        ("ECOG performance status {} 1", ("0", "1", "2")),
    ],
)
def test_a_threshold_is_converted_exactly(
    operator: str, rule: str, around: tuple[str, str, str]
) -> None:
    asked = compiled(rule.format(operator))
    (name,) = asked.facts_named
    found = tuple(verdict_of(asked.text, {name: results(result(value))}) for value in around)
    assert found == OPERATORS[operator]


# -- what is missing ----------------------------------------------------------------------------


def test_no_series_and_an_empty_series_are_missing() -> None:
    for facts in ({}, {"ALT": results()}):
        for rule in ("ALT > 5 xULN", "any ALT > 1 U/L", "first episode of ALT > 1 U/L"):
            assert verdict_of(rule, facts) is UNKNOWN
            assert kinds_of(rule, facts) == {ReasonKind.MISSING}


def test_a_result_without_its_range_is_unknown_in_multiples_and_known_in_units() -> None:
    facts = {"ALT": results(result("4000"))}
    assert kinds_of("ALT > 5 xULN", facts) == {ReasonKind.NO_REFERENCE_RANGE}
    assert verdict_of("ALT > 200 U/L", facts) is MET


def test_the_range_of_another_result_is_never_borrowed() -> None:
    facts = {"ALT": results(result("4000"), result("50", "40", ago=1))}
    assert verdict_of("ALT > 5 xULN", facts) is UNKNOWN


def test_each_result_is_compared_with_its_own_range() -> None:
    facts = {"ALT": results(result("120", "60"), result("120", "40", ago=1))}
    assert verdict_of("ALT >= 3 xULN", facts) is NOT_MET
    assert verdict_of("any ALT >= 3 xULN", facts) is MET


def test_without_a_usable_baseline_a_multiple_of_it_is_unknown() -> None:
    for baseline in (None, "<30"):
        facts = {"ALT": results(result("400"), baseline=baseline)}
        assert verdict_of("ALT > 1.5 xbaseline", facts) is UNKNOWN
        assert kinds_of("ALT > 1.5 xbaseline", facts) == {ReasonKind.MISSING}


@pytest.mark.parametrize(
    ("value", "expected"), [("79.9", NOT_MET), ("80", MET), ("80.1", MET), (">80", MET)]
)
def test_a_rise_above_the_baseline_is_exact_at_the_boundary(value: str, expected: Verdict) -> None:
    facts = {"ALT": results(result(value), baseline="20")}
    assert verdict_of("ALT >= 60 U/L above baseline", facts) is expected


def test_without_a_usable_baseline_a_rise_above_it_is_unknown() -> None:
    for baseline in (None, "<30"):
        facts = {"ALT": results(result("400"), baseline=baseline)}
        assert verdict_of("ALT >= 60 U/L above baseline", facts) is UNKNOWN
        assert kinds_of("ALT >= 60 U/L above baseline", facts) == {ReasonKind.MISSING}


def test_a_baseline_that_is_yet_to_come_is_no_baseline() -> None:
    later = result("10", ago=-3)
    assert kinds_of("ALT > 1.5 xbaseline", {"ALT": Series((result("400"),), later)}) == {
        ReasonKind.MISSING
    }


def test_a_result_in_an_unknown_unit_is_unknown_and_hides_no_older_one() -> None:
    broken = result(None, "40", problem=ReasonKind.UNKNOWN_UNIT)
    facts = {"ALT": results(broken, result("20", "40", ago=1))}
    assert kinds_of("ALT > 5 xULN", facts) == {ReasonKind.UNKNOWN_UNIT}


def test_a_result_without_a_number_is_missing() -> None:
    facts = {"ALT": results(result(None, "40"))}
    assert kinds_of("ALT > 5 xULN", facts) == {ReasonKind.MISSING}
    assert verdict_of("ALT known", facts) is NOT_MET


# -- results that are only known as a bound -----------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "rule", "expected"),
    [
        ("<5", "< 5", MET), ("<5", "<= 5", MET), ("<5", "> 5", NOT_MET), ("<5", ">= 5", NOT_MET),
        ("<5", "= 5", NOT_MET), ("<5", "!= 5", MET), ("<5", "< 4", UNKNOWN), ("<5", "> 4", UNKNOWN),
        ("<5", "= 4", UNKNOWN), ("<5", "!= 4", UNKNOWN), ("<5", "< 6", MET), ("<5", "> 6", NOT_MET),
        ("<=5", "< 5", UNKNOWN), ("<=5", "<= 5", MET), ("<=5", "> 5", NOT_MET),
        ("<=5", ">= 5", UNKNOWN), ("<=5", "= 5", UNKNOWN), ("<=5", "!= 5", UNKNOWN),
        (">5", "> 5", MET), (">5", ">= 5", MET), (">5", "< 5", NOT_MET), (">5", "<= 5", NOT_MET),
        (">5", "= 5", NOT_MET), (">5", "> 6", UNKNOWN), (">5", "< 6", UNKNOWN), (">5", "> 4", MET),
        (">=5", "> 5", UNKNOWN), (">=5", ">= 5", MET), (">=5", "< 5", NOT_MET),
        (">=5", "<= 5", UNKNOWN), (">=5", "= 5", UNKNOWN), (">=5", "!= 4", MET),
    ],
)  # fmt: skip
def test_a_bound_decides_only_what_it_settles(sent: str, rule: str, expected: Verdict) -> None:
    facts = {"ALT": results(result(sent))}
    assert verdict_of(f"ALT {rule} U/L", facts) is expected
    if expected is UNKNOWN:
        assert kinds_of(f"ALT {rule} U/L", facts) == {ReasonKind.IMPRECISE}


# -- age ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "ago", "expected"),
    [
        ("ALT > 1 U/L", 14, MET), ("ALT > 1 U/L", 15, UNKNOWN),
        ("ALT > 1 U/L within 3 days", 3, MET), ("ALT > 1 U/L within 3 days", 4, UNKNOWN),
        ("ALT > 1 U/L within 4 weeks", 28, MET), ("ALT > 1 U/L within 4 weeks", 29, UNKNOWN),
        ("pneumonitis >= grade 1", 4000, MET),
    ],
)  # fmt: skip
def test_the_latest_result_goes_stale(rule: str, ago: int, expected: Verdict) -> None:
    facts = {name: results(result("2", ago=ago)) for name in ("ALT", "pneumonitis")}
    assert verdict_of(rule, facts) is expected
    if expected is UNKNOWN:
        assert kinds_of(rule, facts) == {ReasonKind.STALE}


def test_a_result_of_tomorrow_is_not_known_today() -> None:
    facts = {"ALT": results(result("400", ago=-1), result("20"))}
    assert verdict_of("ALT > 100 U/L", facts) is NOT_MET
    assert verdict_of("any ALT > 100 U/L", facts) is NOT_MET
    assert verdict_of("ALT > 100 U/L", {"ALT": results(result("400", ago=-1))}) is UNKNOWN
    assert verdict_of("ALT known", {"ALT": results(result("400", ago=-1))}) is NOT_MET


@pytest.mark.parametrize(
    ("span", "day", "expected"),
    [
        (Span(1, "months"), date(2026, 3, 31), date(2026, 2, 28)),
        (Span(1, "months"), date(2024, 3, 31), date(2024, 2, 29)),
        (Span(1, "months"), date(2024, 3, 29), date(2024, 2, 29)),
        (Span(1, "months"), date(2026, 1, 31), date(2025, 12, 31)),
        (Span(13, "months"), date(2026, 1, 31), date(2024, 12, 31)),
        (Span(6, "months"), date(2026, 8, 31), date(2026, 2, 28)),
        (Span(1, "years"), date(2024, 2, 29), date(2023, 2, 28)),
        (Span(4, "years"), date(2024, 2, 29), date(2020, 2, 29)),
        (Span(1, "days"), date(2024, 3, 1), date(2024, 2, 29)),
        (Span(2, "weeks"), date(2026, 1, 1), date(2025, 12, 18)),
    ],
)
def test_a_span_ends_on_a_day_that_exists(span: Span, day: date, expected: date) -> None:
    assert span.before(day) == expected


@pytest.mark.parametrize(
    ("rule", "as_of", "day", "expected"),
    [
        ("ALT > 1 U/L within 1 month", date(2026, 3, 31), date(2026, 2, 28), MET),
        ("ALT > 1 U/L within 1 month", date(2026, 3, 31), date(2026, 2, 27), UNKNOWN),
        ("ALT > 1 U/L within 1 year", date(2024, 2, 29), date(2023, 2, 28), MET),
        ("ALT > 1 U/L within 1 year", date(2024, 2, 29), date(2023, 2, 27), UNKNOWN),
    ],
)
def test_windows_reach_across_month_ends_and_leap_days(
    rule: str, as_of: date, day: date, expected: Verdict
) -> None:
    assert verdict_of(rule, {"ALT": results(result("2", day=day))}, as_of) is expected


# -- any and every ------------------------------------------------------------------------------


def test_any_is_met_by_one_result_inside_the_window_only() -> None:
    rule = "any ALT > 100 U/L in the last 28 days"
    recent, old = result("20", ago=1), result("400", ago=29)
    assert verdict_of(rule, {"ALT": results(recent, result("400", ago=28))}) is MET
    assert verdict_of(rule, {"ALT": results(recent, old)}) is NOT_MET
    assert verdict_of(rule, {"ALT": results(old)}) is UNKNOWN
    assert kinds_of(rule, {"ALT": results(old)}) == {ReasonKind.MISSING}


def test_every_is_broken_by_one_result_and_left_open_by_an_unusable_one() -> None:
    rule = "every ALT <= 100 U/L in the last 28 days"
    fine, high = result("20", ago=1), result("101", ago=2)
    broken = result(None, ago=3, problem=ReasonKind.UNKNOWN_UNIT)
    assert verdict_of(rule, {"ALT": results(fine, fine)}) is MET
    assert verdict_of(rule, {"ALT": results(fine, high, broken)}) is NOT_MET
    assert verdict_of(rule, {"ALT": results(fine, broken)}) is UNKNOWN
    assert kinds_of(rule, {"ALT": results(fine, broken)}) == {ReasonKind.UNKNOWN_UNIT}
    assert verdict_of(rule, {"ALT": results(result("20", ago=29))}) is UNKNOWN


def test_any_is_met_although_another_result_is_unusable() -> None:
    broken = result(None, problem=ReasonKind.UNKNOWN_UNIT)
    facts = {"ALT": results(broken, result("400", ago=1))}
    assert verdict_of("any ALT > 100 U/L", facts) is MET
    assert verdict_of("any ALT > 500 U/L", facts) is UNKNOWN


# -- several results at one moment --------------------------------------------------------------


def test_simultaneous_results_must_agree_on_the_answer() -> None:
    for pair in ((result("90"), result("110")), (result("110"), result("90"))):
        facts = {"ALT": results(*pair)}
        assert verdict_of("ALT > 100 U/L", facts) is UNKNOWN
        assert kinds_of("ALT > 100 U/L", facts) == {ReasonKind.CONTRADICTORY}
        assert verdict_of("ALT > 50 U/L", facts) is MET
        assert verdict_of("ALT > 200 U/L", facts) is NOT_MET


def test_one_unusable_result_of_a_moment_leaves_it_open() -> None:
    broken = result(None, problem=ReasonKind.UNKNOWN_UNIT)
    for pair in ((result("110"), broken), (broken, result("110"))):
        assert kinds_of("ALT > 100 U/L", {"ALT": results(*pair)}) == {ReasonKind.UNKNOWN_UNIT}


def test_the_later_hour_of_a_day_counts() -> None:
    facts = {"ALT": results(result("90", hour=20), result("110", hour=8))}
    assert verdict_of("ALT > 100 U/L", facts) is NOT_MET


def test_a_result_without_an_hour_may_be_the_latest_of_its_day() -> None:
    untimed, timed = result("110"), result("90", hour=8)
    for pair in ((untimed, timed), (timed, untimed)):
        assert kinds_of("ALT > 100 U/L", {"ALT": results(*pair)}) == {ReasonKind.CONTRADICTORY}


def test_one_instant_in_two_time_zones_is_one_moment() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=2)))
    pair = [
        Measurement(Decimal(value), AS_OF, when) for value, when in ((90, noon), (110, elsewhere))
    ]
    assert kinds_of("ALT > 100 U/L", {"ALT": results(*pair)}) == {ReasonKind.CONTRADICTORY}


# -- for at least -------------------------------------------------------------------------------

LASTING = "ALT > 100 U/L for at least 14 days"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([(0, "110"), (14, "110")], MET),
        ([(0, "110"), (13, "110")], UNKNOWN),
        ([(0, "110")], UNKNOWN),
        ([(0, "110"), (13, "110"), (14, "90")], NOT_MET),
        ([(0, "110"), (13, "110"), (15, "90")], UNKNOWN),
        ([(0, "110"), (7, "90"), (14, "110")], NOT_MET),
        ([(0, "90"), (14, "110")], NOT_MET),
        ([(0, "110"), (7, None), (14, "110")], UNKNOWN),
        ([(0, "110"), (7, None), (10, "90")], NOT_MET),
        ([(0, "110"), (14, "110"), (15, None), (16, "90")], MET),
        ([(0, None), (14, "110")], UNKNOWN),
        ([(15, "110"), (40, "110")], UNKNOWN),
        ([(3, "110"), (17, "110")], MET),
    ],
)
def test_how_long_a_condition_lasted(days: list[tuple[int, str | None]], expected: Verdict) -> None:
    unusable = ReasonKind.UNKNOWN_UNIT
    found = [
        result(value, ago=ago, problem=unusable if value is None else None) for ago, value in days
    ]
    assert verdict_of(LASTING, {"ALT": results(*found)}) is expected


def test_a_contradicted_moment_does_not_prolong_a_run() -> None:
    high, low = result("110", ago=14), result("90", ago=14)
    for pair in ((high, low), (low, high)):
        older = result("110", ago=20)
        assert verdict_of(LASTING, {"ALT": results(result("110"), *pair, older)}) is UNKNOWN


# -- what is shown ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reference", "boundary", "shown"),
    [
        ("248", "40", "5", "6.2"),
        ("200.16", "40", "5", "5.004"),
        ("200", "40", "5", "5.0"),
        ("3.3", "1.1", "3", "3.0"),
        ("3.31", "1.1", "3", "3.01"),
        ("199.99", "40", "5", "4.9998"),
        ("50", "40", "1.25", "1.25"),
        ("90", "40", "2.25", "2.25"),
        ("89.9", "40", "2.25", "2.2"),
        ("90.4", "40", "2.25", "2.3"),
        ("2.94", "1", "2.92", "2.94"),
    ],
)
def test_a_multiple_is_shown_on_its_own_side_of_the_boundary(
    value: str, reference: str, boundary: str, shown: str
) -> None:
    assert multiple(Decimal(value), Decimal(reference), Decimal(boundary)) == shown


def test_a_multiple_very_near_the_boundary_never_looks_like_it() -> None:
    for limit in (Decimal("1.1"), Decimal(40), Decimal("35.5")):
        for boundary in (Decimal("1.25"), Decimal("2.5"), Decimal(3), Decimal(5)):
            for tenths in range(1, 10):
                for step in (Decimal(10) ** -tenths, -(Decimal(10) ** -tenths)):
                    value = boundary * limit + step
                    shown = Decimal(multiple(value, limit, boundary))
                    assert (shown > boundary) is (step > 0)
                    assert shown != boundary


def test_a_trace_shows_the_value_as_sent_its_multiple_and_its_day() -> None:
    trace = trace_of("ALT > 5 xULN", {"ALT": results(result("248", "40", ago=8))})
    for part in ("248", "6.2 x ULN", "12 Nov 2026", "ALT > 5 xULN"):
        assert part in trace.sentence


def test_a_trace_shows_a_bound_as_a_bound() -> None:
    trace = trace_of("ALT < 5 xULN", {"ALT": results(result("<8", "40"))})
    assert trace.verdict is MET
    assert "<8" in trace.sentence
    assert "= 0.2" not in trace.sentence


def test_a_trace_says_where_a_borrowed_limit_came_from() -> None:
    noted = Measurement(
        Decimal(248), AS_OF, None, Decimal(40), as_sent="248 U/L", limit_note="limit of the table"
    )
    assert "limit of the table" in trace_of("ALT > 5 xULN", {"ALT": results(noted)}).sentence


def test_a_trace_names_its_evidence() -> None:
    latest, older = result("248", "40"), result("20", "40", ago=1)
    facts = {"ALT": results(latest, older)}
    assert trace_of("ALT > 5 xULN", facts).used == (latest,)
    assert trace_of("any ALT < 1 xULN", facts).used == (older,)
    assert trace_of("every ALT < 9 xULN", facts).used == (latest, older)
    assert trace_of("ALT > 5 xULN and brain metastases", facts).evidence == (latest,)


def test_a_trace_that_is_undecided_still_names_the_result_it_could_not_use() -> None:
    unusable = result("248")
    trace = trace_of("ALT > 5 xULN", {"ALT": results(unusable)})
    assert trace.used == (unusable,)
    expected = Reason.of(ReasonKind.NO_REFERENCE_RANGE, "ALT", "result of 20 Nov 2026")
    assert trace.reasons == (expected,)
    assert "without a reference range" in trace.sentence


def test_a_lasting_condition_names_its_newest_and_its_oldest_result() -> None:
    newest, middle, oldest = (result("110", ago=ago) for ago in (0, 7, 14))
    trace = trace_of(LASTING, {"ALT": results(newest, middle, oldest)})
    assert trace.used == (newest, oldest)
    assert on(14) == oldest.day

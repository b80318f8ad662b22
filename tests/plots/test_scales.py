"""From results to heights, and which results have none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.plots import Course
from cds_service.plots.scales import Level, Point, scaled
from tests.plots.courses import ago, alt, threshold, value


def test_each_result_is_divided_by_its_own_upper_limit() -> None:
    course = scaled(alt(value(3, "200"), value(9, "200", "50")))

    assert course.unit == "× ULN"
    assert course.points == (Point(ago(9), 4.0, above=True), Point(ago(3), 5.0, above=True))


def test_without_any_upper_limit_results_stay_in_their_unit_and_the_multiple_is_not_drawn() -> None:
    course = scaled(alt(value(3, "310", None)))

    assert course.unit == "U/L"
    assert course.points == (Point(ago(3), 310.0),)
    assert course.levels == ()
    assert course.not_drawn == ("> 5 × ULN",)


def test_a_result_without_a_limit_among_others_with_one_is_left_out_with_the_reason() -> None:
    newest = value(3, "310", None)

    course = scaled(alt(newest, value(9, "20")))

    assert [point.day for point in course.points] == [ago(9)]
    assert course.left_out == ((newest, "came without an upper limit of normal"),)


def test_a_result_in_an_unknown_unit_is_left_out_with_the_reason() -> None:
    odd = value(3, None, None, as_sent="1.4 units", problem="unknown unit")

    assert scaled(alt(odd, value(9, "20"))).left_out == ((odd, "unknown unit"),)


def test_a_limit_of_zero_divides_nothing() -> None:
    course = scaled(alt(value(3, "20", "0"), value(4, "20")))

    assert [point.day for point in course.points] == [ago(4)]
    assert course.left_out[0][1] == "came without an upper limit of normal"


def test_thresholds_stand_at_their_multiple_beside_the_upper_limit_itself() -> None:
    asked = (threshold(">", "5"), threshold("<=", "3"))

    levels = scaled(alt(value(3, "200"), asked=asked)).levels

    assert levels == (
        Level(1.0, "ULN", is_upper_limit=True),
        Level(3.0, "≤ 3 × ULN"),
        Level(5.0, "> 5 × ULN"),
    )


def test_two_questions_about_one_height_share_a_line() -> None:
    asked = (threshold(">", "5"), threshold("<=", "5"), threshold(">", "5"))

    labels = [level.label for level in scaled(alt(value(3, "200"), asked=asked)).levels]

    assert labels == ["ULN", ">, ≤ 5 × ULN"]


def test_a_multiple_of_the_baseline_stands_at_the_baselines_height() -> None:
    asked = (threshold(">", "5"), threshold("<=", "1.5", "xbaseline", level="30"))

    levels = scaled(alt(value(3, "200", "60"), asked=asked)).levels

    assert levels[0] == Level(0.5, "≤ 1.5 × baseline")


def test_a_multiple_of_an_unknown_baseline_is_named_and_not_drawn() -> None:
    asked = (threshold(">", "5"), threshold("<=", "1", "xbaseline"))

    assert scaled(alt(value(3, "20"), asked=asked)).not_drawn == ("≤ 1 × baseline",)


def test_a_threshold_in_another_unit_stands_at_its_level_in_the_unit_of_the_course() -> None:
    asked = (threshold("<", "8", "g/dL", level="80"),)
    course = Course("haemoglobin", "g/L", (value(3, "75", None),), asked, 1)

    assert scaled(course).levels == (Level(80.0, "< 8 g/dL"),)


@pytest.mark.parametrize(
    ("unit", "number", "words"),
    [("grade", "3", "≥ grade 3"), ("/min", "60", "≥ 60 per minute"), ("", "2", "≥ 2")],
)
def test_a_threshold_reads_as_clinicians_write_it(unit: str, number: str, words: str) -> None:
    course = Course("fact", unit, (value(3, "2", None),), (threshold(">=", number, unit, number),))

    assert scaled(course).levels == (Level(float(Decimal(number)), words),)


def test_comparators_stay_with_their_points() -> None:
    course = scaled(alt(value(3, "200", comparator=">"), value(9, "4", comparator="<")))

    assert [point.comparator for point in course.points] == ["<", ">"]

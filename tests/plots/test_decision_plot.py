"""The figure of a decision page, by what is drawn in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from matplotlib.dates import num2date
from matplotlib.figure import Figure

from cds_service.plots import Course, DosePeriod
from cds_service.plots.course_drawing import spread
from cds_service.plots.decision_plot import decision_figure
from cds_service.plots.drawing import NARROW, WIDE, Days, Width, written_days
from cds_service.plots.files import drawing_settings
from tests.plots.courses import (
    TODAY,
    ago,
    alt,
    artist,
    artists,
    order,
    points,
    results,
    texts,
    threshold,
    value,
)


def drawn(courses: list[Course], orders: list[DosePeriod], width: Width = WIDE) -> Figure:
    with drawing_settings():
        figure = decision_figure(courses, orders, TODAY, width)
    assert figure is not None
    return figure


def test_values_stand_at_their_days_and_heights() -> None:
    figure = drawn([alt(value(3, "240"), value(17, "30"))], [order("active", 60)])

    assert results(figure, "ALT") == [(ago(17), 0.75), (ago(3), 6.0)]


def test_thresholds_are_dashed_lines_with_their_words_at_the_right_height() -> None:
    asked = (threshold(">", "5"), threshold("<=", "3"))
    figure = drawn([alt(value(3, "240"), asked=asked)], [])

    lines = {
        float(line.get_ydata()[0]): line.get_linestyle()
        for line in artists(figure, "threshold ALT")
    }
    assert lines == {1.0: ":", 3.0: "--", 5.0: "--"}
    labels = [label.get_text() for label in artists(figure, "label ALT")]
    assert labels == ["ULN", "≤ 3 × ULN", "> 5 × ULN"]


def test_results_above_their_limit_or_at_a_limit_to_hold_have_a_shape_of_their_own() -> None:
    asked = (threshold(">", "5", meaning="hold"), threshold("<=", "3", meaning="resume"))
    figure = drawn([alt(value(3, "240"), value(9, "90"), value(17, "30"), asked=asked)], [])

    marks = {
        kind: artist(figure, f"{kind} ALT").get_marker() for kind in ("values", "above", "beyond")
    }
    assert len(set(marks.values())) == 3
    assert points(figure, "beyond ALT") == [(ago(3), 6.0)]
    assert points(figure, "above ALT") == [(ago(9), 2.25)]


def test_normal_values_make_no_mountains() -> None:
    rates = tuple(value(day, number, None) for day, number in ((3, "64"), (20, "80"), (40, "70")))
    figure = drawn([Course("heart rate", "/min", rates)], [])

    low, high = artist(figure, "values heart rate").axes.get_ylim()
    assert (80 - 64) / (high - low) < 0.3


def test_a_limit_to_hold_and_one_to_resume_differ_in_pattern_colour_and_words() -> None:
    asked = (threshold(">", "5", meaning="hold"), threshold("<=", "3", meaning="resume"))
    figure = drawn([alt(value(3, "240"), asked=asked)], [])

    _, resume, hold = sorted(
        artists(figure, "threshold ALT"), key=lambda line: float(line.get_ydata()[0])
    )
    assert resume.get_linestyle() != hold.get_linestyle()
    assert resume.get_color() != hold.get_color()
    labels = [label.get_text() for label in artists(figure, "label ALT")]
    assert labels == ["ULN", "resume ≤ 3 × ULN", "hold > 5 × ULN"]


def test_doses_and_holds_are_bars_in_a_lane_and_bands_behind_the_values() -> None:
    orders = [order("ended", 60, 20), order("active", 9, mg="900")]
    figure = drawn([alt(value(3, "240"), value(70, "20"))], orders)

    assert artist(figure, "no order alectinib").get_hatch()
    doses = [text.get_text() for text in artists(figure, "dose alectinib")]
    assert doses[0] == "1200 mg/day"
    band = artist(figure, "hold alectinib")
    begin = num2date(band.get_x()).date()
    end = num2date(band.get_x() + band.get_width()).date()
    assert (begin, end) == (ago(19), ago(9))


def test_a_hold_says_so_even_where_the_bar_is_narrow() -> None:
    figure = drawn([alt(value(3, "240"), value(80, "30"))], [order("paused", 60)], NARROW)

    assert "hold" in artist(figure, "dose alectinib").get_text()


def test_the_day_of_the_decision_is_marked_in_every_panel_and_named() -> None:
    figure = drawn([alt(value(3, "240"))], [order("active", 60)])

    days = [num2date(line.get_xdata()[0]).date() for line in artists(figure, "today")]
    assert days == [TODAY, TODAY]
    assert artist(figure, "today label").get_text() == "as of 20 Nov 2026"


def test_bounds_are_open_triangles_that_point_where_the_value_may_lie() -> None:
    figure = drawn(
        [alt(value(3, "240", comparator=">"), value(9, "4", comparator="<"), value(12, "20"))], []
    )

    above, below = artist(figure, "at least ALT"), artist(figure, "below ALT")
    assert (above.get_marker(), below.get_marker()) == ("^", "v")
    assert above.get_markerfacecolor() == below.get_markerfacecolor() == "none"
    assert points(figure, "at least ALT") == [(ago(3), 6.0)]
    assert results(figure, "ALT") == [(ago(12), 0.5)]


def test_a_result_that_cannot_be_placed_is_a_question_mark_on_its_day() -> None:
    figure = drawn([alt(value(6, "310", None), value(20, "20"))], [])

    mark = artist(figure, "not drawn ALT")
    assert mark.get_text() == "?"
    assert num2date(mark.get_position()[0]).date() == ago(6)
    assert artist(figure, "title ALT").get_text() == "ALT (× ULN); 1 result not drawn (?)"


def test_one_value_is_one_point() -> None:
    figure = drawn([alt(value(3, "240"))], [])

    assert results(figure, "ALT") == [(ago(3), 6.0)]


def test_two_thousand_values_are_all_there() -> None:
    figure = drawn([alt(*(value(day, str(20 + day % 7)) for day in range(2000)))], [])

    drawn_points = results(figure, "ALT")
    assert len(drawn_points) == 2000
    assert drawn_points[0][0] == ago(1999)


@pytest.mark.parametrize(
    "courses", [[], [alt()], [alt(value(3, None, None, problem="unknown unit"))]]
)
def test_nothing_that_can_be_drawn_gives_no_figure(courses: list[Course]) -> None:
    assert decision_figure(courses, [order("active", 60)], TODAY) is None


def test_a_course_of_which_nothing_can_be_placed_keeps_its_panel_beside_others() -> None:
    lost = replace(alt(value(3, None, None, problem="unknown unit")), fact="AST")
    figure = drawn([alt(value(3, "20")), lost], [])

    assert artist(figure, "not drawn AST").get_text() == "?"


def test_results_from_long_before_the_drug_do_not_squeeze_the_others() -> None:
    figure = drawn([alt(value(3, "240"), value(70, "30"), value(900, "25"))], [order("active", 60)])

    assert [day for day, _ in results(figure, "ALT")] == [ago(70), ago(3)]


def test_the_newest_result_of_every_fact_is_shown_however_old() -> None:
    old = replace(alt(value(900, "25")), fact="AST")
    figure = drawn([alt(value(3, "240")), old], [order("active", 60)])

    assert results(figure, "AST") == [(ago(900), 0.625)]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_labels_of_thresholds_do_not_overlap(width: Width) -> None:
    asked = tuple(threshold(">", number) for number in ("1", "1.1", "1.5", "5", "20"))
    figure = drawn([alt(value(3, "240"), asked=asked)], [], width)

    with drawing_settings():
        figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in artists(figure, "label ALT")]
    assert len(boxes) == 6
    for first, second in pairwise(boxes):
        assert not first.overlaps(second)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_text_reaches_beyond_the_picture(width: Width) -> None:
    asked = (threshold(">", "20"), threshold("<=", "1.5", "xbaseline", level="50"))
    figure = drawn(
        [alt(value(3, "2400"), value(6, "3", None), asked=asked)],
        [order("ended", 60, 20), order("paused", 9, mg="900")],
        width,
    )

    with drawing_settings():
        figure.draw_without_rendering()
    for item in figure.findobj(lambda found: bool(getattr(found, "get_text", str)())):
        box = item.get_window_extent()
        assert box.x0 >= 0, item.get_text()
        assert box.x1 <= width.pixels, item.get_text()


def test_spread_keeps_the_order_and_the_room() -> None:
    assert spread([0, 1, 2, 100], 100) == [0, 12, 24, 100]
    assert spread([90, 95, 100], 100) == [76, 88, 100]


def test_a_dollar_sign_in_a_name_starts_no_formula() -> None:
    figure = drawn([replace(alt(value(3, "240")), fact="A$^{x$")], [])

    assert "A$^{x$ (× ULN)" in texts(figure)


@pytest.mark.parametrize(
    ("back", "most", "expected"),
    [
        (28, 3, ["23 Oct", "6 Nov", "20 Nov"]),
        (45, 7, ["9 Oct", "16 Oct", "23 Oct", "30 Oct", "6 Nov", "13 Nov", "20 Nov"]),
        (150, 6, ["Jul 2026", "Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026"]),
        (900, 4, ["2025", "2026"]),
        (3650, 3, ["2020", "2025"]),
    ],
)
def test_days_are_written_in_steps_that_leave_room(
    back: int, most: int, expected: list[str]
) -> None:
    assert [text for _, text in written_days(Days(ago(back), TODAY, TODAY), most)] == expected


def test_a_picture_over_two_centuries_still_writes_days() -> None:
    assert written_days(Days(date(1826, 11, 20), TODAY, TODAY), 3)

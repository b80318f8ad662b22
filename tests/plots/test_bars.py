"""From orders to bars: doses, holds, and days that nobody recorded."""

from __future__ import annotations

from cds_service.plots.bars import Bar, BarKind, bars, undated
from tests.plots.courses import TODAY, ago, order


def test_an_active_order_is_taken_from_its_first_day_to_today() -> None:
    (bar,) = bars([order("active", 90)], TODAY)

    assert (bar.kind, bar.begin, bar.end, bar.label) == (
        BarKind.TAKEN,
        ago(90),
        TODAY,
        "1200 mg/day",
    )
    assert not bar.is_hold


def test_an_active_order_runs_on_past_its_planned_end() -> None:
    (bar,) = bars([order("active", 90, 30)], TODAY)

    assert bar.end == TODAY


def test_days_between_two_orders_are_shown_as_such() -> None:
    found = bars([order("active", 10, mg="900"), order("ended", 90, 40)], TODAY)

    assert [(bar.kind, bar.begin, bar.end) for bar in found] == [
        (BarKind.TAKEN, ago(90), ago(40)),
        (BarKind.NO_ORDER, ago(39), ago(11)),
        (BarKind.TAKEN, ago(10), TODAY),
    ]
    assert found[1].is_hold


def test_an_order_that_follows_on_the_next_day_leaves_no_gap() -> None:
    found = bars([order("ended", 90, 11), order("active", 10, mg="900")], TODAY)

    assert [bar.kind for bar in found] == [BarKind.TAKEN, BarKind.TAKEN]


def test_a_paused_order_with_a_last_day_is_on_hold_since() -> None:
    taken, hold = bars([order("paused", 90, 20)], TODAY)

    assert (taken.kind, taken.end) == (BarKind.TAKEN, ago(20))
    assert hold == Bar("alectinib", BarKind.ON_HOLD, ago(19), TODAY)
    assert hold.is_hold


def test_a_paused_order_without_a_last_day_does_not_guess_when_the_hold_began() -> None:
    (bar,) = bars([order("paused", 90)], TODAY)

    assert (bar.kind, bar.begin, bar.end) == (BarKind.HOLD_SOMETIME, ago(90), TODAY)
    assert bar.label == "1200 mg/day, on hold, since when is not recorded"
    assert not bar.is_hold


def test_an_ended_order_without_a_last_day_says_so() -> None:
    (bar,) = bars([order("ended", 90)], TODAY)

    assert (bar.kind, bar.begin, bar.end) == (BarKind.END_UNKNOWN, ago(90), ago(90))


def test_an_ended_order_with_an_end_still_to_come_has_no_known_end() -> None:
    (bar,) = bars([order("ended", 90, -30)], TODAY)

    assert bar.kind is BarKind.END_UNKNOWN


def test_a_dose_that_cannot_be_read_is_called_unknown() -> None:
    (bar,) = bars([order("active", 90, mg=None)], TODAY)

    assert bar.label == "dose not known"


def test_an_order_without_a_first_day_is_no_bar_and_is_not_lost() -> None:
    orders = [order("active", None), order("ended", 30, 20)]

    assert len(bars(orders, TODAY)) == 1
    assert undated(orders) == (orders[0],)


def test_an_order_that_begins_later_is_not_shown_yet() -> None:
    assert bars([order("active", -5)], TODAY) == ()


def test_no_orders_give_no_bars() -> None:
    assert bars([], TODAY) == ()

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cds_service.fhir.dates import Precision, effective_moment, parse_moment
from cds_service.fhir.views import DiagnosticReport, Observation, Period


def test_a_date_is_read_with_its_precision_and_zone(dates_row: dict[str, str]) -> None:
    moment = parse_moment(dates_row["text"], ZoneInfo(dates_row["zone"]))
    assert moment is not None
    assert (moment.day.isoformat() if moment.day else "") == dates_row["day"]
    instant = moment.instant.astimezone(UTC).isoformat() if moment.instant else ""
    assert instant == dates_row["instant_utc"]
    assert moment.precision == dates_row["precision"]
    assert moment.zone_sent is (dates_row["zone_sent"] == "yes")


def test_text_that_is_no_date_is_not_guessed(dates_rejected_row: dict[str, str]) -> None:
    assert parse_moment(dates_rejected_row["text"]) is None


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_text_is_no_moment(text: str | None) -> None:
    assert parse_moment(text) is None


def test_a_year_is_not_usable_as_a_day() -> None:
    moment = parse_moment("2026")
    assert moment is not None
    assert moment.day is None
    with pytest.raises(ValueError, match="no place among days"):
        _ = moment.sort_key


def test_a_day_without_time_sorts_before_times_of_that_day_in_any_zone() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    texts = ["2026-02-03T01:00:00+13:00", "2026-02-03", "2026-02-02T23:00:00+13:00"]
    moments = [moment for text in texts if (moment := parse_moment(text, zone))]
    ordered = sorted(moments, key=lambda moment: moment.sort_key)
    assert [moment.as_sent for moment in ordered] == [texts[2], texts[1], texts[0]]


def test_effective_time_is_chosen_in_the_stated_order() -> None:
    full = Observation(
        effective_date_time="2026-01-01",
        effective_period=Period(start="2026-01-02", end="2026-01-03"),
        effective_instant="2026-01-04T00:00:00Z",
        issued="2026-01-05T00:00:00Z",
    )
    only_period = Observation(effective_period=full.effective_period, issued=full.issued)
    only_instant = Observation(effective_instant=full.effective_instant, issued=full.issued)
    only_issued = Observation(issued=full.issued)
    open_period = Observation(effective_period=Period(start="2026-01-02"), issued=full.issued)
    days = [
        moment.day if (moment := effective_moment(observation)) else None
        for observation in (full, only_period, only_instant, only_issued, open_period)
    ]
    assert days == [date(2026, 1, day) for day in (1, 3, 4, 5, 2)]


def test_an_unreadable_effective_time_is_not_replaced_by_the_issue_time() -> None:
    odd = Observation(effective_date_time="01/02/2026", issued="2026-02-02T10:00:00Z")
    assert effective_moment(odd) is None


def test_an_effective_year_is_not_made_precise_by_the_issue_time() -> None:
    vague = Observation(effective_date_time="2026", issued="2026-02-02T10:00:00Z")
    moment = effective_moment(vague)
    assert moment is not None
    assert moment.precision == Precision.YEAR
    assert moment.day is None


def test_an_observation_without_any_time_has_none() -> None:
    assert effective_moment(Observation()) is None


def day_in(observation: Observation, *holders: DiagnosticReport | Observation) -> date | None:
    moment = effective_moment(observation, listed_in=holders)
    return moment.day if moment is not None else None


def test_a_result_without_a_time_has_that_of_the_report_or_panel_that_lists_it() -> None:
    report = DiagnosticReport(effective_date_time="2026-01-07", issued="2026-01-09T00:00:00Z")
    panel = Observation(effective_period=Period(start="2026-01-06"))
    assert day_in(Observation(), report) == date(2026, 1, 7)
    assert day_in(Observation(), panel) == date(2026, 1, 6)
    assert day_in(Observation(effective_date_time="2026-01-01"), report) == date(2026, 1, 1)


def test_the_time_of_the_report_stands_before_the_issue_time_and_its_own_issue_time_last() -> None:
    issued = Observation(issued="2026-01-08T00:00:00Z")
    dated = DiagnosticReport(effective_date_time="2026-01-07")
    only_issued = DiagnosticReport(issued="2026-01-09T00:00:00Z")
    assert day_in(issued, dated) == date(2026, 1, 7)
    assert day_in(issued, only_issued) == date(2026, 1, 8)
    assert day_in(Observation(), only_issued) == date(2026, 1, 9)


def test_reports_of_different_days_give_no_day() -> None:
    first = DiagnosticReport(effective_date_time="2026-01-07")
    second = DiagnosticReport(effective_date_time="2026-01-17")
    assert day_in(Observation(), first, second) is None
    assert day_in(Observation(), first, first) == date(2026, 1, 7)


@pytest.mark.parametrize("odd", ["2026", "07/01/2026"])
def test_a_report_without_a_day_gives_none(odd: str) -> None:
    assert day_in(Observation(), DiagnosticReport(effective_date_time=odd)) is None


def test_an_unknown_zone_is_kept_as_unknown_and_read_at_the_facility() -> None:
    moment = parse_moment("2026-07-01T00:30:00", ZoneInfo("Europe/Berlin"))
    assert moment is not None
    assert moment.zone_sent is False
    assert moment.instant == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert moment.day == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-11-20", date(2026, 11, 20), date(2026, 11, 20)),
        ("2026-11-20T23:30:00Z", date(2026, 11, 20), date(2026, 11, 20)),
    ],
)
def test_a_month_or_year_lies_between_its_first_and_its_last_day(
    sent: str, first: date, last: date
) -> None:
    moment = parse_moment(sent)
    assert moment is not None
    assert (moment.first_day, moment.last_day) == (first, last)

"""Acceptance and override reasons, without telling on a few people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cds_service.records import Outcome
from cds_service.reports import ROW_NAMES, feedback_lines, feedback_rows

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def outcome(patient: str, answer: str | None = None, minutes: float = 2, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "card": f"card-{patient}-{answer}",
        "rule_id": "liver-hold",
        "indicator": "warning",
        "kind": "withhold",
        "release": "2026.11.0",
        "service_id": "alk-order-sign",
        "hook": "order-sign",
        "client": "hospital",
        "shown_at": START,
        "in_shadow": False,
        "patient_key": patient,
        "user_key": "u1",
        "outcome": answer,
        "outcome_at": START + timedelta(minutes=minutes) if answer else None,
        **more,
    }
    return Outcome(**fields)


def people(number: int, answer: str | None = None, start: int = 0, **more: Any) -> list[Outcome]:
    return [outcome(f"p{start + place}", answer, **more) for place in range(number)]


def line(outcomes: Iterable[Outcome], by: str = "rule") -> dict[str, Any]:
    (found,) = feedback_lines(outcomes, by)
    return found.as_document()


def test_acceptance_is_of_those_who_answered() -> None:
    found = line([*people(6, "accepted"), *people(6, "overridden", 6), *people(8, None, 12)])
    assert found["patients"] == 20
    assert (found["shown"], found["accepted"], found["overridden"]) == (20, 6, 6)
    assert found["acceptance"] == 0.5


def test_the_time_to_action_is_the_median() -> None:
    answered = [outcome(f"p{n}", "accepted", minutes=n) for n in range(1, 6)]
    assert line(answered)["median_minutes"] == 3


def test_a_clock_that_runs_behind_gives_no_time() -> None:
    assert line(people(5, "accepted", minutes=-3))["median_minutes"] is None


@pytest.mark.parametrize(("number", "told"), [(4, "<5"), (5, 5)])
def test_a_group_of_a_few_people_is_not_told(number: int, told: int | str) -> None:
    found = line(people(number, "accepted"))
    assert found["shown"] == told
    assert found["accepted"] == told


def test_many_cards_of_a_few_people_are_a_small_cell() -> None:
    cards = [outcome("the same", "accepted", card=f"c{n}") for n in range(50)]
    assert line(cards)["shown"] == "<5"


def test_what_the_sum_would_tell_is_not_told() -> None:
    found = line([*people(20, "accepted"), *people(2, "overridden", 20)])
    assert found["shown"] == 22
    assert (found["accepted"], found["overridden"]) == ("<5", "<5")
    assert found["acceptance"] is None
    assert found["reasons"] == []


def test_reasons_go_by_code_and_never_by_the_clients_words() -> None:
    refused = people(5, "overridden", reason_code="patient-refuses", reason_display="Mr Miller no")
    silent = people(5, "overridden", 5)
    commented = people(6, "overridden", 10, user_comment="ask Mr Miller")
    found = line([*refused, *silent, *commented])
    assert found["reasons"] == [
        {"reason": "comment only", "count": 6},
        {"reason": "no reason", "count": 5},
        {"reason": "patient-refuses", "count": 5},
    ]


def test_one_small_reason_takes_another_one_with_it() -> None:
    many = people(9, "overridden", reason_code="a")
    some = people(6, "overridden", 9, reason_code="b")
    few = people(2, "overridden", 15, reason_code="c")
    reasons = {item["reason"]: item["count"] for item in line([*many, *some, *few])["reasons"]}
    assert reasons == {"a": 9, "b": "not told", "c": "<5"}


@pytest.mark.parametrize(
    ("by", "group"),
    [("rule", "liver-hold"), ("release", "2026.11.0"), ("service", "alk-order-sign")],
)
def test_groups_go_by_rule_release_or_service(by: str, group: str) -> None:
    assert line(people(5), by)["group"] == group


def test_cards_in_shadow_are_no_feedback() -> None:
    assert feedback_lines(people(9, in_shadow=True)) == []


def test_a_row_holds_what_a_certified_ehr_exports() -> None:
    given = outcome("p1", "overridden", reason_code="patient-refuses", user_comment="Mr Miller")
    (row,) = feedback_rows([given, outcome("p2")])
    assert tuple(row) == ROW_NAMES
    assert row["intervention"] == "liver-hold"
    assert row["action_taken"] == "overridden"
    assert row["feedback_code"] == "patient-refuses"
    assert (row["user"], row["location"]) == ("u1", "hospital")
    assert row["date"] == "2026-11-02T09:02:00+00:00"
    assert row["feedback_comment"] == ""
    assert "p1" not in "".join(row.values())


def test_comments_come_when_they_are_asked_for() -> None:
    (row,) = feedback_rows([outcome("p1", "overridden", user_comment="x")], comments=True)
    assert row["feedback_comment"] == "x"

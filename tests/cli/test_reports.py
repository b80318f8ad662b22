"""`alk-cds report` over a real database."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from cds_service.protocol import FeedbackRequest
from cds_service.records import CardRecord, DecisionRecord, Records
from tests.cli.conftest import Command

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
COMMENT = "=Mrs Example rang"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path / 'records.sqlite3'}"
    monkeypatch.setenv("ALK_CDS_DATABASE_URL", address)
    records = Records(address)
    records.prepare()
    for number in range(6):
        card, decision = str(uuid4()), str(uuid4())
        shadow = str(uuid4())
        said = {"rule_id": "a-rule", "kind": "withhold", "asks": {"drugs": ["alectinib"]}}
        records.save_decision(
            DecisionRecord(
                decision, START, "alk-order-sign", "order-sign", str(uuid4()), "hospital",
                date(2026, 11, 2), "2026.11.0", f"patient-{number}", ("a-rule",),
                (
                    CardRecord(card, "a-rule", "warning", "withhold", f"f{number}"),
                    CardRecord(shadow, "a-rule", "warning", "withhold", f"s{number}", True),
                ),
                {"recommendations": [said],
                 "orders": [{"ingredients": ["alectinib"], "daily_mg": "1200"}]},
                user_key="somebody",
            )
        )  # fmt: skip
        entries = [
            {
                "card": card.upper(),
                "outcome": "overridden",
                "overrideReason": {"reason": {"code": "patient-refuses", "system": "urn:x"},
                                   "userComment": COMMENT},
                "outcomeTimestamp": (START + timedelta(minutes=3)).isoformat(),
            }
        ]  # fmt: skip
        records.save_feedback(
            "alk-order-sign", FeedbackRequest.model_validate({"feedback": entries}), "hospital"
        )
    records.close()
    return address


@pytest.mark.usefixtures("database")
def test_feedback_is_counted_by_rule(run: Command) -> None:
    result = run("report", "feedback", "--format", "json")
    assert result.exit_code == 0, result.output
    (line,) = json.loads(result.stdout)
    assert line == {
        "group": "a-rule",
        "patients": 6,
        "shown": 6,
        "accepted": 0,
        "overridden": 6,
        "acceptance": 0.0,
        "median_minutes": 3.0,
        "reasons": [{"reason": "patient-refuses", "count": 6}],
    }


@pytest.mark.usefixtures("database")
def test_the_table_for_people_shows_the_same(run: Command) -> None:
    result = run("report", "feedback", "--by", "service")
    assert result.exit_code == 0, result.output
    assert "alk-order-sign" in result.stdout
    assert "patient-refuses:6" in "".join(result.stdout.split())


@pytest.mark.usefixtures("database")
def test_days_outside_the_time_asked_for_are_left_out(run: Command) -> None:
    assert (
        json.loads(run("report", "feedback", "--format", "json", "--since", "2026-11-03").stdout)
        == []
    )
    assert (
        json.loads(run("report", "feedback", "--format", "json", "--until", "2026-11-01").stdout)
        == []
    )
    same = run(
        "report", "feedback", "--format", "json", "--since", "2026-11-02", "--until", "2026-11-02"
    )
    assert len(json.loads(same.stdout)) == 1


@pytest.mark.usefixtures("database")
def test_rows_are_exported_without_comments_and_without_formulas(
    run: Command, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    result = run("report", "feedback", "--rows", "--format", "csv", "--out", str(file))
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert len(rows) == 6
    assert {row["feedback_comment"] for row in rows} == {""}
    with_comments = run("report", "feedback", "--rows", "--comments", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(with_comments)))
    assert {row["feedback_comment"] for row in rows} == {f"'{COMMENT}"}


@pytest.mark.usefixtures("database")
def test_what_stayed_in_shadow_is_compared_with_the_orders(run: Command) -> None:
    result = run("report", "shadow", "--format", "json")
    assert result.exit_code == 0, result.output
    (line,) = json.loads(result.stdout)
    assert (line["rule_id"], line["cards"], line["otherwise"]) == ("a-rule", 6, 6)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("feedback", "--comments"), "--comments needs --rows"),
        (("feedback", "--out", "x.txt"), "--out needs --format csv or json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run: Command, arguments: tuple[str, ...], said: str
) -> None:
    result = run("report", *arguments)
    assert result.exit_code == 2
    assert said in result.output

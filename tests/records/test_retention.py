"""How long decisions and feedback are kept, and that what is deleted is gone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from cds_service.protocol import FeedbackRequest
from cds_service.records import CardRecord, DecisionRecord, Purged, Records, RecordsError

MakeDecision = Callable[..., DecisionRecord]
MakeFeedback = Callable[..., FeedbackRequest]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CUT = NOW - timedelta(days=365)
CLIENT = "Example Hospital"


def days_old(days: float) -> datetime:
    return NOW - timedelta(days=days)


def say(records: Records, make: MakeFeedback, card: str, when: datetime, comment: str = "") -> None:
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
    if comment:
        item["overrideReason"] = {"userComment": comment}  # type: ignore[assignment]
    with time_machine.travel(when, tick=False):
        records.save_feedback("alk-order-sign", make(item), CLIENT)


def test_what_is_older_goes_with_its_cards_and_what_is_newer_stays(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    old, new = make_decision(created_at=days_old(366)), make_decision(created_at=days_old(364))
    for decision in (old, new):
        records.save_decision(decision)
    say(records, make_feedback, old.cards[0].uuid, days_old(366))
    say(records, make_feedback, new.cards[0].uuid, days_old(364))
    assert records.old(CUT) == Purged(1, 1)

    assert records.purge(CUT) == Purged(1, 1)

    assert records.decision(old.id) is None
    assert records.card(old.cards[0].uuid) is None
    assert records.decision(new.id) == new
    assert [item.card for item in records.feedback()] == [new.cards[0].uuid]
    assert records.purge(CUT) == records.old(CUT) == Purged(0, 0)


def test_feedback_that_came_later_outlives_its_decision(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    decision = make_decision(created_at=days_old(366))
    records.save_decision(decision)
    say(records, make_feedback, decision.cards[0].uuid, days_old(1))
    assert records.purge(CUT) == Purged(1, 0)
    (kept,) = records.feedback()
    assert kept.decision_id is None


def test_more_than_one_transaction_full_is_deleted(
    sqlite_records: Records, make_decision: MakeDecision
) -> None:
    for _ in range(1001):
        card = CardRecord(str(uuid.uuid4()), "GATE-2", "info")
        sqlite_records.save_decision(make_decision(created_at=days_old(400), cards=(card,)))
    assert sqlite_records.purge(CUT) == Purged(1001, 0)
    assert sqlite_records.old(NOW) == Purged(0, 0)


def test_deleted_text_is_in_no_file_of_the_database_any_more(
    tmp_path: Path,
    sqlite_records: Records,
    make_decision: MakeDecision,
    make_feedback: MakeFeedback,
) -> None:
    decision = make_decision(created_at=days_old(366), document={"told": "Quillfeather-document"})
    sqlite_records.save_decision(decision)
    say(sqlite_records, make_feedback, "card", days_old(366), "Quillfeather-comment")

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert b"Quillfeather-document" in on_disk()
    assert b"Quillfeather-comment" in on_disk()
    sqlite_records.purge(CUT)
    assert b"Quillfeather" not in on_disk()


def test_a_time_without_an_offset_or_a_lost_database_deletes_nothing(
    tmp_path: Path, sqlite_records: Records
) -> None:
    with pytest.raises(ValueError, match="offset"):
        sqlite_records.purge(datetime(2026, 1, 1))  # noqa: DTZ001
    nowhere = tmp_path / "mistyped.sqlite3"
    with pytest.raises(RecordsError, match="there is no database at this address"):
        Records(f"sqlite:///{nowhere}").purge(CUT)
    assert not nowhere.exists()
    nowhere.write_bytes(b"")
    with pytest.raises(RecordsError, match="deleting old records failed"):
        Records(f"sqlite:///{nowhere}").purge(CUT)

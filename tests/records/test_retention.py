"""How long decisions and feedback are kept, and that what is deleted is gone."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from cds_service.protocol import FeedbackRequest
from cds_service.records import (
    CardRecord,
    DecisionRecord,
    Purged,
    Records,
    RecordsError,
    Waiting,
)
from cds_service.records.rows import rows_of
from tests.records.conftest import PAGES

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
    decision = make_decision(created_at=days_old(366), rule_ids=("Quillfeather-rule",))
    sqlite_records.save_decision(decision)
    say(sqlite_records, make_feedback, "card", days_old(366), "Quillfeather-comment")

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert b"Quillfeather-rule" in on_disk()
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


def test_a_page_that_no_link_opens_any_more_is_emptied_and_its_decision_stays(
    records: Records, make_decision: MakeDecision
) -> None:
    document = {"id": "a", "as_of": "2026-11-18", "remarks": [{"says": "Quillfeather"}]}
    old = make_decision(created_at=days_old(2), document=document)
    new = make_decision(created_at=days_old(0.5), document=document)
    for decision in (old, new):
        records.save_decision(decision)
    assert records.old(CUT, days_old(1)) == Purged(0, 0, 1)

    assert records.purge(CUT, days_old(1)) == Purged(0, 0, 1)

    emptied = records.decision(old.id)
    assert emptied is not None
    assert emptied.document == {"id": "a", "as_of": "2026-11-18"}
    assert emptied.cards == old.cards
    assert records.decision(new.id) == new
    assert records.purge(CUT, days_old(1)) == Purged(0, 0, 0)


def test_a_document_from_before_pages_were_sealed_loses_what_the_chart_worded(
    sqlite_records: Records, make_decision: MakeDecision, tmp_path: Path
) -> None:
    decision = make_decision(created_at=days_old(2))
    sqlite_records.save_decision(decision)
    whole = json.dumps({"id": "a", "recommendations": [
        {"rule_id": "liver-hold", "trace": {"verdict": "met", "used": [
            {"as_sent": "Quillfeather", "value": "212", "date": "2026-11-17"}]}}]})  # fmt: skip
    with sqlite3.connect(tmp_path / "records.sqlite3") as database:
        database.execute("UPDATE decisions SET page = NULL, document = ?", (whole,))
    database.close()

    assert sqlite_records.purge(CUT, days_old(1)).pages == 1

    found = sqlite_records.decision(decision.id)
    assert found is not None
    (recommendation,) = found.document["recommendations"]
    assert recommendation["trace"]["used"] == [{"date": "2026-11-17", "value": "212"}]
    assert b"Quillfeather" not in (tmp_path / "records.sqlite3").read_bytes()


def test_all_of_one_patient_goes_and_nothing_of_another(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    mine = [make_decision(patient_key="a" * 64) for _ in range(3)]
    theirs = make_decision(patient_key="b" * 64)
    for decision in (*mine, theirs):
        records.save_decision(decision)
        say(records, make_feedback, decision.cards[0].uuid, NOW)
    # What counts as no answer, because the card did not offer it, is about the patient too.
    records.save_feedback("alk-order-sign", make_feedback(
        {"card": mine[0].cards[0].uuid.upper(), "outcome": "accepted",
         "acceptedSuggestions": [{"id": "no-such"}],
         "outcomeTimestamp": "2026-11-20T10:05:31Z"}), CLIENT)  # fmt: skip

    gone = records.forget(["a" * 64, "c" * 64])

    assert gone == Purged(3, 4)
    assert [records.decision(item.id) for item in mine] == [None] * 3
    assert records.decision(theirs.id) == theirs
    assert [item.card for item in records.feedback()] == [theirs.cards[0].uuid]


def test_what_waits_on_disk_for_the_database_goes_with_its_patient(
    tmp_path: Path, sqlite_url: str, make_decision: MakeDecision
) -> None:
    waiting = Waiting(tmp_path / "waiting")
    records = Records(sqlite_url, waiting, PAGES)
    records.prepare()
    mine, theirs = make_decision(patient_key="a" * 64), make_decision(patient_key="b" * 64)
    for decision in (mine, theirs):
        waiting.put(rows_of(decision, PAGES))

    assert records.forget(["a" * 64]) == Purged(1, 0)

    assert waiting.find(mine.id) is None
    assert waiting.find(theirs.id) is not None
    records.close()

"""Feedback: what was acknowledged can be read back, once, also after the process was killed."""

from __future__ import annotations

import logging
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.protocol import FeedbackRequest
from cds_service.records import DecisionRecord, Records, RecordsError
from tests.waiting import PATIENCE

MakeDecision = Callable[..., DecisionRecord]
MakeFeedback = Callable[..., FeedbackRequest]

SERVICE = "alk-order-sign"
CLIENT = "Example Hospital"


def accepted(card: str, *suggestions: str, at: str = "2026-11-20T10:05:31Z") -> dict[str, Any]:
    return {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": suggestion} for suggestion in suggestions or ("s-1",)],
        "outcomeTimestamp": at,
    }


def overridden(card: str, **changes: Any) -> dict[str, Any]:
    return {
        "card": card,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-20T10:05:31Z",
        **changes,
    }


def test_feedback_finds_the_decision_of_its_card(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    record = make_decision()
    records.save_decision(record)
    first, second = (card.uuid for card in record.cards)
    reason = {"code": "contraindicated", "system": "https://example.org/reasons", "display": "No"}
    request = make_feedback(
        accepted(first, "b", "a", at="2026-11-20T12:05:31.5+02:00"),
        overridden(second, overrideReason={"reason": reason, "userComment": "Seen already"}),
    )
    assert records.save_feedback(SERVICE, request, "Example Hospital") == 2
    taken, refused = records.feedback(decision_id=record.id)
    assert (taken.card, taken.outcome, taken.suggestion_ids) == (first, "accepted", ("a", "b"))
    assert taken.outcome_timestamp == datetime(2026, 11, 20, 10, 5, 31, 500000, UTC)
    assert (taken.service_id, taken.client) == (SERVICE, "Example Hospital")
    assert taken.is_card_known
    assert (refused.reason_code, refused.reason_system) == (
        "contraindicated",
        "https://example.org/reasons",
    )
    assert (refused.reason_display, refused.user_comment) == ("No", "Seen already")
    assert records.feedback(card=second) == (refused,)
    assert records.feedback() == (taken, refused)
    assert records.feedback(card="other") == ()


def test_a_repeated_delivery_is_counted_but_stored_once(
    records: Records, make_feedback: MakeFeedback
) -> None:
    card = str(uuid.uuid4())
    request = make_feedback(accepted(card, "a", "b"), accepted(card, "b", "a"))
    assert records.save_feedback(SERVICE, request, CLIENT) == 2
    same_moment = make_feedback(accepted(card, "a", "b", at="2026-11-20T11:05:31+01:00"))
    assert records.save_feedback(SERVICE, same_moment, CLIENT) == 1
    assert len(records.feedback(card=card)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"outcomeTimestamp": "2026-11-20T10:05:32Z"},
        {"overrideReason": {"reason": {"code": "later"}}},
        {"overrideReason": {"userComment": "later"}},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": "a"}]},
    ],
)
def test_a_delivery_that_says_something_new_is_stored_beside_the_first(
    records: Records, make_feedback: MakeFeedback, change: dict[str, Any]
) -> None:
    card = str(uuid.uuid4())
    records.save_feedback(SERVICE, make_feedback(overridden(card)), CLIENT)
    records.save_feedback(SERVICE, make_feedback(overridden(card, **change)), CLIENT)
    assert len(records.feedback(card=card)) == 2


def test_two_clients_that_use_one_card_id_are_both_kept(
    records: Records, make_feedback: MakeFeedback
) -> None:
    request = make_feedback(overridden("card-1"))
    records.save_feedback(SERVICE, request, "one")
    records.save_feedback(SERVICE, request, "two")
    assert [item.client for item in records.feedback(card="card-1")] == ["one", "two"]


def test_feedback_on_an_unknown_card_is_kept_and_flagged(
    records: Records, make_feedback: MakeFeedback
) -> None:
    assert records.save_feedback(SERVICE, make_feedback(overridden("not-a-uuid")), CLIENT) == 1
    (found,) = records.feedback(card="not-a-uuid")
    assert not found.is_card_known
    assert found.decision_id is None


def test_a_card_id_in_upper_case_is_still_ours(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    record = make_decision()
    records.save_decision(record)
    sent = record.cards[0].uuid.upper()
    records.save_feedback(SERVICE, make_feedback(overridden(sent)), CLIENT)
    (found,) = records.feedback(decision_id=record.id)
    assert found.card == sent


def test_a_batch_larger_than_one_query_is_stored_whole(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    record = make_decision()
    records.save_decision(record)
    ours = record.cards[0].uuid
    request = make_feedback(*(overridden(f"card-{n}") for n in range(1200)), overridden(ours))
    assert records.save_feedback(SERVICE, request, CLIENT) == 1201
    assert len(records.feedback()) == 1201
    assert len(records.feedback(decision_id=record.id)) == 1


def test_an_empty_request_stores_nothing(records: Records, make_feedback: MakeFeedback) -> None:
    assert records.save_feedback(SERVICE, make_feedback(), CLIENT) == 0
    assert records.feedback() == ()


def test_characters_that_no_database_takes_are_replaced_and_the_rest_is_kept(
    records: Records, make_feedback: MakeFeedback
) -> None:
    comment = "before \x00 between \ud83d after \U0001f642"
    request = make_feedback(overridden("c\x00", overrideReason={"userComment": comment}))
    assert records.save_feedback(SERVICE, request, CLIENT) == 1
    (found,) = records.feedback()
    assert found.user_comment == "before � between � after \U0001f642"
    assert found.card == "c�"


def test_a_comment_reaches_neither_a_log_line_nor_a_repr(
    sqlite_records: Records, make_feedback: MakeFeedback, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reason = {"reason": {"code": "x", "display": "Jane display"}, "userComment": "Jane comment"}
    sqlite_records.save_feedback(
        SERVICE, make_feedback(overridden("c", overrideReason=reason)), CLIENT
    )
    (found,) = sqlite_records.feedback()
    assert found.user_comment == "Jane comment"
    assert "Jane" not in repr(found)
    assert "Jane" not in caplog.text


def test_feedback_that_cannot_be_stored_is_an_error_without_its_text(
    tmp_path: Path, make_feedback: MakeFeedback
) -> None:
    records = Records(f"sqlite:///{tmp_path / 'unprepared.sqlite3'}")
    reason = {"userComment": "Jane comment"}
    with pytest.raises(RecordsError) as caught:
        records.save_feedback(
            SERVICE, make_feedback(overridden("c", overrideReason=reason)), CLIENT
        )
    assert "Jane" not in f"{caught.value!r} {caught.value.__cause__}"


def test_the_same_delivery_from_many_threads_is_stored_once(
    records: Records, make_feedback: MakeFeedback
) -> None:
    request = make_feedback(*(overridden(f"card-{n}") for n in range(20)))
    with ThreadPoolExecutor(6) as pool:
        counts = list(
            pool.map(lambda _: records.save_feedback(SERVICE, request, CLIENT), range(12))
        )
    assert counts == [20] * 12
    assert len(records.feedback()) == 20


KILLED = """
import os, signal, sys
from cds_service.protocol import FeedbackRequest
from cds_service.records import Records

item = {"outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
records = Records(sys.argv[1])
for number in range(int(sys.argv[2])):
    request = FeedbackRequest.model_validate({"feedback": [{**item, "card": f"card-{number}"}]})
    records.save_feedback("alk-order-sign", request, "Example Hospital")
os.write(1, b"acknowledged")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_survives_the_kill_of_the_process(database_url: str) -> None:
    records = Records(database_url)
    records.prepare()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, "7"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (killed.stdout, killed.returncode) == (b"acknowledged", -9)
    assert [item.card for item in records.feedback()] == [f"card-{n}" for n in range(7)]
    records.close()


@pytest.mark.clause("C-30", "C-35", "R-191")
def test_feedback_of_another_client_does_not_stand_beside_the_decision(
    records: Records, make_decision: MakeDecision, make_feedback: MakeFeedback
) -> None:
    record = make_decision()
    records.save_decision(record)
    request = make_feedback(overridden(record.cards[0].uuid))
    assert records.save_feedback(SERVICE, request, "Another Hospital") == 1
    assert records.feedback(decision_id=record.id) == ()
    (kept,) = records.feedback(card=record.cards[0].uuid)
    assert (kept.client, kept.is_card_known) == ("Another Hospital", False)
    records.save_feedback(SERVICE, request, CLIENT)
    (own,) = records.feedback(decision_id=record.id)
    assert (own.client, own.is_card_known) == (CLIENT, True)

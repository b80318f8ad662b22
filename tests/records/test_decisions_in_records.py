"""Decisions: stored whole, read back equal, by many threads and processes at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType

import pytest

from cds_service.records import CardRecord, DecisionRecord, Records, RecordsError
from tests.records.conftest import PAGES
from tests.waiting import PATIENCE

MakeDecision = Callable[..., DecisionRecord]


def test_a_decision_is_read_back_as_it_was_saved(
    records: Records, make_decision: MakeDecision
) -> None:
    record = make_decision()
    records.save_decision(record)
    assert records.decision(record.id) == record
    for card in record.cards:
        assert records.card(card.uuid) == (card, record.id)
        assert records.card(card.uuid.upper()) == (card, record.id)


def test_a_decision_without_cards_is_kept(records: Records, make_decision: MakeDecision) -> None:
    record = make_decision(cards=(), rule_ids=())
    records.save_decision(record)
    assert records.decision(record.id) == record


def test_many_cards_keep_their_order(records: Records, make_decision: MakeDecision) -> None:
    cards = tuple(CardRecord(str(uuid.uuid4()), f"R-{n}", "info") for n in range(40))
    record = make_decision(cards=cards)
    records.save_decision(record)
    found = records.decision(record.id)
    assert found is not None
    assert found.cards == cards


def test_what_is_not_there_is_none(records: Records) -> None:
    assert records.decision("5d9b2d5e-0000-4000-8000-000000000000") is None
    assert records.card("nothing") is None
    assert records.decision("' or 1=1 --") is None


def test_a_time_in_another_zone_is_the_same_moment(
    records: Records, make_decision: MakeDecision
) -> None:
    tokyo = datetime(2026, 11, 20, 1, 2, 3, tzinfo=timezone(timedelta(hours=9)))
    record = make_decision(created_at=tokyo)
    records.save_decision(record)
    found = records.decision(record.id)
    assert found is not None
    assert found.created_at == tokyo
    assert found.created_at.utcoffset() == timedelta(0)


def test_a_time_without_an_offset_is_refused(make_decision: MakeDecision) -> None:
    with pytest.raises(ValueError, match="offset"):
        make_decision(created_at=datetime(2026, 11, 20, 9, 30))  # noqa: DTZ001 - the case itself


def test_a_read_only_document_is_stored_as_the_object_it_is(
    records: Records, make_decision: MakeDecision
) -> None:
    record = make_decision(document=MappingProxyType({"remarks": MappingProxyType({"a": 1})}))
    records.save_decision(record)
    found = records.decision(record.id)
    assert found is not None
    assert found.document == {"remarks": {"a": 1}}


def test_a_document_that_is_not_json_is_refused_and_nothing_is_stored(
    records: Records, make_decision: MakeDecision
) -> None:
    record = make_decision(document={"reader": object()})
    with pytest.raises(TypeError):
        records.save_decision(record)
    assert records.decision(record.id) is None
    assert records.card(record.cards[0].uuid) is None


def test_a_card_uuid_used_twice_stores_neither_the_decision_nor_its_cards(
    records: Records, make_decision: MakeDecision
) -> None:
    first = make_decision()
    records.save_decision(first)
    fresh = CardRecord(str(uuid.uuid4()), "GATE-2", "info")
    second = make_decision(cards=(fresh, first.cards[0]))
    with pytest.raises(RecordsError):
        records.save_decision(second)
    assert records.decision(second.id) is None
    assert records.card(fresh.uuid) is None
    assert records.card(first.cards[0].uuid) == (first.cards[0], first.id)


def test_an_error_quotes_nothing_that_was_to_be_stored(
    records: Records, make_decision: MakeDecision
) -> None:
    record = make_decision(patient_key="secret-key", document={"a": "Jane Doe"})
    records.save_decision(record)
    with pytest.raises(RecordsError) as caught:
        records.save_decision(record)
    error = caught.value
    for text in (str(error), repr(error), str(error.__cause__), str(error.__context__)):
        assert "Jane" not in text
        assert "secret-key" not in text
    assert record.id not in f"{error!s} {error!r} {error.__cause__}"


def test_the_repr_holds_neither_the_document_nor_the_patient_key(
    make_decision: MakeDecision,
) -> None:
    text = repr(make_decision(patient_key="secret-key", document={"a": "Jane Doe"}))
    assert "Jane" not in text
    assert "secret-key" not in text
    assert "alk-order-sign" in text


def test_threads_share_one_records(records: Records, make_decision: MakeDecision) -> None:
    many = [make_decision() for _ in range(60)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(records.save_decision, many))
        found = list(pool.map(records.decision, [record.id for record in many]))
    assert found == many


def _save_many(url: str, first: int, count: int) -> None:
    records = Records(url, pages=PAGES)
    for number in range(first, first + count):
        records.save_decision(_numbered(number))
    records.close()


def _numbered(number: int) -> DecisionRecord:
    return DecisionRecord(
        id=str(uuid.UUID(int=number)),
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        service_id="alk-order-sign",
        hook="order-sign",
        hook_instance=str(uuid.UUID(int=number)),
        client="Example Hospital",
        as_of=date(2026, 11, 20),
        release="2026.11.0",
        patient_key="f" * 64,
        rule_ids=("GATE-2",),
        cards=(CardRecord(str(uuid.UUID(int=number + 10**9)), "GATE-2", "info"),),
        document={"text": "x" * 20_000},
    )


def test_two_processes_write_at_once(database_url: str) -> None:
    Records(database_url).prepare()
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_save_many, args=(database_url, first, 100)) for first in (0, 1000)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    reader = Records(database_url, pages=PAGES)
    numbers = [*range(100), *range(1000, 1100)]
    assert all(reader.decision(str(uuid.UUID(int=n))) == _numbered(n) for n in numbers)
    reader.close()


@pytest.fixture
def within_half_a_minute() -> Iterator[None]:
    """Two processes on one connection would wait for each other for ever."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("within_half_a_minute")
def test_a_child_process_opens_connections_of_its_own(
    records: Records, make_decision: MakeDecision
) -> None:
    """gunicorn loads the application, forks, and the parent may already have used its engine."""
    before = make_decision()
    records.save_decision(before)
    in_child = make_decision()
    child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(10)
        try:
            if records.decision(before.id) == before:
                records.save_decision(in_child)
                records.close()
                status = 0
        finally:
            os._exit(status)
    # The parent goes on meanwhile; on one connection for both, answers would get mixed up.
    own = [make_decision() for _ in range(20)]
    for record in own:
        records.save_decision(record)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert records.decision(in_child.id) == in_child
    assert [records.decision(record.id) for record in own] == own


def test_a_write_waits_for_another_process_to_finish(
    sqlite_records: Records, sqlite_url: str, make_decision: MakeDecision
) -> None:
    other = sqlite3.connect(
        sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    record = make_decision()
    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(sqlite_records.save_decision, record)
        time.sleep(0.2)
        assert not saving.done()
        assert sqlite_records.decision(record.id) is None
        other.execute("COMMIT")
        saving.result(timeout=PATIENCE)
    assert sqlite_records.decision(record.id) == record
    other.close()


def test_a_full_disk_or_a_lost_folder_is_an_error_and_not_silence(
    tmp_path: Path, make_decision: MakeDecision
) -> None:
    records = Records(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}")
    with pytest.raises(RecordsError):
        records.prepare()
    with pytest.raises(RecordsError):
        records.save_decision(make_decision())
    with pytest.raises(RecordsError):
        records.decision("x")

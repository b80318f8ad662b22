"""What is surely past: the time of day, unless the clock was set ahead a short while ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cds_service.protocol import MemoryReplayStore
from cds_service.protocol.past_time import ACCEPTED_SECONDS, PastTime

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("moved", [timedelta(0), timedelta(seconds=30), timedelta(days=-400)])
def test_it_is_the_time_that_the_clock_tells(moved: timedelta) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        past = PastTime()
        clock.shift(moved)
        assert past.now() == (NOON + moved).timestamp()


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=400)])
def test_a_clock_that_was_set_ahead_makes_nothing_past(ahead: timedelta) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        past = PastTime()
        clock.shift(ahead)
        assert past.now() < (NOON + timedelta(minutes=1)).timestamp()
        clock.shift(-ahead)
        assert past.now() == NOON.timestamp()


def test_a_clock_that_stays_ahead_is_believed_after_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    with time_machine.travel(NOON, tick=False) as clock:
        past = PastTime()
        clock.shift(timedelta(days=400))
        assert past.now() == NOON.timestamp()
        passed[0] = ACCEPTED_SECONDS
        assert past.now() == (NOON + timedelta(days=400)).timestamp()


def test_a_token_that_one_process_used_is_known_after_the_clock_went_ahead_and_back() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        store = MemoryReplayStore()
        ends = NOON.timestamp() + 300
        assert store.remember("issuer", "token", ends)
        clock.shift(timedelta(days=1))
        assert store.remember("issuer", "another", ends + 90_000)
        clock.shift(timedelta(days=-1))
        assert not store.remember("issuer", "token", ends)

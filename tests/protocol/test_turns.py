"""One call computes at a time, and those that have all their data go first."""

from __future__ import annotations

import contextlib
import threading

import pytest

from cds_service.protocol.time_limit import OutOfTime, TooCostly, time_limit
from cds_service.turns import Turns
from tests.waiting import PATIENCE, until


def forever() -> None:
    while True:
        pass


def test_one_computes_at_a_time_and_whoever_waits_for_a_server_lets_others_compute() -> None:
    turns, answered = Turns(), threading.Event()
    told: list[str] = []

    def asks_a_server() -> None:
        with turns.taken():
            told.append("asks")
            with turns.given_up():
                answered.wait(PATIENCE)
            told.append("goes on")

    asking = threading.Thread(target=asks_a_server)
    asking.start()
    until(lambda: told == ["asks"], "it asks")
    with turns.taken():
        answered.set()
        told.append("computes meanwhile")
    asking.join(PATIENCE)
    assert told == ["asks", "computes meanwhile", "goes on"]


def test_whoever_has_all_data_goes_before_one_that_comes_back() -> None:
    turns, answered = Turns(), threading.Event()
    told: list[str] = []

    def comes_back() -> None:
        with turns.taken():
            with turns.given_up():
                answered.wait(PATIENCE)
            told.append("comes back")

    def has_all() -> None:
        with turns.taken():
            told.append("has all")

    back = threading.Thread(target=comes_back)
    back.start()
    until(lambda: turns._holder is None and not answered.is_set(), "it waits")
    with turns.taken():
        answered.set()
        until(lambda: len(turns._returning) == 1, "it wants the turn back")
        later = threading.Thread(target=has_all)
        later.start()
        until(lambda: len(turns._new) == 1, "the other wants a turn")
    back.join(PATIENCE)
    later.join(PATIENCE)
    assert told == ["has all", "comes back"]


@pytest.mark.parametrize("where", ["while it waits for the turn", "while it computes"])
def test_a_request_whose_time_is_over_leaves_the_turn_to_others(where: str) -> None:
    turns, ended = Turns(), threading.Event()

    def late() -> None:
        with pytest.raises(OutOfTime), time_limit(0.05), turns.taken():
            forever()
        ended.set()

    if where == "while it computes":
        threading.Thread(target=late).start()
    else:
        with turns.taken():
            threading.Thread(target=late).start()
            until(ended.is_set, "it gives up waiting")
    until(ended.is_set, "it ends")
    with turns.taken():
        assert not turns._new


def test_a_limit_that_was_kept_raises_nothing_afterwards() -> None:
    for _ in range(200):
        with contextlib.suppress(OutOfTime), time_limit(0.0005, 0.0005):
            pass
    total = 0
    for number in range(2_000_000):
        total += number
    assert total


def test_computing_counts_what_a_thread_computes_and_not_how_long_it_waits() -> None:
    with time_limit(None, 0.05):
        threading.Event().wait(0.2)
    with pytest.raises(TooCostly), time_limit(None, 0.05):
        forever()

"""Used tokens: one store for all workers, and no token twice, whoever asks and when."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service.protocol import ReplayStore, ReplayStoreError
from cds_service.records import Records, RedisReplayStore
from cds_service.records.engines import open_engine, read_url
from tests.records.redis_server import running_redis
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

ISSUER = "https://ehr.example.org"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def open_store(url: str) -> ReplayStore:
    """A store of its own for one worker."""
    return RedisReplayStore(url) if url.startswith("redis") else Records(url).replay_store()


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def store_url(request: pytest.FixtureRequest) -> str:
    url = str(request.getfixturevalue(f"{request.param}_url"))
    if request.param != "redis":
        Records(url).prepare()
    return url


def soon() -> float:
    return time.time() + 60


@pytest.mark.clause("R-173", "N-06")
def test_a_token_is_new_once_for_all_workers(store_url: str) -> None:
    first, second = open_store(store_url), open_store(store_url)
    token = str(uuid.uuid4())
    assert first.remember(ISSUER, token, soon())
    assert not second.remember(ISSUER, token, soon())
    assert not first.remember(ISSUER, token, soon())


@pytest.mark.clause("R-173")
def test_the_same_token_id_of_another_issuer_is_another_token(store_url: str) -> None:
    store = open_store(store_url)
    token = str(uuid.uuid4())
    assert store.remember(ISSUER, token, soon())
    assert store.remember("https://other.example.org", token, soon())
    assert store.remember(f"{ISSUER}{token[0]}", token[1:], soon())


def test_any_text_may_be_a_token_id(store_url: str) -> None:
    store = open_store(store_url)
    odd = ["\x00", "'; DROP TABLE used_tokens; --", "\ud83d", "ü" * 100_000]
    assert [store.remember(ISSUER, f"{token}{uuid.uuid4()}", soon()) for token in odd] == [True] * 4


@pytest.mark.clause("R-173", "N-06")
def test_of_many_threads_with_one_token_exactly_one_is_let_in(store_url: str) -> None:
    stores = [open_store(store_url), open_store(store_url)]
    for _ in range(5):
        token, barrier = str(uuid.uuid4()), threading.Barrier(12)

        def use(number: int, token: str = token, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait(timeout=PATIENCE)
            return stores[number % 2].remember(ISSUER, token, soon())

        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(use, range(12))) == 1


RACING = """
import sys, time
from cds_service.records import Records, RedisReplayStore
url, start = sys.argv[1], float(sys.argv[2])
store = RedisReplayStore(url) if url.startswith("redis") else Records(url).replay_store()
store.remember("warm", sys.argv[3], time.time() + 60)
time.sleep(max(0.0, start - time.time()))
for number in range(60):
    if store.remember("https://ehr.example.org", f"token-{number}", time.time() + 60):
        print(number)
"""


@pytest.mark.clause("R-173", "N-06")
def test_of_two_processes_with_the_same_tokens_each_token_has_one_winner(store_url: str) -> None:
    if store_url.startswith("redis"):
        # The server is shared by the tests of this file; its second database is for this one.
        store_url = store_url.removesuffix("0") + "1"
    start = str(time.time() + 2.0)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RACING, store_url, start, str(number)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    won = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
    assert sorted(map(int, won[0] + won[1])) == list(range(60))


def test_an_expired_token_is_forgotten_and_its_row_goes_with_the_next_sweep(
    database_url: str,
) -> None:
    Records(database_url).prepare()
    past = time.time() - 5
    assert Records(database_url).replay_store().remember(ISSUER, "old", past)
    store = Records(database_url).replay_store()
    assert store.remember(ISSUER, "old", past)
    assert store.remember(ISSUER, "new", soon())
    assert Records(database_url).replay_store().remember(ISSUER, "newest", soon())
    with open_engine(read_url(database_url)).connect() as connection:
        kept = connection.execute(text("SELECT digest FROM used_tokens")).fetchall()
    assert len(kept) == 2
    assert all(len(row.digest) == 64 for row in kept)


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.sqlite3", "redis://127.0.0.1:1/0"],
)
def test_a_store_that_cannot_be_asked_lets_nobody_in_and_quotes_nothing(url: str) -> None:
    with pytest.raises(ReplayStoreError) as caught:
        open_store(url).remember(ISSUER, "token-of-jane", soon())
    assert "jane" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert "nowhere" not in str(caught.value)


def test_the_service_loads_where_the_redis_client_is_not_installed() -> None:
    without = "import sys; sys.modules['redis'] = None; import cds_service.app"
    subprocess.run(
        [sys.executable, "-c", without], cwd=Path(__file__).parents[2], check=True, timeout=PATIENCE
    )

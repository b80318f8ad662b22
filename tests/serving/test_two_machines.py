"""Two machines behind a proxy: what one knows the other knows, and none takes anything with it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from sqlalchemy import text

from cds_service.records import Records
from cds_service.records.engines import open_engine, read_url, writing
from fhir_fixtures.requests import load_request
from tests.serving.two_machines import Site, two_machines
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

STORED = load_request("full-order-sign")
SERVICE = STORED["service"]
KEY = ec.generate_private_key(ec.SECP384R1())


@pytest.fixture
def postgresql_site(tmp_path: Path, postgresql_url: str) -> Iterator[Site]:
    with two_machines(tmp_path, postgresql_url) as site:
        yield site


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """SQLite is one file, so there the two servers stand on one machine."""
    kind = request.param
    url = (
        request.getfixturevalue("postgresql_url")
        if kind == "postgresql"
        else f"sqlite:///{tmp_path / 'common.sqlite3'}"
    )
    with two_machines(tmp_path, url) as found:
        yield found


def feedback(card: str) -> dict[str, Any]:
    """Without a reason, so that the card comes again with the next call."""
    return {"feedback": [{"card": card, "outcome": "overridden",
                          "outcomeTimestamp": "2026-11-20T10:05:31Z"}]}  # fmt: skip


@dataclass
class Load:
    """Clients that call without a pause, give feedback, and remember what was acknowledged."""

    url: str
    cards: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    lost: int = 0
    refused: set[int] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def client(self) -> None:
        while not self._over.is_set():
            answer = self._sent(SERVICE, STORED["body"])
            if answer is None:
                continue
            uuids = [card["uuid"] for card in answer.json()["cards"]]
            self.cards += uuids
            if self._sent(f"{SERVICE}/feedback", feedback(uuids[0])) is not None:
                self.given.append(uuids[0])

    def _sent(self, path: str, body: Any) -> requests.Response | None:
        """The answer, or None where nothing was acknowledged."""
        try:
            answer = requests.post(f"{self.url}/cds-services/{path}", json=body, timeout=PATIENCE)
        except requests.ConnectionError:
            self.lost += 1
            return None
        if answer.status_code == 200:
            return answer
        self.refused.add(answer.status_code)
        return None

    def acknowledges(self, more: int) -> None:
        """Wait until so many more deliveries of feedback were acknowledged."""
        wanted = len(self.given) + more
        until(lambda: len(self.given) >= wanted, f"{more} more acknowledged")

    def end(self) -> None:
        self._over.set()


@contextmanager
def under_load(url: str, clients: int = 3) -> Iterator[Load]:
    load = Load(url)
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(load.client) for _ in range(clients)]
        try:
            yield load
        finally:
            load.end()
            for one in running:
                one.result(timeout=PATIENCE)


def column(database: str, query: str) -> set[str]:
    engine = open_engine(read_url(database), pooled=False)
    try:
        with engine.connect() as connection:
            return set(connection.execute(text(query)).scalars())
    finally:
        engine.dispose()


def holds_all_of(site: Site, load: Load) -> None:
    """Each card that was shown and each delivery that was acknowledged stands in the database."""
    shown, given = set(load.cards), set(load.given)
    assert shown
    assert given
    until(
        lambda: shown <= column(site.database, "SELECT uuid FROM cards"),
        "the decisions are all there, also those that waited on disk",
    )
    assert given <= column(site.database, "SELECT card FROM feedback")


def migrate(database: str, to: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", "cds_service.records:migrations")
    engine = open_engine(read_url(database), pooled=False)
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            to(config)
    finally:
        engine.dispose()


def back(config: Config) -> None:
    command.downgrade(config, "-1")


def forward(config: Config) -> None:
    command.upgrade(config, "head")


# -- what both know ------------------------------------------------------------------------------


def test_a_token_that_was_used_at_one_machine_is_refused_by_the_other(
    tmp_path: Path, postgresql_url: str
) -> None:
    public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
    client = {"name": "hospital", "iss": "https://ehr.example.org", "jwks": {"keys": [public]}}
    file = tmp_path / "clients.yaml"
    file.write_text(json.dumps({"clients": [client]}), encoding="utf-8")

    with two_machines(
        tmp_path, postgresql_url, environment="production", clients_file=str(file)
    ) as site:
        now = int(time.time())
        claims = {"iss": "https://ehr.example.org", "iat": now, "exp": now + 300,
                  "aud": f"{site.proxy.url}/cds-services/{SERVICE}"}  # fmt: skip

        def asked(server: int, bearer: str) -> int:
            return requests.post(
                f"{site.servers[server].url}/cds-services/{SERVICE}",
                json=STORED["body"],
                headers={"Authorization": f"Bearer {bearer}"},
                timeout=PATIENCE,
            ).status_code

        for first, second in ((0, 1), (1, 0)):
            bearer = jwt.encode({**claims, "jti": str(uuid.uuid4())}, KEY, algorithm="ES384",
                                headers={"kid": "one"})  # fmt: skip
            assert asked(first, bearer) == 200
            assert asked(second, bearer) == 401
            assert asked(first, bearer) == 401


def test_feedback_given_to_one_machine_is_known_to_the_other(postgresql_site: Site) -> None:
    one, other = (server.url for server in postgresql_site.servers)
    shown = requests.post(f"{one}/cds-services/{SERVICE}", json=STORED["body"], timeout=PATIENCE)
    cards = shown.json()["cards"]
    for card in cards:
        sent = requests.post(
            f"{other}/cds-services/{SERVICE}/feedback", json=feedback(card["uuid"]),
            timeout=PATIENCE,
        )  # fmt: skip
        assert (sent.status_code, sent.json()) == (200, {"received": 1})

    records = Records(postgresql_site.database)
    kept = {item.card: item for item in records.feedback()}
    records.close()
    assert set(kept) == {card["uuid"] for card in cards}
    assert all(item.is_card_known and item.decision_id for item in kept.values())


def test_the_page_of_a_decision_opens_at_the_machine_that_did_not_make_it(
    postgresql_site: Site,
) -> None:
    one, other = (server.url for server in postgresql_site.servers)
    shown = requests.post(f"{one}/cds-services/{SERVICE}", json=STORED["body"], timeout=PATIENCE)
    link = shown.json()["cards"][0]["links"][0]["url"]
    assert link.startswith(postgresql_site.proxy.url)

    page = requests.get(link.replace(postgresql_site.proxy.url, other), timeout=PATIENCE)

    assert page.status_code == 200


# -- what nobody loses ---------------------------------------------------------------------------


def test_a_machine_that_is_killed_under_load_takes_nothing_with_it(postgresql_site: Site) -> None:
    site = postgresql_site
    with under_load(site.proxy.url) as load:
        load.acknowledges(6)
        killed = site.servers[0].process
        children = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
        for process in (killed.pid, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        load.acknowledges(6)
    # What was under way at that moment was not acknowledged; the other machine answered the rest.
    assert load.refused <= {502}
    holds_all_of(site, load)


def test_a_rolling_upgrade_with_a_migration_back_and_forward_loses_nothing(site: Site) -> None:
    with under_load(site.proxy.url) as load:
        load.acknowledges(4)
        # The older tables: this version cannot write into them, so that decisions wait on disk
        # and feedback is asked for again.
        migrate(site.database, back)
        shown = len(load.cards)
        until(lambda: len(load.cards) >= shown + 10, "cards are shown meanwhile")
        migrate(site.database, forward)
        load.acknowledges(4)
        for number in (0, 1):
            site.end(number)
            load.acknowledges(2)
            site.begin(number)
            load.acknowledges(2)
    assert load.lost == 0
    assert load.refused <= {502, 503}
    holds_all_of(site, load)

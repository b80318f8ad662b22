"""The settings of the doors, at the application as a whole."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_service.app import create_app
from cds_service.commands.running import LocalServer
from cds_service.records import Records
from fhir_fixtures.requests import load_request
from tests.records.redis_server import running_redis
from tests.services.calling import DAY, TIMEOUT, Json, refused, settings_for

pytestmark = pytest.mark.slow

P256, P384 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1()))
KEYS: Json = {"ES256": P256, "ES384": P384}


class Site:
    """A service in production mode and a client that signs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: Any, algorithm: str = "ES384", **claims: Any) -> Any:
        now = int(time.time())
        payload = {"iss": "https://ehr.example.org", "aud": f"{self.url}/cds-services/{path}",
                   "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **claims}  # fmt: skip
        key, headers = KEYS[algorithm], {"kid": algorithm}
        token = jwt.encode(payload, key, algorithm=algorithm, headers=headers)
        address = f"{self.url}/cds-services/{path}"
        return requests.post(
            address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT
        )


Start = Callable[..., AbstractContextManager[Site]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @contextmanager
    def running(**changes: Any) -> Iterator[Site]:
        keys = [
            {**json.loads(ECAlgorithm.to_jwk(key.public_key())), "kid": name}
            for name, key in KEYS.items()
        ]
        client = {"name": "hospital", "iss": "https://ehr.example.org", "jwks": {"keys": keys}}
        file = tmp_path / "clients.yaml"
        file.write_text(json.dumps({"clients": [client]}), encoding="utf-8")
        server = LocalServer()
        settings = settings_for(
            server,
            tmp_path / "kept.sqlite3",
            environment="production",
            clients_file=file,
            link_secret="0123456789abcdef0123456789abcdef",
            **changes,
        )
        server.start(create_app(settings, today=lambda: DAY))
        try:
            yield Site(server.url)
        finally:
            server.close()

    return running


CALL = load_request("full-patient-view")
PATH, BODY = CALL["service"], CALL["body"]
REASON = {"userComment": "seen"}


@pytest.mark.clause("R-166", "R-168", "R-174")
def test_algorithms_and_the_life_of_tokens_are_the_operators_choice(start: Start) -> None:
    with start() as site:
        assert site.post(PATH, BODY).status_code == 200
        assert site.post(PATH, BODY, "ES256").status_code == 401
    with start(token_algorithms="ES256", token_max_life_seconds=300) as site:
        assert site.post(PATH, BODY, "ES256").status_code == 200
        assert site.post(PATH, BODY).status_code == 401
        late = int(time.time()) + 301
        assert site.post(PATH, BODY, "ES256", exp=late, iat=late - 302).status_code == 401


@pytest.mark.clause("R-174")
def test_the_leeway_is_the_operators_choice(start: Start) -> None:
    now = int(time.time())
    with start(token_leeway_seconds=0) as site:
        assert site.post(PATH, BODY, exp=now - 20, iat=now - 100).status_code == 401
    with start(token_leeway_seconds=60) as site:
        assert site.post(PATH, BODY, exp=now - 20, iat=now - 100).status_code == 200


@pytest.mark.clause("D-11")
def test_a_client_and_a_stranger_are_held_to_their_rates(start: Start) -> None:
    with start(rate_limit="2/hour", refused_rate_limit="1/hour") as site:
        assert [site.post(PATH, BODY).status_code for _ in range(3)] == [200, 200, 429]
        stranger = {"iss": "https://stranger.example.org"}
        assert [site.post(PATH, BODY, **stranger).status_code for _ in range(2)] == [401, 429]


@pytest.mark.clause("R-173", "D-11", "N-06")
def test_machines_with_databases_of_their_own_share_tokens_and_rates_by_redis(
    start: Start, tmp_path: Path
) -> None:
    with (
        running_redis(tmp_path) as url,
        start(redis_url=url, rate_limit="3/hour", database_url=f"sqlite:///{tmp_path}/a") as one,
        start(redis_url=url, rate_limit="3/hour", database_url=f"sqlite:///{tmp_path}/b") as two,
    ):
        address = [f"{site.url}/cds-services/{PATH}" for site in (one, two)]
        token_id = str(uuid.uuid4())
        assert one.post(PATH, BODY, aud=address, jti=token_id).status_code == 200
        assert two.post(PATH, BODY, aud=address, jti=token_id).status_code == 401
        told = [site.post(PATH, BODY, aud=address).status_code for site in (two, one, two, one)]
        assert told == [200, 200, 429, 429]


@pytest.mark.clause("D-07", "N-10")
def test_bodies_are_held_to_their_limits(start: Start) -> None:
    many = [{"resource": {"resourceType": "Basic"}}] * 101
    with start(max_resources=100, max_json_depth=16, max_body_bytes=200_000) as site:
        crowded = {**BODY, "prefetch": {"patient": {"resourceType": "Bundle", "entry": many}}}
        assert "100 resources" in refused(site.post(PATH, crowded), 413)["diagnostics"]
        deep = {**BODY, "extension": {"x": json.loads("[" * 20 + "]" * 20)}}
        assert "16 levels" in refused(site.post(PATH, deep), 400)["diagnostics"]
        large = {**BODY, "extension": {"x": "y" * 200_000}}
        assert "200000 bytes" in refused(site.post(PATH, large), 413)["diagnostics"]


def test_a_browser_can_make_nothing_of_any_answer(start: Start) -> None:
    with start() as site:
        for path in ("/", "/health", "/nothing", "/cds-services", "/decisions/x"):
            headers = requests.get(f"{site.url}{path}", timeout=TIMEOUT).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy


def test_two_tenants_of_one_issuer_share_neither_feedback_nor_answered_cards(
    start: Start, tmp_path: Path
) -> None:
    """R-175: the same patient id and the same user id are other people there."""

    def reminders(site: Site, **who: str) -> list[Json]:
        answer = site.post(PATH, BODY, **who)
        assert answer.status_code == 200, answer.text
        return [card for card in answer.json()["cards"] if "overdue" in card["summary"]]

    def answered(site: Site, card: Json, **who: str) -> None:
        given = {"card": card["uuid"], "outcome": "overridden", "overrideReason": REASON,
                 "outcomeTimestamp": "2026-11-20T10:05:31Z"}  # fmt: skip
        path = f"{PATH}/feedback"
        assert site.post(path, {"feedback": [given]}, **who).status_code == 200

    with start(snooze_days=30) as site:
        (north,) = reminders(site, tenant="north")
        answered(site, north, tenant="south")
        assert reminders(site, tenant="north")
        (south,) = reminders(site, tenant="south")
        answered(site, south, tenant="south")
        assert not reminders(site, tenant="south")
        assert reminders(site, tenant="north")
        assert reminders(site)
        for odd in ("", " x", "a\x00b", "x" * 201, ["north"]):
            assert site.post(PATH, BODY, tenant=odd).status_code == 401
    records = Records(f"sqlite:///{tmp_path / 'kept.sqlite3'}")
    known = {item.client: item.is_card_known for item in records.feedback(card=north["uuid"])}
    assert known == {"hospital#south": False}
    (before, after) = (records.card(card["uuid"]) for card in (north, south))
    assert before is not None
    assert after is not None
    assert before[0].fingerprint != after[0].fingerprint
    records.close()

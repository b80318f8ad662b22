"""The clock of the machine jumps: calls are answered, and no used token is good again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import requests
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.services.calling import TIMEOUT, LocalServer, create_app, settings_for

pytestmark = pytest.mark.slow

KEY = ec.generate_private_key(ec.SECP384R1())
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JUMPS = [timedelta(hours=-3), timedelta(minutes=10), timedelta(days=400), timedelta(days=-400)]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A service in production, where every call needs a token that is new."""
    public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
    client = {"name": "hospital", "iss": "https://ehr.example.org", "jwks": {"keys": [public]}}
    clients = tmp_path / "clients.yaml"
    clients.write_text(json.dumps({"clients": [client]}), encoding="utf-8")
    server = LocalServer()
    settings = settings_for(
        server,
        tmp_path / "kept.sqlite3",
        environment="production",
        clients_file=clients,
        link_secret="0123456789abcdef0123456789abcdef",
    )
    server.start(create_app(settings))
    try:
        yield server.url
    finally:
        server.close()


def token(url: str, **claims: int) -> str:
    """A token that is good at the time that the clock tells now."""
    now = int(time.time())
    said = {"iss": "https://ehr.example.org", "aud": f"{url}/cds-services", "iat": now,
            "exp": now + 300, "jti": str(uuid.uuid4()), **claims}  # fmt: skip
    return jwt.encode(said, KEY, algorithm="ES384", headers={"kid": "one"})


def asked(url: str, bearer: str) -> int:
    return requests.get(
        f"{url}/cds-services", headers={"Authorization": f"Bearer {bearer}"}, timeout=TIMEOUT
    ).status_code


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_calls_are_answered_after_a_jump_and_back(url: str, jump: timedelta) -> None:
    with time_machine.travel(NOW) as clock:
        assert asked(url, token(url)) == 200
        clock.shift(jump)
        assert asked(url, token(url)) == 200
        clock.shift(-jump)
        assert asked(url, token(url)) == 200


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_used_token_is_not_good_again_after_a_jump_and_back(url: str, jump: timedelta) -> None:
    with time_machine.travel(NOW) as clock:
        used = token(url)
        assert asked(url, used) == 200
        clock.shift(jump)
        # Whatever is asked now may make the store forget what has expired.
        assert asked(url, used) == 401
        assert asked(url, token(url)) == 200
        clock.shift(-jump)
        assert asked(url, used) == 401

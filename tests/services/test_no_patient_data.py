"""Names, record numbers, tokens and comments planted in every field; none of them comes out again.

Looked at: the log as it is written, the metrics, every answer that is not a card, and the database
for tokens.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask, Response, redirect
from jwt.algorithms import ECAlgorithm

from cds_service.operations.logs import configure_logging
from fhir_fixtures.requests import load_request
from tests.services.calling import (
    DAY,
    TIMEOUT,
    Json,
    LocalServer,
    create_app,
    serving,
    settings_for,
)

pytestmark = pytest.mark.slow

PLANT = "Quillfeather-MRN00731955-tel5550142"
"""Without blanks, so that it could pass for a code."""
WORDS = f"Rosalind {PLANT}, Larkspur Lane 17, +1 555 0142"
ACCESS_TOKEN = f"access-token-{PLANT}"
METRICS_TOKEN = "fedcba9876543210fedcba9876543210"
KEY = ec.generate_private_key(ec.SECP384R1())
CALLS = ("full-patient-view", "full-order-select", "full-order-sign", "full-medication-prescribe")


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("DEBUG", stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True
    root.handlers[:] = handlers
    root.setLevel(level)


class Ehr:
    """A FHIR server that answers everything in one way, and that way can be changed."""

    def __init__(self) -> None:
        self.app = Flask("ehr")
        self.answer: Callable[[], Any] = lambda: Response(status=404)
        self.app.add_url_rule("/fhir/<path:path>", view_func=lambda path: self.answer())
        self.url = ""


class Door:
    """The service in production mode, with a client that signs."""

    def __init__(self, url: str, database: Path, log: io.StringIO, ehr: Ehr) -> None:
        self.url, self.database, self.log, self.ehr = url, database, log, ehr

    def sign(self, path: str, headers: Json | None = None, **claims: Any) -> str:
        now = int(time.time())
        payload = {"iss": "https://ehr.example.org", "aud": f"{self.url}/cds-services/{path}",
                   "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), "sub": PLANT,
                   **claims}  # fmt: skip
        header = {"kid": "one", "typ": "JWT", **(headers or {})}
        return jwt.api_jws.encode(json.dumps(payload).encode(), KEY, "ES384", headers=header)

    def post(self, path: str, body: Any, authorization: str | None = None) -> requests.Response:
        """Send a body and look at the answer, unless it is cards."""
        answer = requests.post(
            f"{self.url}/cds-services/{path}?name={PLANT}",
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": authorization or f"Bearer {self.sign(path)}",
                "X-Patient": PLANT,
            },
            timeout=TIMEOUT,
        )
        assert PLANT not in str(answer.headers)
        if answer.status_code != 200 or path.endswith("feedback"):
            assert PLANT not in answer.text
        return answer

    def counted(self) -> str:
        """What the metrics say."""
        answer = requests.get(
            f"{self.url}/metrics",
            headers={"Authorization": f"Bearer {METRICS_TOKEN}"},
            timeout=TIMEOUT,
        )
        assert "alk_cds_requests_total{" in answer.text
        return answer.text

    def told(self) -> str:
        """What the log says, after a look at whether it is one of ours."""
        written = self.log.getvalue()
        assert '"answered"' in written or '"refused' in written
        assert all(json.loads(line) for line in written.splitlines())
        return written


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, log: io.StringIO) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    server, ehr = LocalServer(), Ehr()
    with serving(ehr.app) as address:
        ehr.url = f"{address}/fhir"
        public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
        client = {"name": "Example Hospital", "iss": "https://ehr.example.org",
                  "jwks": {"keys": [public]}, "fhir_servers": [ehr.url],
                  "allow_private_addresses": True}  # fmt: skip
        (folder / "clients.yaml").write_text(json.dumps({"clients": [client]}), encoding="utf-8")
        settings = settings_for(
            server,
            folder / "kept.sqlite3",
            environment="production",
            clients_file=folder / "clients.yaml",
            link_secret="0123456789abcdef0123456789abcdef",
            metrics_token=METRICS_TOKEN,
            fhir_deadline_seconds=2.0,
            rate_limit="off",
            refused_rate_limit="off",
        )
        server.start(create_app(settings, today=lambda: DAY))
        yield Door(server.url, folder, log, ehr)
        server.close()


@pytest.fixture(autouse=True)
def nothing_planted_comes_out(log: io.StringIO, door: Door) -> Iterator[None]:
    yield
    written = door.told() + door.counted()
    for secret in (PLANT, "Rosalind", "Larkspur", "eyJ", "555 0142", METRICS_TOKEN):
        assert secret not in written
    for file in door.database.glob("kept.sqlite3*"):
        kept = file.read_bytes()
        assert ACCESS_TOKEN.encode() not in kept
        # A token has dots; what a page shows is encrypted and can hold any letters.
        assert re.search(rb"eyJ[\w-]+\.", kept) is None


Path_ = tuple[str | int, ...]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Where a string stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*at, name))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from places(part, (*at, position))
    elif isinstance(value, str):
        yield at


def one_of_each(value: Any) -> list[Path_]:
    """The first place of each kind: positions in arrays are taken for the same."""
    kinds: dict[Path_, Path_] = {}
    for place in places(value):
        kinds.setdefault(tuple(part for part in place if isinstance(part, str)), place)
    return list(kinds.values())


def planted(value: Any, place: Path_, what: Any) -> Any:
    changed = copy.deepcopy(value)
    inside = changed
    for part in place[:-1]:
        inside = inside[part]
    inside[place[-1]] = what
    return changed


def call_of(door: Door, name: str) -> tuple[str, Json]:
    stored = load_request(name)
    authorization = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
                     "scope": "patient/*.rs", "subject": PLANT}  # fmt: skip
    extra = {
        "fhirServer": door.ehr.url,
        "fhirAuthorization": authorization,
        "extension": {"x": "y"},
    }
    return stored["service"], {**stored["body"], **extra}


@pytest.mark.clause("R-77", "R-90", "R-176", "N-70")
@pytest.mark.parametrize("name", CALLS)
def test_what_stands_in_one_field_of_a_call_stays_there(door: Door, name: str) -> None:
    service, body = call_of(door, name)
    found = one_of_each(body)
    assert len(found) > 40
    statuses = set()
    for place in found:
        for what in (WORDS, {PLANT: WORDS}) if "prefetch" in place else (PLANT, WORDS, [PLANT]):
            statuses.add(door.post(service, planted(body, place, what)).status_code)
    assert {200, 400} <= statuses <= {200, 400, 412}


@pytest.mark.clause("R-90", "N-70")
@pytest.mark.parametrize("name", CALLS)
def test_what_stands_in_all_fields_or_in_a_malformed_body_stays_there(
    door: Door, name: str
) -> None:
    service, body = call_of(door, name)
    everywhere = body
    for place in places(body["prefetch"]):
        everywhere = planted(everywhere, ("prefetch", *place), PLANT) if place[-1] in {
            "family", "text", "display", "div", "value", "line", "city", "reference", "id",
        } else everywhere  # fmt: skip
    whole = json.dumps({**everywhere, PLANT: {PLANT: WORDS}}).encode()
    prefetch = {**body["prefetch"], PLANT: WORDS, f"{PLANT} 2": {"resourceType": PLANT}}
    bodies: list[Any] = [
        everywhere,
        {**body, "prefetch": prefetch},
        {**body, "prefetch": {PLANT: {"resourceType": "Patient"}}},
        {**body, "hook": PLANT, "hookInstance": PLANT},
        whole,
        whole[: len(whole) // 2],
        whole + b"}" + PLANT.encode(),
        whole.replace(b'"hook"', b'"hook": "x", "hook"'),
        whole.decode().encode("utf-16"),
        json.dumps(PLANT).encode(),
        PLANT.encode(),
        b"\xff" + whole,
        b"[" * 100 + whole + b"]" * 100,
    ]
    for sent in bodies:
        assert door.post(service, sent).status_code in {200, 400, 412}
    assert door.post(PLANT, body).status_code == 404


@pytest.mark.clause("R-192", "N-70")
def test_feedback_stays_in_the_database(door: Door) -> None:
    service, body = call_of(door, "full-order-sign")
    card = door.post(service, body).json()["cards"][0]["uuid"]
    coding = {"code": "a", "system": "urn:b", "display": "c"}
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:15:00Z",
            "acceptedSuggestions": [{"id": "s"}], "extension": {"x": "y"},
            "overrideReason": {"reason": coding, "userComment": "d"}}  # fmt: skip
    feedback = {"feedback": [item]}
    for place in one_of_each(feedback):
        for what in (PLANT, WORDS, {PLANT: WORDS}, [PLANT], None):
            answer = door.post(f"{service}/feedback", planted(feedback, place, what))
            assert answer.status_code in {200, 400}
    whole = json.dumps(planted(feedback, ("feedback", 0, "overrideReason", "userComment"), WORDS))
    assert door.post(f"{service}/feedback", whole.encode()).status_code == 200
    assert door.post(f"{service}/feedback", whole.encode()[:-3]).status_code == 400
    assert door.post(f"{PLANT}/feedback", whole.encode()).status_code == 404
    kept = b"".join(file.read_bytes() for file in door.database.glob("kept.sqlite3*"))
    assert WORDS.encode() in kept, "the comment is for those who may read the database"


@pytest.mark.clause("R-172", "R-176")
def test_a_refused_token_says_nothing_and_leaves_nothing(door: Door) -> None:
    service, body = call_of(door, "full-patient-view")
    stranger = ec.generate_private_key(ec.SECP384R1())
    good = door.sign(service)
    tokens = [
        *(door.sign(service, **{name: PLANT}) for name in ("iss", "aud", "exp", "iat", "nbf")),
        door.sign(service, jti=[PLANT]),
        door.sign(service, tenant=[PLANT]),
        *(door.sign(service, {name: PLANT}) for name in ("kid", "typ")),
        door.sign(service, {"jku": f"https://{PLANT}/"}, iss=PLANT),
        door.sign(service, {"crit": [PLANT]}),
        jwt.encode({"iss": PLANT}, PLANT * 2, algorithm="HS256"),
        jwt.encode({"iss": "https://ehr.example.org"}, stranger, "ES384", headers={"kid": "one"}),
        good[:-4] + "AAAA",
        PLANT,
        f"{PLANT}.{PLANT}.{PLANT}",
    ]
    headers = [f"Bearer {token}" for token in tokens]
    for header in [*headers, f"Basic {PLANT}", PLANT, "Bearer", f"Bearer {good}, Bearer {good}"]:
        answer = door.post(service, body, header)
        assert (answer.status_code, answer.content) == (401, b"")


def _page(**changes: Any) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", **changes}


OUTCOME = {"resourceType": "OperationOutcome",
           "issue": [{"severity": "error", "code": "exception", "diagnostics": WORDS,
                      "details": {"text": WORDS}}]}  # fmt: skip
ANSWERS: dict[str, Callable[[], Any]] = {
    "an error": lambda: (OUTCOME, 500),
    "a refusal": lambda: Response(WORDS, status=401, headers={"WWW-Authenticate": PLANT}),
    "a redirect": lambda: redirect(f"https://{PLANT.lower()}.example.org/{PLANT}"),
    "no JSON": lambda: Response(WORDS, content_type="application/fhir+json"),
    "half of it": lambda: Response(json.dumps(OUTCOME)[:-9], content_type="application/fhir+json"),
    "an outcome": lambda: OUTCOME,
    "a page with an odd link": lambda: _page(
        link=[{"relation": "next", "url": f"https://{PLANT.lower()}.example.org/?x={PLANT}"}]
    ),
    "a resource of somebody": lambda: _page(
        entry=[{"resource": {"resourceType": "Patient", "id": PLANT, "name": [{"text": WORDS}]}}]
    ),
    "another resource": lambda: {"resourceType": PLANT, "id": PLANT, "status": WORDS},
}


@pytest.mark.clause("R-77", "R-78", "N-22", "N-70")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("kept", [(), ("patient", "conditions", "medications")])
def test_what_the_fhir_server_answers_is_not_passed_on(
    door: Door, answer: Callable[[], Any], kept: tuple[str, ...]
) -> None:
    service, body = call_of(door, "full-patient-view")
    door.ehr.answer = answer
    supplied = {key: body["prefetch"][key] for key in kept}
    given = door.post(service, {**body, "prefetch": supplied})
    assert given.status_code in {200, 412}
    assert PLANT not in given.text


def test_pages_and_paths_made_up_by_a_caller_are_not_repeated(door: Door) -> None:
    for path in (f"/{PLANT}", f"/decisions/{PLANT}", f"/decisions/{PLANT}.json",
                 f"/health?{PLANT}", f"/assets/{PLANT}"):  # fmt: skip
        answer = requests.get(f"{door.url}{path}", headers={"Referer": PLANT}, timeout=TIMEOUT)
        assert PLANT not in answer.text


@pytest.mark.clause("R-177")
def test_the_log_says_who_asked_what_when_and_by_which_rules(door: Door) -> None:
    service, body = call_of(door, "full-order-sign")
    instance = str(uuid.uuid4())
    answer = door.post(service, {**body, "hookInstance": instance})
    ours = [json.loads(line) for line in door.told().splitlines() if instance in line]
    decided, answered = ours
    assert (decided["event"], answered["event"]) == ("decided", "answered")
    for line in ours:
        assert (line["service"], line["hook"]) == (service, "order-sign")
        assert (line["client"], line["hook_instance"]) == ("Example Hospital", instance)
    assert decided["release"]
    assert decided["rule_ids"]
    assert decided["card_count"] == len(answer.json()["cards"])
    assert answered["status"] == 200
    assert answered["duration_ms"] > 0

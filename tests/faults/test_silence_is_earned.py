"""Faults x kinds of data x hooks x patients: an answer is whole, or says what it is short of.

Three patients: one whose order must not be signed (ALT six times the limit), one whose chart has
nothing to complain of, and one who has nothing to do with ALK. Each kind of data fails in each way,
as sent along by the EHR and as answered by its FHIR server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest
from flask import Flask, Response, redirect, request

from fhir_fixtures.requests import answer as truth_of
from fhir_fixtures.requests import hook_request
from tests.depth import DEPTH, SEED
from tests.faults.door import Door, told
from tests.faults.faults import ABSENT, FAULTS, SECRET, TYPES, outcome
from tests.faults.patients import PATIENTS
from tests.services.calling import Json, serving, told_apart

HOOKS = ("patient-view", "order-select", "order-sign")
TOKEN = "token-of-this-call"
NOT_NEEDED = frozenset({"requests"})
"""Without these the answer says more, never less."""
OPTIONAL = frozenset(
    {
        "medication_statements",
        "medication_administrations",
        "medication_dispenses",
        "adverse_events",
        "allergies",
        "examinations",
        "visits",
        "impressions",
        "alerts",
        "devices",
    }
)
"""What many systems do not have: that it does not come at all is no news."""
DECIDING = frozenset({"conditions", "medications"})
"""Without these nobody knows whether the patient has anything to do with ALK."""


@cache
def _whole(hook: str, patient: str, service: str) -> Json:
    return hook_request(PATIENTS[patient], json.loads(service))


def _body(door: Door, hook: str, patient: str) -> Json:
    whole = _whole(hook, patient, json.dumps(door.services[hook]))
    return {**whole, "prefetch": dict(whole["prefetch"])}


_truths: dict[tuple[str, str], list[Json]] = {}


def _truth(door: Door, hook: str, patient: str) -> list[Json]:
    if (hook, patient) not in _truths:
        found = door.post(hook, _body(door, hook, patient))
        assert found.status_code == 200
        _truths[hook, patient] = told_apart(found.get_json()["cards"])
    return _truths[hook, patient]


def _judge(
    door: Door, hook: str, patient: str, key: str, found: Any, *, may_be_quiet: bool
) -> str | None:
    """What is wrong with an answer to a call of which one kind of data did not arrive whole."""
    text = found.get_data(as_text=True)
    if SECRET in text or TOKEN in text or "Traceback" in text:
        return "it repeats what nobody may repeat"
    if found.status_code == 412:
        return None if key in text else "412 without the key"
    if found.status_code != 200:
        return f"status {found.status_code}"
    cards = found.get_json()["cards"]
    truth = _truth(door, hook, patient)
    if told(cards, key):
        return None
    if not may_be_quiet:
        return f"{len(cards)} cards, none of which names the data"
    shown = {(card["summary"], card["indicator"]) for card in cards}
    lost = [card for card in truth if (card["summary"], card["indicator"]) not in shown]
    return f"it loses {[card['summary'] for card in lost]}" if lost else None


def _may_be_quiet(patient: str, key: str) -> bool:
    return key in NOT_NEEDED or (patient == "no cancer" and key not in DECIDING)


def _applies(fault: str, key: str) -> bool:
    # A read is answered with one resource; and of nothing there is no end.
    if key == "devices" and fault == "every resource of nobody":
        # A device without a patient is a product: nobody's, as FHIR has it, and no finding.
        return False
    return not (key == "patient" and fault == "one resource where a search belongs")


def test_the_table_knows_every_kind_of_data(door: Door) -> None:
    for hook in HOOKS:
        service = door.services[hook]
        asked = {key: text.partition("?")[0] for key, text in service["prefetch"].items()}
        assert {key: text.partition("/")[0] for key, text in asked.items()} == TYPES


def test_the_three_patients_are_what_they_are_called(door: Door) -> None:
    for hook in HOOKS:
        assert _truth(door, hook, "toxic")[0]["summary"].startswith("Hold alectinib: ALT 6.2 x ULN")
        assert _truth(door, hook, "quiet") == []
        assert _truth(door, hook, "no cancer") == []


Case = tuple[str, str, str]
CASES: tuple[Case, ...] = tuple(product(TYPES, HOOKS, PATIENTS))
_STEPS = {"quick": 25, "slow": 5, "sample": 3, "long": 1}
"""One in so many cases of each fault, of other kinds of data and hooks with each fault."""


def _chosen(cases: Sequence[Case], first: int, depth: str = DEPTH) -> Sequence[Case]:
    step = _STEPS[depth]
    return cases[first % step :: step]


def _wrong_when_sent(door: Door, fault: str, cases: Sequence[Case]) -> dict[Case, str]:
    wrong = {}
    for key, hook, patient in cases:
        body = _body(door, hook, patient)
        value = FAULTS[fault](body["prefetch"][key], key)
        if value is ABSENT:
            del body["prefetch"][key]
        else:
            body["prefetch"][key] = value
        no_news = key in OPTIONAL and value is ABSENT
        quiet = _may_be_quiet(patient, key) or no_news
        said = _judge(door, hook, patient, key, door.post(hook, body), may_be_quiet=quiet)
        if said is not None and _applies(fault, key):
            wrong[key, hook, patient] = said
    return wrong


@pytest.mark.parametrize("fault", FAULTS)
def test_a_kind_of_data_that_the_ehr_did_not_send_whole_is_named(door: Door, fault: str) -> None:
    assert not _wrong_when_sent(door, fault, _chosen(CASES, list(FAULTS).index(fault)))


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_data_at_every_hook_for_every_patient_is_named(
    door: Door, fault: str
) -> None:
    depth = "long" if DEPTH == "long" else "sample"
    assert not _wrong_when_sent(door, fault, _chosen(CASES, SEED + len(fault), depth))


# -- the FHIR server ------------------------------------------------------------------

STATUSES = (204, 301, 400, 401, 403, 404, 410, 500, 501)
NOT_HAD = frozenset({"HTTP 400", "HTTP 404", "HTTP 501"})
"""How a server says that it has no such resources."""
BODIES: dict[str, bytes] = {
    "an empty body": b"",
    "null": b"null",
    "half a body": b'{"resourceType": "Bundle", "type": "searchset", "entry": [',
    "a page for people": f"<html>log in, {SECRET}</html>".encode(),
    "bytes that are no text": b"\xff\xfe\x00{",
}
PAGES = ("pages without an end", "a second page that fails", "a second page with an error in it")

CONTENT = (
    "a warning",
    "a remark",
    "an object that is no resource",
    "a search of another type",
    "nothing but an error in a search",
    "nothing but a warning in a search",
    "a warning among the results",
    "a total of more than it holds",
    "a next page elsewhere",
    "a next page that is no address",
    "a next page without an address",
    "every resource of another patient",
    "every resource of another server",
    "every resource unreadable",
)
"""Of the faults above those that servers are known for; they are read by the same code."""
SERVER_FAULTS = (*CONTENT, *(f"HTTP {status}" for status in STATUSES), *BODIES, *PAGES)


def _faulty_server() -> Flask:
    """A FHIR server whose base address says which patient it holds and how it fails."""
    app = Flask("faulty")
    names = list(SERVER_FAULTS)

    def fhir(value: Any, status: int = 200) -> Response:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return Response(text, status, content_type="application/fhir+json")

    @app.get("/<patient>/<int:number>/<key>/<path:path>")
    def answer(patient: str, number: int, key: str, path: str) -> Any:
        query = request.query_string.decode().partition("&_count=")[0]
        story = PATIENTS[patient.replace("-", " ")]
        value = truth_of(story.bundle, f"{path}?{query}" if query else path)
        fault = names[number]
        if fault.startswith("HTTP "):
            status = int(fault.removeprefix("HTTP "))
            return (
                redirect("/elsewhere", status) if status == 301 else fhir(outcome("error"), status)
            )
        if fault in BODIES:
            return fhir(BODIES[fault])
        if fault in PAGES:
            return _paged(fault, value, key)
        return fhir(FAULTS[fault](value, key))

    def _paged(fault: str, value: Json, key: str) -> Response:
        second = "page" in request.args
        if second and fault == "a second page that fails":
            return fhir(outcome("error"), 500)
        if second and fault == "a second page with an error in it":
            return fhir(outcome("error"))
        link = [{"relation": "next", "url": f"{request.base_url}?page=2"}]
        page = value if value["resourceType"] == "Bundle" else {"resourceType": "Bundle"}
        return fhir({**page, "link": link})

    return app


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(_faulty_server()) as url:
        yield url


def _wrong_when_asked(
    door: Door, server: str, fault: str, cases: Sequence[Case]
) -> dict[Case, str]:
    wrong = {}
    for key, hook, patient in cases:
        body = _body(door, hook, patient)
        del body["prefetch"][key]
        found = door.post(hook, {**body, **_access(server, fault, patient, key)})
        no_news = key in OPTIONAL and fault in NOT_HAD
        quiet = _may_be_quiet(patient, key) or no_news
        said = _judge(door, hook, patient, key, found, may_be_quiet=quiet)
        if said is not None and _applies(fault, key):
            wrong[key, hook, patient] = said
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("fault", SERVER_FAULTS)
def test_a_kind_of_data_that_the_server_did_not_give_whole_is_named(
    door: Door, server: str, fault: str
) -> None:
    chosen = _chosen(CASES, SERVER_FAULTS.index(fault), "slow")
    assert not _wrong_when_asked(door, server, fault, chosen)


@pytest.mark.long
@pytest.mark.parametrize("fault", SERVER_FAULTS)
def test_every_kind_of_data_of_a_faulty_server_is_named_for_every_patient(
    door: Door, server: str, fault: str
) -> None:
    depth = "long" if DEPTH == "long" else "sample"
    chosen = _chosen(CASES, SEED + len(fault), depth)
    assert not _wrong_when_asked(door, server, fault, chosen)


def _access(server: str, fault: str, patient: str, key: str) -> Json:
    number = SERVER_FAULTS.index(fault)
    return {
        "fhirServer": f"{server}/{patient.replace(' ', '-')}/{number}/{key}",
        "fhirAuthorization": {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.read",
            "subject": "alk-cds",
        },
    }

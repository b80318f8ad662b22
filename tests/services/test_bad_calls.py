"""Calls that cannot be answered: a refusal that names the place, or a card that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Response

from fhir_fixtures.requests import load_request
from tests.services.calling import (
    TIMEOUT,
    Json,
    Service,
    refused,
    running_service,
    serving,
)
from tests.waiting import Held, held

pytestmark = pytest.mark.slow

STORY = "alectinib-on-track"
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "database down"}],
}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b'{"hook": "patient-view"', b"\xff\xfe{}"]
)
def test_a_body_that_is_no_json_object_is_refused(service: Service, body: bytes) -> None:
    issue = refused(service.post("patient-view", body), 400)
    assert issue["severity"] == "error"


def test_a_service_that_does_not_exist_is_not_found(service: Service) -> None:
    body = service.body("patient-view", STORY)
    answer = requests.post(f"{service.url}/cds-services/alk-nothing", json=body, timeout=TIMEOUT)
    refused(answer, 404)


def test_the_hook_in_the_body_must_be_the_one_of_the_service(service: Service) -> None:
    body = service.body("patient-view", STORY)
    issue = refused(service.post("order-sign", body), 400)
    assert issue["expression"] == ["CDSHooksRequest.hook"]


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_a_missing_member_of_the_envelope_is_named(service: Service, member: str) -> None:
    body = service.body("patient-view", STORY)
    del body[member]
    issue = refused(service.post("patient-view", body), 400)
    assert issue["expression"] == [f"CDSHooksRequest.{member}"]


@pytest.mark.parametrize(
    ("hook", "member"),
    [
        ("patient-view", "patientId"),
        ("patient-view", "userId"),
        ("order-select", "selections"),
        ("order-select", "draftOrders"),
        ("order-sign", "draftOrders"),
        ("medication-prescribe", "medications"),
    ],
)
def test_a_missing_member_of_the_context_is_named(service: Service, hook: str, member: str) -> None:
    body = service.body(hook, STORY)
    del body["context"][member]
    issue = refused(service.post(hook, body), 400)
    assert issue["expression"] == [f"CDSHooksRequest.context.{member}"]


@pytest.mark.parametrize("prefetch", [None, {}, "absent"])
@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_without_prefetch_and_without_a_server_the_required_keys_are_named(
    service: Service, hook: str, prefetch: Any
) -> None:
    body = {**service.body(hook, STORY), "prefetch": prefetch}
    if prefetch == "absent":
        del body["prefetch"]
    issue = refused(service.post(hook, body), 412)
    assert issue["code"] == "incomplete"
    assert issue["expression"] == ["CDSHooksRequest.prefetch.patient"]
    assert "patient, conditions, medications" in issue["diagnostics"]


def _missing(prefetch: Json, key: str) -> None:
    del prefetch[key]


def _empty_object(prefetch: Json, key: str) -> None:
    prefetch[key] = {}


def _outcome(prefetch: Json, key: str) -> None:
    prefetch[key] = OUTCOME


def _truncated(prefetch: Json, key: str) -> None:
    page = dict(prefetch[key])
    page["link"] = [{"relation": "next", "url": "https://fixtures.example.org/fhir?page=2"}]
    prefetch[key] = page


def _cut_short(prefetch: Json, key: str) -> None:
    prefetch[key] = {**prefetch[key], "total": len(prefetch[key]["entry"]) + 1}


def _of_another(prefetch: Json, key: str) -> None:
    page = dict(prefetch[key])
    page["entry"] = [
        {"resource": {**entry["resource"], "subject": {"reference": "Patient/somebody-else"}}}
        for entry in page.get("entry", ())
    ]
    prefetch[key] = page


WAYS_TO_FAIL = {
    "is missing": _missing,
    "is an empty object": _empty_object,
    "is an OperationOutcome": _outcome,
    "is one page of several": _truncated,
    "holds fewer resources than it counts": _cut_short,
    "belongs to another patient": _of_another,
}


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
@pytest.mark.parametrize("key", ["conditions", "medications", "laboratory", "vital_signs"])
@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_a_check_that_could_not_run_is_never_answered_with_silence(
    service: Service, hook: str, key: str, way: str
) -> None:
    assert service.cards(hook, STORY) == [], "the whole chart has nothing to complain of"
    body = service.body(hook, STORY)
    assert body["prefetch"][key]["entry"], "otherwise nothing is taken away"
    WAYS_TO_FAIL[way](body["prefetch"], key)

    answer = service.post(hook, body)

    if answer.status_code != 200:
        assert key in refused(answer, 412)["diagnostics"]
        return
    cards = answer.json()["cards"]
    assert cards
    told = "resources of another patient" if way == "belongs to another patient" else key
    assert any(told in card["summary"] + card["detail"] for card in cards)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("partial", "laboratory: not supplied by the EHR"),
        ("null-medications", "medications: the EHR supplied nothing"),
        ("outcome", "laboratory: the EHR sent an error"),
        ("truncated", "laboratory"),
        ("another-patient", "resources of another patient: 4 were sent and not used"),
    ],
)
def test_a_stored_request_with_a_gap_gets_a_card_that_names_it(
    service: Service, name: str, told: str
) -> None:
    stored = load_request(name)
    cards = service.cards_of(stored["body"]["hook"], stored["body"])
    assert any(told in card["detail"] for card in cards)


def test_values_of_another_patient_change_nothing_but_the_remark(service: Service) -> None:
    alone = service.cards_of("patient-view", load_request("full-patient-view")["body"])
    mixed = service.cards_of("patient-view", load_request("another-patient")["body"])
    summaries = [card["summary"] for card in mixed]
    assert [card["summary"] for card in alone] == [
        text for text in summaries if not text.startswith("Not everything was checked")
    ]


def test_the_hook_of_a_server_that_is_down_is_refused_with_what_is_lacking(
    service: Service,
) -> None:
    body = service.body("patient-view", STORY, prefetch=False, fhir_server="http://127.0.0.1:1")
    issue = refused(service.post("patient-view", body), 412)
    assert "patient, conditions, medications" in issue["diagnostics"]


@pytest.fixture
def impatient(database: Path) -> Iterator[Service]:
    """A service with the deadline of production."""
    with running_service(database, fhir_deadline_seconds=0.4) as found:
        yield found


def _answering(answer: Callable[[str], Response]) -> Flask:
    app = Flask("difficult")
    app.add_url_rule("/<path:path>", view_func=answer)
    return app


def _slow(answer: Held) -> Flask:
    """A server that answers only when the test lets it."""

    def wait(path: str) -> Response:
        del path
        answer.wait()
        return Response("{}", content_type="application/fhir+json")

    return _answering(wait)


def test_a_slow_server_does_not_keep_the_clinician_waiting(impatient: Service) -> None:
    with held() as answer, serving(_slow(answer)) as url:
        body = impatient.body("patient-view", STORY, prefetch=False, fhir_server=url)
        issue = refused(impatient.post("patient-view", body), 412)
        assert answer.is_held
        # Before the server is stopped, which waits for what it still has to answer.
        answer.let_go()
    assert "patient, conditions, medications" in issue["diagnostics"]


def test_what_a_slow_server_did_not_give_in_time_stands_on_a_card(impatient: Service) -> None:
    body = impatient.body("patient-view", STORY)
    del body["prefetch"]["laboratory"]
    with held() as answer, serving(_slow(answer)) as url:
        cards = impatient.cards_of("patient-view", {**body, "fhirServer": url})
        answer.let_go()
    assert any("no answer before the deadline" in card["detail"] for card in cards)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_server_that_refuses_leads_to_a_refusal_that_names_the_data(
    service: Service, status: int
) -> None:
    def refuse(path: str) -> Response:
        return Response(f"no {path}", status=status)

    with serving(_answering(refuse)) as url:
        body = service.body("patient-view", STORY, prefetch=False, fhir_server=url)
        issue = refused(service.post("patient-view", body), 412)
    assert "conditions" in issue["diagnostics"]


def test_a_page_instead_of_fhir_is_not_taken_for_an_empty_record(service: Service) -> None:
    def portal(path: str) -> Response:
        return Response(f"<html><p>Please log in to read {path}</p></html>", mimetype="text/html")

    with serving(_answering(portal)) as url:
        body = service.body("patient-view", STORY, prefetch=False, fhir_server=url)
        refused(service.post("patient-view", body), 412)


def test_a_draft_without_a_medication_does_not_break_the_answer(service: Service) -> None:
    answer = service.post("order-select", load_request("sandbox-draft")["body"])
    assert answer.status_code == 200, answer.text


def test_a_draft_for_another_patient_is_not_checked_and_said_so(service: Service) -> None:
    body = service.body("order-sign", STORY)
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    draft["subject"] = {"reference": "Patient/somebody-else"}
    cards = service.cards_of("order-sign", body)
    assert any("another patient" in card["detail"] for card in cards)


def test_a_draft_that_cannot_be_read_is_not_checked_and_said_so(service: Service) -> None:
    body = service.body("order-sign", STORY)
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    draft["dosageInstruction"] = "two capsules"
    cards = service.cards_of("order-sign", body)
    assert any("a draft order" in card["summary"] for card in cards)

"""Faults of other systems that must not be ours: silence, mix-ups, leaks, lost feedback."""

from __future__ import annotations

import io
import json
import logging
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from cds_service.cards import build
from cds_service.operations.logs import configure_logging
from cds_service.protocol import CdsResponse, Discovery
from cds_service.records import Records
from fhir_fixtures import load_story, story_names
from tests.services.calling import (
    HOOKS,
    SAYING_THE_SAME,
    TIMEOUT,
    CountingServer,
    Json,
    Service,
    refused,
    running_service,
    told_apart,
)

pytestmark = pytest.mark.slow

SECRET = "Quillfeather-the-Younger"


def fail(*_: Any) -> None:
    raise ValueError(f"the chart of {SECRET} broke a rule")


@pytest.mark.clause("D-12")
def test_a_check_that_fails_as_a_whole_is_a_fault_of_the_service_and_not_an_empty_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooks.engine.decide", fail)
    answer = service.post("patient-view", service.body("patient-view", "alectinib-on-track"))
    issue = refused(answer, 500)
    assert issue["severity"] == "fatal"
    assert "nothing was checked" in issue["diagnostics"]
    assert SECRET not in answer.text


@pytest.mark.clause("D-13")
@pytest.mark.usefixtures("parts_may_break")
@pytest.mark.parametrize("hook", [*HOOKS[1:], *SAYING_THE_SAME[1:]])
def test_the_cards_of_the_parts_that_ran_follow_one_that_names_those_that_did_not(
    service: Service, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    whole = service.cards(hook, "pregnant-alk-inhibitor-ordered")
    assert whole[0]["indicator"] == "critical"
    log = io.StringIO()
    configure_logging("INFO", log)
    monkeypatch.setattr("cds_service.alk.sections.OtherOrders.recommendations", fail)
    answer = service.post(hook, service.body(hook, "pregnant-alk-inhibitor-ordered"))
    first, *others = answer.json()["cards"]
    assert first["indicator"] == "warning"
    assert "is incomplete" in first["summary"]
    assert "Not checked: interactions of the other orders." in first["detail"]
    assert "suggestions" not in first
    assert [card["summary"] for card in others] == [card["summary"] for card in whole]
    offered = [
        action["type"]
        for card in others
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    # A signed order is never taken back with one click, whole check or not.
    assert set(offered) <= (set() if hook == "order-dispatch" else {"delete"})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (told,) = [line for line in lines if line["event"] == "part_failed"]
    assert told["exception"]["type"] == "builtins.ValueError"
    assert SECRET not in answer.text + log.getvalue()


@pytest.mark.clause("D-13")
@pytest.mark.usefixtures("parts_may_break")
@pytest.mark.parametrize("step", ["suggestions", "summary", "detail"])
def test_a_card_that_cannot_be_written_says_which_rule_spoke_beside_the_others(
    service: Service, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    story = "pregnant-alk-inhibitor-ordered"
    whole = service.cards("order-sign", story)
    (pregnant,) = [card for card in whole if card["source"]["topic"]["code"] == "OrderPregnant"]
    written = getattr(build, step)

    def sometimes(item: Any, *rest: Any) -> Any:
        if item.rule_id == "order-pregnant":
            fail()
        return written(item, *rest)

    log = io.StringIO()
    configure_logging("INFO", log)
    monkeypatch.setattr(build, step, sometimes)
    cards = service.cards("order-sign", story)
    assert [card["indicator"] for card in cards] == [card["indicator"] for card in whole]
    assert [card["summary"] for card in cards[1:]] == [card["summary"] for card in whole[1:]]
    assert cards[0]["source"]["topic"] == pregnant["source"]["topic"]
    assert cards[0]["summary"].startswith("Stop")
    assert "order-pregnant" in cards[0]["summary"]
    assert "suggestions" not in cards[0]
    assert '"event":"part_failed"' in log.getvalue()
    assert SECRET not in json.dumps(cards) + log.getvalue()


@pytest.mark.usefixtures("parts_may_break")
def test_a_page_that_cannot_be_made_does_not_keep_the_card_from_the_clinician(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooks.engine.decision_document", fail)
    cards = service.cards("order-sign", "pregnant-alk-inhibitor-ordered")
    assert cards[0]["indicator"] == "critical"


def test_a_record_that_cannot_be_written_does_not_keep_the_card_from_the_clinician(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(f"no space left for {SECRET}")

    monkeypatch.setattr(Records, "save_decision", full)
    cards = service.cards("order-sign", "pregnant-alk-inhibitor-ordered")
    assert cards[0]["indicator"] == "critical"


def test_services_on_the_same_orders_answer_each_for_itself(service: Service) -> None:
    hooks = [item["hook"] for item in service.described]
    assert sorted(hooks) == sorted(HOOKS + SAYING_THE_SAME)
    at_selection = service.cards("order-select", "alectinib-alt-six-times")
    at_signature = service.cards("order-sign", "alectinib-alt-six-times")
    assert at_selection
    assert at_signature


def test_patients_asked_about_at_the_same_time_are_never_mixed_up(
    service: Service, fhir_server: CountingServer
) -> None:
    calls = [
        (hook, story, prefetch)
        for story in story_names()
        for hook in (HOOKS if load_story(story).draft_orders else HOOKS[:1])
        for prefetch in (True, False)
    ]
    bodies = {
        call: service.body(call[0], call[1], prefetch=call[2], fhir_server=fhir_server.url)
        for call in calls
    }
    alone = {call: told_apart(service.cards_of(call[0], bodies[call])) for call in calls}
    for call, cards in alone.items():
        _speaks_of_one_patient(call[1], cards)
    order = list(calls)
    random.Random(20261120).shuffle(order)
    assert len(order) >= 200

    def again(call: tuple[str, str, bool]) -> tuple[tuple[str, str, bool], list[Json]]:
        return call, told_apart(service.cards_of(call[0], bodies[call]))

    with ThreadPoolExecutor(8) as pool:
        for call, cards in pool.map(again, order):
            assert cards == alone[call], call


def _speaks_of_one_patient(story: str, cards: list[Json]) -> None:
    """Ids in the stories begin with the name of their story."""
    text = json.dumps(cards)
    # A name may be the beginning of another one: look for the longest.
    others = [name for name in story_names() if name != story and name not in story]
    assert not [name for name in others if f"{name}-patient" in text], story
    for card in cards:
        for offered in card.get("suggestions", ()):
            for action in offered["actions"]:
                subject = action.get("resource", {}).get("subject")
                mine = {"reference": f"Patient/{load_story(story).patient_id}"}
                assert subject in (None, mine), story


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log as production writes it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("DEBUG", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def _private(story: str) -> set[str]:
    """What a log line must not hold of this chart."""
    found: set[str] = set()
    for entry in load_story(story).bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Patient":
            continue
        found |= {identifier["value"] for identifier in resource["identifier"]}
        found |= {name["family"] for name in resource["name"]}
        found |= {resource["birthDate"], resource["id"]}
    return found


def test_no_line_of_the_log_holds_anything_of_a_patient(
    fhir_server: CountingServer,
    database: Path,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stories = ["alectinib-pneumonitis", "egfr-inhibitor-ordered", "chart-almost-empty"]
    token = f"token-{uuid4()}"
    with running_service(database) as service:
        for story in stories:
            for prefetch in (True, False):
                body = service.body(
                    "patient-view", story, prefetch=prefetch, fhir_server=fhir_server.url
                )
                body["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer"}
                assert service.post("patient-view", body).status_code == 200
            nowhere = {**body, "fhirServer": "http://127.0.0.1:1"}
            assert service.post("patient-view", nowhere).status_code == 412
            assert service.post("order-sign", body).status_code == 400

        def fail(*_: Any) -> None:
            raise ValueError(f"{SECRET} {token}")

        monkeypatch.setattr("hooks.engine.decide", fail)
        assert service.post("patient-view", body).status_code == 500
    written = log.getvalue()

    lines = [json.loads(line) for line in written.splitlines()]
    assert len(lines) >= 13
    assert {"answered"} <= {line["event"] for line in lines}
    for private in {SECRET, token, "resourceType", *set().union(*map(_private, stories))}:
        assert private not in written, "something of a patient reached the log"


def test_answers_and_discovery_hold_no_member_that_the_specification_does_not_know(
    service: Service, fhir_server: CountingServer
) -> None:
    described = requests.get(f"{service.url}/cds-services", timeout=TIMEOUT).json()
    assert len(Discovery.model_validate(described, by_alias=True, by_name=False).services) == 7
    for story in story_names():
        answer = service.post(
            "patient-view", service.body("patient-view", story, fhir_server=fhir_server.url)
        )
        CdsResponse.model_validate(answer.json(), by_alias=True, by_name=False)


def test_feedback_that_was_acknowledged_is_there_after_a_restart(database: Path) -> None:
    with running_service(database) as service:
        card = service.cards("order-sign", "alectinib-recovered-liver")[0]
        suggestion = card["suggestions"][0]["uuid"]
        address = f"{service.url}/cds-services/{service.for_hook('order-sign')['id']}/feedback"
        item = {
            "card": card["uuid"],
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": suggestion}],
            "outcomeTimestamp": "2026-11-20T10:00:00Z",
        }
        answer = requests.post(address, json={"feedback": [item]}, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"received": 1}
    records = Records(f"sqlite:///{database}")
    try:
        kept = records.feedback(card=card["uuid"])
    finally:
        records.close()
    assert [(item.outcome, item.suggestion_ids, item.is_card_known) for item in kept] == [
        ("accepted", (suggestion,), True)
    ]


def test_the_page_behind_a_card_opens_and_shows_no_name(service: Service) -> None:
    card = service.cards("order-sign", "alectinib-recovered-liver")[0]
    page = next(link["url"] for link in card["links"] if "/decisions/" in link["url"])
    shown = requests.get(page, timeout=TIMEOUT)
    assert shown.status_code == 200
    assert card["source"]["topic"]["display"] in shown.text
    twin = requests.get(f"{page}.json", timeout=TIMEOUT)
    assert twin.json()["recommendations"][0]["card"] == card["uuid"]
    for private in _private("alectinib-recovered-liver") - {"alectinib-recovered-liver-patient"}:
        assert private not in shown.text + twin.text

"""A card that was answered is not said again, unless it guards against harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from cds_service.records import Records
from tests.services.calling import TIMEOUT, Json, Service, running_service

pytestmark = pytest.mark.slow

REMINDER = "alectinib-monitoring-overdue"
HELD = "alectinib-alt-six-times"
REASON = {"reason": {"code": "patient-refuses", "system": "urn:x"}}


@pytest.fixture
def service(database: Path) -> Iterator[Service]:
    with running_service(database) as found:
        yield found


def _cards(service: Service, body: Json, topic: str) -> list[Json]:
    return [
        card
        for card in service.cards_of(body["hook"], body)
        if card["source"]["topic"]["code"] == topic
    ]


def _answered(service: Service, hook: str, card: Json, **entry: object) -> None:
    moment = datetime.now(UTC).isoformat()
    item = {"card": card["uuid"], "outcomeTimestamp": moment, **entry}
    address = f"{service.url}/cds-services/{service.for_hook(hook)['id']}/feedback"
    answer = requests.post(address, json={"feedback": [item]}, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text


def _override(service: Service, body: Json, card: Json, **more: object) -> None:
    _answered(service, body["hook"], card, outcome="overridden", **more)


@pytest.fixture
def reminder(service: Service) -> tuple[Json, Json]:
    """A call at the opening of a chart, and its card about overdue tests."""
    body = service.body("patient-view", REMINDER)
    (card,) = [
        item for item in service.cards_of("patient-view", body) if "overdue" in item["summary"]
    ]
    return body, card


def _topic(card: Json) -> str:
    return str(card["source"]["topic"]["code"])


def test_a_card_overridden_with_a_reason_stays_away(
    service: Service, reminder: tuple[Json, Json]
) -> None:
    body, card = reminder
    assert len(_cards(service, body, _topic(card))) == 1
    _override(service, body, card, overrideReason=REASON)
    assert _cards(service, body, _topic(card)) == []


def test_without_a_reason_it_comes_again(service: Service, reminder: tuple[Json, Json]) -> None:
    body, card = reminder
    _override(service, body, card)
    assert len(_cards(service, body, _topic(card))) == 1


def test_a_comment_is_a_reason(service: Service, reminder: tuple[Json, Json]) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason={"userComment": "next week"})
    assert _cards(service, body, _topic(card)) == []


def test_another_clinician_still_sees_it(service: Service, reminder: tuple[Json, Json]) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)
    body["context"]["userId"] = "Practitioner/somebody-else"
    assert len(_cards(service, body, _topic(card))) == 1


def test_another_patient_of_the_clinician_gets_it(
    service: Service, reminder: tuple[Json, Json]
) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)
    body["fhirServer"] = "https://another-ehr.example.org/fhir"
    assert len(_cards(service, body, _topic(card))) == 1


def test_a_new_fact_brings_it_back(service: Service, reminder: tuple[Json, Json]) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)
    entries = body["prefetch"]["laboratory"]["entry"]
    # Without the results that were there, other tests are due.
    body["prefetch"]["laboratory"]["entry"] = entries[: len(entries) // 3]
    assert len(_cards(service, body, _topic(card))) == 1


def test_an_accepted_card_stays_away_for_everybody(
    service: Service, reminder: tuple[Json, Json]
) -> None:
    body, card = reminder
    taken = [{"id": card["suggestions"][0]["uuid"]}]
    _answered(service, "patient-view", card, outcome="accepted", acceptedSuggestions=taken)
    body["context"]["userId"] = "Practitioner/somebody-else"
    assert _cards(service, body, _topic(card)) == []


def test_an_acceptance_of_what_was_not_offered_is_kept_and_silences_nothing(
    service: Service, reminder: tuple[Json, Json]
) -> None:
    body, card = reminder
    taken = [{"id": "00000000-0000-4000-8000-000000000000"}]
    _answered(service, "patient-view", card, outcome="accepted", acceptedSuggestions=taken)
    assert len(_cards(service, body, _topic(card))) == 1


def test_a_warning_about_an_order_comes_again_with_the_order_although_it_was_accepted(
    service: Service,
) -> None:
    body = service.body("order-sign", "lorlatinib-clarithromycin-ordered")
    card = next(
        item for item in service.cards_of("order-sign", body) if item["indicator"] == "warning"
    )
    taken = [{"id": card["suggestions"][0]["uuid"]}]
    _answered(service, "order-sign", card, outcome="accepted", acceptedSuggestions=taken)
    assert len(_cards(service, body, _topic(card))) == 1


@pytest.mark.parametrize("story", [HELD, "alectinib-hepatitis-with-jaundice"])
def test_a_hold_and_a_stop_are_said_every_time(service: Service, story: str) -> None:
    body = service.body("patient-view", story)
    card = service.cards_of("patient-view", body)[0]
    assert card["summary"].startswith(("Hold", "Stop"))
    _override(service, body, card, overrideReason=REASON)
    assert len(_cards(service, body, _topic(card))) == 1


def test_the_decision_page_says_what_was_kept_back(
    service: Service, reminder: tuple[Json, Json]
) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)
    service.cards_of("patient-view", body)
    (link,) = [item["url"] for item in card["links"] if "/decisions/" in item["url"]]
    token = link.rsplit("/", 1)[1]
    assert (
        "not_shown_because"
        in requests.get(f"{service.url}/decisions/{token}.json", timeout=TIMEOUT).text
    )


def test_the_memory_can_be_turned_off(database: Path) -> None:
    with running_service(database, snooze_days=0) as service:
        body = service.body("patient-view", REMINDER)
        card = service.cards_of("patient-view", body)[0]
        _override(service, body, card, overrideReason=REASON)
        assert len(_cards(service, body, _topic(card))) == 1


def test_a_snooze_ends(database: Path, service: Service, reminder: tuple[Json, Json]) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)
    records = Records(f"sqlite:///{database}")
    (entry,) = records.feedback()
    later = entry.received_at + timedelta(days=31)
    engine = service.app.extensions["alk_cds"]
    object.__setattr__(engine.memory, "now", lambda: later)
    assert len(_cards(service, body, _topic(card))) == 1
    records.close()


def test_when_the_answers_cannot_be_read_everything_is_said(
    service: Service, reminder: tuple[Json, Json], caplog: pytest.LogCaptureFixture
) -> None:
    body, card = reminder
    _override(service, body, card, overrideReason=REASON)

    def broken(*_: object) -> list[object]:
        raise OSError("the disk is gone")

    object.__setattr__(service.app.extensions["alk_cds"].memory, "recall", broken)
    assert len(_cards(service, body, _topic(card))) == 1
    assert "answers_not_read" in caplog.text


def test_the_same_card_has_one_fingerprint_and_two_ids(database: Path, service: Service) -> None:
    body = service.body("patient-view", REMINDER)
    for _ in range(2):
        service.cards_of("patient-view", body)
    records = Records(f"sqlite:///{database}")
    cards = list(records.outcomes())
    records.close()
    by_rule: dict[str, set[str]] = {}
    for item in cards:
        by_rule.setdefault(item.rule_id, set()).add(item.card)
    assert all(len(ids) == 2 for ids in by_rule.values())

"""What a client carries out by itself: only by agreement, and nothing that is clinical."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.protocol import ClientHabits
from fhir_fixtures import load_story, story_names
from tests.services.calling import Json, Service, running_service

pytestmark = pytest.mark.slow

GOOD = "alectinib-on-track"


@pytest.fixture
def agreed(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service whose unsigned caller agreed to system actions."""
    habits = {"strict": ClientHabits(system_actions=True)}
    monkeypatch.setattr("cds_service.app.ready_profiles", lambda: habits)
    with running_service(database) as found:
        yield found


def _actions(service: Service, body: Json) -> list[Json]:
    answer = service.post(body["hook"], body)
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("systemActions", ()))


@pytest.mark.clause("R-150", "R-152")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_without_its_reason_gets_it(agreed: Service, hook: str) -> None:
    body = agreed.body(hook, GOOD)
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    (action,) = _actions(agreed, body)
    assert action["type"] == "update"
    changed = action["resource"]
    assert changed["reasonCode"][0]["coding"][0]["code"] == "254637007"
    assert {name for name in changed if changed[name] != draft.get(name)} == {"reasonCode"}


@pytest.mark.clause("R-151")
def test_nobody_gets_it_without_agreement(service: Service) -> None:
    for story in story_names():
        if load_story(story).draft_orders:
            answer = service.post("order-sign", service.body("order-sign", story))
            assert "systemActions" not in answer.json()


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [{"text": "lung cancer"}]},
        {"reasonReference": [{"reference": "Condition/1"}]},
    ],
)
def test_a_reason_that_is_there_stays(agreed: Service, reason: Json) -> None:
    body = agreed.body("order-sign", GOOD)
    body["context"]["draftOrders"]["entry"][0]["resource"] |= reason
    assert _actions(agreed, body) == []


@pytest.mark.parametrize(
    "story",
    [
        "alectinib-alt-six-times",
        "two-alk-inhibitors",
        "pregnant-alk-inhibitor-ordered",
        "lorlatinib-clarithromycin-ordered",
    ],
)
def test_an_order_that_a_card_questions_is_left_as_it_is(agreed: Service, story: str) -> None:
    assert _actions(agreed, agreed.body("order-sign", story)) == []


def test_without_a_diagnosis_no_reason_is_made_up(agreed: Service) -> None:
    body = agreed.body("order-sign", GOOD)
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    body["prefetch"]["conditions"] = nothing
    assert _actions(agreed, body) == []


def test_a_service_in_shadow_changes_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    habits = {"strict": ClientHabits(system_actions=True)}
    monkeypatch.setattr("cds_service.app.ready_profiles", lambda: habits)
    with running_service(database, shadow_services="alk-order-sign") as service:
        assert _actions(service, service.body("order-sign", GOOD)) == []


LAUNCH = "https://app.example.org/launch"


@pytest.mark.clause("R-142")
def test_every_card_links_to_the_sites_app_where_there_is_one(database: Path) -> None:
    with running_service(database, smart_launch_url=LAUNCH) as service:
        cards = service.cards("patient-view", "alectinib-alt-six-times")
    assert cards
    for card in cards:
        (link,) = [item for item in card["links"] if item["type"] == "smart"]
        assert link["url"] == LAUNCH
        assert "appContext" not in link

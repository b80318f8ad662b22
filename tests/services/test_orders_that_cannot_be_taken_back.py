"""Where an order cannot be removed by a draft's deletion, nothing may come on top of it."""

from __future__ import annotations

import copy

import pytest

from tests.services.calling import Json, Service

WRONG = ("egfr-inhibitor-ordered", "immunotherapy-ordered-alk-positive")
SIGNS = ("order-select", "order-sign")


def body_with(service: Service, hook: str, story: str, **changes: str) -> Json:
    body = copy.deepcopy(service.body(hook, story))
    context = body["context"]
    for entry in context["draftOrders"]["entry"]:
        before = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        entry["resource"] |= changes
        after = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        entry.pop("fullUrl", None)
        if "selections" in context:
            context["selections"] = [
                after if name == before else name for name in context["selections"]
            ]
    return body


def actions(card: Json) -> list[str]:
    return [
        action["type"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


@pytest.mark.parametrize("hook", SIGNS)
@pytest.mark.parametrize("story", WRONG)
def test_a_draft_can_be_replaced_in_one_step(service: Service, hook: str, story: str) -> None:
    card = service.cards_of(hook, body_with(service, hook, story))[0]
    assert {"create", "delete"} <= set(actions(card))


@pytest.mark.clause("R-214")
@pytest.mark.parametrize("hook", SIGNS)
@pytest.mark.parametrize("story", WRONG)
@pytest.mark.parametrize("status", ["active", "on-hold", "Active "])
def test_an_order_in_force_that_is_revised_is_not_deleted_and_nothing_put_beside_it(
    service: Service, hook: str, story: str, status: str
) -> None:
    card = service.cards_of(hook, body_with(service, hook, story, status=status))[0]
    assert card["indicator"] == "critical"
    assert not actions(card)
    assert "The order is in force already" in card["detail"]


@pytest.mark.parametrize("hook", SIGNS)
@pytest.mark.parametrize("story", WRONG)
def test_beside_a_draft_whose_id_no_delete_can_name_no_other_drug_is_offered(
    service: Service, hook: str, story: str
) -> None:
    card = service.cards_of(hook, body_with(service, hook, story, id="draft_of 1"))[0]
    assert card["indicator"] == "critical"
    assert not actions(card)
    assert "Preferred first-line ALK inhibitors" in card["detail"]

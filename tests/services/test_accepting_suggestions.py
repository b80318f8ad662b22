"""Whoever takes a suggestion is not offered it again, and the card it settles goes away.

The actions are carried out as an EHR would: drafts change while an order is entered, and what is
ordered at an open chart is active when the chart is opened again.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cds_service.protocol import Action
from fhir_fixtures import load_story, story_names
from tests.services.calling import Json, Service, told_apart

pytestmark = pytest.mark.slow

DRAFTS = "draftOrders"


def _carried_out(body: Json, actions: list[Json]) -> Json:
    """The same call after these actions. New ids are the EHR's own."""
    after = copy.deepcopy(body)
    drafting = DRAFTS in after["context"]
    for number, action in enumerate(actions):
        if action["type"] == "delete":
            drafts = after["context"][DRAFTS]
            kept = [entry for entry in drafts["entry"] if _reference(entry) != action["resourceId"]]
            assert len(kept) == len(drafts["entry"]) - 1, "it deletes exactly one draft"
            drafts["entry"] = kept
        elif action["type"] == "update":
            changed = action["resource"]
            named = f"{changed['resourceType']}/{changed['id']}"
            held = after["context"][DRAFTS]["entry"]
            if Action.model_validate(action).ends_an_order:
                held = after["prefetch"]["medications"]["entry"]
            (entry,) = [entry for entry in held if _reference(entry) == named]
            entry["resource"] = changed
        else:
            assert "id" not in action["resource"], "ids are given by the EHR"
            created = {**action["resource"], "id": f"created-{number}"}
            if drafting:
                after["context"][DRAFTS]["entry"].append({"resource": created})
            else:
                kind = created["resourceType"]
                key = {"ServiceRequest": "requests", "MedicationRequest": "medications"}[kind]
                bundle = after["prefetch"][key]
                bundle.setdefault("entry", []).append({"resource": {**created, "status": "active"}})
    if "selections" in after["context"]:
        after["context"]["selections"] = [
            _reference(entry) for entry in after["context"][DRAFTS]["entry"]
        ]
    return after


def _reference(entry: Json) -> str:
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


def _settles(suggestion: Json) -> bool:
    """Whether it changes what is prescribed, and not just asks for a test."""
    return any(
        action["type"] != "create" or action["resource"]["resourceType"] == "MedicationRequest"
        for action in suggestion["actions"]
    )


def _suggested() -> list[Any]:
    return [
        pytest.param(story, hook, id=f"{story}-{hook}")
        for story in story_names()
        for hook in ("patient-view", "order-select", "order-sign")
        if hook == "patient-view" or load_story(story).draft_orders
    ]


def _nothing_left(body: Json) -> bool:
    return DRAFTS in body["context"] and not body["context"][DRAFTS]["entry"]


def _about(cards: list[Json], topic: str) -> list[Json]:
    return [card for card in cards if card["source"]["topic"]["code"] == topic]


@pytest.mark.parametrize(("story", "hook"), _suggested())
def test_a_suggestion_that_was_taken_is_not_made_again(
    service: Service, story: str, hook: str
) -> None:
    body = service.body(hook, story)
    before = told_apart(service.cards_of(hook, body))
    for card in before:
        topic = card["source"]["topic"]["code"]
        for suggestion in card.get("suggestions", ()):
            after = _carried_out(body, suggestion["actions"])
            if _nothing_left(after):
                continue
            again = _about(told_apart(service.cards_of(hook, after)), topic)
            offered = [made["actions"] for item in again for made in item.get("suggestions", ())]
            assert suggestion["actions"] not in offered, suggestion["label"]
            if _settles(suggestion):
                assert len(again) < len(_about(before, topic)), suggestion["label"]

"""Three patients, with no more results than it takes."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

from fhir_fixtures import load_story
from fhir_fixtures.stories import Story
from tests.services.calling import DAY, Json


def _without_cancer() -> Story:
    story = load_story("no-lung-cancer", DAY)
    (order,) = (
        entry["resource"]
        for entry in story.bundle["entry"]
        if entry["resource"]["resourceType"] == "MedicationRequest"
    )
    draft = {**copy.deepcopy(order), "id": "refill", "status": "draft"}
    return replace(
        story,
        draft_orders={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft}],
        },
    )


def brief(story: Story) -> Story:
    """A story with the newest results alone: every call is then a quick one."""
    newest: dict[str, Json] = {}
    others: list[Json] = []
    for entry in story.bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Observation":
            others.append(entry)
            continue
        code = json.dumps(resource["code"])
        day = resource.get("effectiveDateTime", "")
        if code not in newest or day > newest[code]["resource"].get("effectiveDateTime", ""):
            newest[code] = entry
    return replace(story, bundle={**story.bundle, "entry": [*others, *newest.values()]})


PATIENTS: dict[str, Story] = {
    "toxic": brief(load_story("alectinib-alt-six-times", DAY)),
    "quiet": brief(load_story("alectinib-on-track", DAY)),
    "no cancer": brief(_without_cancer()),
}

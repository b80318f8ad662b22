"""Checks of suggestions and actions (S2 "Suggestion", "Action"; R-121 to R-135, R-150)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cds_service.conformance import samples
from cds_service.conformance.cards import uuids
from cds_service.conformance.checks import Found, Problem, Register
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Part, Subject, members

CHECKS = Register()

# Longer ids than FHIR allows are in daily use, so only the alphabet is checked (E-11).
_RELATIVE_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]+")
_TYPES = ("create", "update", "delete")


@CHECKS.check("selection-behavior", "R-107", "R-108", "I-37")
def selection_behavior(subject: Subject) -> Found:
    """A card with suggestions says whether one or any of them may be taken."""
    suggesting = [card for card in subject.cards() if card.value.get("suggestions")]
    if not suggesting:
        raise NotTestedError("no card holds a suggestion")
    for card in suggesting:
        if card.value.get("selectionBehavior") not in ("at-most-one", "any"):
            yield f"{card.place}.selectionBehavior is neither at-most-one nor any"


@CHECKS.check("suggestion-label", "R-121", "I-40")
def suggestion_label(subject: Subject) -> Found:
    """Each suggestion has a label of its own."""
    for card in subject.cards():
        suggestions = members(card, "suggestions")
        labels = Counter(str(item.value.get("label")) for item in suggestions)
        for item in suggestions:
            if not item.text("label"):
                yield f"{item.place}.label is no text"
            elif labels[str(item.value["label"])] > 1:
                yield Problem(f"{item.place}.label is that of another suggestion too", "ours")
    subject.suggestions()


@CHECKS.check("suggestion-uuid", "R-122")
def suggestion_uuid(subject: Subject) -> Found:
    """A suggestion's uuid is text, and no two suggestions have the same."""
    return uuids(subject.suggestions())


@CHECKS.check("suggestion-recommended", "R-123", "R-124")
def suggestion_recommended(subject: Subject) -> Found:
    """Recommended is true or false, and of alternatives at most one is."""
    for item in subject.suggestions():
        if item.has("isRecommended") and not isinstance(item.value["isRecommended"], bool):
            yield f"{item.place}.isRecommended is no boolean"
    for card in subject.cards():
        found = [item.value.get("isRecommended") for item in members(card, "suggestions")]
        if found.count(True) > 1 and card.value.get("selectionBehavior") == "at-most-one":
            yield f"{card.place} recommends several alternatives"


@CHECKS.check("suggestion-actions", "R-125", "R-126", "I-41")
def suggestion_actions(subject: Subject) -> Found:
    """The actions of a suggestion, where they are there, are an array that is not empty."""
    for item in subject.suggestions():
        if item.has("actions"):
            actions = item.value["actions"]
            if (
                not isinstance(actions, list)
                or not actions
                or not all(isinstance(action, dict) for action in actions)
            ):
                yield f"{item.place}.actions is no array of objects"


@CHECKS.check("action-selection-behavior", "R-127")
def action_selection_behavior(subject: Subject) -> Found:
    """What only newer clients understand is left out unless it was agreed."""
    for item in subject.suggestions():
        if item.has("actionSelectionBehavior"):
            yield f"{item.place}.actionSelectionBehavior is for clients known to support it"


@CHECKS.check("action-type", "R-128", "I-42")
def action_type(subject: Subject) -> Found:
    """An action creates, updates or deletes."""
    for item in subject.actions():
        if item.value.get("type") not in _TYPES:
            yield f"{item.place}.type is none of the three"


@CHECKS.check("action-description", "R-129", "I-42")
def action_description(subject: Subject) -> Found:
    """An action of a suggestion is described."""
    for item in subject.actions():
        if not item.text("description"):
            yield f"{item.place}.description is no text"


def _resources(parts: Sequence[Part], *types: str) -> Iterator[tuple[Part, Any]]:
    for part in parts:
        if part.value.get("type") in types:
            yield part, part.value.get("resource")


@CHECKS.check("action-resource", "R-130", "R-131", "R-07", "I-43")
def action_resource(subject: Subject) -> Found:
    """To create or update, the FHIR resource is there."""
    for item, resource in _resources(subject.actions(), "create", "update"):
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or not re.fullmatch(r"[A-Z][A-Za-z]+", kind):
            yield f"{item.place}.resource is no FHIR resource"


def _orders(part: Part) -> dict[str, dict[str, Any]]:
    """The orders in the context of the call, by reference."""
    body = part.asked.body
    held = body.get("context", {}).get(samples.BUNDLES.get(str(body.get("hook")), ""), {})
    entries = held.get("entry", []) if isinstance(held, dict) else []
    resources = [entry.get("resource", {}) for entry in entries if isinstance(entry, dict)]
    return {f"{item.get('resourceType')}/{item.get('id')}": item for item in resources}


@CHECKS.check("action-update-is-whole", "R-131")
def action_update_is_whole(subject: Subject) -> Found:
    """An update sends the whole order back, not only what changes."""
    updates = list(_resources(subject.actions(), "update"))
    if not updates:
        raise NotTestedError("no action updates an order")
    for item, resource in updates:
        if not isinstance(resource, dict):
            continue
        name = f"{resource.get('resourceType')}/{resource.get('id')}"
        received = {
            member
            for member, value in _orders(item).get(name, {}).items()
            if value not in (None, "", [], {})
        }
        # Text for people may have to go when the order changes; it is derived, not ordered.
        if missing := received - resource.keys() - {"text"}:
            yield f"{item.place}.resource lost {len(missing)} members of the order"


@CHECKS.check("action-delete", "R-133", "I-44", strength="SHOULD")
def action_delete(subject: Subject) -> Found:
    """To delete, resourceId names the resource as Type/id."""
    for item in _deletes(subject):
        value = item.value.get("resourceId")
        if not isinstance(value, str) or not _RELATIVE_REFERENCE.fullmatch(value):
            yield f"{item.place}.resourceId is not Type/id"


@CHECKS.check("action-delete-without-resource", "R-134", strength="SHOULD")
def action_delete_without_resource(subject: Subject) -> Found:
    """To delete, no resource is sent."""
    for item in _deletes(subject):
        if item.has("resource"):
            yield f"{item.place}.resource is no place for what to delete"


def _deletes(subject: Subject) -> list[Part]:
    found = [item for item in subject.actions() if item.value.get("type") == "delete"]
    if not found:
        raise NotTestedError("no action deletes")
    return found


@CHECKS.check("action-target", "R-135", "I-45", strength="ours")
def action_target(subject: Subject) -> Found:
    """What is updated or deleted is an order of the context."""
    targets: list[tuple[Part, str]] = []
    for item, resource in _resources(subject.actions(), "update"):
        if isinstance(resource, dict):
            targets.append((item, f"{resource.get('resourceType')}/{resource.get('id')}"))
    for item, _ in _resources(subject.actions(), "delete"):
        targets.append((item, str(item.value.get("resourceId"))))
    if not targets:
        raise NotTestedError("no action updates or deletes")
    for item, target in targets:
        if target not in _orders(item):
            yield f"{item.place} changes something that is no order of the context"


@CHECKS.check("system-actions", "R-86", "R-150", "I-42")
def system_actions(subject: Subject) -> Found:
    """System actions stand at the root, as actions with type, description and resource."""
    for item in subject.answered:
        content = item.answer.content
        extension = content.get("extension")
        if isinstance(extension, dict) and "systemActions" in extension:
            yield f"{item.place}: systemActions stands under extension"
        if "systemActions" in content and not isinstance(content["systemActions"], list):
            yield f"{item.place}: systemActions is no array"
    for action in subject.system_actions():
        if action.value.get("type") not in _TYPES:
            yield f"{action.place}.type is none of the three"
        if not action.text("description"):
            yield f"{action.place}.description is no text"


@CHECKS.check("system-actions-are-no-orders", "R-151", "R-152", strength="ours")
def system_actions_are_no_orders(subject: Subject) -> Found:
    """Nothing is created or deleted without asking a person."""
    for action in subject.system_actions():
        if action.value.get("type") in ("create", "delete"):
            yield f"{action.place} would happen without a click"

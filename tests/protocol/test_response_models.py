"""What the service may say, and what its models refuse to be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from cds_service.protocol import (
    Action,
    Card,
    CdsResponse,
    Coding,
    Discovery,
    Link,
    OverrideReason,
    ServiceDescription,
    Source,
    Suggestion,
)

DRAFT = {"resourceType": "ServiceRequest", "id": "a" * 200, "status": "draft"}


MakeCard = Callable[..., Card]


def empties(value: Any, path: str = "$") -> Iterator[str]:
    """Yield the path of everything null or empty."""
    if value is None or (isinstance(value, (str, list, dict)) and not value):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empties(member, f"{path}.{name}")
    elif isinstance(value, list):
        for element in value:
            yield from empties(element, f"{path}[]")


def full_card(**changes: Any) -> Card:
    settings: dict[str, Any] = {
        "summary": "Order a test first.",
        "detail": "**Why**",
        "indicator": "warning",
        "source": Source(
            label="The tests",
            url="https://example.org",
            icon="https://example.org/icon.png",
            topic=Coding(code="topic-1", system="https://example.org/topics"),
        ),
        "suggestions": (
            Suggestion(
                label="Order it",
                is_recommended=True,
                actions=(Action(type="create", description="Order a test", resource=DRAFT),),
            ),
        ),
        "selection_behavior": "at-most-one",
        "override_reasons": (
            OverrideReason(code="done", system="https://example.org/reasons", display="Done"),
        ),
        "links": (
            Link(label="Basis", url="https://example.org/basis", type="absolute"),
            Link(label="App", url="https://example.org/launch", type="smart", app_context="{}"),
        ),
    }
    return Card(**{**settings, **changes})


def test_a_full_answer_has_camel_case_names_and_nothing_empty() -> None:
    """R-03, R-04, R-05, R-85, R-112."""
    wire = json.loads(CdsResponse(cards=(full_card(),)).to_json())
    assert list(empties(wire)) == []
    card = wire["cards"][0]
    assert set(card) == {
        "uuid",
        "summary",
        "detail",
        "indicator",
        "source",
        "suggestions",
        "selectionBehavior",
        "overrideReasons",
        "links",
    }
    assert set(card["suggestions"][0]) == {"label", "uuid", "isRecommended", "actions"}
    assert set(card["links"][1]) == {"label", "url", "type", "appContext"}


def test_a_card_of_required_members_has_exactly_those_and_a_uuid(make_card: MakeCard) -> None:
    """R-05, R-102, R-106, R-109, R-111."""
    card = make_card()
    assert card.to_wire() == {
        "uuid": card.uuid,
        "summary": "A short sentence.",
        "indicator": "info",
        "source": {"label": "The tests"},
    }


def test_no_guidance_is_an_empty_array_of_cards_and_no_system_actions() -> None:
    """R-04, R-86, R-87."""
    assert CdsResponse().to_json() == b'{"cards":[]}'


def test_no_services_is_an_empty_array() -> None:
    """R-12."""
    assert Discovery().to_json() == b'{"services":[]}'


def test_a_card_of_no_indicator_like_the_specifications_example_is_refused() -> None:
    """X-01, T-6."""
    with pytest.raises(ValidationError):
        Card.model_validate(
            {
                "summary": "Example",
                "source": {"label": "Example"},
                "links": [
                    {
                        "label": "App",
                        "url": "https://example.org/launch",
                        "type": "smart",
                        "autolaunchable": True,
                    }
                ],
            }
        )


@pytest.mark.parametrize(
    "summary",
    [
        "x" * 140,
        "\U0001f9ec" * 70,
        "one\ntwo",
        "one\u2028two",
        "",
        "   ",
    ],
)
def test_a_summary_too_long_or_of_two_lines_or_blank_is_refused(
    make_card: MakeCard, summary: str
) -> None:
    """R-101, X-20: fewer than 140 code points and fewer than 140 UTF-16 units."""
    with pytest.raises(ValidationError):
        make_card(summary=summary)


@pytest.mark.parametrize("summary", ["x" * 139, "\U0001f9ec" * 69])
def test_a_summary_of_139_units_is_accepted(make_card: MakeCard, summary: str) -> None:
    """R-101."""
    assert make_card(summary=summary).summary == summary


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"indicator": "hard-stop"}, id="R-104"),
        pytest.param({"selection_behavior": None}, id="R-107"),
        pytest.param({"selection_behavior": "all"}, id="R-108"),
        pytest.param({"suggestions": ()}, id="R-108 behaviour without suggestions"),
        pytest.param({"detail": ""}, id="R-102"),
        pytest.param({"uuid": "6BA7B810-9DAD-41D1-80B4-00C04FD430C8"}, id="R-100 upper case"),
        pytest.param({"uuid": "card-1"}, id="R-100"),
        pytest.param({"sumary": "misspelt"}, id="R-112"),
        pytest.param(
            {"suggestions": (Suggestion(label="A"), Suggestion(label="A"))}, id="R-121 twice"
        ),
        pytest.param(
            {
                "suggestions": (
                    Suggestion(label="A", is_recommended=True),
                    Suggestion(label="B", is_recommended=True),
                )
            },
            id="R-124",
        ),
        pytest.param(
            {
                "links": (
                    Link(
                        label="App",
                        url="https://example.org/launch",
                        type="smart",
                        autolaunchable=True,
                    ),
                )
            },
            id="R-145",
        ),
    ],
)
def test_a_card_that_breaks_a_rule_cannot_be_made(changes: dict[str, Any]) -> None:
    """The clause is the id of the case."""
    with pytest.raises(ValidationError):
        full_card(**changes)


def test_several_recommended_suggestions_go_with_any() -> None:
    """R-124."""
    card = full_card(
        selection_behavior="any",
        suggestions=(
            Suggestion(label="A", is_recommended=True),
            Suggestion(label="B", is_recommended=True),
        ),
    )
    assert [item["isRecommended"] for item in card.to_wire()["suggestions"]] == [True, True]


def test_not_recommended_is_left_out() -> None:
    """R-123, R-124."""
    assert "isRecommended" not in Suggestion(label="A", is_recommended=False).to_wire()


@pytest.mark.parametrize(
    ("model", "values"),
    [
        pytest.param(OverrideReason, {"code": "a", "system": "s"}, id="R-110"),
        pytest.param(Coding, {"code": "a"}, id="R-197 system"),
        pytest.param(Coding, {"code": "", "system": "s"}, id="R-197 code"),
        pytest.param(Source, {"label": ""}, id="R-115"),
        pytest.param(Source, {"label": "a", "url": "/relative"}, id="R-116"),
        pytest.param(Source, {"label": "a", "icon": "icon.png"}, id="R-118"),
        pytest.param(Suggestion, {"label": " "}, id="R-121"),
        pytest.param(Suggestion, {"label": "a", "uuid": "1"}, id="R-122"),
        pytest.param(Suggestion, {"label": "a", "is_recommended": "yes"}, id="R-123"),
        pytest.param(Suggestion, {"label": "a", "actionSelectionBehavior": "all"}, id="R-127"),
        pytest.param(
            Action, {"type": "replace", "description": "a", "resource": DRAFT}, id="R-128"
        ),
        pytest.param(Action, {"type": "create", "resource": DRAFT}, id="R-129"),
        pytest.param(Action, {"type": "create", "description": "a"}, id="R-130"),
        pytest.param(
            Action, {"type": "create", "description": "a", "resource": {"id": "1"}}, id="R-07"
        ),
        pytest.param(Action, {"type": "update", "description": "a"}, id="R-131"),
        pytest.param(Action, {"type": "delete", "description": "a"}, id="R-133 missing"),
        pytest.param(
            Action,
            {"type": "delete", "description": "a", "resource_id": "no-type"},
            id="R-133 form",
        ),
        pytest.param(
            Action,
            {"type": "delete", "description": "a", "resource_id": "A/1", "resource": DRAFT},
            id="R-134",
        ),
        pytest.param(
            Action,
            {"type": "update", "description": "a", "resource_id": "Ab/1", "resource": DRAFT},
            id="R-133 only delete",
        ),
        pytest.param(
            Link, {"label": "", "url": "https://example.org", "type": "absolute"}, id="R-140"
        ),
        pytest.param(
            Link, {"label": "a", "url": "javascript:alert(1)", "type": "absolute"}, id="R-141"
        ),
        pytest.param(Link, {"label": "a", "url": "https://e.org", "type": "other"}, id="R-142"),
        pytest.param(
            Link,
            {"label": "a", "url": "https://e.org", "type": "absolute", "app_context": "x"},
            id="R-143",
        ),
        pytest.param(
            Link,
            {"label": "a", "url": "https://e.org", "type": "smart", "app_context": {"a": 1}},
            id="R-143 text",
        ),
        pytest.param(CdsResponse, {"extension": {"short": {}}}, id="R-196"),
        pytest.param(CdsResponse, {"extension": []}, id="R-195"),
        pytest.param(ServiceDescription, {"hook": "patient-view", "id": "a"}, id="R-16"),
        pytest.param(ServiceDescription, {"description": "a", "id": "a"}, id="R-14"),
    ],
)
def test_a_part_that_breaks_a_rule_cannot_be_made(model: Any, values: dict[str, Any]) -> None:
    """The clause is the id of the case."""
    with pytest.raises(ValidationError):
        model(**values)


def test_a_delete_of_a_very_long_id_is_accepted() -> None:
    """R-133, E-11."""
    target = "MedicationRequest/" + "a.-" * 70
    action = Action(type="delete", description="Remove the order", resource_id=target)
    assert action.to_wire()["resourceId"] == target

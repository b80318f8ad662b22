"""Resources, extensions and uuids on their way to the client."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cds_service.protocol import (
    Action,
    Card,
    CdsResponse,
)
from cds_service.protocol.wire import without_empties

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


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


def test_a_number_in_a_resource_keeps_its_digits() -> None:
    """R-131: a dose of 1.50 that comes back as 1.5 is another text to a signature."""
    action = Action(
        type="update",
        description="Change",
        resource={"resourceType": "ServiceRequest", "value": Decimal("1.50")},
    )
    assert b'"value":1.50' in action.to_json()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), {1: 2}])
def test_a_resource_that_json_cannot_say_is_refused(value: Any) -> None:
    """R-01: an encoder would write NaN as null."""
    with pytest.raises(ValidationError):
        Action(
            type="create",
            description="a",
            resource={"resourceType": "ServiceRequest", "value": [value]},
        )


def test_a_received_resource_is_echoed_without_its_empty_members() -> None:
    """R-03, R-04, R-131: what the public sandbox sends is not passed back as it came."""
    received = {
        "resourceType": "ServiceRequest",
        "code": {"coding": [{}]},
        "reasonCode": [],
        "note": None,
        "extension": [{"url": "https://example.org/x", "valueString": "kept"}],
    }
    action = Action(type="update", description="a", resource=received)
    assert action.resource == {
        "resourceType": "ServiceRequest",
        "extension": [{"url": "https://example.org/x", "valueString": "kept"}],
    }
    assert received["reasonCode"] == []


def test_nulls_that_pair_values_with_extensions_stay() -> None:
    """R-07."""
    paired = {"given": ["A", None], "_given": [None, {"id": "x"}], "plain": [None, "b"]}
    assert without_empties(paired) == {
        "given": ["A", None],
        "_given": [None, {"id": "x"}],
        "plain": ["b"],
    }


def test_a_uuid_that_is_given_is_kept(make_card: MakeCard) -> None:
    """R-100."""
    given_uuid = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
    assert make_card(uuid=given_uuid).to_wire()["uuid"] == given_uuid


def test_an_agreed_extension_travels_without_empties() -> None:
    """R-04, R-195, R-196."""
    answer = CdsResponse(extension={"org.example.cds": {"release": "1", "note": None, "n": 1.5}})
    assert answer.to_wire() == {
        "cards": [],
        "extension": {"org.example.cds": {"release": "1", "n": 1.5}},
    }
    assert CdsResponse(extension=None).to_wire() == {"cards": []}


def test_no_resource_and_no_extension_may_be_said_out_loud() -> None:
    """R-05, R-133."""
    action = Action(type="delete", description="a", resource=None, resource_id="ServiceRequest/1")
    assert set(action.to_wire()) == {"type", "description", "resourceId"}


def test_uuids_are_fresh_for_every_card(make_card: MakeCard) -> None:
    """R-100, R-122."""
    uuids = {make_card().uuid for _ in range(1000)}
    assert len(uuids) == 1000
    assert all(UUID4.fullmatch(value) for value in uuids)


def test_one_uuid_twice_in_an_answer_is_refused(make_card: MakeCard) -> None:
    """R-100: the same card object sent for two rules would share its feedback."""
    card = make_card()
    with pytest.raises(ValidationError):
        CdsResponse(cards=(card, card))


def test_a_card_cannot_be_changed_under_another(make_card: MakeCard) -> None:
    """The peer's fault: one card object changed for every sibling rule."""
    card = make_card()
    with pytest.raises(ValidationError):
        card.summary = "Changed"


def test_an_error_about_a_card_does_not_repeat_its_text(make_card: MakeCard) -> None:
    """R-176 and the house rule: no patient in an error text."""
    with pytest.raises(ValidationError) as caught:
        make_card(summary="Jane Doe " * 30)
    assert "Jane" not in str(caught.value)


def test_a_system_action_needs_a_description() -> None:
    """R-150, X-14, I-42."""
    with pytest.raises(ValidationError):
        CdsResponse.model_validate({"systemActions": [{"type": "update", "resource": DRAFT}]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@pytest.mark.deep
@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), json_values))
def test_no_resource_brings_anything_empty_to_the_wire(members: dict[str, Any]) -> None:
    """R-03, R-04 by property; names without an underscore have no positional partner."""
    cleaned = without_empties(members)
    assert [path for path in empties(cleaned) if path != "$" and "._" not in path] == []

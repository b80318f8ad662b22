"""What a client cannot take is left out, and no click that is left does harm alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.protocol import (
    Action,
    Card,
    CdsResponse,
    ClientHabits,
    Link,
    OverrideReason,
    Source,
    Suggestion,
    adapted,
    ready_profiles,
)
from cds_service.protocol.adaptation import NOT_OFFERED
from cds_service.protocol.urls import parse_address

MakeCard = Callable[..., Card]

EPIC = ready_profiles()["epic"]


def create(resource_type: str, name: str) -> Action:
    resource = {"resourceType": resource_type, "code": {"text": name}}
    return Action(type="create", description=f"Order {name}", resource=resource)


def change(name: str) -> Action:
    resource = {"resourceType": "MedicationRequest", "id": name}
    return Action(type="update", description=f"Change {name}", resource=resource)


def remove(name: str) -> Action:
    return Action(
        type="delete", description=f"Remove {name}", resource_id=f"MedicationRequest/{name}"
    )


def offer(*actions: Action, label: str = "", recommended: bool | None = None) -> Suggestion:
    label = label or ", ".join(action.description for action in actions)
    return Suggestion(label=label, actions=actions, is_recommended=recommended)


def adapt(card: Card, **habits: Any) -> Card:
    (found,) = adapted(CdsResponse(cards=(card,)), ClientHabits(**habits)).cards
    return found


def clicks(card: Card) -> list[list[str]]:
    return [[action.description for action in one.actions] for one in card.suggestions]


@pytest.fixture
def alternatives(make_card: MakeCard) -> Card:
    """Two drugs, each in place of the wrong one, and the removal alone."""
    return make_card(
        detail="Why.",
        suggestions=(
            offer(remove("wrong")),
            offer(create("MedicationRequest", "one"), remove("wrong"), label="One instead"),
            offer(create("MedicationRequest", "two"), remove("wrong"), label="Two instead"),
        ),
        selection_behavior="at-most-one",
    )


def test_an_answer_that_can_be_taken_as_it_is_is_not_touched(alternatives: Card) -> None:
    answer = CdsResponse(cards=(alternatives,))
    assert adapted(answer, ClientHabits()) is answer


@pytest.mark.clause("E-20", "C-20", "R-124")
def test_alternatives_that_could_both_be_clicked_become_the_removal_and_words(
    alternatives: Card,
) -> None:
    card = adapt(alternatives, selection_behaviors=("any",))
    assert card.selection_behavior == "any"
    assert clicks(card) == [["Remove wrong"]]
    assert card.detail == f"Why.\n\n{NOT_OFFERED}\n\n- One instead\n- Two instead"
    assert card.uuid == alternatives.uuid


@pytest.mark.clause("E-20")
def test_a_single_way_on_may_be_clicked_beside_its_removal(make_card: MakeCard) -> None:
    one = offer(create("MedicationRequest", "one"), remove("wrong"), label="One instead")
    card = make_card(suggestions=(offer(remove("wrong")), one), selection_behavior="at-most-one")
    adapted_card = adapt(card, selection_behaviors=("any",))
    assert clicks(adapted_card) == [["Remove wrong"], ["Order one", "Remove wrong"]]
    assert adapted_card.detail is None


@pytest.mark.clause("E-20", "R-124")
def test_of_two_recommended_suggestions_the_first_stays_recommended(make_card: MakeCard) -> None:
    tests = [offer(create("ServiceRequest", name), recommended=True) for name in ("ALT", "CK")]
    card = make_card(suggestions=tuple(tests), selection_behavior="any")
    changed = adapt(card, selection_behaviors=("at-most-one",))
    assert changed.selection_behavior == "at-most-one"
    assert [one.is_recommended for one in changed.suggestions] == [True, None]


@pytest.mark.clause("E-23", "R-126", "R-136")
def test_a_panel_of_tests_is_split_into_its_tests(make_card: MakeCard) -> None:
    panel = offer(create("ServiceRequest", "ALT"), create("ServiceRequest", "AST"), label="Liver")
    again = offer(create("ServiceRequest", "ALT"), label="ALT once more")
    card = make_card(suggestions=(panel, again), selection_behavior="any")
    changed = adapt(card, one_action_per_suggestion=True)
    assert clicks(changed) == [["Order ALT"], ["Order AST"]]
    assert changed.detail is None


@pytest.mark.clause("E-23", "R-126", "R-136")
def test_a_drug_is_never_ordered_without_the_removal_that_belongs_to_it(
    make_card: MakeCard,
) -> None:
    one = offer(create("MedicationRequest", "one"), remove("wrong"), label="One instead")
    card = make_card(suggestions=(one,), selection_behavior="any")
    changed = adapt(card, one_action_per_suggestion=True)
    assert clicks(changed) == [["Remove wrong"]]
    assert "- One instead" in str(changed.detail)


@pytest.mark.clause("E-23", "E-21")
def test_an_ehr_with_doses_of_its_own_is_offered_no_drug_order_at_all(make_card: MakeCard) -> None:
    card = make_card(
        suggestions=(
            offer(create("MedicationRequest", "half the dose")),
            offer(change("order")),
            offer(create("ServiceRequest", "ALT")),
        ),
        selection_behavior="any",
    )
    (changed,) = adapted(CdsResponse(cards=(card,)), EPIC).cards
    assert clicks(changed) == [["Order ALT"]]
    assert "- Order half the dose\n- Change order" in str(changed.detail)


def test_two_suggestions_of_one_label_are_told_apart(make_card: MakeCard) -> None:
    def panel(code: str) -> Suggestion:
        other = Action(
            type="create",
            description="Order ALT",
            resource={"resourceType": "ServiceRequest", "code": {"text": code}},
        )
        return offer(other, create("ServiceRequest", f"beside {code}"), label=code)

    card = make_card(suggestions=(panel("a"), panel("b")), selection_behavior="any")
    labels = [one.label for one in adapt(card, one_action_per_suggestion=True).suggestions]
    assert labels == ["Order ALT", "Order beside a", "Order ALT (2)", "Order beside b"]


@pytest.mark.clause("R-86", "R-151", "E-25", "S-13")
def test_system_actions_leave_only_by_agreement() -> None:
    answer = CdsResponse(system_actions=(create("ServiceRequest", "ALT"), change("order")))
    assert adapted(answer, ClientHabits()).to_wire() == {"cards": []}
    agreed = ClientHabits(system_actions=True)
    assert adapted(answer, agreed) is answer
    some = ClientHabits(system_actions=True, actions={"update": ("MedicationRequest",)})
    assert adapted(answer, some).system_actions == answer.system_actions[1:]


LINKS = (
    Link(label="Basis", url="https://cds.example.org/decisions/1", type="absolute"),
    Link(label="Label", url="https://label.example.com/x", type="absolute"),
    Link(label="App", url="https://app.example.com/launch", type="smart"),
)


@pytest.mark.clause("E-27", "E-42")
@pytest.mark.parametrize(
    ("habits", "kept"),
    [
        ({}, ["Basis", "Label", "App"]),
        ({"links": "absolute"}, ["Basis", "Label"]),
        ({"links": "none"}, []),
        ({"link_hosts": ("CDS.example.org",)}, ["Basis"]),
        ({"links": "absolute", "link_hosts": ("app.example.com",)}, []),
    ],
)
def test_only_links_that_the_client_shows_are_sent(
    make_card: MakeCard, habits: dict[str, Any], kept: list[str]
) -> None:
    assert [link.label for link in adapt(make_card(links=LINKS), **habits).links] == kept


@pytest.mark.clause("E-28")
def test_override_reasons_are_left_out_for_a_client_that_knows_none(make_card: MakeCard) -> None:
    reason = OverrideReason(code="known", system="urn:example", display="Known")
    card = make_card(override_reasons=(reason,))
    assert adapt(card, override_reasons=False).override_reasons == ()
    assert adapt(card).override_reasons == (reason,)


# -- any answer for any client --------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
ACTIONS = st.one_of(
    st.builds(create, st.sampled_from(["MedicationRequest", "ServiceRequest"]), NAMES),
    st.builds(change, NAMES),
    st.builds(remove, NAMES),
)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    listed = draw(st.lists(st.lists(ACTIONS, min_size=1, max_size=3), max_size=4))
    behavior = draw(st.sampled_from(["any", "at-most-one"]))
    recommended = draw(st.integers(0, 4))
    return Card(
        summary="A short sentence.",
        detail=draw(st.sampled_from([None, "Why."])),
        indicator=draw(st.sampled_from(["info", "warning", "critical"])),
        source=Source(label="The tests"),
        suggestions=tuple(
            offer(*actions, label=f"Suggestion {number}", recommended=number == recommended)
            for number, actions in enumerate(listed)
        ),
        selection_behavior=behavior if listed else None,
        links=LINKS[: draw(st.integers(0, 3))],
    )


HABITS = st.one_of(
    st.sampled_from(list(ready_profiles().values())),
    st.builds(
        ClientHabits,
        one_action_per_suggestion=st.booleans(),
        selection_behaviors=st.sampled_from([("any",), ("at-most-one",), ("at-most-one", "any")]),
        keeps_order_details=st.booleans(),
        links=st.sampled_from(["all", "absolute", "none"]),
        link_hosts=st.sampled_from([(), ("cds.example.org",)]),
        override_reasons=st.booleans(),
        system_actions=st.booleans(),
        actions=st.none()
        | st.dictionaries(
            st.sampled_from(["create", "update", "delete"]),
            st.sampled_from([("MedicationRequest",), ("MedicationRequest", "ServiceRequest")]),
        ),
    ),
)


def assert_can_be_taken(answer: CdsResponse, habits: ClientHabits) -> None:
    """No client gets what it cannot take."""
    for card in answer.cards:
        assert card.selection_behavior in (None, *habits.selection_behaviors)
        for one in card.suggestions:
            assert len(one.actions) <= 1 or not habits.one_action_per_suggestion
            assert all(habits.takes_action(action) for action in one.actions)
        for link in card.links:
            assert habits.links == "all" or (habits.links, link.type) == ("absolute", "absolute")
            address = parse_address(link.url)
            assert address is not None
            assert not habits.link_hosts or address.host in habits.link_hosts
        assert habits.override_reasons or not card.override_reasons
    assert habits.system_actions or not answer.system_actions


def assert_nothing_was_lost_or_made_unsafe(before: CdsResponse, after: CdsResponse) -> None:
    """Every card keeps its words, and what a click does is what one click did, or part of it that
    may stand alone."""
    assert [card.uuid for card in after.cards] == [card.uuid for card in before.cards]
    for old, new in zip(before.cards, after.cards, strict=True):
        assert (new.summary, new.indicator, new.source) == (old.summary, old.indicator, old.source)
        assert str(new.detail or "").startswith(old.detail or "")
        clicked = [one.actions for one in new.suggestions]
        whole = {str(one.actions) for one in old.suggestions}
        for actions in clicked:
            harmless = all(
                action.type == "delete" or "MedicationRequest" not in str(action.resource)
                for action in actions
            )
            assert str(actions) in whole or harmless
        starting = {str(item) for actions in clicked for item in actions if item.type != "delete"}
        if old.selection_behavior == "at-most-one" and new.selection_behavior == "any" and starting:
            # However often one clicks, it is one alternative.
            assert any(starting <= set(map(str, one.actions)) for one in old.suggestions)
        # What is no longer offered is told.
        offered = {str(action) for actions in clicked for action in actions}
        for one in old.suggestions:
            gone = any(str(action) not in offered for action in one.actions)
            assert not gone or f"- {one.label}" in str(new.detail)


@given(st.lists(cards(), max_size=3), HABITS)
def test_any_answer_becomes_one_that_the_client_takes_and_that_is_safe(
    found: list[Card], habits: ClientHabits
) -> None:
    before = CdsResponse(cards=tuple(found), system_actions=(create("ServiceRequest", "x"),))
    after = adapted(before, habits)
    assert_can_be_taken(after, habits)
    assert_nothing_was_lost_or_made_unsafe(before, after)
    assert adapted(after, habits) is after
    # The models check again what was made: nothing slipped past them.
    assert CdsResponse.model_validate(after.to_wire(), by_alias=True) is not None

"""An intolerance to an ALK inhibitor is read even where nobody wrote down what happened."""

from __future__ import annotations

import pytest

from cds_service.facts.drug_asked_about import INTOLERANCES
from cds_service.rules import Collection, Item
from tests.facts.records import Json, day, facts_of, resource

REACTION = [{"manifestation": [{"text": "Pneumonitis"}]}]


def allergy(substance: str = "alectinib", **more: object) -> Json:
    made = resource("AllergyIntolerance", {"code": {"text": substance}, **more})
    return {**{k: v for k, v in made.items() if k != "subject"}, "patient": made["subject"]}


def coded(word: str) -> Json:
    return {"coding": [{"code": word}]}


def read(*resources: Json) -> Collection:
    found = facts_of(*resources).find(INTOLERANCES)
    assert isinstance(found, Collection)
    return found


def only(*resources: Json) -> Item:
    (item,) = read(*resources).items
    return item


def test_an_intolerance_without_a_reaction_is_read_and_says_so() -> None:
    item = only(allergy())
    assert {"alectinib", "without a reaction"} <= item.names


@pytest.mark.parametrize("empty", [[], [{"severity": "severe"}]])
def test_a_reaction_that_says_nothing_is_none(empty: list[Json]) -> None:
    assert "without a reaction" in only(allergy(reaction=empty)).names


def test_an_intolerance_with_its_reaction_is_explained() -> None:
    assert "without a reaction" not in only(allergy(reaction=REACTION)).names


@pytest.mark.parametrize(
    "said",
    [
        {"verificationStatus": coded("refuted")},
        {"verificationStatus": coded("entered-in-error")},
        {"clinicalStatus": coded("resolved")},
        {"clinicalStatus": coded("inactive")},
        {"recordedDate": day(-10)},
    ],
)
def test_what_is_refuted_over_or_of_a_later_day_does_not_count(said: Json) -> None:
    assert not read(allergy(**said)).items


def test_an_intolerance_to_something_else_does_not_count() -> None:
    assert not read(allergy("penicillin")).items


def test_one_that_nobody_confirmed_is_marked() -> None:
    item = only(allergy(verificationStatus=coded("unconfirmed")))
    assert "not confirmed" in item.names


def test_a_list_that_did_not_arrive_whole_is_not_complete() -> None:
    assert not read(allergy()).complete
    whole = facts_of(complete=("allergies",)).find(INTOLERANCES)
    assert isinstance(whole, Collection)
    assert whole.complete

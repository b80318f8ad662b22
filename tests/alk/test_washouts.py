"""A medicine that was stopped acts on: every drug of every class with a washout, to the day."""

from __future__ import annotations

import pytest

from cds_service.alk import Decision, Recommendation
from cds_service.facts.still_acting import INDUCER, LONG_DAYS, NO_HALF_LIFE_DAYS
from tests.cards.deciding import decided
from tests.facts.records import Json, knowledge, medication

INHIBITORS = sorted(knowledge().drugs)
WASHED_OUT = ("lorlatinib",)
"""The drugs whose label asks to wait after a strong inducer."""
CHECKPOINT_DAYS = 90
BEGUN = 300


def of_class(name: str) -> list[str]:
    codes = knowledge().codes
    members = codes.ingredients
    return sorted(one for one in members if name in codes.classes_of(one, include_unverified=True))


INDUCERS = of_class(INDUCER)
CHECKPOINT_INHIBITORS = of_class("immune checkpoint inhibitor")


def draft(drug: str) -> Json:
    return {**medication(text=drug, status="draft", start=0), "id": "draft"}


def stopped(name: str, days_ago: int) -> Json:
    return medication(text=name, status="completed", start=BEGUN, end=days_ago)


def decision(ordered: str, *resources: Json) -> Decision:
    return decided("p", resources, [draft(ordered)])


def of_inducers(found: Decision, drug: str) -> list[Recommendation]:
    rule = f"{drug}-interaction-strong-inducer"
    return [one for one in found.recommendations if one.rule_id == rule]


def of_immunotherapy(found: Decision) -> list[str]:
    return [one.rule_id for one in found.recommendations if "after-immunotherapy" in one.rule_id]


def washout(inducer: str) -> int:
    half_life = knowledge().codes.medicine_names.half_lives.get(inducer)
    return NO_HALF_LIFE_DAYS if half_life is None else half_life.three_in_days


def test_each_class_with_a_washout_has_members() -> None:
    assert len(INDUCERS) >= 5
    assert len(CHECKPOINT_INHIBITORS) >= 5


@pytest.mark.parametrize("inducer", INDUCERS)
@pytest.mark.parametrize("drug", WASHED_OUT)
def test_a_stopped_inducer_speaks_on_the_last_day_of_three_half_lives(
    drug: str, inducer: str
) -> None:
    days = min(washout(inducer), BEGUN - 1)

    assert of_inducers(decision(drug, stopped(inducer, days)), drug)


@pytest.mark.parametrize("inducer", [one for one in INDUCERS if washout(one) <= LONG_DAYS])
@pytest.mark.parametrize("drug", WASHED_OUT)
def test_a_stopped_inducer_is_silent_a_day_later(drug: str, inducer: str) -> None:
    assert not of_inducers(decision(drug, stopped(inducer, washout(inducer) + 1)), drug)


@pytest.mark.parametrize("inducer", INDUCERS)
@pytest.mark.parametrize("drug", WASHED_OUT)
def test_an_inducer_that_is_on_hold_counts_as_stopped_today(drug: str, inducer: str) -> None:
    paused = medication(text=inducer, status="on-hold", start=BEGUN)

    assert of_inducers(decision(drug, paused), drug)


@pytest.mark.parametrize("inducer", INDUCERS)
@pytest.mark.parametrize("drug", [one for one in INHIBITORS if one not in WASHED_OUT])
def test_a_drug_whose_label_asks_for_no_washout_says_nothing_of_a_stopped_inducer(
    drug: str, inducer: str
) -> None:
    assert not of_inducers(decision(drug, stopped(inducer, 1)), drug)


@pytest.mark.parametrize("given", CHECKPOINT_INHIBITORS)
@pytest.mark.parametrize("drug", INHIBITORS)
def test_every_checkpoint_inhibitor_acts_on_for_ninety_days_before_every_drug(
    drug: str, given: str
) -> None:
    assert of_immunotherapy(decision(drug, stopped(given, CHECKPOINT_DAYS)))
    assert not of_immunotherapy(decision(drug, stopped(given, CHECKPOINT_DAYS + 1)))

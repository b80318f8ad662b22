"""Whose concern it is that data could not be obtained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.alk import Recommendation, Topic
from cds_service.facts.patient import UNREAD_DRAFT, PatientFacts
from tests.alk.patients import FULL, asked, patient, treatment

BESIDE = (
    "medication_statements",
    "medication_administrations",
    "medication_dispenses",
    "adverse_events",
    "allergies",
    "impressions",
    "alerts",
    "devices",
)


def said(facts: PatientFacts, *missing: str) -> list[Recommendation]:
    short = replace(facts, unavailable=dict.fromkeys(missing, "the server did not answer"))
    return [item for item in asked(short).recommendations if item.topic is Topic.AVAILABILITY]


def unconcerned() -> PatientFacts:
    return patient(lines=(), cancers=(), ALK=None, setting=None)


@pytest.mark.parametrize(
    "kind",
    ["patient", "conditions", "medications", "laboratory", "vital_signs", "findings", "procedures",
     "reports", "resources of another patient", "unreadable resources"],
)  # fmt: skip
def test_a_kind_of_data_that_can_hide_a_danger_is_a_warning(kind: str) -> None:
    (item,) = said(patient(), kind)
    assert item.severity == "warning"
    assert item.detail == f"{kind}: the server did not answer"


@pytest.mark.parametrize("kind", BESIDE)
def test_data_beside_those_of_another_kind_are_named_calmly(kind: str) -> None:
    (item,) = said(patient(), kind)
    assert item.severity == "info"
    assert kind in item.detail
    (both,) = said(patient(), kind, "laboratory")
    assert both.severity == "warning"


def test_without_the_tests_on_order_the_answer_says_more_and_never_less() -> None:
    assert not said(patient(), "requests")
    (item,) = said(patient(), "requests", "laboratory")
    assert "requests" in item.detail


@pytest.mark.parametrize("kind", ["laboratory", "findings", *BESIDE])
def test_nobody_is_concerned_who_surely_has_neither_lung_cancer_nor_an_inhibitor(
    kind: str,
) -> None:
    assert not said(unconcerned(), kind)


@pytest.mark.parametrize("status", ["active", "paused", "ended"])
def test_an_inhibitor_ever_taken_makes_it_a_concern(status: str) -> None:
    line = treatment((60, status, FULL))
    facts = patient(lines=[line], cancers=(), ALK=None, setting=None)
    assert said(facts, "laboratory")


def test_a_draft_that_was_not_read_concerns_everybody() -> None:
    assert said(unconcerned(), UNREAD_DRAFT)

"""The whole course of treatment has an answer: a state that nobody answers is a question."""

from __future__ import annotations

import pytest

from cds_service.alk import Decision, Topic
from tests.alk.course_states import BEFORE_SURGERY, CHEMOTHERAPY, ENDED_FOR, OF_NOW, answers, states
from tests.alk.patients import asked, order, patient, treatment


@pytest.mark.slow
def test_every_state_of_treatment_has_an_answer_or_needs_none() -> None:
    silent = [
        state.words
        for state in states()
        if not state.may_be_quiet and not answers(state.decision())
    ]
    assert silent == []


def test_the_walk_goes_through_drugs_on_hold_and_drugs_before_an_operation() -> None:
    walked = list(states())
    on_hold = {state.ordered for state in walked if state.now.endswith("on hold")}
    assert {"", OF_NOW, "lorlatinib"} <= on_hold
    before = [state for state in walked if state.setting == BEFORE_SURGERY and state.earlier]
    assert {state.ended_for for state in before} == set(ENDED_FOR)
    assert not any(state.may_be_quiet for state in before if not state.now and not state.ordered)


def test_the_walk_goes_through_chemotherapy_beside_a_running_inhibitor() -> None:
    beside = [state for state in states() if state.ordered == CHEMOTHERAPY and state.runs]
    assert {state.runs for state in beside} == {"alectinib", "lorlatinib", "neladalkib"}
    assert not any(state.may_be_quiet for state in beside if state.disease != "worse")


def _before_the_first_dose(decision: Decision) -> dict[str | None, set[str]]:
    return {
        item.drug: {test.test for test in item.tests}
        for item in decision.recommendations
        if item.topic is Topic.BASELINE
    }


def test_lorlatinib_after_alectinib_asks_for_lipids_and_an_ecg() -> None:
    facts = patient(lines=(treatment((200, "ended", ("600", 2))),))
    asked_for = _before_the_first_dose(asked(facts, order("lorlatinib", "100", 1)))
    assert asked_for.keys() == {"lorlatinib"}
    assert {"lipids", "ECG"} <= asked_for["lorlatinib"]


def test_an_adjuvant_start_asks_for_liver_tests() -> None:
    facts = patient(lines=(), setting="resected", resection=60, tumour_size="5", ALT=None)
    asked_for = _before_the_first_dose(asked(facts, order("alectinib", "600", 2)))
    assert "liver tests" in asked_for["alectinib"]


def test_a_refill_and_a_drug_that_must_not_be_signed_ask_for_no_baseline_tests() -> None:
    running = patient(ALT=None)
    assert not _before_the_first_dose(asked(running, order("alectinib", "600", 2)))
    pregnant = patient(lines=(), setting="resected", ALT=None, sex="female", pregnancy="present")
    assert not _before_the_first_dose(asked(pregnant, order("alectinib", "600", 2)))

"""The whole course of treatment has an answer: a state that nobody answers is a question."""

from __future__ import annotations

from tests.alk.course_states import answers, states


def test_every_state_of_treatment_has_an_answer_or_needs_none() -> None:
    silent = [
        state.words
        for state in states()
        if not state.may_be_quiet and not answers(state.decision())
    ]
    assert silent == []

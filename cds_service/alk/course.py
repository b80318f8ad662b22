"""The last question of the course of treatment: a state that no other row knows is asked about.

A state of treatment is where the disease stands, which inhibitors were taken and why each ended,
what runs or is on hold, and how the disease does. Where choice, adjuvant treatment and the tables
of progression have nothing to say of it, silence would read as "nothing to decide".
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.alk.case import Case
from cds_service.alk.decision import Kind, Recommendation, Topic
from cds_service.alk.progression import knowing
from cds_service.alk.section import Section
from cds_service.rules import Verdict

HOLD_TOLD = "reaction of a paused ALK inhibitor told"
"""The fact by which the rows know that the same answer names a reaction to a drug on hold."""

_ANSWERS = frozenset({Topic.CHOICE, Topic.ADJUVANT, Topic.PROGRESSION})
_KINDS = {"ask": Kind.ASK, "inform": Kind.INFORM}


class Unanswered(Section):
    """The first row of the table `course` that holds, when nobody else has spoken."""

    name = "states of treatment that no rule answers"

    def applies(self, case: Case) -> bool:
        """Unless a gate has closed the choice, or the way on was answered."""
        return not case.answer.choice_closed and not any(
            item.topic in _ANSWERS for item in case.answer.found
        )

    def recommendations(self, case: Case) -> Iterator[Recommendation]:
        """One question at most."""
        paused = {line.ingredient for line in case.facts.lines if line.status == "paused"}
        told = {item.drug for item in case.answer.found if item.topic is Topic.TOXICITY}
        known = knowing(case.evaluation, HOLD_TOLD, present=bool(paused & told))
        for row, trace in case.knowledge.tables["course"].standing(known):
            if trace.verdict is Verdict.MET:
                kind = _KINDS[row.text("action")]
                yield Recommendation.of_row(row, trace, kind, Topic.PROGRESSION)
                return

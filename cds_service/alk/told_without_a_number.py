"""Diagnoses and words that say what a number would say: raised enzymes, a slow heart in an ECG.

They hold nothing. Where a row of the drug asks for the number, and nobody has measured it since,
the net under the tables asks for it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.alk.read_concepts import facts_read_by, read_by
from cds_service.facts.finding_readings import PRESENT, SUSPECTED, Reading
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.uncovered import Measured
from cds_service.rules import Series

_BEFORE = timedelta(days=14)
"""How long before a diagnosis a raised result may lie that it speaks of (our own choice)."""


@dataclass(frozen=True)
class WithoutANumber:
    """What `uncovered.yaml` says of such events. `asked` are facts that are asked for already."""

    knowledge: Knowledge
    facts: PatientFacts
    asked: Set[str]

    def asks_of(self, event: Reading, drug: str) -> str | None:
        """The fact of which an event tells, that a row of the drug asks for and nobody measured."""
        told = self._told(event)
        if not told:
            return None
        concepts, named = read_by(self.knowledge, drug), facts_read_by(self.knowledge, drug)
        for item in told:
            read = item.measured_by in named or item.concept in concepts
            if read and not self._is_answered(item, event):
                return item.measured_by
        return None

    def is_measured(self, event: Reading, concept: str) -> bool:
        """Whether a number has answered for what an event leaves possible of a concept."""
        listed = [item for item in self._told(event) if item.concept == concept]
        return bool(listed) and all(self._is_answered(item, event) for item in listed)

    def _told(self, event: Reading) -> list[Measured]:
        net = self.knowledge.uncovered
        if net is None or event.finding.status not in (PRESENT, SUSPECTED):
            return []
        told = self._lowest(event)
        return [item for item in net.measured if item.concept in told]

    def _is_answered(self, item: Measured, event: Reading) -> bool:
        began = event.finding.began
        return item.measured_by in self.asked or self._measured(item.measured_by, began)

    def _lowest(self, event: Reading) -> frozenset[str]:
        """The narrowest concepts: a number that says bradycardia says nothing of a sick sinus."""
        concepts = self.knowledge.concepts
        known = {name for name in (*event.names, *event.possible) if name in concepts}
        above = {up for name in known for up in concepts.with_broader(name) if up != name}
        return frozenset(known - above)

    def _measured(self, fact: str, day: date | None) -> bool:
        """Whether there is a number of that day or later, or the raised one that it speaks of.

        Of an event that nobody dated any number of these days answers.
        """
        series = self.facts.find(fact)
        if not isinstance(series, Series):
            return False
        if day is None:
            day = self.facts.as_of - _BEFORE
        for item in series.measurements:
            if item.problem is not None or item.value is None:
                continue
            limit = item.upper_limit
            raised = limit is not None and item.value > limit
            if item.day >= day or (raised and item.day >= day - _BEFORE):
                return True
        return False

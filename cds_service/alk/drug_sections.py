"""The sections about one drug that is running, paused or ordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import ClassVar

from cds_service.alk.adjustments import (
    DoseInView,
    interactions,
    not_multiplied,
    populations,
    told_later,
)
from cds_service.alk.case import Case
from cds_service.alk.decision import Kind, Recommendation, Topic
from cds_service.alk.monitoring import due_tests, first_dose_tests
from cds_service.alk.section import DrugSection
from cds_service.alk.selection import speaks_against
from cds_service.alk.toxicity import Toxicity

RENEWED_DAYS = 30
"""An order that follows the end of the one before within these days renews it (our own choice)."""


class Coverage(DrugSection):
    """Which tables this release lacks for the drug: said, never nothing."""

    @property
    def name(self) -> str:
        """Named on a card when it breaks."""
        return f"which rules there are for {self.drug.name}"

    _TABLES: ClassVar[Mapping[str, str]] = {
        "dose_changes": "holds and dose changes",
        "monitoring": "tests",
        "interactions": "interactions",
        "populations": "special populations",
    }

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """One line that names what was not checked, if anything was not."""
        tables = case.tables(self.drug)
        missing = [
            says
            for name, says in self._TABLES.items()
            if tables is None or getattr(tables, name) is None
        ]
        if not missing:
            return ()
        drug = self.drug.name
        names = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
        return [
            Recommendation(
                Kind.INFORM,
                Topic.COVERAGE,
                f"{drug}-not-covered",
                "warning" if self.drug.line.status == "active" else "info",
                drug=drug,
                summary=f"Check the label of {drug}: this release has no rules on {names}",
                detail=f"Not in this release of the knowledge for {drug}: {names}. Nothing about"
                " that was checked.",
                order=self.drug.order,
                verified=False,
            )
        ]


class Reactions(DrugSection):
    """Dose changes for reactions, now and remembered."""

    @property
    def name(self) -> str:
        """Named on a card when it breaks."""
        return f"reactions to {self.drug.name}"

    def applies(self, case: Case) -> bool:
        """Of a drug that was taken, and whose dose-change table is there."""
        tables = case.tables(self.drug)
        return (
            bool(self.drug.line.orders) and tables is not None and tables.dose_changes is not None
        )

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What the dose-change table asks for; rules left open go to the answer of the case."""
        tables = case.knowledge.drugs[self.drug.name]
        toxicity = Toxicity(tables, case.knowledge.tests, case.facts, self.drug, case.evaluation)
        found = toxicity.recommendations()
        case.answer.undecided.update(toxicity.undecided)
        if not any(item.kind is Kind.RESUME for item in found):
            return found
        against = speaks_against(self.drug.name, case.knowledge, case.evaluation)
        return [_not_resumed(item, against) for item in found]


class DueTests(DrugSection):
    """Tests that are due or overdue on a running drug."""

    @property
    def name(self) -> str:
        """Named on a card when it breaks."""
        return f"tests that are due with {self.drug.name}"

    def applies(self, case: Case) -> bool:
        """Of a drug that runs, and whose monitoring table is there."""
        tables = case.tables(self.drug)
        running = self.drug.line.status == "active"
        return running and tables is not None and tables.monitoring is not None

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """All that is due as one recommendation, without what a reaction asks to repeat."""
        tables = case.knowledge.drugs[self.drug.name]
        if tables.monitoring is None:
            return []
        drug, line = self.drug.name, self.drug.line
        reactions = (
            item for item in case.answer.found if item.topic is Topic.TOXICITY and item.drug == drug
        )
        repeated = frozenset(test.test for item in reactions for test in item.tests)
        rows = [row for row in tables.monitoring if row.text("test") not in repeated]
        due = due_tests(rows, line, case.facts, case.knowledge, case.evaluation)
        return [due] if due is not None else []


class FirstDose(DrugSection):
    """Tests before the first dose of a drug that is ordered, in whatever line or setting."""

    @property
    def name(self) -> str:
        """Named on a card when it breaks."""
        return f"tests before the first dose of {self.drug.name}"

    def applies(self, case: Case) -> bool:
        """Of an ordered drug that begins, or begins again, and may be signed.

        Before a first ALK inhibitor in advanced disease the table of baseline tests has asked.
        """
        tables = case.tables(self.drug)
        if tables is None or tables.monitoring is None or case.answer.choice_closed:
            return False
        return self._begins(case) and not any(self._settles(item) for item in case.answer.found)

    def _begins(self, case: Case) -> bool:
        if self.drug.order is None or self.drug.line.status != "ended":
            return False
        last = self.drug.line.last_taken(case.as_of)
        again = last is not None and last.day < case.as_of - timedelta(days=RENEWED_DAYS)
        return self.drug.starting or again

    def _settles(self, item: Recommendation) -> bool:
        asked = item.topic is Topic.BASELINE and item.drug is None
        return asked or (item.kind is Kind.STOP and item.order is self.drug.order)

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """All of them as one recommendation."""
        tables = case.knowledge.drugs[self.drug.name]
        if tables.monitoring is None:
            return []
        missing = first_dose_tests(tables, tables.monitoring, case.facts, case.knowledge)
        return [missing] if missing is not None else []


class Adjustments(DrugSection):
    """The dose with other medicines and in special populations."""

    @property
    def name(self) -> str:
        """Named on a card when it breaks."""
        return f"doses of {self.drug.name} with other drugs and in special populations"

    def applies(self, case: Case) -> bool:
        """Of a drug with tables."""
        return case.tables(self.drug) is not None

    def recommendations(self, case: Case) -> Iterable[Recommendation]:
        """What interactions and organs ask for, as a question where both lower the dose."""
        order, line = self.drug.order, self.drug.line
        asked = case.evaluation if order is None else case.about(order, with_drafts=True)
        taken = line.current_dose if order is None else order.dose
        dose = DoseInView(self.drug.name, order, taken, self.drug.starting)
        lowered = interactions(dose, case.knowledge, asked, case.unsure)
        advice = populations(dose, case.knowledge, asked)
        lowered, advice = not_multiplied(lowered, advice)
        if self.drug.starting:
            return [*lowered, *advice]
        rows = case.knowledge.drugs[self.drug.name].dose_changes or ()
        reactions = frozenset(fact for row in rows for fact in row.when.facts_named)
        return [*lowered, *told_later(advice, line.start, reactions)]


def _not_resumed(item: Recommendation, against: tuple[str, ...]) -> Recommendation:
    """A drug whose order would be refused is not offered again just because a reaction is over."""
    if item.kind is not Kind.RESUME or not against:
        return item
    return item.changed(kind=Kind.ASK, dose=None, ask="; ".join(against))

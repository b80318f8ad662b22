"""One patient's question, as every section of the algorithm is given it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from cds_service.alk.decision import Kind, Question, Recommendation, Topic
from cds_service.alk.orders import AroundOrder, evaluation_with
from cds_service.facts.patient import (
    BesideDrafts,
    OrderedMedication,
    PatientFacts,
    TreatmentLine,
)
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.rules import Evaluation, Trace


@dataclass(frozen=True, slots=True)
class DrugInView:
    """One ALK inhibitor that is running, paused or ordered, with the order asked about, if any."""

    line: TreatmentLine
    order: OrderedMedication | None

    @property
    def name(self) -> str:
        """The ingredient."""
        return self.line.ingredient

    @property
    def starting(self) -> bool:
        """Whether the order is the first of this drug."""
        return self.order is not None and not self.line.orders


@dataclass
class Answer:
    """What the sections have said so far, each seeing what was said before it.

    `choice_closed` stays True until the gates were asked and none stops the choice of treatment.
    `undecided` are rules that could not be answered although part of them held.
    """

    found: list[Recommendation] = field(default_factory=list)
    undecided: dict[str, Trace] = field(default_factory=dict)
    choice: Recommendation | None = None
    choice_closed: bool = True


@dataclass(frozen=True)
class Case:
    """Facts, question, knowledge and evaluation of one patient on one day, and the answer so far.

    `evaluation` asks rules about the chart alone; what an order adds is in an evaluation of its
    own (`with_inhibitor`, `about`).
    """

    facts: PatientFacts
    question: Question
    knowledge: Knowledge
    evaluation: Evaluation
    answer: Answer = field(default_factory=Answer)

    @property
    def as_of(self) -> date:
        """The day of the question."""
        return self.evaluation.as_of

    def tables(self, drug: DrugInView) -> DrugTables | None:
        """The tables of one drug; None of a drug that is known by name only."""
        return self.knowledge.drugs.get(drug.name)

    @cached_property
    def drugs_in_view(self) -> tuple[DrugInView, ...]:
        """Every drug of ours that is running, paused or in a draft order, once, with that order.

        Of several orders of one drug it is the one with the highest or an unreadable dose.
        """
        orders: dict[str, OrderedMedication] = {}
        for order in self._orders_of_inhibitors():
            for name in order.ingredients:
                if name in self.knowledge.inhibitors:
                    orders[name] = max(orders.get(name, order), order, key=_dose_rank)
        return tuple(_in_view(self.facts.lines, orders))

    @cached_property
    def with_inhibitor(self) -> Evaluation:
        """The evaluation with the ALK inhibitor being ordered, if one is.

        An order makes the diagnosis matter, and it decides which tests should be there.
        """
        inhibitors = list(self._orders_of_inhibitors())
        if not inhibitors:
            return self.evaluation
        # Of several at once each asks for its tests, whichever was drafted first.
        names = frozenset(name for order in inhibitors for name in order.names)
        together = replace(min(inhibitors, key=lambda order: order.reference), names=names)
        return self.about(together)

    def about(self, order: OrderedMedication, *, with_drafts: bool = False) -> Evaluation:
        """The evaluation of the patient together with one draft order, and maybe the others."""
        beside = [other for other in self.question.orders if other is not order]
        around = AroundOrder(beside if with_drafts else ())
        return evaluation_with(order, self.facts, self.knowledge, self.evaluation, around)

    def offering(self) -> Evaluation:
        """The evaluation of the patient under which the answer offers a drug.

        The other drafts of this moment would run beside it. Not an ALK inhibitor, whose place the
        offer takes, and not what an order check of this answer refuses.
        """
        refused = {
            item.order.reference
            for item in self.answer.found
            if item.kind is Kind.STOP and item.topic is Topic.ORDER and item.order is not None
        }
        drafts = [
            order
            for order in self.question.orders
            if order.reference not in refused
            and self.knowledge.inhibitors.isdisjoint(order.ingredients)
        ]
        if not drafts:
            return self.evaluation
        facts = BesideDrafts(self.facts, drafts)
        return Evaluation(facts, self.as_of, thorough=self.evaluation.thorough)

    @cached_property
    def unsure(self) -> dict[str, frozenset[str]]:
        """By source what of a medicine, taken or drafted, was not read in a source."""
        orders = self.question.orders
        drafted = {order.reference: order.unverified for order in orders if order.unverified}
        return {**self.facts.unsure, **drafted}

    def _orders_of_inhibitors(self) -> Iterator[OrderedMedication]:
        for order in self.question.orders_asked_about:
            if any(name in self.knowledge.inhibitors for name in order.ingredients):
                yield order


def _in_view(
    lines: Iterable[TreatmentLine], orders: dict[str, OrderedMedication]
) -> Iterator[DrugInView]:
    for line in lines:
        if line.status != "ended" or line.ingredient in orders:
            yield DrugInView(line, orders.pop(line.ingredient, None))
    for ingredient, order in orders.items():
        yield DrugInView(TreatmentLine(ingredient, ()), order)


def _dose_rank(order: OrderedMedication) -> tuple[bool, Decimal, str]:
    daily = order.dose.daily_mg
    return daily is None, daily or Decimal(0), order.reference

"""Orders in force, looked at when the chart is opened: they were signed, and nobody asks again.

Once and calmly: they are old news, and a card that was answered stays away.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.alk.case import Case
from cds_service.alk.decision import Kind, Recommendation, Topic
from cds_service.alk.orders import AroundOrder, doses_verified, evaluation_with
from cds_service.alk.section import Section
from cds_service.alk.selection import start_dose
from cds_service.facts.patient import DoseTaken, OrderedMedication, TreatmentLine
from cds_service.knowledge.table_files import Row
from cds_service.rules import Evaluation, Trace, Verdict

_KINDS = {"avoid": Kind.AVOID, "ask": Kind.ASK, "inform": Kind.INFORM}


class OrdersInForce(Section):
    """What an order check would have said of the medicines that run."""

    name = "the orders in force"

    def applies(self, case: Case) -> bool:
        """When the chart is looked at and nothing is being ordered."""
        return not case.question.orders

    def recommendations(self, case: Case) -> Iterator[Recommendation]:
        """What the table says of the chart, and of each ALK inhibitor that runs."""
        running = [_as_ordered(line, case) for line in case.facts.lines if line.status == "active"]
        asked: list[tuple[OrderedMedication, Evaluation]] = []
        for row in case.knowledge.tables["orders_in_force"]:
            if not any(name.startswith("ordered") for name in row.when.facts_named):
                yield from _fired(row, case, case.evaluation, None)
                continue
            asked = asked or [(order, _with_order(case, order, low)) for order, low in running]
            for order, evaluation in asked:
                yield from _fired(row, case, evaluation, order)


def _with_order(case: Case, order: OrderedMedication, low: bool) -> Evaluation:
    around = AroundOrder(said=case.answer.found, started_low=low)
    return evaluation_with(order, case.facts, case.knowledge, case.evaluation, around)


def _fired(
    row: Row, case: Case, evaluation: Evaluation, order: OrderedMedication | None
) -> Iterator[Recommendation]:
    trace: Trace = row.when.evaluate(evaluation)
    if trace.verdict is not Verdict.MET:
        return
    drug = next((name for name in order.ingredients), None) if order is not None else None
    known = drug is not None and drug in case.knowledge.drugs
    dose = start_dose(drug, case.knowledge, evaluation)[0] if drug and known else None
    item = Recommendation.of_row(row, trace, _KINDS[row.text("action")], Topic.IN_FORCE)
    verified = row.verified and doses_verified(row, drug, case.knowledge)
    yield item.changed(drug=drug, dose=dose, order=order, verified=verified)


def _as_ordered(line: TreatmentLine, case: Case) -> tuple[OrderedMedication, bool]:
    """The running order of one drug as an order that can be asked about, and whether it was never
    given at more than its present dose."""
    classes = case.knowledge.codes.classes_of(line.ingredient)
    dose = line.current_dose or DoseTaken(None, None, "")
    running = [order for order in line.orders if order.status == "active"]
    latest = max(running, key=lambda order: order.start or date.min)
    order = OrderedMedication(
        latest.source,
        line.ingredient,
        (line.ingredient,),
        frozenset({line.ingredient, *classes}),
        dose,
        {},
    )
    now = dose.daily_mg
    before = [taken.dose.daily_mg for taken in line.orders]
    low = now is not None and all(daily is not None and daily <= now for daily in before)
    return order, low

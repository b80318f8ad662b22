"""Beside a reaction that stops a drug no button of any card orders or corrects a dose of it."""

from __future__ import annotations

from cds_service.cards.medication_orders import OrderContext
from cds_service.cards.suggestions import suggestions
from tests.facts.records import knowledge
from tests.forms.charts import Base, decided
from tests.forms.matrix import FOLDER, rows

CONTEXT = OrderContext("p", "Practitioner/a", "e1")


def test_the_dose_of_a_stopped_drug_is_not_corrected_by_a_click() -> None:
    (row,) = (row for row in rows(FOLDER / "failing") if "beside an order above" in row.truth)
    ((_, chart),) = row.cells.items()
    for cards, offered in ((chart, False), ([], True)):
        decision = decided(Base(**row.base), cards)
        made = [
            action.resource
            for item in decision.recommendations
            for suggestion in suggestions(item, decision, knowledge(), CONTEXT)[0]
            for action in suggestion.actions
            if action.type != "delete"
            and (action.resource or {}).get("resourceType") == "MedicationRequest"
        ]
        assert bool(made) is offered

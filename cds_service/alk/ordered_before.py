"""What became of the ordered drug before: whether it runs already, failed, or was not tolerated.

A refill is no switch, and a drug that is taken up again is not a first one: the order checks can
ask for each of these.
"""

from __future__ import annotations

from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.rules import Collection

_ENDED = {
    "ordered drug failed before": "ALK inhibitors stopped for progression",
    "ordered drug not tolerated before": "ALK inhibitors stopped for toxicity",
    "ordered drug ended unexplained": "ALK inhibitors stopped without a reason",
}
ALREADY_TAKEN = "ordered drug already taken"


def taken_before(order: OrderedMedication, facts: PatientFacts) -> dict[str, bool | None]:
    """The flags of one order about its own drug. None where the orders were not supplied whole."""
    lines = [facts.line(name) for name in order.ingredients]
    flags: dict[str, bool | None] = {
        ALREADY_TAKEN: any(line is not None and line.status != "ended" for line in lines)
    }
    for flag, collection in _ENDED.items():
        found = facts.find(collection)
        listed = isinstance(found, Collection) and any(
            set(order.ingredients) & item.names for item in found.items
        )
        complete = isinstance(found, Collection) and found.complete
        flags[flag] = True if listed else False if complete else None
    return flags

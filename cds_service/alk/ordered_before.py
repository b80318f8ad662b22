"""What became of the ordered drug before: whether it runs already, failed, or was not tolerated.

A refill is no switch, and a drug that is taken up again is not a first one: the order checks can
ask for each of these.
"""

from __future__ import annotations

from cds_service.facts.intolerances import NOT_CONFIRMED, WITHOUT_A_REACTION
from cds_service.facts.patient import OrderedMedication, PatientFacts
from cds_service.rules import Collection

_ENDED = {
    "ordered drug failed before": "ALK inhibitors stopped for progression",
    "ordered drug not tolerated before": "ALK inhibitors stopped for toxicity",
    "ordered drug ended unexplained": "ALK inhibitors stopped without a reason",
}
INTOLERANCES = "intolerances to ALK inhibitors"
ALREADY_TAKEN = "ordered drug already taken"


def taken_before(
    order: OrderedMedication, facts: PatientFacts, reacted: frozenset[str] = frozenset()
) -> dict[str, bool | None]:
    """The flags of one order about its own drug. None where the orders were not supplied whole.

    `reacted` are the drugs of which the answer names a reaction already.
    """
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
    asked = flags["ordered drug not tolerated before"] or not reacted.isdisjoint(order.ingredients)
    return flags | _intolerances(order, facts, asked_already=bool(asked))


def _intolerances(
    order: OrderedMedication, facts: PatientFacts, *, asked_already: bool
) -> dict[str, bool | None]:
    """Whether an intolerance to the ordered drug is recorded, without or with its reaction."""
    found = facts.find(INTOLERANCES)
    listed = found.items if isinstance(found, Collection) else ()
    own = [item for item in listed if item.names & set(order.ingredients)]
    absent = False if isinstance(found, Collection) and found.complete else None
    unexplained = any(WITHOUT_A_REACTION in item.names for item in own)
    explained = bool(own) and not unexplained and not asked_already
    return {
        "ordered drug intolerance unexplained": True if unexplained else absent,
        "ordered drug intolerance explained": True if explained else absent,
    }


def running_not_tolerated(
    order: OrderedMedication, facts: PatientFacts, stopped: frozenset[str]
) -> bool:
    """Whether another ALK inhibitor runs that is to be stopped, or whose intolerance is recorded.

    `stopped` are the drugs that the same answer stops for a reaction. What nobody confirmed, and
    what was not supplied, is no reason to read an order as a switch.
    """
    found = facts.find(INTOLERANCES)
    for item in found.items if isinstance(found, Collection) else ():
        if NOT_CONFIRMED not in item.names:
            stopped |= item.names
    return another_runs(order, facts, stopped)


def another_runs(order: OrderedMedication, facts: PatientFacts, names: frozenset[str]) -> bool:
    """Whether one of these drugs runs beside the one that is ordered."""
    return any(
        line.status == "active" and line.ingredient in names
        for line in facts.lines
        if line.ingredient not in order.ingredients
    )

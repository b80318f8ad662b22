"""Medicines whose names are easily taken for an ALK inhibitor: asked about, never corrected."""

from __future__ import annotations

import re

from cds_service.facts.patient import OrderedMedication
from cds_service.knowledge.release import Knowledge

_WORD = re.compile(r"\w+")


def look_alike(order: OrderedMedication, knowledge: Knowledge) -> tuple[str, tuple[str, ...]]:
    """The name in an order that is easily taken for ALK inhibitors, and those; else nothing.

    A name counts as a whole word of the order only. An order of an ALK inhibitor is none: which of
    them is meant is a question of the choice among them.
    """
    if "ALK inhibitor" in order.names:
        return "", ()
    words = {*order.ingredients, *_WORD.findall(order.label.casefold())}
    drugs = {name: tables.drug.confusable_with for name, tables in knowledge.drugs.items()}
    drugs |= {name: drug.confusable_with for name, drug in knowledge.awaited.items()}
    found = {name for confused in drugs.values() for name in confused if name in words}
    first = min(found, default="")
    return first, tuple(sorted(name for name, confused in drugs.items() if first in confused))

"""What a card says about the other medicine of an interaction, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.alk import Recommendation, Topic
from cds_service.alk.not_checked import asked_members
from cds_service.cards.text import listed
from cds_service.knowledge.code_models import Alternative
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Item

AVOIDED = frozenset({"avoid", "contraindicated"})
"""Actions of an interaction table by which the other medicine had better be another one."""


def another_medicine(item: Recommendation, knowledge: Knowledge) -> list[str]:
    """What a medicine in place of the one to be avoided must be like, for all that the card says.

    In words only: this service knows neither why it is taken nor what else would do.
    """
    found = [other for one in (item, *item.also) for other in _asked_of_another(one, knowledge)]
    if not found:
        return []
    words = list(dict.fromkeys(other.says for other in found))
    said = f"another one for the same purpose that {listed(words)}, if there is one"
    basis = _basis(found, knowledge)
    return [f"In place of the medicine to be avoided: {said}; ask the pharmacist. {basis}"]


def _basis(found: Iterable[Alternative], knowledge: Knowledge) -> str:
    """Who says what another medicine must be like: nobody may take it for a word of the label."""
    names = dict.fromkeys(name for other in found for name in other.sources)
    read = [knowledge.sources[name] for name in names]
    cited = [one.citation.rstrip(".") for one in read if one.kind != "design" and one.can_be_shown]
    if cited:
        return f"Source: {'; '.join(cited)}."
    return "That follows from the class; no label that was read names it."


def _asked_of_another(item: Recommendation, knowledge: Knowledge) -> Iterator[Alternative]:
    if item.topic is not Topic.INTERACTION or item.row is None or item.trace is None:
        return
    if item.row.text("action") not in AVOIDED:
        return
    asked = asked_members(item.row.when.expression)
    classes = knowledge.codes.medication_classes
    for leaf in item.trace.walk():
        # One that was stopped and still acts is replaced by nothing.
        for used in leaf.used if leaf.subject == "medications" else ():
            for name in sorted(asked & used.names) if isinstance(used, Item) else ():
                other = classes[name].alternative if name in classes else None
                if other is not None:
                    yield other

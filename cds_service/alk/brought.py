"""A reaction that holds a drug, told where another medicine that brings it too is ordered.

Whoever orders a beta-blocker may not be the one who put alectinib on hold for a slow heart.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.alk.decision import SEVERITIES, Kind, Recommendation, Topic

_OPEN = (Kind.STOP, Kind.WITHHOLD, Kind.ASK)
"""A reaction that is not over, the safest action first."""


def with_reaction(item: Recommendation, found: Iterable[Recommendation]) -> Recommendation:
    """An interaction of an order with a drug, together with the reaction that the order brings.

    `found` is what was said so far. As it was, where no such reaction to the drug is open; else
    to be avoided, and as loud as the reaction is.
    """
    brings = item.row.entries("brings") if item.row is not None else ()
    reactions = [one for one in _reactions(found, item.drug) if _reaction_of(one) in brings]
    if not reactions:
        return item
    gravest = min(reactions, key=lambda one: _OPEN.index(one.kind))
    severity = min(item.severity, gravest.severity, key=SEVERITIES.index)
    kind = item.kind if item.kind is Kind.STOP else Kind.AVOID
    also = (*item.also, gravest.changed(also=(), tests=()))
    return item.changed(kind=kind, severity=severity, dose=None, also=also)


def reaction_brought(item: Recommendation) -> Recommendation | None:
    """The reaction that stands in the first line of an interaction, if one does."""
    if item.topic is not Topic.INTERACTION:
        return None
    return next((one for one in item.also if one.topic is Topic.TOXICITY), None)


def _reactions(found: Iterable[Recommendation], drug: str | None) -> list[Recommendation]:
    """What is open about reactions to a drug, leading or not."""
    return [
        one
        for first in found
        for one in (first, *first.also)
        if one.topic is Topic.TOXICITY and one.drug == drug and one.kind in _OPEN
    ]


def _reaction_of(item: Recommendation) -> str:
    """The reaction of the row that spoke; none of a question about results of several rows."""
    row = item.row
    return row.text("reaction") if row is not None and row.identifier == item.rule_id else ""

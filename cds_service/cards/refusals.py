"""Refusals of one order that ask for the same: one card, with every reason on it."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.alk import Kind, Recommendation, Topic
from cds_service.cards.summaries import summary
from cds_service.cards.text import first_that_fits
from cds_service.knowledge.release import Knowledge


def same_remedy(one: Recommendation, other: Recommendation) -> bool:
    """Whether both refuse the same order, and both ask for nothing but to take it back."""
    return (
        _only_taken_back(one)
        and _only_taken_back(other)
        and one.order is not None
        and other.order is not None
        and one.order.reference == other.order.reference
        and (one.severity, one.verified) == (other.severity, other.verified)
    )


def _only_taken_back(item: Recommendation) -> bool:
    refused = item.topic is Topic.ORDER and item.kind is Kind.STOP
    return refused and item.offers == ("remove order",) and item.dose is None and not item.reasons


def as_one(group: Sequence[Recommendation]) -> Recommendation:
    """The first refusal with the others told beside it, and the tests of all of them."""
    first, *others = group
    tests = {test.test: test for item in reversed(group) for test in item.tests}
    told = (item.changed(tests=()) for item in others)
    return first.changed(also=(*first.also, *told), tests=tuple(tests.values()))


def summary_of_refusals(group: Sequence[Recommendation], knowledge: Knowledge) -> str:
    """The first reason, and how many more there are."""
    said = summary(group[0], knowledge)
    count = len(group) - 1
    more = f"{count} more reason" if count == 1 else f"{count} more reasons"
    shorter = said.split("; ", 1)[0]
    return first_that_fits(f"{said}; {more} against it", f"{said}; {more}", f"{shorter}; {more}")

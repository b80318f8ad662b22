"""The tests of a card in words: what is due, since when, and what came last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from cds_service.alk import Decision, DueTest, Recommendation, Topic
from cds_service.cards.suggestions import words_of_test_order
from cds_service.cards.text import escaped, full_day, listed
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.sources import is_own_advice
from cds_service.protocol import Suggestion
from cds_service.rules import explain


def due_lines(
    item: Recommendation, decision: Decision, knowledge: Knowledge, offered: Iterable[Suggestion]
) -> list[str]:
    """One line for each test that a recommendation names.

    `offered` is what the card orders by one click: of a test that is not in it, it is said why.
    """
    lines: list[str] = []
    said: set[str] = set()
    ordered = {action.description for one in offered for action in one.actions}
    for test in item.tests:
        label = knowledge.tests[test.test].label
        last = _last(test, decision.as_of)
        # Tests that are asked for in the same words are asked for once.
        because = "" if test.because in said else f" {test.because}"
        if test.lacking:
            said.add(test.because)
            lines.append(f"{label}: not known whether due, {last}.{because}")
            continue
        why_not = _not_in_the_order(test, item, decision, knowledge, ordered)
        if test.status == "repeat":
            lines.append(f"{label}: repeat by {full_day(test.due)}{why_not}")
        elif item.topic not in (Topic.MONITORING, Topic.BASELINE):
            # The card itself says why.
            known = "" if test.last is None else f", {last}"
            lines.append(f"{label}: needed{known}{why_not}")
        else:
            said.add(test.because)
            lines.append(f"{label}: {_state(test, decision.as_of)}, {last}.{because}{why_not}")
    return lines


def _state(test: DueTest, as_of: date) -> str:
    if test.status == "missing":
        return "needed"
    return "due today" if test.due == as_of else f"{test.status} since {full_day(test.due)}"


def _last(test: DueTest, as_of: date) -> str:
    """When a test was last done; what came and does not show it is said to have come."""
    done = test.last
    said = f"last {full_day(done)}, {age_words(done, as_of)}" if done is not None else ""
    if test.came:
        unused = f"no other usable result: {escaped(explain(test.came))}"
        return f"{said}; {unused}" if said else unused.replace("no other", "no")
    if test.lacking:
        kinds = listed([kind.replace("_", " ") for kind in test.lacking])
        missing = f"{kinds} could not be obtained"
        return f"{said}; {missing}" if said else missing
    return said or "none found"


def age_words(day: date, as_of: date) -> str:
    """How long ago a day was: ``today``, ``12 days ago``, ``7 weeks ago``, ``5 months ago``."""
    days = (as_of - day).days
    if days < 2:
        return "today" if days < 1 else "yesterday"
    if days < 21:
        return f"{days} days ago"
    if days < 84:
        return f"{days // 7} weeks ago"
    months = (as_of.year - day.year) * 12 + as_of.month - day.month - (as_of.day < day.day)
    return f"{months} months ago" if months < 24 else f"{months // 12} years ago"


def _not_in_the_order(
    test: DueTest,
    item: Recommendation,
    decision: Decision,
    knowledge: Knowledge,
    ordered: Collection[str],
) -> str:
    """Why a test that the card names is not among those that it orders; empty where it is."""
    known = knowledge.tests[test.test]
    if any(words_of_test_order(order) in ordered for order in known.orders):
        return ""
    if not known.orders:
        return " (no order: it is measured at the visit)"
    if all(order.key in decision.requested_tests for order in known.orders):
        return " (on order already)"
    if decision.failures:
        return " (not in the order: part of the check did not run)"
    if not test.orderable or not known.verified or not item.verified:
        own = is_own_advice(test.sources)
        where = "not in the order" if ordered else "no order"
        return f" ({'our own advice' if own else 'not verified'}, {where})"
    return " (not in the order: ask for it besides)"

"""The ALK tests of a patient weighed together, by the reviewed rows of the table `alk_evidence`.

No test overrules another for being the newer one: the first row that holds decides, and tests
that stand against each other stay named, each with its day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from cds_service.facts.alk_status import SUFFICIENT, AlkResult
from cds_service.knowledge.release import Knowledge
from cds_service.rules import (
    Collection,
    Evaluation,
    FactValue,
    Item,
    Reason,
    ReasonKind,
    Statement,
    Statements,
    Trace,
    Verdict,
)

COLLECTIONS = {
    "positive": "positive ALK tests",
    "negative": "negative ALK tests",
    "equivocal": "equivocal ALK tests",
    "unreadable": "equivocal ALK tests",
    "pending": "awaited ALK tests",
    "failed": "failed ALK tests",
}
"""By answer the collection that a result stands in."""
_SHORT = {
    "other immunohistochemistry": "stain",
    "D5F3 immunohistochemistry": "D5F3 stain",
    "ALK breakpoint without a partner": "breakpoint",
    "unnamed method": "fusion test",
}
CONFLICTING = "conflicting ALK tests"

_WEIGHED_AGAINST = frozenset(
    {
        "D5F3 immunohistochemistry",
        "other immunohistochemistry",
        "FISH",
        "DNA sequencing",
        "RNA sequencing",
        "RT-PCR",
    }
)
"""Tissue tests: their negative answer stands against a positive one; that of plasma never does."""


@dataclass(frozen=True)
class Weighed:
    """What the tests say together: the status, the result that leads, and the row behind it."""

    status: Statements | None = None
    leading: AlkResult | None = None
    row: str = ""
    collections: dict[str, Collection] = field(default_factory=dict)

    def collection(self, name: str) -> Collection | None:
        """One of the collections of tests; None when nothing stands in it.

        Never complete for other rules: that a test is not in the record does not mean that it
        was not done.
        """
        found = self.collections.get(name)
        if found is None or not found.items:
            return None
        if name == CONFLICTING:
            return found
        missing = Reason.of(ReasonKind.MISSING, name, "tests outside the record are not known")
        return Collection(found.items, complete=False, incomplete=(missing,))


class _Tests:
    """The tests as facts for the rows of the table."""

    def __init__(self, collections: dict[str, Collection]) -> None:
        self._collections = collections

    def find(self, name: str) -> FactValue | None:
        """The collection of that name."""
        return self._collections.get(name)


def weigh(
    results: Sequence[AlkResult],
    knowledge: Knowledge,
    as_of: date,
    treated_since: date | None = None,
) -> Weighed:
    """The status of ALK, with the result that leads.

    A negative test after the first ALK inhibitor (`treated_since`) does not take back a positive
    one from before: it may come from too little tumour, and "ALK fusion lost" asks about it.
    """
    counted = _before_treatment(results, treated_since)
    items: dict[str, list[tuple[Item, AlkResult]]] = {name: [] for name in COLLECTIONS.values()}
    for result in sorted(counted, key=_newest_first):
        if not _tells_of_rearrangement(result):
            continue
        name = COLLECTIONS[result.answer]
        # One entry a method, its newest: a test repeated is not two tests.
        if all(result.evidence not in item.names for item, _ in items[name]):
            items[name].append((_item(result), result))
    collections = {
        name: Collection(tuple(item for item, _ in group), complete=True)
        for name, group in items.items()
    }
    listed = [pair for group in items.values() for pair in group]
    evaluation = Evaluation(_Tests(collections), as_of, thorough=True)
    for row in knowledge.tables["alk_evidence"]:
        trace = row.when.evaluate(evaluation)
        if trace.verdict is not Verdict.MET:
            continue
        if row.text("conflict"):
            collections[CONFLICTING] = Collection(_against(collections), complete=True)
        leading = _leading(trace, listed, row.text("leads"))
        said = Statement(row.text("status"), leading.day, leading.as_sent, leading.source)
        return Weighed(Statements((said,)), leading, row.identifier, collections)
    return Weighed(collections=collections)


def _tells_of_rearrangement(result: AlkResult) -> bool:
    """Whether it counts: that no copies or mutation were found denies no rearrangement."""
    other = result.finding in ("amplification", "point mutation")
    return not other or result.answer in ("positive", "pending")


def _newest_first(result: AlkResult) -> tuple[int, str]:
    # Results of one day stand in the order of their sources, however they were sent.
    return (-(result.day or date.min).toordinal(), result.source)


def _before_treatment(results: Iterable[AlkResult], since: date | None) -> list[AlkResult]:
    listed = list(results)
    positive = (
        item for item in listed if item.answer == "positive" and item.evidence in SUFFICIENT
    )
    if since is None or not any(_before(item, since) for item in positive):
        return listed
    return [item for item in listed if item.answer != "negative" or _before(item, since)]


def _before(item: AlkResult, day: date) -> bool:
    return item.day is not None and item.day < day


def _item(result: AlkResult) -> Item:
    method = _SHORT.get(result.evidence, result.evidence)
    detail = f" {result.detail}" if result.detail else ""
    said = "unclear" if result.answer in ("equivocal", "unreadable") else result.answer
    day = f" ({result.day.day} {result.day:%b %Y})" if result.day is not None else ""
    label = f"{method}{detail} {said}{day}"
    return Item(frozenset({result.evidence}), label, result.day, result.as_sent, result.source)


def _against(collections: dict[str, Collection]) -> tuple[Item, ...]:
    negative = tuple(
        item for item in collections["negative ALK tests"].items if item.names & _WEIGHED_AGAINST
    )
    return (*collections["positive ALK tests"].items, *negative)


def _leading(trace: Trace, listed: Sequence[tuple[Item, AlkResult]], wanted: str) -> AlkResult:
    """The newest result that made the row hold, or the newest of the kind that the row names."""
    used = {id(item) for item in trace.evidence}
    results = [result for item, result in listed if id(item) in used]
    named = [result for result in results if result.evidence == wanted]
    return min(named or results, key=_newest_first)

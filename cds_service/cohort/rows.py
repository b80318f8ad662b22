"""One row for each patient and recommendation, in columns that a table or a statistic can use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from cds_service.alk import Decision, Recommendation
from cds_service.cards.summaries import summary
from cds_service.cards.text import dose_words
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Measurement, Quantity


class Row(msgspec.Struct, frozen=True):
    """One recommendation to one patient; empty text and None where there is nothing to say.

    `dose` is what to order or to resume with. `value` is the newest number that the recommendation
    rests on, of the `fact` named, in the `unit` of the tables, and as it was sent. `tests` are
    asked for; `due` is the earliest day on which one was or is due, and `days_overdue` counts from
    it to `as_of` (0 before it). `source_level` is how near to the origin the rule was read.
    """

    patient: str
    kind: str
    severity: str
    topic: str
    drug: str
    dose: str
    fact: str
    value: Decimal | None
    unit: str
    value_as_sent: str
    value_date: date | None
    since: date | None
    tests: str
    due: date | None
    days_overdue: int | None
    summary: str
    rule_id: str
    source_level: str
    sources: str
    release: str
    as_of: date


COLUMNS = Row.__struct_fields__
DATES = frozenset({"value_date", "since", "due", "as_of"})
COUNTS = frozenset({"days_overdue"})
NUMBERS = frozenset({"value"})


def row_of(patient: str, item: Recommendation, decision: Decision, knowledge: Knowledge) -> Row:
    """The row of one recommendation."""
    fact, measured = _newest(item)
    due = min((test.due for test in item.tests), default=None)
    return Row(
        patient,
        item.kind.value,
        item.severity,
        item.topic.value,
        item.drug or "",
        dose_words(item.dose or item.resume_dose),
        fact,
        measured.value if measured is not None else None,
        _unit(fact, knowledge) if measured is not None else "",
        measured.as_sent if measured is not None else "",
        measured.day if measured is not None else None,
        item.since,
        "; ".join(knowledge.tests[test.test].label for test in item.tests),
        due,
        max((decision.as_of - due).days, 0) if due is not None else None,
        summary(item, knowledge),
        item.rule_id,
        item.row.level if item.row is not None else "",
        "; ".join(item.sources),
        decision.release,
        decision.as_of,
    )


def _newest(item: Recommendation) -> tuple[str, Measurement | None]:
    """The newest number among the values that made the rule hold, with the name of its fact."""
    used = [
        (leaf.subject, one)
        for leaf in (item.trace.deciding() if item.trace is not None else ())
        for one in leaf.used
        if isinstance(one, Measurement)
    ]
    return max(used, key=lambda pair: pair[1].day, default=("", None))


def _unit(fact: str, knowledge: Knowledge) -> str:
    kind = knowledge.vocabulary.find(fact)
    return kind.unit if isinstance(kind, Quantity) else ""

"""Gates: may anything be said about choosing treatment at all?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from cds_service.alk.decision import DueTest, Kind, Recommendation, Topic
from cds_service.alk.monitoring import as_delivered
from cds_service.facts.patient import PatientFacts
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Row
from cds_service.rules import Evaluation, Verdict

_KINDS = {"stop": Kind.STOP, "ask": Kind.ASK, "inform": Kind.INFORM}


def gates(
    knowledge: Knowledge, evaluation: Evaluation, facts: PatientFacts
) -> tuple[list[Recommendation], bool]:
    """The gates that closed, and whether one of them stops the choice of treatment.

    Safety checks on orders and on running treatment are never stopped by a gate.
    """
    found: list[Recommendation] = []
    closed = False
    for row, trace in knowledge.tables["gates"].standing(evaluation):
        if trace.verdict is not Verdict.MET:
            continue
        closed = closed or row.text("stops") == "selection"
        item = Recommendation.of_row(row, trace, _KINDS[row.text("action")], Topic.GATE)
        tests = (
            as_delivered(test, knowledge.tests[test.test], facts)
            for test in asked_tests(row, evaluation, row.text("summary"))
        )
        found.append(item.changed(tests=tuple(tests)))
    return found, closed


def asked_tests(
    row: Row,
    evaluation: Evaluation,
    because: str,
    last: Callable[[str], date | None] = lambda _: None,
) -> tuple[DueTest, ...]:
    """The tests named in a row's `tests` cell, due now or after its `recheck_days`.

    `last` tells on which day a test was last complete.
    """
    days = row.cells.get("recheck_days", "")
    due = evaluation.as_of + timedelta(days=int(days)) if days else evaluation.as_of
    return tuple(
        DueTest(test, "repeat" if days else "missing", last(test), due, because, row.identifier,
                row.verified, sources=row.sources)
        for test in row.entries("tests")
    )  # fmt: skip

"""What a decision costs follows what the patient has, not what the tables hold.

Counted in conditions on a fact that are worked out, never in time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC

import pytest

from cds_service.alk import Question, decide
from cds_service.facts import FactReader, Supplied
from cds_service.facts.patient import PatientFacts
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Evaluation, RuleCompiler, Trace
from cds_service.rules.conditions import Leaf
from fhir_fixtures import load_story
from tests.alk.patients import AS_OF, knowledge, patient
from tests.facts.records import ALL

ADDED = 100


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The conditions that are worked out, each as often as it is."""
    found: list[str] = []
    whole = Leaf.trace

    def counted(leaf: Leaf, evaluation: Evaluation) -> Trace:
        if leaf not in evaluation.traces:
            found.append(leaf.text)
        return whole(leaf, evaluation)

    with monkeypatch.context() as patched:
        patched.setattr(Leaf, "trace", counted)
        yield found


def with_more_rows(release: Knowledge, drug: str) -> Knowledge:
    """The release with a hundred more reactions of one drug, each on a limit of its own."""
    tables = release.drugs[drug]
    table = tables.dose_changes
    assert table is not None
    compiler = RuleCompiler(release.vocabulary)
    pattern = table.rows[0]
    added: list[Row] = []
    for number in range(ADDED):
        rule = compiler.compile(f"ALT > {number + 30}.5 xULN and AST > {number + 40}.5 xULN")
        cells = {**pattern.cells, "id": f"added-{number}", "reaction": f"added {number}"}
        rules = {**pattern.rules, "when": rule}
        added.append(replace(pattern, identifier=f"added-{number}", cells=cells, rules=rules))
    larger = replace(tables, dose_changes=Table(table.name, (*table.rows, *added)))
    return replace(release, drugs={**release.drugs, drug: larger})


def conditions_asked(
    monkeypatch: pytest.MonkeyPatch, facts: PatientFacts, release: Knowledge, moment: str
) -> int:
    with counting(monkeypatch) as asked:
        decide(facts, Question(moment), release, AS_OF)
    return len(asked)


@pytest.mark.parametrize("moment", ["patient-view", "order-sign"])
def test_a_table_of_a_drug_that_is_not_taken_costs_less_than_a_hundredth_more(
    monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    release = knowledge()
    before = conditions_asked(monkeypatch, patient(), release, moment)
    after = conditions_asked(monkeypatch, patient(), with_more_rows(release, "lorlatinib"), moment)
    assert before > ADDED
    assert after < before * 1.01


def test_the_same_table_is_asked_when_the_drug_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    release = knowledge()
    before = conditions_asked(monkeypatch, patient(), release, "patient-view")
    larger = with_more_rows(release, "alectinib")
    assert conditions_asked(monkeypatch, patient(), larger, "patient-view") >= before + ADDED


def test_a_patient_whom_nothing_here_concerns_meets_no_table_of_a_drug(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = knowledge()
    own = {
        table.name
        for tables in release.drugs.values()
        for table in (tables.dose_changes, tables.monitoring, tables.interactions,
                      tables.populations)
        if table is not None
    }  # fmt: skip
    asked: list[str] = []
    whole = Table.standing

    def noted(table: Table, *arguments: object) -> Iterator[tuple[Row, Trace]]:
        asked.append(table.name)
        return whole(table, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "standing", noted)
    story = load_story("no-lung-cancer", AS_OF)
    page = read_resources(json.dumps(story.bundle).encode())
    record = PatientRecord.build(story.patient_id, [page])
    facts, _ = FactReader(release, UTC).read(Supplied(record, frozenset(ALL)), AS_OF)
    decide(facts, Question("patient-view"), release, AS_OF)
    assert asked
    assert not own & set(asked)

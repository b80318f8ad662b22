"""The algorithm's tables beside a second record: who a row speaks of, and what it leads to.

`tests/knowledge/algorithm_patients` holds, for every part of every condition, a patient in whom
that part decides; `tests/knowledge/outcomes.yaml` what each row asks for and how loudly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from cds_service.alk import Decision, Option, Recommendation
from cds_service.alk.gates import gates
from cds_service.facts import PatientFacts
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import CollectionOf, Evaluation, Occurrence, Verdict
from cds_service.rules.syntax import And
from tests.alk.findings_in_words import finding_words
from tests.alk.patients import AS_OF, asked, knowledge, patient, with_facts
from tests.alk.row_cases import CASES, DATED, Case

FOLDER = Path(__file__).parents[1] / "knowledge"
TABLES = (
    "gates", "order_checks", "first_line", "choice_modifiers", "progression", "later_lines",
    "resistance", "baseline", "adjuvant",
)  # fmt: skip
EFFECTS = {
    "sensitive": "favours", "intermediate": "cautions", "no data": "cautions", "resistant": "avoid",
}  # fmt: skip
NOBODY = PatientFacts("p", AS_OF, {}, ())
Said = Mapping[str, Any]
Outcome = Mapping[str, Any]


@cache
def _groups(table: str) -> Mapping[str, list[Mapping[str, Any]]]:
    text = (FOLDER / "algorithm_patients" / f"{table}.yaml").read_text("utf-8")
    loaded: Mapping[str, list[Mapping[str, Any]]] = yaml.safe_load(text)
    return loaded


@cache
def _outcomes() -> Mapping[str, tuple[str, Outcome]]:
    """By row its table and what it leads to."""
    loaded = yaml.safe_load((FOLDER / "outcomes.yaml").read_text("utf-8"))
    return {
        row: (table, {name: entry for name, entry in line.items() if name != "rows"})
        for table, lines in loaded.items()
        for line in lines
        for row in line["rows"]
    }


def _row(table: str, identifier: str) -> Row:
    return next(row for row in knowledge().tables[table] if row.identifier == identifier)


def _met(row: Row, said: Said) -> bool:
    return _verdict(row.when, said) is Verdict.MET


def _verdict(rule: Any, said: Said) -> Verdict:
    found: Verdict = rule.evaluate(Evaluation(_known(said), AS_OF)).verdict
    return found


def _known(said: Said) -> PatientFacts:
    return with_facts(NOBODY, {name: _said(name, value) for name, value in said.items()})


def _said(name: str, value: Any) -> object:
    if finding_words(name) is not None:
        return value
    kind = knowledge().vocabulary.find(name)
    if value is None or isinstance(kind, CollectionOf | Occurrence):
        return value
    return str(value)


def _patients(table: str, identifier: str) -> Iterator[tuple[Said, bool]]:
    for group in _groups(table)[identifier]:
        facts = group["patient"]
        yield facts, True
        for change in group.get("also", ()):
            yield {**facts, **change}, True
        for change in group.get("silent", ()):
            yield {**facts, **change}, False


ROWS = [(table, identifier) for table in TABLES for identifier in _groups(table)]


@pytest.mark.parametrize(("table", "identifier"), ROWS)
def test_a_row_speaks_of_these_patients_and_not_of_those_close_by(
    table: str, identifier: str
) -> None:
    row = _row(table, identifier)
    for said, speaks in _patients(table, identifier):
        assert _met(row, said) is speaks, said


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_in_both_records(table: str) -> None:
    rows = {row.identifier for row in knowledge().tables[table]}
    assert rows == set(_groups(table))
    assert rows == {row for row, (found, _) in _outcomes().items() if found == table}


def _deciding(row: Row, part: int, said: Said) -> bool:
    """Whether of all parts of the row's condition only this one is not met."""
    expression = row.when.expression
    assert isinstance(expression, And)
    compiler = knowledge().compiler
    met = [_verdict(compiler.compile(str(one)), said) is Verdict.MET for one in expression.parts]
    return not met[part] and all(met[:part] + met[part + 1 :])


PARTS = [
    (table, row.identifier, part)
    for table in TABLES
    for row in knowledge().tables[table]
    if isinstance(row.when.expression, And)
    for part in range(len(row.when.expression.parts))
]


@pytest.mark.deep
@pytest.mark.parametrize(("table", "identifier", "part"), PARTS)
def test_every_part_of_a_condition_has_a_patient_who_misses_it_alone(
    table: str, identifier: str, part: int
) -> None:
    row = _row(table, identifier)
    near = [said for said, speaks in _patients(table, identifier) if not speaks]
    assert any(_deciding(row, part, said) for said in near)


# -- what a row leads to --------------------------------------------------------------------------


def _decided(case: Case) -> Decision:
    changed: dict[str, Any] = dict(case.facts)
    orders = changed.pop("orders", ())
    return asked(patient(**changed), *orders)


def _items(identifier: str) -> Iterator[tuple[Decision, Recommendation]]:
    for case in CASES:
        if case.row == identifier:
            decision = _decided(case)
            for first in decision.recommendations:
                for item in (first, *first.also):
                    yield decision, item


def _spoken(table: str) -> list[str]:
    return [row for row, (found, _) in _outcomes().items() if found == table and row not in DATED]


@pytest.mark.parametrize(
    "identifier",
    [
        row
        for table in ("gates", "order_checks", "progression", "later_lines", "adjuvant")
        for row in _spoken(table)
    ],
)
def test_a_row_asks_for_what_the_record_says_and_as_loudly(identifier: str) -> None:
    _, outcome = _outcomes()[identifier]
    item = next(item for _, item in _items(identifier) if item.rule_id == identifier)
    assert (item.kind.value, item.severity) == (outcome["asks for"], outcome["severity"])
    assert list(item.offers) == outcome.get("offers", [])
    assert [test.test for test in item.tests] == outcome.get("tests", [])
    if "months" in outcome:
        assert item.dose is not None
        assert (item.dose.drug, item.dose.months) == (outcome["drug"], outcome["months"])
    if "drugs" in outcome:
        named = [name.removesuffix(" again") for name in outcome["drugs"]]
        assert {option.drug for option in item.options} <= set(named)
        assert item.row is not None
        assert list(item.row.entries("drugs")) == outcome["drugs"]


@pytest.mark.parametrize("identifier", _spoken("gates"))
def test_a_gate_stops_the_choice_of_treatment_if_the_record_says_so(identifier: str) -> None:
    table, outcome = _outcomes()[identifier]
    row = _row(table, identifier)
    one = {**knowledge().tables, "gates": Table("gates", (row,))}
    said, _ = next(_patients(table, identifier))
    facts = _known(said)
    only = replace(knowledge(), tables=MappingProxyType(one))
    found, closed = gates(only, Evaluation(facts, AS_OF), facts)
    assert [item.rule_id for item in found] == [identifier]
    assert closed is (outcome["stops"] == "selection")


@pytest.mark.parametrize("table", TABLES)
def test_what_is_only_read_later_is_as_the_record_says(table: str) -> None:
    """What an undecided check does, and how old a test before the start may be."""
    for row in knowledge().tables[table]:
        outcome = _outcomes()[row.identifier][1]
        if table == "order_checks":
            assert row.text("undecided") == outcome.get("when undecided", "silent")
        if table == "baseline":
            assert row.text("test") == outcome["test"]
            assert row.text("within_days") == str(outcome["no older than days"])


@pytest.mark.parametrize("identifier", _spoken("first_line"))
def test_a_first_drug_stands_in_the_place_of_the_record(identifier: str) -> None:
    option = next(option for option in _options(identifier) if option.rule_id == identifier)
    assert option.place == _outcomes()[identifier][1]["place"]


def _options(identifier: str) -> list[Option]:
    return [option for _, item in _items(identifier) for option in item.options]


@pytest.mark.parametrize("identifier", _spoken("choice_modifiers"))
def test_a_modifier_moves_the_drugs_of_the_record_as_it_says(identifier: str) -> None:
    outcome = _outcomes()[identifier][1]
    moved = {
        (option.drug, modifier.effect)
        for option in _options(identifier)
        for modifier in option.modifiers
        if modifier.rule_id == identifier
    }
    assert {effect for _, effect in moved} == {outcome["effect"]}
    assert outcome["drug"] == "any" or {drug for drug, _ in moved} == {outcome["drug"]}


@pytest.mark.parametrize("identifier", _spoken("resistance"))
def test_a_finding_says_of_a_drug_what_the_record_says(identifier: str) -> None:
    outcome = _outcomes()[identifier][1]
    row = _row("resistance", identifier)
    assert (row.text("drug"), row.text("response")) == (outcome["drug"], outcome["response"])
    said = [finding for _, item in _items(identifier) for finding in item.findings]
    said += [moved for option in _options(identifier) for moved in option.modifiers]
    found = {finding.effect for finding in said if finding.rule_id == identifier}
    assert found == {EFFECTS[outcome["response"]]}

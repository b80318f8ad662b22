"""What must hold for every drug that has tables, whatever is wrong with the patient.

The charts are drawn from the tables themselves: every number that a row compares with, a little
below, at and above it, and every flag with each of its answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cds_service.alk import Decision, Kind, Topic
from cds_service.facts import PatientFacts
from cds_service.knowledge.table_files import Table
from cds_service.rules import Finding, Measurement, Quantity, State, Statement, Trace, Verdict
from cds_service.rules.syntax import Compare, Episodes, Found, IsState, Known, predicates
from cds_service.rules.vocabulary import FLAG_VALUES
from tests.alk.drug_cases import DRUGS
from tests.alk.patients import asked, described, knowledge, reactions, running, without
from tests.depth import examples

MODEST = settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
EACH_DRUG = pytest.mark.parametrize("drug", DRUGS)
SERIOUS = (Kind.STOP, Kind.WITHHOLD)
NOT_RESULTS = {"age", "current daily dose", "ordered daily dose"}


def _table(drug: str) -> Table:
    table = knowledge().drugs[drug].dose_changes
    assert table is not None
    return table


@cache
def _comparisons(drug: str) -> Mapping[str, tuple[tuple[str, Decimal], ...]]:
    """By measured fact every sign and number that the table compares it with.

    Numbers are multiples of the upper limit where the rows ask for that, else canonical.
    """
    found: dict[str, set[tuple[str, Decimal]]] = {}
    for row in _table(drug):
        for leaf in predicates(row.when.expression):
            if isinstance(leaf, Compare | Episodes) and leaf.fact not in NOT_RESULTS:
                kind = knowledge().vocabulary.find(leaf.fact)
                assert isinstance(kind, Quantity)
                factor = kind.units.get(leaf.amount.unit, Decimal(1))
                found.setdefault(leaf.fact, set()).add((leaf.operator, leaf.amount.number * factor))
    return {name: tuple(sorted(signs)) for name, signs in sorted(found.items())}


@cache
def _states(drug: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _table(drug):
        for leaf in predicates(row.when.expression):
            if isinstance(leaf, Found):
                found[leaf.fact] = FLAG_VALUES
            if isinstance(leaf, IsState | Known):
                kind = knowledge().vocabulary.find(leaf.fact)
                if isinstance(kind, State):
                    found[leaf.fact] = kind.values
    return dict(sorted(found.items()))


def _lower_is_worse(drug: str, name: str) -> bool:
    """Whether the table fears what lies below its limits; read from its signs, so that a row with
    a new fact needs no list here.

    A fact with `<` is feared when low (neutrophils). One that stands with `<=` alone makes another
    value worse by being low itself (alkaline phosphatase, beside ALT and bilirubin).
    """
    signs = {sign for sign, _ in _comparisons(drug)[name]}
    return "<" in signs or signs == {"<="}


def _shows_danger(leaf: Trace) -> bool:
    """Whether a part of a basis states something abnormal."""
    return leaf.verdict is Verdict.MET and any(
        isinstance(used, Measurement)
        or (isinstance(used, Statement) and used.value == "present")
        or (isinstance(used, Finding) and used.status == "present")
        for used in leaf.used
    )


def _values(drug: str, name: str) -> st.SearchStrategy[str]:
    numbers = sorted({number for _, number in _comparisons(drug)[name]})
    if name.endswith("grade"):
        return st.sampled_from(["0", "1", "2", "3", "4"])
    step = Decimal("0.01")
    around = [number + move for number in numbers for move in (-step, 0, step)]
    far = [numbers[0] / 2, numbers[-1] * 2]
    return st.sampled_from([f"{value.normalize():f}" for value in (*around, *far) if value > 0])


@st.composite
def charts(draw: st.DrawFn, drug: str) -> dict[str, object]:
    """A few facts changed, missing or flawed; the others normal."""
    facts: dict[str, object] = {}
    names = draw(st.lists(st.sampled_from(list(_comparisons(drug))), max_size=4, unique=True))
    for name in names:
        flaw = draw(st.sampled_from(["", "", "", "", " unknown unit", None]))
        facts[name] = None if flaw is None else draw(_values(drug, name)) + flaw
    states = _states(drug)
    for name in draw(st.lists(st.sampled_from(list(states)), max_size=3, unique=True)):
        facts[name] = draw(st.sampled_from([*states[name], None]))
    return facts


def _strongest(decision: Decision) -> int:
    ranks = [list(Kind).index(item.kind) for item in reactions(decision).values()]
    return min(ranks, default=len(Kind))


def _decided(facts: Mapping[str, object], drug: str) -> Decision:
    return asked(described(facts, drug))


@EACH_DRUG
@pytest.mark.deep
@MODEST
@given(st.data())
def test_a_worse_value_never_gives_a_more_permissive_action(drug: str, data: st.DataObject) -> None:
    chart = data.draw(charts(drug))
    name = data.draw(st.sampled_from(list(_comparisons(drug))))
    values = sorted((data.draw(_values(drug, name)), data.draw(_values(drug, name))), key=Decimal)
    milder, worse = values[::-1] if _lower_is_worse(drug, name) else values
    assert _strongest(_decided({**chart, name: worse}, drug)) <= _strongest(
        _decided({**chart, name: milder}, drug)
    )


@EACH_DRUG
@pytest.mark.deep
@MODEST
@given(st.data())
def test_removing_one_fact_never_turns_a_stop_or_hold_into_silence(
    drug: str, data: st.DataObject
) -> None:
    facts: PatientFacts = described(data.draw(charts(drug)), drug)
    serious = [
        item
        for item in reactions(asked(facts)).values()
        if item.kind in SERIOUS and item.row is not None
    ]
    assume(serious)
    item = data.draw(st.sampled_from(serious))
    assert item.row is not None
    assert item.trace is not None
    removed = data.draw(st.sampled_from(sorted(item.row.when.facts_named)))
    # A hold that rests on one finding alone is gone with that finding.
    speaks = {leaf.subject for leaf in item.trace.walk() if _shows_danger(leaf)}
    assume(speaks - {removed})
    left = asked(without(facts, removed))
    assert any(
        found.topic in (Topic.TOXICITY, Topic.MONITORING)
        and (found.kind is not Kind.INFORM or found.tests)
        for first in left.recommendations
        for found in (first, *first.also)
    )


@EACH_DRUG
@pytest.mark.deep
@MODEST
@given(st.data())
def test_no_dose_exceeds_the_label(drug: str, data: st.DataObject) -> None:
    full = knowledge().drugs[drug].drug.dosing.full_dose
    decision = _decided(data.draw(charts(drug)), drug)
    for first in decision.recommendations:
        for item in (first, *first.also):
            for dose in (item.dose, item.resume_dose):
                if dose is not None and dose.drug == drug:
                    assert dose.daily_mg <= full.daily_mg


@EACH_DRUG
@pytest.mark.deep
@MODEST
@given(st.data())
def test_the_same_chart_gives_the_same_cards_in_the_same_order(
    drug: str, data: st.DataObject
) -> None:
    chart = data.draw(charts(drug))
    one, other = _decided(chart, drug), _decided(dict(reversed(chart.items())), drug)
    assert [(item.rule_id, item.kind) for item in one.recommendations] == [
        (item.rule_id, item.kind) for item in other.recommendations
    ]


@EACH_DRUG
def test_a_patient_in_whom_all_is_well_gets_no_reaction(drug: str) -> None:
    heard = reactions(_decided({"lines": (running(drug),)}, drug))
    assert [row for row, item in heard.items() if item.kind is not Kind.INFORM] == []

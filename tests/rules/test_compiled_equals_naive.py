"""Random rules about random patients: the compiled answer equals the slow and obvious one."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from oracle import naive_reason_kinds, naive_verdict
from rule_samples import VOCABULARY, DictFacts
from rule_strategies import (
    Case,
    cases,
    comparisons,
    episode_counts,
    expressions,
    finding_conditions,
    finding_counts,
    in_another_order,
    leaves,
    result_counts,
    without_the_future,
)

from cds_service.rules import Evaluation, RuleCompiler, Trace, Verdict
from cds_service.rules.syntax import (
    And,
    Episodes,
    Expression,
    FoundEpisodes,
    Not,
    Or,
    Results,
    UnknownWhether,
    predicates,
)
from cds_service.rules.verdicts import conjunction, disjunction, negation
from tests.depth import examples, share

COMPILER = RuleCompiler(VOCABULARY)
QUICK = settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LONG = settings(QUICK, max_examples=share(4_000))


def _evaluate(case: Case) -> Trace:
    condition = COMPILER.condition(case.expression)
    return condition.trace(Evaluation(DictFacts(case.facts), case.as_of))


def _check_against_naive(case: Case) -> None:
    trace = _evaluate(case)
    facts = DictFacts(case.facts)
    verdict = naive_verdict(case.expression, facts, case.as_of, VOCABULARY)
    assert trace.verdict is verdict
    kinds = {reason.kind for reason in trace.reasons}
    possible = naive_reason_kinds(case.expression, facts, case.as_of, VOCABULARY)
    counts = (Episodes, Results, FoundEpisodes)
    if any(isinstance(leaf, counts) for leaf in predicates(case.expression)):
        assert kinds <= possible
    else:
        assert kinds == possible


@pytest.mark.deep
@QUICK
@given(cases(leaves))
def test_a_single_condition_is_answered_as_the_naive_reading_answers_it(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@settings(QUICK, max_examples=examples(600))
@given(cases(comparisons()))
def test_a_comparison_is_answered_as_the_naive_reading_answers_it(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@QUICK
@given(cases(episode_counts()))
def test_episodes_are_counted_as_the_naive_reading_counts_them(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@settings(QUICK, max_examples=examples(600))
@given(cases(result_counts()))
def test_results_are_counted_as_the_naive_reading_counts_them(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@settings(QUICK, max_examples=examples(1_000))
@given(cases(finding_conditions()))
def test_a_finding_is_answered_as_the_naive_reading_answers_it(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@settings(QUICK, max_examples=examples(600))
@given(cases(finding_counts()))
def test_episodes_of_a_finding_are_counted_as_the_naive_reading_counts_them(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@QUICK
@given(cases())
def test_a_whole_rule_is_answered_as_the_naive_reading_answers_it(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.long
@LONG
@given(cases(leaves))
def test_very_many_single_conditions_are_answered_as_the_naive_reading_does(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.long
@LONG
@given(cases(episode_counts()))
def test_very_many_episodes_are_counted_as_the_naive_reading_does(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.long
@LONG
@given(cases(result_counts()))
def test_very_many_results_are_counted_as_the_naive_reading_does(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.long
@LONG
@given(cases(finding_conditions() | finding_counts()))
def test_very_many_findings_are_answered_as_the_naive_reading_does(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.long
@LONG
@given(cases())
def test_very_many_whole_rules_are_answered_as_the_naive_reading_does(case: Case) -> None:
    _check_against_naive(case)


@pytest.mark.deep
@QUICK
@given(cases())
def test_unknown_carries_reasons_and_a_decided_verdict_carries_none(case: Case) -> None:
    for node in _evaluate(case).walk():
        assert bool(node.reasons) is (node.verdict is Verdict.UNKNOWN)


@pytest.mark.deep
@QUICK
@given(expressions)
def test_the_text_of_a_tree_parses_to_the_same_tree(expression: Expression) -> None:
    rule = COMPILER.compile(str(expression))
    assert rule.expression == expression
    assert str(rule.expression) == str(expression)


SENTENCE_INSIDE = re.compile(r"[.!?]\s+\S")


@pytest.mark.deep
@QUICK
@given(cases())
def test_every_trace_speaks_in_one_sentence(case: Case) -> None:
    for node in _evaluate(case).walk():
        assert node.sentence.endswith(".")
        assert not SENTENCE_INSIDE.search(node.sentence), node.sentence
        assert "None" not in node.sentence.replace("None of these", "")
        assert "\n" not in node.sentence


@pytest.mark.deep
@QUICK
@given(cases())
def test_a_trace_names_the_condition_it_answers(case: Case) -> None:
    _check_shape(case.expression, _evaluate(case))


def _check_shape(expression: Expression, trace: Trace) -> None:
    assert trace.condition == str(expression)
    children = [child.verdict for child in trace.children]
    match expression:
        case And(parts):
            assert trace.verdict is conjunction(children)
        case Or(parts):
            assert trace.verdict is disjunction(children)
        case Not(inner):
            parts = (inner,)
            assert trace.verdict is negation(children[0])
        case UnknownWhether(inner):
            parts = (inner,)
            assert (trace.verdict is Verdict.MET) is (children[0] is Verdict.UNKNOWN)
            assert trace.verdict is not Verdict.UNKNOWN
        case _:
            parts = ()
    for part, child in zip(parts, trace.children, strict=True):
        _check_shape(part, child)


@pytest.mark.deep
@QUICK
@given(cases())
def test_what_is_dated_after_the_day_of_the_question_changes_nothing(case: Case) -> None:
    earlier = Case(case.expression, without_the_future(case.facts, case.as_of), case.as_of)
    now, before = _evaluate(case), _evaluate(earlier)
    assert now.verdict is before.verdict
    assert now.as_document() == before.as_document()


@pytest.mark.deep
@QUICK
@given(cases())
def test_the_order_of_simultaneous_values_never_changes_the_verdict(case: Case) -> None:
    other = Case(case.expression, in_another_order(case.facts), case.as_of)
    assert _evaluate(case).verdict is _evaluate(other).verdict


@pytest.mark.deep
@QUICK
@given(cases())
def test_the_evidence_of_a_trace_is_what_the_patient_has(case: Case) -> None:
    own = {
        item
        for fact in case.facts.values()
        for name in ("measurements", "statements", "items", "events", "findings")
        for item in getattr(fact, name, ())
    }
    assert set(_evaluate(case).evidence) <= own

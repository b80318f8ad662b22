"""Compiled once, evaluated once, explained when asked."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from rule_samples import (
    AS_OF,
    VOCABULARY,
    DictFacts,
    happened,
    members,
    result,
    results,
    said,
    trace_of,
)

from cds_service.rules import Evaluation, Measurement, RuleCompiler, Trace, Verdict, explain
from cds_service.rules.conditions import Condition


class Counting(Condition):
    """Counts how often it is worked out."""

    __slots__ = ("times",)

    def __init__(self) -> None:
        super().__init__("counted")
        self.times = 0

    def work_out(self, evaluation: Evaluation) -> Trace:
        self.times += 1
        return Trace(self.text, Verdict.MET, lambda: "Counted.")


def test_a_condition_is_worked_out_once_for_each_evaluation() -> None:
    counting = Counting()
    one, other = (Evaluation(DictFacts({}), AS_OF) for _ in range(2))
    assert counting.trace(one) is counting.trace(one)
    assert counting.times == 1
    counting.trace(other)
    assert counting.times == 2


def test_equal_conditions_of_two_rules_are_one_node() -> None:
    compiler = RuleCompiler(VOCABULARY)
    one = compiler.compile("ALT > 5 xULN and setting is advanced")
    other = compiler.compile("no brain metastases or alt  > 5.0 x ULN")
    shared = compiler.compile("ALT > 5 xULN").condition
    evaluation = Evaluation(DictFacts({"ALT": results(result("248", "40"))}), AS_OF)
    first = one.evaluate(evaluation).children[0]
    second = other.evaluate(evaluation).children[1]
    assert first is second
    assert shared.trace(evaluation) is first


def test_different_conditions_are_different_nodes() -> None:
    compiler = RuleCompiler(VOCABULARY)
    texts = ("ALT > 5 xULN", "ALT >= 5 xULN", "ALT > 5 xbaseline", "ALT > 5 U/L",
             "any ALT > 5 xULN", "ALT > 5 xULN within 14 days", "heart rate > 5 bpm")  # fmt: skip
    assert len({id(compiler.compile(text).condition) for text in texts}) == len(texts)


def test_a_fact_is_asked_of_its_source_once() -> None:
    compiler = RuleCompiler(VOCABULARY)
    facts = DictFacts({"ALT": results(result("248", "40"))})
    evaluation = Evaluation(facts, AS_OF)
    for text in ("ALT > 5 xULN", "ALT > 3 xULN", "any ALT > 1 U/L", "ALT known", "pregnancy"):
        compiler.compile(text).evaluate(evaluation)
    assert facts.asked == {"ALT": 1, "pregnancy": 1}


def test_two_patients_never_share_an_answer() -> None:
    rule = RuleCompiler(VOCABULARY).compile("ALT > 5 xULN")
    high = Evaluation(DictFacts({"ALT": results(result("248", "40"))}), AS_OF)
    low = Evaluation(DictFacts({"ALT": results(result("20", "40"))}), AS_OF)
    verdicts = [rule.evaluate(each).verdict for each in (high, low, high, low)]
    assert verdicts == [Verdict.MET, Verdict.NOT_MET] * 2


def test_two_days_never_share_an_answer() -> None:
    rule = RuleCompiler(VOCABULARY).compile("ALT > 5 xULN")
    facts = DictFacts({"ALT": results(result("248", "40"))})
    assert rule.evaluate(Evaluation(facts, AS_OF)).verdict is Verdict.MET
    assert rule.evaluate(Evaluation(facts, date(2026, 12, 24))).verdict is Verdict.UNKNOWN


PATIENT = {
    "ALT": results(result("248", "40"), baseline="20"),
    "setting": said(("advanced", 3)),
    "prior ALK inhibitors": members("crizotinib"),
    "resection": happened(400),
}
RULE = (
    "(ALT > 5 xULN or heart rate < 60 bpm) and setting is advanced"
    " and prior ALK inhibitors include crizotinib and resection at least 28 days ago"
)


def test_a_trace_walks_from_the_root_down_and_collects_its_evidence() -> None:
    trace = trace_of(RULE, PATIENT)
    assert [node.condition for node in trace.walk()][1] == "ALT > 5 xULN or heart rate < 60 bpm"
    assert trace.evidence == (
        *PATIENT["ALT"].measurements,
        *PATIENT["setting"].statements,
        *PATIENT["prior ALK inhibitors"].items,
        *PATIENT["resection"].events,
    )


def test_the_deciding_leaves_are_those_that_carry_the_verdict() -> None:
    conditions = [leaf.condition for leaf in trace_of(RULE, PATIENT).deciding()]
    assert conditions == [
        "ALT > 5 xULN",
        "setting is advanced",
        'prior ALK inhibitors include "crizotinib"',
        "resection at least 28 days ago",
    ]


def test_a_trace_as_a_document_is_plain_json_with_values_as_sent() -> None:
    document = json.loads(json.dumps(trace_of(RULE, PATIENT).as_document()))
    assert document["verdict"] == "met"
    either, setting, prior, resection = document["children"]
    alt, heart_rate = either["children"]
    assert alt["used"] == [
        {
            "as_sent": "248",
            "source": "Observation/2026-11-20",
            "date": "2026-11-20",
            "value": "248",
            "upper_limit": "40",
        }
    ]
    assert heart_rate["reasons"][0]["kind"] == "missing"
    assert heart_rate["reasons"][0]["subject"] == "heart rate"
    assert setting["used"][0]["value"] == "advanced"
    assert prior["used"][0]["value"] == "crizotinib"
    assert resection["used"][0]["date"] == "2025-10-16"


def test_a_measured_zero_is_shown_as_zero() -> None:
    zero = Measurement(Decimal(0), AS_OF, as_sent="0")
    trace = trace_of("ECOG performance status <= 1", {"ECOG performance status": results(zero)})
    assert trace.verdict is Verdict.MET
    assert trace.as_document()["used"][0]["value"] == "0"


def test_reasons_are_explained_as_one_phrase() -> None:
    trace = trace_of("ALT > 5 xULN and pregnancy", {"ALT": results(result("9"))})
    expected = (
        "ALT came without a reference range (result of 20 Nov 2026); pregnancy is not recorded"
    )
    assert explain(trace.reasons) == expected


def test_a_repr_shows_no_value_of_the_patient() -> None:
    rule = RuleCompiler(VOCABULARY).compile(RULE)
    trace = rule.evaluate(Evaluation(DictFacts(PATIENT), AS_OF))
    assert "248" not in repr(trace)
    assert "MET" in repr(trace)
    assert RULE in repr(rule)


@pytest.mark.parametrize("number", ["1", "99"])
def test_the_longest_spans_can_be_evaluated(number: str) -> None:
    facts = {"resection": happened(5), "ALT": results(result("5"))}
    for rule in (f"resection within {number} years", f"any ALT > 1 U/L in the last {number} years"):
        assert trace_of(rule, facts).verdict is Verdict.MET

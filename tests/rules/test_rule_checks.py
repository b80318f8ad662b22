"""The checks of one table: overlaps, gaps, rows that never fire; each finding shows a situation."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from rule_samples import VOCABULARY, DictFacts, compiled
from rule_strategies import Case, cases, two_on_one_fact

from cds_service.rules import Evaluation, RuleCompiler, Verdict
from cds_service.rules.checks import CheckedRow, Finding, check_rows
from cds_service.rules.syntax import And, Expression, Not
from tests.depth import examples

COMPILER = RuleCompiler(VOCABULARY)


def _row(
    identifier: str, text: str, outcome: str = "stop", rank: tuple[int, ...] = (1,), group: str = ""
) -> CheckedRow:
    return CheckedRow(identifier, compiled(text).expression, rank, outcome, group)


def _check(*rows: CheckedRow, must_cover: str | None = None) -> tuple[Finding, ...]:
    promised = () if must_cover is None else (("promise", compiled(must_cover).expression),)
    return check_rows(VOCABULARY, rows, promised)


def test_a_table_whose_rows_share_no_situation_has_no_findings() -> None:
    assert (
        _check(
            _row("mild", "ALT > 3 xULN and ALT <= 5 xULN", "reduce"),
            _row("severe", "ALT > 5 xULN", "stop"),
        )
        == ()
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ALT > 3 xULN", "ALT > 5 xULN"),
        ("ALT >= 5 xULN", "ALT <= 5 xULN"),
        ("ALT > 100 U/L", "ALT > 2 ukat/L"),
        ("ALT > 5 xULN", "ALT > 100 U/L"),
        ("total bilirubin > 2 mg/dL", "total bilirubin = 35 umol/L"),
        ("any ALT > 5 xULN", "any ALT < 1 xULN"),
        ("setting in {advanced, resected}", "setting is not advanced"),
        ("brain metastases", "pregnancy"),
        ("count of medications > 1", "count of medications < 3"),
        ("prior ALK inhibitors include alectinib", "prior ALK inhibitors include crizotinib"),
        ("resection within 28 days", "resection at least 28 days ago"),
        ("not resection within 28 days", "not resection at least 28 days ago"),
        ("second or later episode of ALT > 5 xULN", "second episode of ALT > 5 xULN"),
        ("unknown whether ALT > 5 xULN", "ALT unknown"),
        ("unknown whether ALT > 5 U/L", "ALT known"),
        ("unknown whether ALT > 5 xULN", "ALT > 100 U/L"),
        ("ALT > 5 xULN for at least 14 days", "ALT > 5 xULN"),
        ("at least 2 results of ALT > 5 xULN", "ALT > 5 xULN"),
        ("at least 2 results of ALT > 5 xULN", "ALT <= 5 xULN"),
        ("at least 2 results of ALT > 5 xULN", "at least 3 results of ALT > 5 xULN"),
        ("at least 2 results of ALT > 5 xULN", "not at least 2 results of ALT > 4 xULN"),
        ("not at least 2 results of ALT > 5 xULN", "ALT unknown"),
        ("not second or later episode of ALT > 5 xULN", "ALT unknown"),
        ("haemolysis", "haemolysis grade >= 3"),
        ("haemolysis on treatment", "haemolysis caused by a drug"),
        ("haemolysis grade >= 3", "haemolysis grade <= 2"),
        ("no haemolysis grade >= 3", "haemolysis grade <= 2"),
        ("no lung disease grade >= 3", "suspected lung disease"),
        ("suspected lung disease", "suspected lung disease grade >= 3"),
        ("suspected lung disease", "earlier lung disease"),
        ("suspected lung disease", "unknown whether lung disease"),
        ("haemolysis", "earlier haemolysis"),
        ("haemolysis", "second or later episode of haemolysis"),
        ("haemolysis within 30 days", "haemolysis grade >= 3"),
        ("haemolysis", "unknown whether haemolysis caused by a drug"),
        ("no haemolysis", "haemolysis absent within 30 days"),
    ],
)
def test_an_overlap_with_another_outcome_is_found(one: str, other: str) -> None:
    findings = _check(_row("one", one, "stop"), _row("other", other, "reduce"))
    assert [(finding.kind, finding.rows) for finding in findings] == [
        ("overlap that no precedence settles", ("one", "other"))
    ]
    assert findings[0].situation


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ALT > 5 xULN", "ALT <= 5 xULN"),
        ("ALT > 5 xULN", "ALT < 5 xULN"),
        ("total bilirubin > 2 mg/dL", "total bilirubin <= 34.2 umol/L"),
        ("ALT >= 1 ukat/L", "ALT < 60 U/L"),
        ("setting is advanced", "setting is resected"),
        ("brain metastases", "no brain metastases"),
        ("any ALT > 5 xULN", "every ALT <= 5 xULN"),
        ("no prior ALK inhibitors", "any prior ALK inhibitors"),
        ("first episode of ALT > 5 xULN", "second episode of ALT > 5 xULN"),
        ("at least 2 results of ALT > 5 xULN", "not at least 2 results of ALT > 5 xULN"),
        ("at least 3 results of ALT > 5 xULN", "not at least 2 results of ALT > 5 xULN"),
        ("resection within 28 days", "resection more than 28 days ago"),
        ("resection before 2026-01-01", "not resection before 2026-01-01"),
        ("ALT known", "ALT unknown"),
        ("unknown whether brain metastases", "brain metastases or no brain metastases"),
        ("lung disease", "suspected lung disease"),
        ("lung disease grade >= 3", "suspected lung disease"),
        ("lung disease on treatment", "suspected lung disease caused by a drug"),
        ("no lung disease", "suspected lung disease"),
        ("haemolysis", "no haemolysis"),
        ("haemolysis grade >= 3", "no haemolysis"),
        ("haemolysis grade >= 4", "no haemolysis grade >= 3"),
        ("haemolysis on treatment grade >= 3", "no haemolysis on treatment"),
        ("haemolysis within 3 days", "no haemolysis within 30 days"),
        ("haemolysis unknown", "haemolysis"),
        ("haemolysis unknown", "no haemolysis"),
        ("first episode of haemolysis", "second or later episode of haemolysis"),
        ("unknown whether haemolysis", "haemolysis caused by a drug"),
    ],
)
def test_rows_that_exclude_each_other_do_not_overlap(one: str, other: str) -> None:
    assert _check(_row("one", one, "stop"), _row("other", other, "reduce")) == ()


def test_an_overlap_is_settled_by_rank_by_outcome_or_by_group() -> None:
    one = _row("one", "ALT > 3 xULN", "stop")
    assert _check(one, _row("other", "ALT > 3 xULN and pregnancy", "stop")) == ()
    assert _check(one, _row("other", "ALT > 3 xULN and pregnancy", "reduce", group="other")) == ()
    assert _check(one, _row("other", "ALT > 1 xULN", "reduce", rank=(2,))) == ()


def test_a_row_whose_conditions_exclude_each_other_never_fires() -> None:
    (finding,) = _check(_row("never", "ALT > 5 xULN and ALT < 5 xULN"))
    assert (finding.kind, finding.rows) == ("never fires", ("never",))
    assert "never" in str(finding)


def test_a_row_that_earlier_rows_answer_completely_never_leads() -> None:
    first, second = _row("first", "ALT > 3 xULN"), _row("second", "ALT > 5 xULN", rank=(2,))
    assert [(finding.kind, finding.rows) for finding in _check(first, second)] == [
        ("never leads", ("second",))
    ]
    assert _check(first, _row("second", "ALT > 2 xULN", rank=(2,))) == ()


def test_a_row_that_two_earlier_rows_answer_together_never_leads() -> None:
    rows = (
        _row("low", "ALT <= 5 xULN"),
        _row("high", "ALT > 5 xULN"),
        _row("all", "ALT > 3 xULN", rank=(2,)),
    )
    assert [finding.rows for finding in _check(*rows)] == [("all",)]


def test_a_gap_in_what_the_table_promises_is_found_and_shown() -> None:
    rows = (
        _row("mild", "ALT > 3 xULN and ALT < 5 xULN", "reduce"),
        _row("severe", "ALT > 5 xULN", "stop"),
    )
    (finding,) = _check(*rows, must_cover="ALT > 3 xULN")
    assert (finding.kind, finding.rows) == ("gap", ("promise",))
    assert "exactly 5" in finding.situation


def test_a_promise_that_is_kept_leaves_no_gap() -> None:
    rows = (
        _row("mild", "ALT > 3 xULN and ALT <= 5 xULN", "reduce"),
        _row("severe", "ALT > 5 xULN", "stop"),
    )
    assert _check(*rows, must_cover="ALT > 3 xULN") == ()


def test_a_promise_about_the_unknown_is_kept_only_by_a_row_for_it() -> None:
    row = _row("high", "ALT > 5 xULN")
    promise = "ALT > 5 xULN or unknown whether ALT > 5 xULN"
    assert [finding.kind for finding in _check(row, must_cover=promise)] == ["gap"]
    ask = _row("ask", "unknown whether ALT > 5 xULN", "ask")
    assert _check(row, ask, must_cover=promise) == ()


def test_a_row_on_a_grade_never_leads_behind_the_row_on_the_concept() -> None:
    first = _row("any", "haemolysis on treatment", "withhold")
    second = _row("grave", "haemolysis grade >= 3 on treatment", "stop", rank=(2,))
    assert [(finding.kind, finding.rows) for finding in _check(first, second)] == [
        ("never leads", ("grave",))
    ]
    assert _check(first, _row("other", "haemolysis grade >= 3", "stop", rank=(2,))) == ()


def test_a_row_that_asks_for_a_grade_there_cannot_be_never_fires() -> None:
    (finding,) = _check(_row("never", "haemolysis grade > 5"))
    assert finding.kind == "never fires"
    (finding,) = _check(_row("never", "lung disease grade >= 3 and suspected lung disease"))
    assert finding.kind == "never fires"


def test_grades_without_a_gap_cover_the_concept_but_for_the_grade_that_is_not_recorded() -> None:
    rows = (
        _row("grave", "haemolysis grade >= 3", "stop"),
        _row("mild", "haemolysis grade <= 2", "reduce", rank=(2,)),
    )
    (gap,) = _check(*rows, must_cover="haemolysis")
    assert gap.kind == "gap"
    asking = _row("ask", "haemolysis and unknown whether haemolysis grade >= 3", "ask", rank=(3,))
    assert _check(*rows, asking, must_cover="haemolysis") == ()


def test_a_gap_between_grades_is_shown() -> None:
    rows = (
        _row("grave", "haemolysis grade >= 3", "stop"),
        _row("mild", "haemolysis grade <= 1", "reduce", rank=(2,)),
    )
    (gap,) = _check(*rows, must_cover="haemolysis grade >= 1")
    assert (gap.kind, gap.rows) == ("gap", ("promise",))
    assert "haemolysis grade >= 1 present" in gap.situation


QUIET = settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@pytest.mark.deep
@QUIET
@given(cases(two_on_one_fact()))
def test_two_rows_that_fire_together_are_never_said_to_exclude_each_other(case: Case) -> None:
    assert isinstance(case.expression, And)
    evaluation = Evaluation(DictFacts(case.facts), case.as_of)
    one, other = (_made_to_hold(part, evaluation) for part in case.expression.parts)
    rows = [CheckedRow("one", one, (1,), "stop"), CheckedRow("other", other, (1,), "reduce")]
    kinds = {finding.kind for finding in check_rows(VOCABULARY, rows)}
    assert "overlap that no precedence settles" in kinds
    assert "never fires" not in kinds


def _made_to_hold(part: Expression, evaluation: Evaluation) -> Expression:
    """The condition, or its denial if that is what holds for this patient."""
    verdict = COMPILER.condition(part).trace(evaluation).verdict
    assume(verdict is not Verdict.UNKNOWN)
    return part if verdict is Verdict.MET else Not(part)

"""What the words about findings mean, one promise a test."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from rule_samples import (
    AS_OF,
    DictFacts,
    compiled,
    finding,
    findings,
    kinds_of,
    trace_of,
    verdict_of,
)

from cds_service.rules import (
    A_DRUG,
    ANOTHER_CAUSE,
    THE_DRUG,
    Concept,
    Evaluation,
    Finding,
    Findings,
    Reason,
    ReasonKind,
    Verdict,
    Vocabulary,
)

ILD = "interstitial lung disease"
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
WHOLE = ("lung disease", ILD)
PART = ("radiation pneumonitis", "lung disease", ILD)


def said(text: str, *found: Finding, **more: object) -> Verdict:
    """The verdict of a sentence in which X is interstitial lung disease."""
    return verdict_of(text.replace("X", ILD), {ILD: findings(*found, **more)})  # type: ignore[arg-type]


def why(text: str, *found: Finding) -> set[ReasonKind]:
    """The kinds of reasons."""
    return kinds_of(text.replace("X", ILD), {ILD: findings(*found)})


@pytest.mark.parametrize("text", ["X", "no X", "suspected X", "earlier X", "episode of X"])
def test_that_nothing_is_recorded_says_nothing(text: str) -> None:
    assert said(text) is UNKNOWN
    assert verdict_of(text.replace("X", ILD), {}) is UNKNOWN


def test_a_whole_record_without_a_finding_excludes_it() -> None:
    assert said("X", complete=True) is NOT_MET
    assert said("no X", complete=True) is MET
    assert said("suspected X", complete=True) is NOT_MET
    assert said("episode of X", complete=True) is NOT_MET


@pytest.mark.parametrize(
    ("item", "present", "suspected", "earlier"),
    [
        (finding("present"), MET, NOT_MET, NOT_MET),
        (finding("present", None), MET, NOT_MET, NOT_MET),
        (finding("over", 10, ended=2), NOT_MET, NOT_MET, MET),
        (finding("over", 10), NOT_MET, NOT_MET, MET),
        (finding("over", None), NOT_MET, NOT_MET, MET),
        (finding("over", 10, ended=-2), MET, NOT_MET, NOT_MET),
        (finding("suspected"), UNKNOWN, MET, UNKNOWN),
        (finding("suspected", 10, ended=2), NOT_MET, NOT_MET, UNKNOWN),
        (finding("refuted", names=WHOLE), NOT_MET, NOT_MET, UNKNOWN),
        (finding("absent", names=WHOLE), NOT_MET, NOT_MET, UNKNOWN),
        (finding("refuted", names=PART), UNKNOWN, UNKNOWN, UNKNOWN),
        (finding("present", -3), UNKNOWN, UNKNOWN, UNKNOWN),
    ],
    ids=lambda item: f"{item.status} {item.began}" if isinstance(item, Finding) else item.value,
)
def test_one_finding(item: Finding, present: Verdict, suspected: Verdict, earlier: Verdict) -> None:
    assert said("X", item) is present
    assert said("suspected X", item) is suspected
    assert said("earlier X", item) is earlier


def test_it_was_there_on_the_day_it_began_whatever_became_of_it() -> None:
    assert said("X", finding("over", 0, ended=0)) is MET
    assert said("X", finding("over", 0)) is MET
    assert said("X", finding("over", 1, ended=1)) is NOT_MET


def test_a_later_denial_of_the_same_ends_it_and_one_of_the_same_day_contradicts_it() -> None:
    assert said("X", finding("absent", 3), finding("present", 9)) is NOT_MET
    assert said("X", finding("present", 3), finding("refuted", 9)) is MET
    assert why("X", finding("present", 9), finding("absent", 9)) == {ReasonKind.CONTRADICTORY}
    assert why("X", finding("present", None), finding("absent", 9)) == {ReasonKind.CONTRADICTORY}
    assert why("X", finding("present", 9), finding("refuted", None)) == {ReasonKind.CONTRADICTORY}


def test_the_end_of_one_record_closes_an_earlier_one_that_nobody_closed() -> None:
    assert said("X", finding("over", 9, ended=3), finding("present", 20)) is NOT_MET
    assert said("X", finding("present", 3), finding("over", 20, ended=3)) is MET


def test_an_end_and_a_denial_of_one_day_leave_it_remembered() -> None:
    found = finding("refuted", 3), finding("over", 4, ended=3), finding("present", 9)
    assert said("earlier X grade >= 3", *found[:2], finding("present", 9, grade=3)) is MET
    assert said("earlier X", *found) is MET


def test_a_denied_whole_does_not_undo_a_part_that_is_there() -> None:
    assert said("X", finding("refuted", 3, names=WHOLE), finding("present", 9, names=PART)) is MET


def test_a_suspicion_is_answered_by_what_comes_later() -> None:
    suspicion = finding("suspected", 9)
    assert said("suspected X", finding("refuted", 3), suspicion) is NOT_MET
    assert said("suspected X", finding("over", 5, ended=3), suspicion) is NOT_MET
    assert said("suspected X", finding("present", 30), suspicion) is NOT_MET
    assert said("suspected X", suspicion, finding("refuted", 30)) is MET
    assert said("suspected X", suspicion, finding("over", 40, ended=30)) is MET
    other = finding("refuted", 3, names=PART)
    assert said("suspected X", other, suspicion) is MET


def test_what_is_only_suspected_is_said_to_be() -> None:
    trace = trace_of(ILD, {ILD: findings(finding("suspected", 9))})
    assert "only suspected, of 11 Nov 2026" in trace.sentence


@pytest.mark.parametrize(
    ("text", "causes", "verdict"),
    [
        ("X caused by a drug", (A_DRUG,), MET),
        ("X caused by a drug", ("lorlatinib",), MET),
        ("X caused by a drug", (A_DRUG, ANOTHER_CAUSE), MET),
        ("X caused by a drug", (ANOTHER_CAUSE,), NOT_MET),
        ("X caused by a drug", (), UNKNOWN),
        ("X caused by the drug asked about", (A_DRUG, "lorlatinib", THE_DRUG), MET),
        ("X caused by the drug asked about", (A_DRUG, "lorlatinib"), NOT_MET),
        ("X caused by the drug asked about", (A_DRUG,), UNKNOWN),
        ("X caused by the drug asked about", (ANOTHER_CAUSE,), NOT_MET),
        ("X caused by lorlatinib", ("lorlatinib", A_DRUG), MET),
        ("X caused by lorlatinib", (A_DRUG,), UNKNOWN),
        ("X caused by lorlatinib", (A_DRUG, "alectinib"), NOT_MET),
        ("X caused by lorlatinib", (ANOTHER_CAUSE,), NOT_MET),
        ("X caused by lorlatinib", (ANOTHER_CAUSE, A_DRUG), UNKNOWN),
        ("X caused by lorlatinib", (), UNKNOWN),
    ],
)
def test_causes(text: str, causes: tuple[str, ...], verdict: Verdict) -> None:
    assert said(text, finding(causes=causes)) is verdict


@pytest.mark.parametrize(
    ("asked", "grade", "least", "verdict"),
    [
        (">= 3", 3, False, MET),
        (">= 3", 2, False, NOT_MET),
        (">= 3", 3, True, MET),
        (">= 4", 3, True, UNKNOWN),
        ("<= 2", 3, True, NOT_MET),
        ("= 5", 5, True, MET),
        (">= 3", None, False, UNKNOWN),
    ],
)
def test_grades(asked: str, grade: int | None, least: bool, verdict: Verdict) -> None:
    assert said(f"X grade {asked}", finding(grade=grade, least=least)) is verdict


@pytest.mark.parametrize(
    ("ago", "started", "verdict"),
    [
        (10, (10,), MET),
        (11, (10,), NOT_MET),
        (10, (100, 20), MET),
        (50, (100, 20), NOT_MET),
        (50, (100, -5), MET),
        (50, (-5,), NOT_MET),
        (10, (None, 20), MET),
        (10, (None,), UNKNOWN),
        (10, (), UNKNOWN),
        (None, (20,), UNKNOWN),
    ],
)
def test_on_treatment_means_since_the_latest_drug_was_started(
    ago: int | None, started: tuple[int | None, ...], verdict: Verdict
) -> None:
    assert said("X on treatment", finding("present", ago), started=started) is verdict


def test_one_of_several_findings_is_enough() -> None:
    mild, grave = finding(grade=1, names=PART), finding(grade=3)
    assert said("X grade >= 3", mild, grave) is MET
    assert said("X grade >= 3", mild) is NOT_MET
    assert said("X grade >= 3", mild, finding(grade=None)) is UNKNOWN
    assert (
        said("X grade >= 3 on treatment", finding("present", 30, grade=3), started=(20,)) is NOT_MET
    )


def test_a_time_limit_asks_when_it_began_and_of_an_absence_when_it_was_denied() -> None:
    assert said("X within 14 days", finding("present", 14)) is MET
    assert said("X within 13 days", finding("present", 14)) is NOT_MET
    assert said("no X within 14 days", finding("present", 500)) is NOT_MET
    assert said("no X within 14 days", finding("absent", 14)) is MET
    assert why("no X within 13 days", finding("absent", 14)) == {ReasonKind.STALE}


def test_a_symptom_goes_stale_and_a_diagnosis_never_does() -> None:
    dizzy = "dizziness on standing"
    old = finding("present", 6, names=(dizzy,))
    assert kinds_of(dizzy, {dizzy: findings(old)}) == {ReasonKind.STALE}
    assert verdict_of(dizzy, {dizzy: findings(finding("present", 5, names=(dizzy,)))}) is MET
    assert said("X", finding("present", 4000)) is MET


def test_a_severe_symptom_lasts_until_somebody_says_that_it_is_over() -> None:
    dizzy = "dizziness on standing"
    for grade, verdict in ((2, UNKNOWN), (3, MET), (5, MET)):
        old = finding("present", 400, names=(dizzy,), grade=grade)
        assert verdict_of(dizzy, {dizzy: findings(old)}) is verdict
    over = finding("over", 400, ended=100, names=(dizzy,), grade=3)
    assert verdict_of(dizzy, {dizzy: findings(over)}) is NOT_MET


def succeeded(ago: int, on_day: int, grade: int | None = None, ended: int | None = None) -> Finding:
    """A finding that a later record with a grade of its own went on with so many days ago."""
    item = finding("over" if ended is not None else "present", ago, grade=grade, ended=ended)
    return msgspec.structs.replace(item, succeeded=AS_OF - timedelta(days=on_day))


def test_the_latest_grade_counts_and_the_illness_lasts() -> None:
    course = (succeeded(20, 10, grade=3), finding("present", 10, grade=1))
    assert said("X grade >= 3", *course) is NOT_MET
    assert said("no X grade >= 2", *course) is MET
    assert said("X", *course) is MET
    assert said("earlier X", *course) is NOT_MET
    assert said("earlier X grade >= 3", *course) is NOT_MET
    assert said("episode of X grade >= 3", *course) is MET
    assert said("second episode of X", *course) is NOT_MET


def test_before_it_was_succeeded_a_finding_speaks_for_itself() -> None:
    course = findings(succeeded(20, 10, grade=3), finding("present", 10, grade=1))
    rule = compiled(f"{ILD} grade >= 3")
    verdicts = [
        rule.evaluate(Evaluation(DictFacts({ILD: course}), AS_OF - timedelta(days=ago))).verdict
        for ago in (20, 11, 10)
    ]
    assert verdicts == [MET, MET, NOT_MET]


def test_a_grade_that_falls_and_rises_in_one_illness_is_one_episode() -> None:
    course = (
        succeeded(30, 20, grade=4),
        succeeded(20, 10, grade=3),
        finding("present", 10, grade=4),
    )
    assert said("second or later episode of X grade >= 4", *course) is NOT_MET
    apart = (finding("over", 30, ended=20, grade=4), finding("present", 10, grade=4))
    assert said("second or later episode of X grade >= 4", *apart) is MET


def test_an_illness_that_was_succeeded_is_over_when_its_last_record_is() -> None:
    course = (succeeded(20, 10, grade=3, ended=5), finding("over", 10, ended=5, grade=1))
    assert said("no X", *course) is MET
    assert said("earlier X grade >= 3", *course) is MET


def test_an_illness_that_goes_on_closes_no_other_record() -> None:
    course = (
        succeeded(20, 10, grade=1, ended=10),
        finding("over", 10, grade=1),
        finding("present", 15, grade=3),
    )
    assert said("X grade >= 3", *course) is MET


@pytest.mark.parametrize(
    ("found", "fewest", "most"),
    [
        ((finding("present", 9),), 1, 1),
        ((finding("present", 5), finding("over", 20, ended=9)), 2, 2),
        ((finding("present", 9), finding("over", 20, ended=9)), 1, 1),
        ((finding("present", 12), finding("over", 20, ended=9)), 1, 1),
        ((finding("present", 9), finding("present", 9)), 1, 1),
        ((finding("present", 5), finding("present", 20)), 1, 1),
        ((finding("present", 5), finding("over", 20)), 1, 2),
        ((finding("present", 5), finding("over", None)), 1, 2),
        ((finding("over", None),), 1, 1),
        ((finding("suspected", 5), finding("over", 20, ended=9)), 1, 2),
        ((finding("refuted", 5), finding("over", 20, ended=9)), 1, 1),
    ],
)
def test_episodes_are_counted_by_their_beginnings(
    found: tuple[Finding, ...], fewest: int, most: int
) -> None:
    for number in range(1, 4):
        verdict = said(f"at least {number} episodes of X", *found)
        assert verdict is (MET if number <= fewest else NOT_MET if number > most else UNKNOWN)


def test_what_leaves_the_concept_open_keeps_a_no_from_being_said() -> None:
    words = (Reason.of(ReasonKind.IMPRECISE, ILD, "a report in words"),)
    assert said("X", finding("absent", names=WHOLE), unknown=words) is UNKNOWN
    assert said("no X", unknown=words, complete=True) is UNKNOWN
    assert said("X", finding(), unknown=words) is MET
    assert said("second episode of X", finding(), unknown=words) is UNKNOWN


def test_the_sentence_names_finding_day_grade_and_where_the_grade_came_from() -> None:
    trace = trace_of(f"{ILD} grade >= 3", {ILD: findings(finding(grade=3, causes=(A_DRUG,)))})
    assert trace.sentence == (
        f"{ILD}: {ILD} since 10 Nov 2026, grade 3 (stated), caused by a drug; "
        f"asked: {ILD} grade >= 3 present, so this holds."
    )
    assert trace.as_document()["used"] == [
        {
            "as_sent": ILD,
            "source": "Condition/present",
            "date": "2026-11-10",
            "value": ILD,
            "status": "present",
            "grade": {"number": 3, "at_least": False, "from": "stated"},
            "causes": ["a drug"],
        }
    ]


def test_a_leaf_tells_the_days_on_which_it_turned() -> None:
    ((signal,),) = compiled(ILD).signals
    found = findings(finding("present", 3), finding("over", 20, ended=9))
    days = [AS_OF - timedelta(days=ago) for ago in (20, 9, 3)]
    assert signal.days_met(found) == list(zip(days, (True, False, True), strict=True))
    undated = signal.days_met(findings(finding("present", None)))
    assert undated == [(date.min, True)]
    assert signal.days_met(None) == []


def test_an_absence_is_no_signal_because_it_can_hold_without_a_finding() -> None:
    assert compiled(f"no {ILD}").signals == ()
    assert len(compiled(f"suspected {ILD} or ALT > 5 xULN").signals) == 1


def test_a_patient_without_findings_costs_one_shared_trace() -> None:
    rule = compiled(f"{ILD} on treatment grade >= 3")
    empty = DictFacts({ILD: Findings(())})
    traces = {id(rule.evaluate(Evaluation(empty, AS_OF - timedelta(days=ago)))) for ago in range(3)}
    assert len(traces) == 1


@pytest.mark.parametrize(
    "name",
    ["suspected stroke", "Earlier stroke", "stroke on treatment", "stroke caused by a drug",
     "stroke grade", "stroke present"],
)  # fmt: skip
def test_the_name_of_a_concept_says_nothing_that_the_sentence_says(name: str) -> None:
    with pytest.raises(ValueError, match="qualifies a finding"):
        Vocabulary([Concept(name)])


def test_the_name_of_a_concept_may_hold_small_words() -> None:
    assert verdict_of("no dizziness on standing on treatment", {}) is UNKNOWN

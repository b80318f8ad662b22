"""What was found while a drug was taken is remembered as a laboratory value of that day would be.

A small table of its own, on concepts that no packaged table needs to know, and findings made by
hand: so this holds for any row that a pharmacist writes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from cds_service.alk import Recommendation
from cds_service.alk.case import DrugInView
from cds_service.alk.decision import Kind
from cds_service.alk.toxicity import Toxicity
from cds_service.facts import PatientFacts, TreatmentLine
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Concept, Evaluation, Finding, Findings, RuleCompiler, Vocabulary
from tests.alk.patients import AS_OF, Dose, day, knowledge, patient, treatment

FULL_DOSE: Dose = ("250", 2)
CONCEPTS = (
    Concept("inflamed lung"),
    Concept("torsades"),
    Concept("giddiness", symptom_for_days=14),
)
ROWS = (
    ("lung-stop", "lung", "inflamed lung on treatment caused by a drug", "stop", "", ""),
    ("lung-hold", "lung", "inflamed lung on treatment", "withhold", "no inflamed lung", ""),
    ("lung-suspected", "lung", "suspected inflamed lung on treatment", "withhold",
     "no inflamed lung", "same"),
    ("heart-stop", "heart", "torsades on treatment", "stop", "", ""),
    ("giddy-again", "giddiness", "second or later episode of giddiness on treatment", "stop",
     "", ""),
    ("giddy-hold", "giddiness", "giddiness on treatment grade >= 2", "withhold",
     "giddiness on treatment grade <= 1 or no giddiness", "next lower"),
)  # fmt: skip


@cache
def _table() -> Table:
    """The rows above, in the cells of a packaged row."""
    compiler = RuleCompiler(Vocabulary([*knowledge().vocabulary, *CONCEPTS]))
    packaged = knowledge().drugs["crizotinib"].dose_changes
    assert packaged is not None
    blank = packaged.rows[0]
    rows = []
    for number, (name, reaction, when, action, until, resume) in enumerate(ROWS):
        cells = dict.fromkeys(blank.cells, "") | {
            "id": name, "reaction": reaction, "when": when, "action": action, "until": until,
            "resume": resume, "says": "It says so.",
        }  # fmt: skip
        rules = {
            column: compiler.compile(cells[column]) for column in ("when", "until") if cells[column]
        }
        rows.append(Row("made up", name, number, cells, rules))
    return Table("made up", tuple(rows))


def found(
    concept: str = "inflamed lung",
    began: int | None = 60,
    ended: int | None = None,
    *,
    status: str = "",
    causes: tuple[str, ...] = (),
    grade: int | None = None,
) -> Finding:
    """A finding that began and ended so many days ago."""
    return Finding(
        frozenset({concept}),
        status or ("present" if ended is None else "over"),
        None if began is None else day(began),
        None if ended is None else day(ended),
        grade,
        grade_from="stated",
        causes=frozenset(causes),
        label=concept,
        source="Condition/1",
    )


PAUSED = treatment((170, "paused", FULL_DOSE), ingredient="crizotinib")
RUNNING = treatment((170, "active", FULL_DOSE), ingredient="crizotinib")


def judged(line: TreatmentLine, *findings: Finding, as_of: date = AS_OF) -> list[Recommendation]:
    """What the table says of a patient in whom these things were found, newest first."""
    facts: PatientFacts = patient(lines=(line,))
    values = dict(facts.values)
    for concept in CONCEPTS:
        own = tuple(item for item in findings if concept.name in item.names)
        if own:
            values[concept.name] = Findings(own)
    facts = replace(facts, values=values)
    tables = knowledge().drugs["crizotinib"]
    tables = replace(tables, dose_changes=_table())
    drug, evaluation = DrugInView(line, None), Evaluation(facts, as_of)
    toxicity = Toxicity(tables, knowledge().tests, facts, drug, evaluation)
    return toxicity.recommendations()


def only(line: TreatmentLine, *findings: Finding) -> Recommendation:
    """The one recommendation."""
    (one,) = judged(line, *findings)
    return one


@pytest.mark.parametrize("line", [RUNNING, PAUSED], ids=["running", "paused"])
@pytest.mark.parametrize(
    "finding",
    [
        found(ended=20, causes=("a drug",)),
        found(began=100, ended=99, causes=("a drug", "crizotinib")),
        found(status="over", causes=("a drug",)),
        found("torsades", 60, 60),
        found("torsades", 60, 20),
        found("torsades", 170, 169),
    ],
    ids=["resolved", "resolved next day", "end not known", "of one day", "of weeks", "first day"],
)
def test_a_stop_stays_a_stop_after_what_called_for_it_is_over(
    line: TreatmentLine, finding: Finding
) -> None:
    one = only(line, finding)
    assert one.kind is Kind.STOP
    assert one.since == finding.began


def test_what_lasts_today_is_answered_today() -> None:
    one = only(RUNNING, found(causes=("a drug",)))
    assert (one.kind, one.rule_id, one.since) == (Kind.STOP, "lung-stop", None)


def test_what_was_over_before_the_first_dose_is_no_reaction_to_the_drug() -> None:
    assert judged(RUNNING, found("torsades", 300, 200)) == []


def test_what_began_before_the_first_dose_is_no_reaction_to_the_drug() -> None:
    assert judged(RUNNING, found("torsades", 300, 20)) == []


def test_a_diagnosis_taken_back_is_not_remembered() -> None:
    assert judged(RUNNING, found(status="refuted", causes=("a drug",))) == []


@pytest.mark.parametrize("line", [RUNNING, PAUSED], ids=["running", "paused"])
def test_a_hold_without_a_written_way_back_leads_to_a_question_once_it_is_over(
    line: TreatmentLine,
) -> None:
    one = only(line, found(ended=20, causes=("another cause",)))
    assert (one.kind, one.rule_id, one.since) == (Kind.ASK, "lung-hold", day(60))


def test_a_hold_leads_to_the_dose_of_the_label_once_it_is_over() -> None:
    one = only(PAUSED, found("giddiness", 60, 20, grade=3))
    assert (one.kind, one.since) == (Kind.RESUME, day(60))
    assert one.dose is not None
    assert one.dose.daily_mg == 400


def test_a_hold_stays_while_nobody_says_that_it_is_over() -> None:
    one = only(PAUSED, found("giddiness", 60, grade=2))
    assert (one.kind, one.since) == (Kind.WITHHOLD, day(60))
    # A severe one needs no memory: it is there until somebody says that it is over.
    one = only(RUNNING, found("giddiness", 120, grade=3))
    assert (one.kind, one.since) == (Kind.WITHHOLD, None)


def test_a_milder_grade_opens_the_way_back() -> None:
    one = only(PAUSED, found("giddiness", 10, grade=1), found("giddiness", 60, 10, grade=3))
    assert (one.kind, one.since) == (Kind.RESUME, day(60))


def test_a_second_episode_on_treatment_is_counted_from_what_is_over() -> None:
    earlier = found("giddiness", 100, 90, grade=1)
    one = only(RUNNING, found("giddiness", 5, grade=1), earlier)
    assert (one.kind, one.rule_id) == (Kind.STOP, "giddy-again")
    assert judged(RUNNING, earlier) == []


def test_a_suspicion_holds_until_it_is_answered_and_never_stops() -> None:
    suspicion = found(began=5, status="suspected", causes=("a drug",))
    one = only(RUNNING, suspicion)
    assert (one.kind, one.rule_id) == (Kind.WITHHOLD, "lung-suspected")
    assert judged(RUNNING, found(began=5, status="refuted", causes=("a drug",))) == []


def test_a_suspicion_that_was_refuted_since_is_forgotten() -> None:
    suspicion = found(began=9, status="suspected")
    assert judged(RUNNING, suspicion, found(began=2, status="refuted")) == []


def test_a_suspicion_after_a_refutation_is_a_new_one() -> None:
    one = only(RUNNING, found(began=2, status="suspected"), found(began=9, status="refuted"))
    assert (one.kind, one.rule_id) == (Kind.WITHHOLD, "lung-suspected")


def test_a_refuted_suspicion_does_not_hide_a_hold_before_it() -> None:
    one = only(
        RUNNING,
        found(began=9, status="suspected"),
        found(began=2, status="refuted"),
        found(ended=20, causes=("another cause",)),
    )
    assert (one.kind, one.rule_id, one.since) == (Kind.ASK, "lung-hold", day(60))


def test_a_confirmed_finding_that_is_denied_later_is_no_refuted_suspicion() -> None:
    assert judged(RUNNING, found(began=9), found(began=2, status="refuted")) != []


def test_a_drug_on_hold_for_a_suspicion_is_resumed_once_it_is_refuted() -> None:
    one = only(PAUSED, found(began=45, status="suspected"), found(began=2, status="refuted"))
    assert (one.kind, one.rule_id) == (Kind.RESUME, "lung-suspected")


def test_a_grade_that_nobody_recorded_is_asked_for() -> None:
    one = only(RUNNING, found("giddiness", 5))
    assert one.kind is Kind.ASK
    assert "the grade of giddiness" in {reason.subject for reason in one.reasons}


def test_without_a_recorded_cause_the_drug_is_held_and_not_stopped() -> None:
    one = only(RUNNING, found(began=5))
    assert (one.kind, one.rule_id) == (Kind.WITHHOLD, "lung-hold")


def test_a_suspicion_of_what_stops_the_drug_is_asked_about() -> None:
    one = only(RUNNING, found("torsades", 5, status="suspected"))
    assert (one.kind, one.rule_id) == (Kind.ASK, "heart-stop")


def test_a_symptom_of_long_ago_asks_nothing() -> None:
    assert judged(RUNNING, found("giddiness", 60, grade=1)) == []

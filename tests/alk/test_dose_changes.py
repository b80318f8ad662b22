"""Reactions to each drug on one day: every row, around every threshold, and missing data."""

from __future__ import annotations

import pytest

from cds_service.alk import Kind
from cds_service.knowledge.table_files import Table
from tests.alk.drug_cases import DRUGS, REACTIONS
from tests.alk.drug_cases.cases import ASK, HOLD, LOWER_DOSE, STOP, TELL, Reaction
from tests.alk.patients import LOWER, asked, described, knowledge, reactions

CASES = [(drug, case) for drug in DRUGS for case in REACTIONS[drug]]


def _named(value: object) -> str | None:
    return value.says if isinstance(value, Reaction) else None


def _table(drug: str) -> Table:
    table = knowledge().drugs[drug].dose_changes
    assert table is not None
    return table


@pytest.mark.parametrize(("drug", "case"), CASES, ids=_named)
def test_the_rows_of_a_case_speak_and_no_others(drug: str, case: Reaction) -> None:
    heard = reactions(asked(described(case.facts, drug), jurisdiction=case.jurisdiction))
    assert {row: item.kind.value for row, item in heard.items()} == case.heard


@pytest.mark.parametrize("drug", DRUGS)
def test_every_row_of_the_dose_change_table_leads_in_some_case(drug: str) -> None:
    kinds = {"stop": STOP, "withhold": HOLD, "reduce": LOWER_DOSE, "ask": ASK, "continue": TELL}
    acted = {(row, kind) for case in REACTIONS[drug] for row, kind in case.heard.items()}
    rows = {(row.identifier, kinds[row.text("action")]) for row in _table(drug)}
    assert rows - acted == set()


@pytest.mark.parametrize(
    ("drug", "case"),
    [(drug, case) for drug, case in CASES if len(case.heard) > 1],
    ids=_named,
)
def test_of_several_reactions_the_safest_leads_and_the_others_stand_beside(
    drug: str, case: Reaction
) -> None:
    decision = asked(described(case.facts, drug), jurisdiction=case.jurisdiction)
    ranks = list(Kind)
    for item in decision.recommendations:
        for other in item.also:
            assert ranks.index(item.kind) <= ranks.index(other.kind)


@pytest.mark.parametrize(
    ("facts", "dose"),
    [
        ({"ALT": "6"}, LOWER),
        ({"total bilirubin": "4"}, LOWER),
        ({"creatinine": "4"}, LOWER),
        ({"CPK": "7"}, ("600", 2)),
        ({"CPK": "11"}, LOWER),
        ({"CPK": [(3, "6"), (40, "1"), (80, "6")]}, LOWER),
        ({"heart rate": "45", "bradycardia symptoms": "present"}, LOWER),
        (
            {
                "heart rate": "45",
                "bradycardia symptoms": "present",
                "contributing medication": "adjusted",
            },
            ("600", 2),
        ),
        ({"heart rate": "45", "bradycardia symptoms": "present", "contributing medication": None},
         None),
        ({"haemolysis": "present"}, LOWER),
        ({"CPK": [(3, "6"), (60, "1"), (90, "7 no range")]}, None),
    ],
)  # fmt: skip
def test_a_hold_names_the_dose_to_resume(
    facts: dict[str, object], dose: tuple[str, int] | None
) -> None:
    (held,) = [item for item in reactions(asked(described(facts))).values() if item.kind == HOLD]
    resume = held.resume_dose
    assert (None if resume is None else (str(resume.amount_mg), resume.per_day)) == dose


def test_a_hold_says_what_is_missing_to_grade_it() -> None:
    heard = reactions(asked(described({"ALT": "9 no range", "CPK": "9 unknown unit"})))
    said = {(reason.subject, reason.kind_name) for reason in
            heard["alectinib-ungraded-results"].reasons}  # fmt: skip
    assert said == {("ALT", "no reference range"), ("CPK", "unknown unit")}


def test_an_unverified_row_is_marked() -> None:
    heard = reactions(
        asked(
            described(
                {
                    "heart rate": "45",
                    "bradycardia symptoms": "present",
                    "bradycardia grade 4": "present",
                    "contributing medication": "active",
                }
            )
        )
    )
    assert not heard["alectinib-bradycardia-life-threatening-hold"].verified


def test_a_disease_of_unknown_onset_is_asked_about() -> None:
    """The facts room says so with a statement that is open; it must not pass in silence."""
    facts = {"gastrointestinal perforation": [(None, "present")]}
    (item,) = reactions(asked(described(facts))).values()
    assert (item.kind.value, item.severity) == (ASK, "warning")


ANSWERED_BY_RESULTS = ("hypertension", "anaemia", "neutropenia", "thrombocytopenia")
"""Their grade is measured, and the results of these patients are normal; so is the CPK, without
which brigatinib's row does not ask about muscles."""


def _graded_findings(drug: str) -> list[str]:
    """The findings for which a row of the drug acts or asks by grade."""
    rows = (row for row in _table(drug) if row.text("action") in ("stop", "withhold", "ask"))
    conditions = " ".join(row.text("when") for row in rows)
    named = (f" {name} on treatment grade" for name in knowledge().concepts)
    return [name.split(" on treatment")[0].strip() for name in named if name in f" {conditions}"]


@pytest.mark.parametrize("drug", DRUGS)
def test_a_finding_without_its_grade_is_asked_about_wherever_a_row_hangs_on_the_grade(
    drug: str,
) -> None:
    silent = [
        finding
        for finding in _graded_findings(drug)
        if finding not in ANSWERED_BY_RESULTS
        and (drug, finding) != ("brigatinib", "muscle symptoms")
        and not reactions(asked(described({finding: "present"}, drug)))
    ]
    assert silent == []


def test_the_findings_that_rows_grade_are_found_by_their_names() -> None:
    assert {"skin reaction", "gastrointestinal symptoms"} <= {*_graded_findings("alectinib")}

"""Creatinine can rise on an ALK inhibitor without harm: whoever asks the kidney is told so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.alk import Question, decide
from cds_service.alk.decision import Recommendation
from cds_service.cards.details import detail
from cds_service.knowledge.table_files import Row
from cds_service.rules.syntax import And, Compare, Expression, Not, Or
from tests.alk.kidney_cases import ORDERED
from tests.alk.patients import AS_OF, knowledge, patient

NOTE = "cystatin C"
RISES_WITH_CREATININE = {"creatinine", "eGFR"}


def measured(node: Expression) -> Iterator[str]:
    """The facts whose value a rule goes by; what is only missing is no value."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from measured(part)
    elif isinstance(node, Not):
        yield from measured(node.inner)
    elif isinstance(node, Compare):
        yield node.fact


def rows_that_ask_the_kidney(drug: str) -> list[Row]:
    tables = knowledge().drugs[drug]
    return [
        row
        for table in (tables.dose_changes, tables.populations)
        for row in table or ()
        if RISES_WITH_CREATININE & set(measured(row.when.expression))
    ]


DRUGS_WITH_THE_NOTE = [
    drug
    for drug in knowledge().drugs
    if any(NOTE in row.text("ask") for row in rows_that_ask_the_kidney(drug))
]


def test_the_note_stands_at_each_drug_for_which_a_rise_without_harm_is_asked_about() -> None:
    assert {"alectinib", "brigatinib", "crizotinib", "lorlatinib"} <= set(DRUGS_WITH_THE_NOTE)


@pytest.mark.parametrize("drug", DRUGS_WITH_THE_NOTE)
def test_every_row_that_goes_by_the_kidney_of_such_a_drug_carries_the_note(drug: str) -> None:
    without = [
        row.identifier for row in rows_that_ask_the_kidney(drug) if NOTE not in row.text("ask")
    ]
    assert not without


def advice(drug: str, **facts: object) -> list[Recommendation]:
    question = Question("order-sign", ORDERED[drug])
    found = decide(patient(lines=(), **facts), question, knowledge(), AS_OF)
    return [every for one in found.recommendations for every in (one, *one.also)]


@pytest.mark.parametrize("filtration", ["20", "10"])
@pytest.mark.parametrize("drug", ["brigatinib", "crizotinib", "lorlatinib"])
def test_a_lower_dose_for_the_kidney_asks_whether_the_fall_is_real(
    drug: str, filtration: str
) -> None:
    said = [
        one for one in advice(drug, eGFR=filtration) if one.rule_id.startswith(f"{drug}-kidney")
    ]
    assert said
    assert all(NOTE in one.ask for one in said)


def test_the_question_stands_on_the_card() -> None:
    orders = ORDERED["crizotinib"]
    decision = decide(
        patient(lines=(), eGFR="20"),
        Question("order-sign", orders),
        knowledge(),
        AS_OF,
    )
    said = [detail(one, decision, knowledge()) for one in decision.recommendations]
    assert any("250 mg once daily" in text and NOTE in text for text in said)


def test_where_the_label_gives_no_single_dose_both_questions_are_asked() -> None:
    reasons = {"Child-Pugh_class": "C", "eGFR": "20"}
    said = [one for one in advice("brigatinib", **reasons) if "kidney" in one.rule_id]
    assert said
    assert all("which dose is right" in one.ask and NOTE in one.ask for one in said)

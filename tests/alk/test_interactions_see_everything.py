"""An interaction is seen wherever the two medicines stand: drafted, running or on hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from cds_service.alk import Decision, Kind, Question, Recommendation, Topic, decide
from cds_service.cards.details import detail
from cds_service.cards.suggestions import removes_order
from cds_service.cards.summaries import summary
from cds_service.facts import OrderedMedication
from cds_service.knowledge.dose_cells import read_dose_cell
from cds_service.knowledge.table_files import Row
from cds_service.rules.syntax import Includes, predicates
from hooks import patient_view
from tests.alk.patients import AS_OF, asked, knowledge, order, patient, running, treatment

ROWS = [
    (drug, row) for drug, tables in knowledge().drugs.items() for row in tables.interactions or ()
]
OF_A_LOWERED_DOSE = frozenset(
    row.identifier for _, row in ROWS if "ordered daily dose" in row.when.facts_named
)
"""Rows that speak of a dose which is lowered already; the plain row of the same group is asked."""
PLAIN = [(drug, row) for drug, row in ROWS if row.identifier not in OF_A_LOWERED_DOSE]


def _named(value: object) -> str | None:
    return value.identifier if isinstance(value, Row) else None


every_row = pytest.mark.parametrize(("drug", "row"), PLAIN, ids=_named)


def _other(row: Row) -> OrderedMedication:
    """A draft of a medicine of which the row speaks."""
    return _of_row(row.identifier)


@cache
def _of_row(identifier: str) -> OrderedMedication:
    (row,) = [row for _, row in ROWS if row.identifier == identifier]
    asked_about = [
        member
        for leaf in predicates(row.when.expression)
        if isinstance(leaf, Includes) and leaf.fact == "medications"
        for member in leaf.members
    ]
    codes = knowledge().codes
    for name in sorted(codes.ingredients):
        classes = codes.classes_of(name, include_unverified=True)
        if name not in knowledge().inhibitors and {name, *classes} & set(asked_about):
            return order(name, "100", 1)
    # A group that holds no ingredient of ours, such as a food, is met by its own name.
    return replace(order(asked_about[0], "1", 1), names=frozenset(asked_about))


def _full(drug: str) -> OrderedMedication:
    dose = knowledge().drugs[drug].drug.dosing.full_dose
    return order(drug, str(dose.amount_mg), dose.per_day)


def _paused(drug: str) -> object:
    dose = knowledge().drugs[drug].drug.dosing.full_dose
    return treatment((170, "paused", (str(dose.amount_mg), dose.per_day)), ingredient=drug)


def _said(decision: Decision, row: Row) -> list[Recommendation]:
    found = [one for first in decision.recommendations for one in (first, *first.also)]
    return [one for one in found if one.rule_id == row.identifier]


@every_row
def test_a_draft_beside_a_medicine_that_is_taken(drug: str, row: Row) -> None:
    chart = patient(lines=(), medications=sorted(_other(row).names))
    assert len(_said(asked(chart, _full(drug)), row)) == 1


@every_row
def test_a_draft_of_another_medicine_beside_a_running_drug(drug: str, row: Row) -> None:
    (said,) = _said(asked(patient(lines=(running(drug),)), _other(row)), row)
    assert said.order == _other(row)


@every_row
def test_a_draft_of_another_medicine_beside_a_drug_on_hold(drug: str, row: Row) -> None:
    (said,) = _said(asked(patient(lines=(_paused(drug),)), _other(row)), row)  # type: ignore[arg-type]
    assert said.order == _other(row)


@every_row
def test_two_drafts_of_one_bundle(drug: str, row: Row) -> None:
    assert len(_said(asked(patient(lines=()), _full(drug), _other(row)), row)) == 1


@every_row
@pytest.mark.parametrize("chosen", ["ours", "the other"])
def test_two_drafts_of_which_one_is_selected(drug: str, row: Row, chosen: str) -> None:
    drafts = (_full(drug), _other(row))
    selected = drafts[0] if chosen == "ours" else drafts[1]
    question = Question("order-select", drafts, selected=frozenset({selected.reference}))
    decision = decide(patient(lines=()), question, knowledge(), AS_OF)
    assert len(_said(decision, row)) == 1


@every_row
@pytest.mark.parametrize("held", [False, True], ids=["running", "on hold"])
def test_two_medicines_that_are_taken_when_the_chart_is_opened(
    drug: str, row: Row, held: bool
) -> None:
    line = _paused(drug) if held else running(drug)
    chart = patient(lines=(line,), medications=sorted(_other(row).names))  # type: ignore[arg-type]
    assert len(_said(asked(chart, moment="patient-view"), row)) == 1


@pytest.mark.parametrize(
    ("drug", "row"), [pair for pair in PLAIN if pair[1].text("action") == "avoid"], ids=_named
)
def test_to_be_avoided_stays_so_when_the_dose_is_lowered_already(drug: str, row: Row) -> None:
    tables = knowledge().drugs[drug]
    full = tables.drug.dosing.full_dose
    cell = read_dose_cell(row.text("dose"))
    lowered = cell.instead_of(full) if cell is not None else None
    dose = lowered or full
    draft = order(drug, str(dose.amount_mg), dose.per_day)
    chart = patient(lines=(running(drug),), medications=sorted(_other(row).names))
    heard = [
        one
        for first in asked(chart, draft).recommendations
        for one in (first, *first.also)
        if one.topic is Topic.INTERACTION and one.drug == drug
    ]
    assert [one for one in heard if one.kind in (Kind.AVOID, Kind.STOP, Kind.REDUCE, Kind.ASK)]
    assert [one for one in heard if one.rule_id == row.identifier and one.kind is not Kind.INFORM]


def test_a_stopped_inducer_acts_on_before_lorlatinib() -> None:
    chart = patient(lines=(), medications_still_acting=("strong CYP3A inducer",))
    heard = asked(chart, _full("lorlatinib")).recommendations
    (said,) = [one for one in heard if one.rule_id == "lorlatinib-interaction-strong-inducer"]
    assert (said.kind, said.severity) == (Kind.STOP, "critical")


@pytest.mark.parametrize("drug", sorted(knowledge().drugs))
def test_a_stopped_checkpoint_inhibitor_acts_on_before_every_drug(drug: str) -> None:
    heard = asked(patient(lines=(), checkpoint_inhibitor=89), _full(drug)).recommendations
    rule = (
        "order-crizotinib-after-immunotherapy"
        if drug == "crizotinib"
        else "order-inhibitor-after-immunotherapy"
    )
    assert [one for one in heard if one.rule_id == rule]


@pytest.mark.parametrize(
    ("drug", "row"),
    [pair for pair in PLAIN if pair[1].text("action") in ("avoid", "contraindicated")],
    ids=_named,
)
@pytest.mark.parametrize("dose", ["full", "not readable"])
def test_what_is_to_be_avoided_is_shown_when_the_chart_is_opened_and_says_avoid(
    drug: str, row: Row, dose: str
) -> None:
    line = running(drug)
    if dose != "full":
        line = treatment((170, "active", (None, None)), ingredient=drug)
    chart = patient(lines=(line,), medications=sorted(_other(row).names))
    decision = asked(chart, moment="patient-view")
    (said,) = _said(decision, row)
    assert patient_view.matters(said, decision.question)
    words = summary(said, knowledge()).lower()
    assert "avoid" in words or "do not combine" in words or "or lower" in words, words


@pytest.mark.parametrize(
    ("drug", "row"), [pair for pair in PLAIN if pair[1].text("action") == "avoid"], ids=_named
)
def test_the_other_medicine_goes_also_where_the_dose_of_ours_cannot_be_told(
    drug: str, row: Row
) -> None:
    line = treatment((170, "active", (None, None)), ingredient=drug)
    (said,) = _said(asked(patient(lines=(line,)), _other(row)), row)
    assert removes_order(said)


def test_the_alternative_that_the_manufacturer_names_stands_on_the_card() -> None:
    decision = asked(patient(lines=(running("lorlatinib"),)), order("simvastatin", "20", 1))
    (said,) = [
        one for one in decision.recommendations if one.rule_id == "lorlatinib-interaction-statin"
    ]
    for name in ("rosuvastatin", "pravastatin", "pitavastatin"):
        assert name in detail(said, decision, knowledge())


def _speaks_against_lorlatinib(decision: Decision) -> bool:
    options = {option.drug: option for item in decision.recommendations for option in item.options}
    return bool(options["lorlatinib"].speaks_against)


@pytest.mark.parametrize("beside", ["crizotinib", "pembrolizumab"])
def test_a_drug_is_not_offered_beside_a_draft_that_speaks_against_it(beside: str) -> None:
    chart, drafts = patient(lines=()), (order(beside, "250", 2), order("carbamazepine", "200", 2))
    assert _speaks_against_lorlatinib(asked(chart, *drafts))
    assert not _speaks_against_lorlatinib(asked(chart, drafts[0]))


def test_a_drug_is_offered_at_the_dose_that_another_draft_asks_for() -> None:
    decision = asked(patient(lines=()), order("crizotinib", "250", 2), order("itraconazole"))
    options = [option for item in decision.recommendations for option in item.options]
    (dose,) = {option.dose for option in options if option.drug == "lorlatinib"}
    assert dose is not None
    assert (dose.amount_mg, dose.per_day) == (75, 1)


def test_a_draft_that_the_answer_refuses_speaks_against_no_drug() -> None:
    decision = asked(patient(lines=(), EGFR_gene="wild type"), order("osimertinib", "80", 1))
    assert not _speaks_against_lorlatinib(decision)


def test_lorlatinib_is_not_offered_while_a_stopped_inducer_acts() -> None:
    chart = patient(lines=(), medications_still_acting=("strong CYP3A inducer",))
    assert _speaks_against_lorlatinib(asked(chart, moment="patient-view"))
    assert _speaks_against_lorlatinib(asked(chart, order("crizotinib", "250", 2)))


UNKNOWN_BY_TABLES = sorted(knowledge().inhibitors - knowledge().drugs.keys())


@pytest.mark.parametrize("drug", UNKNOWN_BY_TABLES)
@pytest.mark.parametrize("status", ["active", "paused"])
def test_beside_a_drug_without_tables_an_order_says_that_it_was_not_checked(
    drug: str, status: str
) -> None:
    taken = treatment((30, status, ("150", 1)), ingredient=drug)
    decision = asked(patient(lines=(taken,)), order("itraconazole", "200", 1))

    (item,) = [one for one in decision.recommendations if one.order is not None]
    assert item.topic is Topic.COVERAGE
    assert summary(item, knowledge()).startswith(f"Check itraconazole with {drug}: ")


@pytest.mark.parametrize("drug", UNKNOWN_BY_TABLES)
def test_an_order_that_no_table_asks_about_is_not_mentioned_beside_it(drug: str) -> None:
    taken = treatment((30, "active", ("150", 1)), ingredient=drug)
    decision = asked(patient(lines=(taken,)), order("paracetamol", "500", 3))

    assert [one for one in decision.recommendations if one.order is not None] == []

"""A first drug is not offered where the check of its order would ask to wait, or to avoid it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.alk import Decision, Option
from tests.alk.patients import asked, knowledge, order, patient


def options(decision: Decision) -> dict[str, Option]:
    assert decision.choice is not None
    return {option.drug: option for option in decision.choice.options}


@pytest.mark.parametrize(
    "said",
    [
        {"ALT": "5.2"},
        {"AST": "6.2"},
        {"total_bilirubin": "3.1"},
        {"CPK": "5.2"},
        {"creatinine": "3.2"},
    ],
)
def test_no_first_drug_is_offered_while_its_check_asks_to_clarify_a_value(
    said: dict[str, Any],
) -> None:
    untreated = patient(lines=(), brain_metastases="absent", **said)
    checked = asked(untreated, order("alectinib", "600", 2))
    assert "order-abnormal-before-start" in {item.rule_id for item in checked.recommendations}

    opened = asked(untreated, moment="patient-view")
    assert opened.choice is not None
    assert opened.choice.severity == "warning"
    assert all(option.speaks_against for option in options(opened).values())


def test_an_adjuvant_start_waits_for_the_same_values() -> None:
    resected = patient(
        lines=(),
        setting="resected",
        resection_margin="R0",
        tumour_size="5",
        resection=60,
        ECOG_performance_status="0",
        ALT="5.2",
    )
    told = asked(resected, moment="patient-view").recommendations
    assert [item.kind.value for item in told if item.drug == "alectinib"] == ["ask"]


FIRST_DRUGS = sorted({row.text("drug") for row in knowledge().tables["first_line"]})


@pytest.mark.parametrize("drug", FIRST_DRUGS)
@pytest.mark.parametrize(
    "medicine",
    ["strong CYP3A inducer", "strong CYP3A inhibitor", "moderate CYP3A inhibitor"],
)
def test_a_drug_to_be_avoided_with_what_is_taken_is_not_offered_at_its_usual_dose(
    drug: str, medicine: str
) -> None:
    """What the interaction table says against a level of the drug itself, its choice says too."""
    untreated = patient(lines=(), brain_metastases="absent", medications=(medicine,))
    full = knowledge().drugs[drug].drug.dosing.full_dose
    checked = asked(untreated, order(drug, str(full.amount_mg), full.per_day))
    avoided = [
        item
        for item in checked.recommendations
        if item.topic.value == "interaction" and item.kind.value in ("stop", "avoid", "reduce")
    ]
    option = options(asked(untreated, moment="patient-view"))[drug]
    usual = option.dose is not None and option.dose.daily_mg == full.daily_mg
    assert not (avoided and usual and not option.speaks_against)


def test_no_drug_is_offered_beside_an_egfr_inhibitor_that_runs_by_mistake() -> None:
    """Its own card asks for a mix-up of patient or name: first that, then a drug."""
    untreated = patient(lines=(), brain_metastases="absent", medications=("EGFR inhibitor",))
    opened = asked(untreated, moment="patient-view")
    assert "force-egfr-inhibitor" in {item.rule_id for item in opened.recommendations}
    assert all(option.speaks_against for option in options(opened).values())

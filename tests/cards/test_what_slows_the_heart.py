"""A hold that another medicine explains says so first, in our own words for that medicine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.alk import Recommendation
from cds_service.cards.summaries import summary
from cds_service.facts import PatientFacts
from cds_service.rules import Statement, Statements
from tests.alk.patients import asked, knowledge, patient, running


def slowed(label: str, **said: str) -> PatientFacts:
    facts = patient(
        lines=(running("crizotinib"),),
        heart_rate="46",
        bradycardia_symptoms="present",
        **said,
    )
    stated = Statements((Statement("active", None, label, "MedicationRequest/other"),))
    return replace(facts, values={**facts.values, "contributing medication": stated})


def headline(facts: PatientFacts) -> str:
    (hold,) = [one for one in asked(facts).recommendations if _is_hold(one)]
    return summary(hold, knowledge())


def _is_hold(item: Recommendation) -> bool:
    return item.kind.value == "withhold"


@pytest.mark.parametrize(
    "label", ["metoprolol succinate ER 50 mg tablet", "METOPROLOL-ratiopharm 95 mg", "Metoprolol"]
)
def test_the_medicine_is_named_in_the_first_line(label: str) -> None:
    begin = "Hold crizotinib and stop or lower metoprolol, which slows the heart: heart rate 46"
    assert headline(slowed(label)).startswith(begin)


@pytest.mark.parametrize(
    "label",
    [
        "Beloc-Zok mite",
        "",
        "[click](https://evil.example) <script>alert(1)</script>",
        "Jane Roe, born 1950-01-01",
        "aspirin 100 mg",
    ],
)
def test_what_no_table_names_is_called_by_what_it_does(label: str) -> None:
    said = headline(slowed(label))

    assert said.startswith(
        "Hold crizotinib and stop or lower what else slows the heart: heart rate"
    )
    assert not label or label not in said


def test_a_hold_that_nothing_else_explains_says_when_to_resume() -> None:
    facts = patient(lines=(running("crizotinib"),), heart_rate="46", bradycardia_symptoms="present")
    assert "resume" in headline(facts)

"""The ladder of crizotinib: its last step is a larger capsule, once a day; one resume is fixed."""

from __future__ import annotations

import pytest

from tests.alk.drug_cases.cases import HOLD
from tests.alk.patients import Dose, asked, described, order, patient, reactions, treatment

FULL: Dose = ("250", 2)
LOWER: Dose = ("200", 2)
LOWEST: Dose = ("250", 1)
GRAVE = {
    "heart rate": "45",
    "bradycardia symptoms": "present",
    "bradycardia grade 4": "present",
    "contributing medication": "adjusted",
}


def _on(dose: Dose) -> dict[str, object]:
    return {"lines": (treatment((170, "active", dose), ingredient="crizotinib"),)}


@pytest.mark.parametrize(
    ("taken", "facts", "resume"),
    [
        (FULL, {"ALT": "6"}, LOWER),
        # 200 mg twice daily is followed by 250 mg once daily: less a day, more a capsule.
        (LOWER, {"ALT": "6"}, LOWEST),
        (FULL, {"neutrophils": "0.4"}, LOWER),
        (FULL, {"neutrophils": "0.9"}, FULL),
        (LOWEST, {"neutrophils": "0.9"}, LOWEST),
        (FULL, {"haemoglobin": "7.5"}, None),
        (FULL, {"QTc": [(2, "510"), (4, "505")]}, LOWER),
        (FULL, GRAVE, LOWEST),
        (LOWER, GRAVE, LOWEST),
        (LOWEST, GRAVE, LOWEST),
    ],
)
def test_a_hold_names_the_dose_to_resume(
    taken: Dose, facts: dict[str, object], resume: Dose | None
) -> None:
    heard = reactions(asked(described({**_on(taken), **facts}, "crizotinib")))
    (held,) = [item for item in heard.values() if item.kind == HOLD]
    dose = held.resume_dose
    assert (None if dose is None else (str(dose.amount_mg), dose.per_day)) == resume


@pytest.mark.parametrize("facts", [{"ALT": "6"}, {"QTc": [(2, "510"), (4, "505")]}])
def test_below_the_last_step_the_drug_is_stopped(facts: dict[str, object]) -> None:
    heard = reactions(asked(described({**_on(LOWEST), **facts}, "crizotinib")))
    assert [(item.kind.value, item.at_floor) for item in heard.values()] == [("stop", True)]


def test_the_fixed_dose_that_no_source_shows_is_not_verified() -> None:
    heard = reactions(asked(described({**_on(FULL), **GRAVE}, "crizotinib")))
    assert not heard["crizotinib-bradycardia-life-threatening-hold"].verified


@pytest.mark.parametrize(
    ("amount", "per_day", "above"),
    [("250", 2, False), ("250", 1, False), ("200", 2, False), ("251", 2, True), ("250", 3, True)],
)
def test_the_daily_amount_decides_what_is_above_the_label(
    amount: str, per_day: int, above: bool
) -> None:
    decision = asked(patient(lines=()), order("crizotinib", amount, per_day))
    assert ("order-above-label" in {item.rule_id for item in decision.recommendations}) is above

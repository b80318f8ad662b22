"""Diagnoses that speak where no number does: suspected, graded, or with a number still wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.alk.drug_cases.cases import ASK, HOLD, STOP, Reaction


class Diagnosed(NamedTuple):
    """A patient in whom a row speaks, as the row's name, what is known and what it asks for."""

    row: str
    facts: dict[str, object]
    asks: str


DIAGNOSED: dict[str, tuple[Diagnosed, ...]] = {
    "brigatinib": (
        Diagnosed("pancreatitis", {"pancreatitis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"diabetic ketoacidosis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"hyperosmolar hyperglycaemic state": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "bradycardia grade 2": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "sick sinus syndrome": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis",
            {"heart rate": None, "symptomatic bradycardia": "present"},
            HOLD,
        ),
        Diagnosed(
            "bradycardia-with-symptoms",
            {"heart rate": None, "bradycardia": "present", "bradycardia symptoms": "present"},
            HOLD,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
    ),
    "alectinib": (
        Diagnosed("pancreatitis", {"pancreatitis": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "bradycardia grade 2": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "sick sinus syndrome": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis",
            {"heart rate": None, "symptomatic bradycardia": "present"},
            HOLD,
        ),
        Diagnosed(
            "bradycardia-with-symptoms",
            {"heart rate": None, "bradycardia": "present", "bradycardia symptoms": "present"},
            HOLD,
        ),
        Diagnosed("kidney-injury-stop", {"acute kidney injury grade 4": "present"}, STOP),
        Diagnosed("kidney-injury-hold", {"acute kidney injury grade 3": "present"}, HOLD),
        Diagnosed(
            "kidney-injury-creatinine-needed",
            {"acute kidney injury": "present", "creatinine": None},
            ASK,
        ),
        Diagnosed(
            "kidney-injury-creatinine-needed",
            {"drug-induced nephropathy": "present", "creatinine": None},
            ASK,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe", {"skin reaction grade 3": "present"}, HOLD),
    ),
    "ceritinib": (
        Diagnosed("pancreatitis", {"pancreatitis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"diabetic ketoacidosis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"hyperosmolar hyperglycaemic state": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "bradycardia grade 2": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "sick sinus syndrome": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis",
            {"heart rate": None, "symptomatic bradycardia": "present"},
            HOLD,
        ),
        Diagnosed(
            "bradycardia-with-symptoms",
            {"heart rate": None, "bradycardia": "present", "bradycardia symptoms": "present"},
            HOLD,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
    ),
    "crizotinib": (
        Diagnosed("pancreatitis", {"pancreatitis": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "bradycardia grade 2": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "sick sinus syndrome": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis",
            {"heart rate": None, "symptomatic bradycardia": "present"},
            HOLD,
        ),
        Diagnosed(
            "bradycardia-with-symptoms",
            {"heart rate": None, "bradycardia": "present", "bradycardia symptoms": "present"},
            HOLD,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("blood-diagnosis", {"neutrophils": None, "neutropenia grade 3": "present"}, HOLD),
        Diagnosed(
            "blood-diagnosis", {"platelets": None, "thrombocytopenia grade 3": "present"}, HOLD
        ),
        Diagnosed("blood-diagnosis", {"haemoglobin": None, "anaemia grade 3": "present"}, HOLD),
    ),
    "ensartinib": (
        Diagnosed("glucose-crisis", {"diabetic ketoacidosis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"hyperosmolar hyperglycaemic state": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "bradycardia grade 2": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis", {"heart rate": None, "sick sinus syndrome": "present"}, HOLD
        ),
        Diagnosed(
            "bradycardia-diagnosis",
            {"heart rate": None, "symptomatic bradycardia": "present"},
            HOLD,
        ),
        Diagnosed(
            "bradycardia-with-symptoms",
            {"heart rate": None, "bradycardia": "present", "bradycardia symptoms": "present"},
            HOLD,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
    ),
    "lorlatinib": (
        Diagnosed("glucose-crisis", {"diabetic ketoacidosis": "present"}, HOLD),
        Diagnosed("glucose-crisis", {"hyperosmolar hyperglycaemic state": "present"}, HOLD),
        Diagnosed(
            "block-first-degree-symptoms",
            {
                "atrioventricular block of first degree": "present",
                "bradycardia symptoms": "present",
            },
            ASK,
        ),
        Diagnosed("swelling-nerves-weight-hold", {"oedema grade 3": "present"}, HOLD),
        Diagnosed(
            "swelling-nerves-weight-hold", {"peripheral neuropathy grade 3": "present"}, HOLD
        ),
        Diagnosed("swelling-nerves-weight-hold", {"weight gain grade 3": "present"}, HOLD),
        Diagnosed(
            "lung-disease-suspected", {"suspected interstitial lung disease": "present"}, HOLD
        ),
        Diagnosed(
            "kidney-injury-creatinine-needed",
            {"acute kidney injury": "present", "creatinine": None},
            ASK,
        ),
        Diagnosed(
            "kidney-injury-creatinine-needed",
            {"drug-induced nephropathy": "present", "creatinine": None},
            ASK,
        ),
        Diagnosed("liver-failure", {"liver failure": "present"}, HOLD),
        Diagnosed("liver-failure", {"suspected liver failure": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("skin-severe-reaction", {"suspected severe cutaneous reaction": "present"}, HOLD),
        Diagnosed("block-suspected", {"suspected atrioventricular block": "present"}, HOLD),
        Diagnosed("heart-and-lung-hold", {"pulmonary hypertension grade 3": "present"}, HOLD),
        Diagnosed("heart-and-lung-hold", {"heart failure grade 3": "present"}, HOLD),
        Diagnosed("heart-and-lung-hold", {"pulmonary embolism grade 3": "present"}, HOLD),
    ),
}


def diagnoses(drug: str, case: Callable[..., Reaction]) -> tuple[Reaction, ...]:
    """Every such row of a drug: it speaks of what began on treatment, and of nothing older."""
    found: list[Reaction] = []
    for row, facts, asks in DIAGNOSED[drug]:
        heard = {row: asks}
        found.append(
            case(
                f"{row}: {facts}",
                facts,
                **{name.replace("-", "_"): kind for name, kind in heard.items()},
            )
        )
        denied = {
            name.removeprefix("suspected "): "absent" if said == "present" else said
            for name, said in facts.items()
        }
        found.append(case(f"{row}: denied", denied))
    found.append(case("low oxygen saturation", {"oxygen saturation": 89}, lung_oxygen_low=ASK))
    found.append(case("oxygen saturation just not low", {"oxygen saturation": 90}))
    return tuple(found)

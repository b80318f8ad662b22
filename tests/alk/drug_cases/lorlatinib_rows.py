"""The rows of lorlatinib's other tables: interactions, populations, monitoring, baseline."""

from __future__ import annotations

from tests.alk.order_cases import LORLATINIB, WOMAN, Case
from tests.alk.patients import order, running, treatment

ON = (running("lorlatinib"),)
EARLY = (running("lorlatinib", 40),)


def _taking(amount: str) -> dict[str, object]:
    line = treatment((170, "active", (amount, 1)), ingredient="lorlatinib")
    return {"lines": (line,), "current_daily_dose": [(170, amount)]}


def _ordering(amount: str) -> dict[str, object]:
    return {"lines": (), "orders": (order("lorlatinib", amount),)}


INHIBITED = {"medications": ("strong CYP3A inhibitor",)}
INDUCED = {"medications": ("moderate CYP3A inducer",)}
OTHER_DRUG = {"medications": ("acid reducing",)}
INTERACTIONS = (
    Case("lorlatinib-interaction-strong-inducer",
         {"lines": ON, "medications": ("strong CYP3A inducer",)}, INDUCED),
    Case("lorlatinib-interaction-strong-inducer",
         {"lines": ON, "medications_still_acting": ("strong CYP3A inducer",)},
         {"medications_still_acting": ()}),
    Case("lorlatinib-interaction-weak-inducer",
         {"lines": ON, "medications": ("weak CYP3A inducer",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-moderate-inducer", {"lines": ON, **INDUCED}, OTHER_DRUG),
    Case("lorlatinib-interaction-moderate-inducer", {**_ordering("100"), **INDUCED},
         {"medications": ()}),
    Case("lorlatinib-interaction-moderate-inducer-reduced", {**_taking("75"), **INDUCED},
         _taking("100")),
    Case("lorlatinib-interaction-moderate-inducer-reduced", {**_ordering("99"), **INDUCED},
         _ordering("100")),
    Case("lorlatinib-interaction-strong-inhibitor", {"lines": ON, **INHIBITED}, OTHER_DRUG),
    Case("lorlatinib-interaction-strong-inhibitor", {**_ordering("100"), **INHIBITED},
         {"medications": ("moderate CYP3A inhibitor",)}),
    Case("lorlatinib-interaction-strong-inhibitor-reduced", {**_taking("75"), **INHIBITED},
         _taking("100")),
    Case("lorlatinib-interaction-strong-inhibitor-reduced", {**_ordering("75"), **INHIBITED},
         _ordering("50")),
    Case("lorlatinib-interaction-fluconazole", {"lines": ON, "medications": ("fluconazole",)},
         {"medications": ("moderate CYP3A inhibitor",)}),
    Case("lorlatinib-interaction-cyp3a-substrate",
         {"lines": ON, "medications": ("narrow CYP3A substrate",)}, OTHER_DRUG),
    *(
        Case("lorlatinib-interaction-statin", {"lines": ON, "medications": (statin,)},
             {"medications": ("rosuvastatin",)})
        for statin in ("simvastatin", "atorvastatin", "lovastatin")
    ),
    Case("lorlatinib-interaction-transporter",
         {"lines": ON, "medications": ("P-gp substrate",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-transporter",
         {"lines": ON, "medications": ("digoxin", "P-gp substrate")},
         {"medications": ("loperamide",)}),
    *(
        Case("lorlatinib-interaction-direct-anticoagulant",
             {"lines": ON, "medications": (taken,)}, {"medications": ("enoxaparin",)})
        for taken in ("apixaban", "rivaroxaban", "dabigatran etexilate", "edoxaban")
    ),
    Case("lorlatinib-interaction-cyp2c9",
         {"lines": ON, "medications": ("CYP2C9 substrate",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-ugt",
         {"lines": ON, "medications": ("UGT substrate",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-opioid", {"lines": ON, "medications": ("opioid",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-hormonal-contraceptive",
         {"lines": ON, "medications": ("hormonal contraceptive",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-heart-conduction",
         {"lines": ON, "medications": ("beta-blocker",)}, OTHER_DRUG),
    Case("lorlatinib-interaction-heart-conduction",
         {"lines": ON, "medications": ("other bradycardic",)}, {"medications": ()}),
)  # fmt: skip

STARTING: dict[str, object] = {"lines": (), "orders": LORLATINIB}
# Elsewhere than in a first line only the order speaks, not the choice.
HAD_ALECTINIB = (treatment((400, "ended", ("600", 2))),)
AV_BLOCK = {**STARTING, "atrioventricular_block": "present"}
POPULATIONS = (
    Case("lorlatinib-liver-impaired", {**STARTING, "Child-Pugh_class": "B"},
         {"Child-Pugh_class": "A"}),
    Case("lorlatinib-liver-impaired", {**STARTING, "Child-Pugh_class": "C"},
         {"Child-Pugh_class": [(181, "C")]}),
    Case("lorlatinib-liver-impaired", {**STARTING, "total_bilirubin": "1.51"},
         {"total_bilirubin": "1.5"}),
    Case("lorlatinib-kidney-severe", {**STARTING, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("lorlatinib-kidney-severe", {**STARTING, "eGFR": "15"}, {"eGFR": "14.9"}),
    Case("lorlatinib-kidney-severe", {"lines": ON, "eGFR": "20"}, _taking("75")),
    Case("lorlatinib-kidney-severe", {**STARTING, "lines": HAD_ALECTINIB, "eGFR": "20"},
         {"orders": (order("lorlatinib", "75"),)}),
    Case("lorlatinib-kidney-failure", {**STARTING, "eGFR": "14.9"}, {"eGFR": "15"}),
    Case("lorlatinib-kidney-failure", {**STARTING, "dialysis": "present"}, {"dialysis": "absent"}),
    Case("lorlatinib-contraception-female", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("lorlatinib-contraception-female", {**STARTING, **WOMAN, "age": "12"}, {"age": "11"}),
    Case("lorlatinib-contraception-male", STARTING, {"sex": "female"}),
    Case("lorlatinib-lactation", {**STARTING, **WOMAN}, {"age": "11"}),
    Case("lorlatinib-lactation", {**STARTING, **WOMAN, "age": "55"}, {"age": "56"}),
    Case("lorlatinib-breastfeeding-now", {**STARTING, **WOMAN, "lactation": "present"},
         {"lactation": [(91, "present")]}),
    Case("lorlatinib-fertility-male", STARTING, {"sex": "female"}),
    Case("lorlatinib-mind-and-breath", STARTING, {"lines": ON}),
    Case("lorlatinib-swelling-weight-nerves", STARTING, {"lines": ON}),
    Case("lorlatinib-heart-function", {**STARTING, "heart_failure": "present"},
         {"heart_failure": "absent"}),
    Case("lorlatinib-driving", STARTING, {"orders": (order("alectinib", "600", 2),)}),
    Case("lorlatinib-swallowing", {**STARTING, "difficulty_swallowing": "present"},
         {"difficulty_swallowing": "absent"}),
    Case("lorlatinib-taking", STARTING, {"lines": ON}),
)  # fmt: skip

RECENT: dict[str, object] = {
    name: [(3, "1")]
    for name in ("ALT", "AST", "total_bilirubin", "total_cholesterol", "triglycerides", "glucose")
} | {
    "systolic_blood_pressure": [(3, "120")],
    "diastolic_blood_pressure": [(3, "70")],
    "electrocardiogram": 3,
    "brain_imaging": 30,
    "lines": ON,
}
BOTH = ("systolic_blood_pressure", "diastolic_blood_pressure")
MONITORING = (
    Case("lorlatinib-monitor-lipids", {**RECENT, "lines": EARLY, "triglycerides": [(31, "1")]},
         {"triglycerides": [(30, "1")]}),
    Case("lorlatinib-monitor-lipids", {**RECENT, "total_cholesterol": [(92, "1")]},
         {"total_cholesterol": [(91, "1")]}),
    Case("lorlatinib-monitor-ecg", {**RECENT, "electrocardiogram": 92},
         {"electrocardiogram": 91}),
    Case("lorlatinib-monitor-blood-pressure",
         {**RECENT, "lines": (running("lorlatinib", 30),), **{name: [(23, "1")] for name in BOTH}},
         {"systolic_blood_pressure": [(21, "1")], "diastolic_blood_pressure": [(21, "1")]}),
    Case("lorlatinib-monitor-blood-pressure",
         {**RECENT, **{name: [(39, "1")] for name in BOTH}},
         {"systolic_blood_pressure": [(30, "1")], "diastolic_blood_pressure": [(30, "1")]}),
    Case("lorlatinib-monitor-glucose", {**RECENT, "glucose": [(101, "1")]},
         {"glucose": [(93, "1")]}),
    Case("lorlatinib-monitor-liver", {**RECENT, "ALT": [(101, "1")]}, {"ALT": [(93, "1")]}),
    Case("lorlatinib-monitor-brain", {**RECENT, "brain_imaging": 121}, {"brain_imaging": 112}),
)  # fmt: skip

BASELINE = (
    Case("baseline-blood-pressure", STARTING,
         {"systolic_blood_pressure": [(30, "120")], "diastolic_blood_pressure": [(30, "70")]}),
    Case("baseline-blood-pressure",
         {**STARTING, "systolic_blood_pressure": [(31, "120")],
          "diastolic_blood_pressure": [(3, "70")]},
         {"orders": (order("alectinib", "600", 2),)}),
)  # fmt: skip

ROWS = (*INTERACTIONS, *POPULATIONS, *MONITORING, *BASELINE)

"""For every other rule row a patient in whom it speaks, and one who misses it by a little.

The gates and order checks stand in `order_cases`, which also says how a case is written.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.alk.course_cases import COURSE
from tests.alk.drug_cases import ROWS
from tests.alk.in_force_cases import IN_FORCE
from tests.alk.kidney_cases import KIDNEY
from tests.alk.order_cases import (
    ALECTINIB,
    BISOPROLOL,
    GATES,
    HAD_CRIZOTINIB,
    LIVER,
    LORLATINIB,
    LUNG,
    LUNG_BY_A_DRUG,
    LUNG_BY_CRIZOTINIB,
    NONE,
    ORDERS,
    WOMAN,
    Case,
)
from tests.alk.other_uses_cases import OTHER_USES
from tests.alk.patients import FULL, LOWER, order, treatment
from tests.alk.silenced_cases import SILENCED
from tests.alk.state_cases import STATES

FIRST_LINE = tuple(
    Case(f"first-line-{drug}", NONE, near)
    for drug in ("lorlatinib", "alectinib", "brigatinib", "ensartinib", "ceritinib", "crizotinib")
    for near in (
        {"setting": "resected"},
        {"ALK": "equivocal"},
        {"lines": HAD_CRIZOTINIB},
        {"lines": (treatment((20, "paused", FULL)),)},
        {"cancers": LIVER + LUNG},
    )
)

BRAIN = {**NONE, "brain_metastases": "present"}
LUNG_BY_PEMETREXED = "earlier_interstitial_lung_disease_caused_by_pemetrexed"
UNTOLERATED_CRIZOTINIB = {
    "lines": HAD_CRIZOTINIB,
    "ALK_inhibitors_stopped_for_toxicity": ("crizotinib",),
}
ALECTINIB_THEN_CRIZOTINIB: dict[str, object] = {
    **UNTOLERATED_CRIZOTINIB,
    "lines": (
        treatment((700, "ended", FULL)),
        treatment((400, "ended", ("250", 2)), ingredient="crizotinib"),
    ),
    "ALK_inhibitors_stopped_for_another_reason": ("alectinib",),
}
MENINGES = {**NONE, "leptomeningeal_metastases": "present"}
INDUCED = {**NONE, "medications": ("strong CYP3A inducer",)}
SLOWED = {**NONE, "medications": ("beta-blocker",)}
MODIFIERS = (
    Case("modifier-brain-lorlatinib", BRAIN, {"brain_metastases": "absent"}),
    Case("modifier-brain-alectinib", MENINGES, {"leptomeningeal_metastases": "absent"}),
    Case("modifier-brain-crizotinib", BRAIN, {"brain_metastases": None}),
    Case("modifier-brain-ceritinib", BRAIN, {"brain_metastases": "absent"}),
    Case(
        "modifier-psychiatric-lorlatinib",
        {**NONE, "psychiatric_disorder": "present"},
        {"psychiatric_disorder": "absent"},
    ),
    Case(
        "modifier-block-lorlatinib",
        {**NONE, "atrioventricular_block": "present"},
        {"atrioventricular_block": "absent"},
    ),
    Case("modifier-inducer-lorlatinib", INDUCED, {"medications": ("strong CYP3A inhibitor",)}),
    Case(
        "modifier-inducer-stopped-lorlatinib",
        {**NONE, "medications_still_acting": ("strong CYP3A inducer",)},
        {"medications_still_acting": ()},
    ),
    Case("modifier-inducer-brigatinib", INDUCED, {"medications": ()}),
    Case("modifier-inducer-crizotinib", INDUCED, {"medications": ("strong CYP3A inhibitor",)}),
    Case("modifier-inducer-ceritinib", INDUCED, {"medications": ()}),
    Case("modifier-inducer-ensartinib", INDUCED, {"medications": ("P-gp substrate",)}),
    Case(
        "modifier-inhibitor-ensartinib",
        {**NONE, "medications": ("moderate CYP3A inhibitor",)},
        {"medications": ()},
    ),
    Case(
        "modifier-egfr-inhibitor-runs",
        {**NONE, "medications": ("EGFR inhibitor",)},
        {"EGFR_gene": "sensitising mutation"},
    ),
    Case("modifier-abnormal-before-start", {**NONE, "ALT": "5.01"}, {"ALT": "5"}),
    Case("modifier-abnormal-before-start", {**NONE, "CPK": "5.01"}, {"CPK": "5"}),
    Case("modifier-bradycardic-alectinib", SLOWED, {"medications": ()}),
    Case("modifier-bradycardic-alectinib", {**NONE, "heart_rate": "59"}, {"heart_rate": "60"}),
    Case(
        "modifier-bradycardic-crizotinib",
        {**NONE, "medications": ("other bradycardic",)},
        {"medications": ("P-gp substrate",)},
    ),
    Case("modifier-bradycardic-ceritinib", SLOWED, {"medications": ()}),
    Case(
        "modifier-lung-brigatinib",
        {**NONE, "interstitial_lung_disease": "present"},
        {"interstitial_lung_disease": "absent"},
    ),
    Case(
        "modifier-lung-others",
        {**NONE, "interstitial_lung_disease": "present"},
        {"interstitial_lung_disease": None},
    ),
    Case(
        "modifier-lung-same-drug",
        {**NONE, LUNG_BY_CRIZOTINIB: "present"},
        {LUNG_BY_CRIZOTINIB: None, LUNG_BY_PEMETREXED: "present"},
    ),
    Case(
        "modifier-lung-cause-open",
        {**ALECTINIB_THEN_CRIZOTINIB, LUNG_BY_A_DRUG: "present"},
        {LUNG_BY_A_DRUG: None, LUNG_BY_CRIZOTINIB: "present"},
    ),
    Case(
        # What was never taken cannot have caused it, whichever drug it was.
        "modifier-lung-cause-open",
        {**ALECTINIB_THEN_CRIZOTINIB, LUNG_BY_A_DRUG: "present"},
        UNTOLERATED_CRIZOTINIB,
    ),
    Case(
        "modifier-lung-earlier-crizotinib",
        {**NONE, LUNG_BY_PEMETREXED: "present"},
        {LUNG_BY_PEMETREXED: None, LUNG_BY_CRIZOTINIB: "present"},
    ),
    *(
        Case(
            f"modifier-lung-earlier-{drug}",
            {**UNTOLERATED_CRIZOTINIB, LUNG_BY_CRIZOTINIB: "present"},
            {
                LUNG_BY_CRIZOTINIB: None,
                f"earlier_interstitial_lung_disease_caused_by_{drug}": "present",
            },
        )
        for drug in ("alectinib", "brigatinib", "ensartinib", "lorlatinib")
    ),
    Case(
        "modifier-lung-earlier-ceritinib",
        {**NONE, LUNG_BY_A_DRUG: "present"},
        {LUNG_BY_A_DRUG: None, "earlier_interstitial_lung_disease_caused_by_ceritinib": "present"},
    ),
    Case(
        "modifier-intolerance",
        {**NONE, "intolerances_to_ALK_inhibitors": ("alectinib without a reaction",)},
        {"intolerances_to_ALK_inhibitors": ()},
    ),
    Case("modifier-pregnancy", {**NONE, **WOMAN, "pregnancy": "present"}, {"pregnancy": "absent"}),
    Case(
        "modifier-liver-ensartinib", {**NONE, "total_bilirubin": "3.01"}, {"total_bilirubin": "3"}
    ),
    *(
        Case(f"modifier-kidney-{drug}", {**NONE, "eGFR": "29.9"}, {"eGFR": "30"})
        for drug in ("alectinib", "ceritinib")
    ),
    Case("modifier-kidney-brigatinib", {**NONE, "eGFR": "14.9"}, {"eGFR": "15"}),
    Case(
        "modifier-long-qt-ceritinib",
        {**NONE, "congenital_long_QT": "present"},
        {"congenital_long_QT": "absent"},
    ),
    Case("modifier-kidney-failure-lorlatinib", {**NONE, "eGFR": "14.9"}, {"eGFR": "15"}),
    Case("modifier-liver-lorlatinib", {**NONE, "Child-Pugh_class": "B"}, {"Child-Pugh_class": "A"}),
    Case(
        "modifier-liver-lorlatinib", {**NONE, "total_bilirubin": "1.51"}, {"total_bilirubin": "1.5"}
    ),
    Case(
        "modifier-long-qt-crizotinib",
        {**NONE, "congenital_long_QT": "present"},
        {"congenital_long_QT": "absent"},
    ),
    Case(
        "modifier-liver-moderate-ensartinib",
        {**NONE, "total_bilirubin": "1.51"},
        {"total_bilirubin": "1.5"},
    ),
    Case(
        "modifier-performance-alectinib",
        {**NONE, "ECOG_performance_status": "2"},
        {"ECOG_performance_status": "1"},
    ),
    Case(
        "modifier-immunotherapy-crizotinib",
        {**NONE, "checkpoint_inhibitor": 90},
        {"checkpoint_inhibitor": 91},
    ),
    Case(
        "modifier-immunotherapy-day-missing-crizotinib",
        {**NONE, "medications_of_unknown_end": ("immune checkpoint inhibitor",)},
        {"medications_of_unknown_end": ()},
    ),
)

BASELINE = (
    Case("baseline-brain", NONE, {"brain_imaging": 84}),
    Case("baseline-brain", {**NONE, "brain_imaging": 85}, {"ALK": "negative"}),
    Case("baseline-liver", {**NONE, "ALT": [(29, "1")]}, {"ALT": [(28, "1")]}),
    Case("baseline-liver", {**NONE, "total_bilirubin": [(29, "1")]}, {"total_bilirubin": "1"}),
    Case("baseline-kidney", {**NONE, "creatinine": [(29, "1")]}, {"creatinine": [(28, "1")]}),
    Case("baseline-cpk", {**NONE, "CPK": [(29, "1")]}, {"CPK": [(28, "1")]}),
    Case("baseline-ecg", NONE, {"electrocardiogram": 90}),
    Case("baseline-pregnancy", {**NONE, **WOMAN}, {"sex": "male"}),
    Case(
        "baseline-pregnancy",
        {**NONE, **WOMAN, "pregnancy": [(31, "absent")]},
        {"pregnancy": [(30, "absent")]},
    ),
    Case(
        "baseline-lipids",
        {**NONE, "orders": LORLATINIB},
        {"total_cholesterol": "5", "triglycerides": "1"},
    ),
    Case("baseline-glucose", {**NONE, "orders": LORLATINIB}, {"glucose": "5"}),
)

RESECTED: dict[str, object] = {
    "lines": (),
    "setting": "resected",
    "resection": 40,
    "resection_margin": "R0",
    "tumour_size": "4",
    "positive_lymph_nodes": "0",
    "ECOG_performance_status": "1",
}
SMALL = {**RESECTED, "tumour_size": "3.9"}
ADJUVANT = (
    Case("adjuvant-alectinib", RESECTED, {"tumour_size": "3.9"}),
    Case(
        "adjuvant-alectinib", {**SMALL, "positive_lymph_nodes": "1"}, {"positive_lymph_nodes": "0"}
    ),
    Case("adjuvant-alectinib", RESECTED, {"ECOG_performance_status": "2"}),
    Case("adjuvant-alectinib", RESECTED, {"resection_margin": "R1"}),
    Case("adjuvant-alectinib", {**RESECTED, "resection": 26 * 7}, {"resection": 26 * 7 + 1}),
    Case("adjuvant-alectinib", RESECTED, {"ALK": "equivocal"}),
    Case("adjuvant-alectinib", RESECTED, {"lines": (treatment((20, "active", LOWER)),)}),
    Case("adjuvant-follow-up", SMALL, {"tumour_size": "4"}),
    Case("adjuvant-follow-up", SMALL, {"positive_lymph_nodes": None}),
    Case(
        "adjuvant-size-or-nodes-missing",
        {**SMALL, "positive_lymph_nodes": None},
        {"tumour_size": "4"},
    ),
    Case(
        "adjuvant-size-or-nodes-missing",
        {**RESECTED, "tumour_size": None},
        {"positive_lymph_nodes": "1"},
    ),
    Case(
        "adjuvant-performance-status",
        {**RESECTED, "ECOG_performance_status": "2"},
        {"ECOG_performance_status": "1"},
    ),
    Case("adjuvant-late", {**RESECTED, "resection": 26 * 7 + 1}, {"resection": 26 * 7}),
    Case("adjuvant-margin", {**RESECTED, "resection_margin": "R1"}, {"resection_margin": "R0"}),
    Case("adjuvant-margin", {**RESECTED, "resection_margin": "R2"}, {"tumour_size": "3.9"}),
    Case(
        "adjuvant-details-missing",
        {**RESECTED, "resection_margin": None},
        {"resection_margin": "R0"},
    ),
    Case(
        "adjuvant-details-missing",
        {**RESECTED, "ECOG_performance_status": None},
        {"ECOG_performance_status": "0"},
    ),
)

INTERACTIONS = (
    Case(
        "alectinib-interaction-bradycardia", {"medications": ("beta-blocker",)}, {"medications": ()}
    ),
    Case("alectinib-interaction-bradycardia", {"orders": BISOPROLOL}, {"lines": HAD_CRIZOTINIB}),
    Case(
        "alectinib-interaction-cyp3a",
        {"medications": ("strong CYP3A inhibitor",)},
        {"medications": ("P-gp substrate",)},
    ),
    Case(
        "alectinib-interaction-transporter",
        {"medications": ("P-gp substrate",)},
        {"medications": ("beta-blocker",)},
    ),
    Case(
        "alectinib-interaction-transporter",
        {"medications": ("BCRP substrate",)},
        {"medications": ("P-gp inhibitor",)},
    ),
    Case(
        "alectinib-interaction-dabigatran",
        {"medications": ("dabigatran etexilate",)},
        {"medications": ("apixaban",)},
    ),
    Case(
        "alectinib-interaction-contraceptive",
        {"medications": ("hormonal contraceptive",)},
        {"medications": ("beta-blocker",)},
    ),
)

STARTING: dict[str, object] = {"lines": (), "orders": ALECTINIB}
POPULATIONS = (
    Case(
        "alectinib-child-pugh-c", {**STARTING, "Child-Pugh_class": "C"}, {"Child-Pugh_class": "B"}
    ),
    Case(
        "alectinib-child-pugh-c",
        {**STARTING, "Child-Pugh_class": "C"},
        # After earlier crizotinib no first drug is to be chosen, so only the order speaks.
        {"orders": (order("alectinib", "450", 2),), "lines": HAD_CRIZOTINIB},
    ),
    Case("alectinib-child-pugh-c", {"Child-Pugh_class": "C"}, {"Child-Pugh_class": [(181, "C")]}),
    Case("alectinib-kidney-not-studied", {**STARTING, "eGFR": "29.9"}, {"eGFR": "30"}),
    Case("alectinib-contraception-female", {**STARTING, **WOMAN}, {"age": "56"}),
    Case("alectinib-contraception-male", STARTING, {"sex": "female"}),
    Case("alectinib-lactation", {**STARTING, **WOMAN}, {"age": "11"}),
    Case(
        "alectinib-breastfeeding-now",
        {**STARTING, **WOMAN, "lactation": "present"},
        {"lactation": [(91, "present")]},
    ),
    Case(
        "alectinib-swallowing",
        {**STARTING, "difficulty_swallowing": "present"},
        {"difficulty_swallowing": "absent"},
    ),
    Case("alectinib-taking", STARTING, {"orders": LORLATINIB}),
    Case("alectinib-sun", STARTING, {"orders": LORLATINIB}),
)

RECENT: dict[str, object] = {
    name: [(3, "1")] for name in ("ALT", "AST", "total_bilirubin", "CPK", "creatinine")
} | {"heart_rate": "72", "brain_imaging": 30}
EARLY = (treatment((40, "active", FULL)),)
MONITORING = (
    Case(
        "alectinib-monitor-liver",
        {**RECENT, "lines": EARLY, "ALT": [(14, "1")]},
        {"ALT": [(13, "1")]},
    ),
    Case("alectinib-monitor-liver", {**RECENT, "ALT": [(31, "1")]}, {"ALT": [(30, "1")]}),
    Case(
        "alectinib-monitor-liver",
        {**RECENT, "ALT": [(31, "1")]},
        {"lines": (treatment((170, "paused", FULL)),)},
    ),
    Case(
        "alectinib-monitor-cpk",
        {**RECENT, "lines": (treatment((20, "active", FULL)),), "CPK": [(14, "1")]},
        {"CPK": [(13, "1")]},
    ),
    Case("alectinib-monitor-cpk", {**RECENT, "CPK": None}, {"CPK": [(150, "1")]}),
    Case(
        "alectinib-monitor-cpk-symptoms",
        {**RECENT, "muscle_symptoms": "present", "CPK": [(10, "1")]},
        {"CPK": [(1, "1")]},
    ),
    Case(
        "alectinib-monitor-heart",
        {**RECENT, "heart_rate": [(101, "72")]},
        # The label gives no interval: silent until more than a week late.
        {"heart_rate": [(93, "72")]},
    ),
    Case(
        "alectinib-monitor-kidney",
        {**RECENT, "creatinine": [(101, "1")]},
        {"creatinine": [(93, "1")]},
    ),
    Case("alectinib-monitor-brain", {**RECENT, "brain_imaging": 121}, {"brain_imaging": 112}),
)


class DatedRow(NamedTuple):
    """A row that no patient makes speak, but the day; `module` holds its cases."""

    row: str
    module: str


DATED_ROWS = (DatedRow("order-approval-recheck", "tests/alk/test_awaited_drugs.py"),)
DATED = frozenset(dated.row for dated in DATED_ROWS)

CASES = (
    *GATES, *ORDERS, *FIRST_LINE, *MODIFIERS, *BASELINE, *ADJUVANT, *INTERACTIONS, *POPULATIONS,
    *MONITORING, *ROWS, *COURSE, *SILENCED, *IN_FORCE, *STATES, *KIDNEY,
    *OTHER_USES,
)  # fmt: skip

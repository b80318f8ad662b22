"""Cases for the gates and for the checks of draft orders; see `row_cases` for the rest.

`Case(row, facts, near)`: facts are keyword arguments of `patients.patient`, with `orders` for the
drafts; `near` is laid over them, so that it names only what is different.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from tests.alk.patients import FULL, ON_ALECTINIB, of_the_day, order, treatment


class Case(NamedTuple):
    """One row with the patient in whom it fires and the changes that make it miss."""

    row: str
    facts: Mapping[str, object]
    near: Mapping[str, object]


LUNG = ("non-small cell lung cancer",)
LIVER = ("hepatocellular carcinoma",)
SITE_ONLY = ("lung cancer of unknown type",)
NONE: dict[str, object] = {"lines": ()}
ALECTINIB = (order("alectinib", "600", 2),)
CRIZOTINIB = (order("crizotinib", "250", 2),)
CERITINIB = (order("ceritinib", "450", 1),)
LORLATINIB = (order("lorlatinib", "100", 1),)
REPLACING = (
    replace(
        LORLATINIB[0],
        resource={"priorPrescription": {"reference": "MedicationRequest/alectinib-0"}},
    ),
)
"""An order of lorlatinib that says that it takes the place of the running alectinib."""
ENSARTINIB = (order("ensartinib", "225", 1),)
BRIGATINIB = (order("brigatinib", "180", 1),)
NELADALKIB = (order("neladalkib", "150", 1),)
PEMBROLIZUMAB = (order("pembrolizumab", "200", 1),)
ATEZOLIZUMAB = (order("atezolizumab", "1200", 1),)
FOUR_DRUGS = ("bevacizumab", "carboplatin", "paclitaxel")
OSIMERTINIB = (order("osimertinib", "80", 1),)
PEMETREXED = (order("pemetrexed", "500", 1),)
BISOPROLOL = (order("bisoprolol", "5", 1),)
HAD_CRIZOTINIB = (treatment((400, "ended", ("250", 2)), ingredient="crizotinib"),)
HAD_ALECTINIB = (treatment((400, "ended", FULL)),)
HAD_LORLATINIB = (treatment((400, "ended", ("100", 1)), ingredient="lorlatinib"),)
LUNG_BY_A_DRUG = "earlier_drug-induced_interstitial_lung_disease"
LUNG_BY_CRIZOTINIB = "earlier_interstitial_lung_disease_caused_by_crizotinib"
BREAKPOINT = ("ALK breakpoint without a partner",)
DISAGREE: dict[str, object] = {"conflicting_ALK_tests": ("FISH", "D5F3 immunohistochemistry")}
ROS1: dict[str, object] = {"ROS1_gene": "rearranged"}
INTOLERANCES = "intolerances_to_ALK_inhibitors"
PAUSED_THEN_LORLATINIB: dict[str, object] = {
    "lines": (treatment((200, "paused", FULL)),),
    "orders": (order("lorlatinib", "100"),),
}
SLOW_BEFORE_ALECTINIB: dict[str, object] = {
    "lines": (),
    "orders": (order("alectinib", "600", 2),),
    "symptomatic_bradycardia": "present",
}
LIVER_HOLDS: dict[str, object] = {"ALT": "6", "total_bilirubin": "1"}
LIVER_STOPS: dict[str, object] = {"ALT": "6", "total_bilirubin": "3"}
SILENT: dict[str, object] = {"ALK": None, "lines": ()}
WOMAN: dict[str, object] = {"sex": "female", "age": "40"}

GATES = (
    Case("gate-hepatocellular", {"cancers": LIVER}, {"ALK": None}),
    Case("gate-hepatocellular-and-lung", {"cancers": LIVER + LUNG}, {"cancers": LUNG}),
    Case(
        "gate-lymphoma",
        {"cancers": ("ALK-positive lymphoma",)},
        {"cancers": ("ALK-positive lymphoma", *LUNG)},
    ),
    Case(
        "gate-lymphoma",
        {"cancers": ("ALK-positive lymphoma",)},
        {"lines": (treatment((30, "active", ("250", 2)), ingredient="crizotinib"),)},
    ),
    Case(
        "gate-lymphoma-without-inhibitor",
        {**NONE, "cancers": ("ALK-positive lymphoma",)},
        {"ALK": None},
    ),
    Case(
        "gate-lymphoma-without-inhibitor",
        {**NONE, "cancers": ("ALK-positive lymphoma",)},
        {"orders": ALECTINIB},
    ),
    Case("gate-not-adult", {"age": "17"}, {"age": "18"}),
    Case("gate-pregnant-on-treatment", {**WOMAN, "pregnancy": "present"}, {"pregnancy": "absent"}),
    Case("gate-pregnant-on-treatment", {**WOMAN, "pregnancy": "present"}, {"lines": ()}),
    Case("gate-pregnant-on-treatment", {**WOMAN, "pregnancy": "present"}, {"orders": ALECTINIB}),
    Case(
        "gate-pregnancy-test-open",
        {**WOMAN, "pregnancy": None, "pregnancy_test_not_judged": "present"},
        {"pregnancy": "present"},
    ),
    Case("gate-patient-dead", {"death_recorded": "present"}, {"death_recorded": "absent"}),
    Case("gate-lymphoma", {"cancers": ("ALK-positive lymphoma",)}, {"orders": CRIZOTINIB}),
    Case("gate-negative-on-treatment", {"ALK": "negative"}, {"lines": ()}),
    Case(
        "gate-negative-on-treatment",
        {"ALK": "negative", **ROS1},
        {"lines": (treatment((30, "active", ("250", 2)), ingredient="crizotinib"),)},
    ),
    Case("gate-serum-level", {**SILENT, "serum_ALK_level": "present"}, {"serum_ALK_level": None}),
    Case("gate-not-lung", {"cancers": ("other cancer",)}, {"cancers": LUNG}),
    Case("gate-not-lung", {**SILENT, "cancers": (), "orders": ALECTINIB}, {"orders": ()}),
    Case("gate-diagnosis-missing", {"cancers": None}, {"cancers": LUNG}),
    Case("gate-diagnosis-missing", {"cancers": None, "ALK": None}, {"lines": (), "cancers": None}),
    Case(
        "gate-small-cell",
        {"cancers": ("small cell lung cancer",)},
        {"cancers": ("small cell lung cancer", *LUNG)},
    ),
    Case("gate-histology-missing", {"cancers": SITE_ONLY}, {"cancers": SITE_ONLY + LUNG}),
    Case("gate-point-mutation", {"ALK": "point mutation only"}, {"ALK": "confirmed"}),
    Case("gate-amplification", {"ALK": "amplification only"}, {"ALK": "confirmed"}),
    Case("gate-equivocal", {"ALK": "equivocal"}, {"ALK": "negative"}),
    Case("gate-equivocal", {"ALK": "equivocal"}, {"positive_ALK_tests": BREAKPOINT}),
    Case(
        "gate-breakpoint",
        {"ALK": "equivocal", "positive_ALK_tests": BREAKPOINT},
        {"positive_ALK_tests": ("FISH",)},
    ),
    Case("gate-discordant", {"ALK": "discordant", **DISAGREE}, {"ALK": "confirmed"}),
    Case(
        "gate-discordant",
        {"ALK": "discordant", **DISAGREE},
        {"conflicting_ALK_tests": ("FISH", "RNA sequencing")},
    ),
    Case(
        "gate-discordant-with-rna",
        {"ALK": "discordant", "conflicting_ALK_tests": ("FISH", "RNA sequencing")},
        DISAGREE,
    ),
    Case("gate-conflict-settled", {**NONE, **DISAGREE}, {"conflicting_ALK_tests": None}),
    Case("gate-conflict-settled", {**NONE, "ALK": "negative", **DISAGREE}, {"lines": ON_ALECTINIB}),
    Case("gate-method-missing", {**NONE, "ALK_assay": "unnamed method"}, {"ALK_assay": "FISH"}),
    Case(
        "gate-method-missing",
        {**NONE, "ALK_assay": "unnamed method"},
        {"lines": ON_ALECTINIB},
    ),
    Case("gate-two-drivers-ros1", {**NONE, **ROS1}, {"ROS1_gene": "wild type"}),
    Case("gate-pending", {"ALK": "pending"}, {"setting": "early"}),
    Case("gate-alk-not-tested", SILENT, {"setting": "early"}),
    Case("gate-alk-not-tested", {**SILENT, "setting": "resected"}, {"ALK": "pending"}),
    Case("gate-lung-cancer-open", {**SILENT, "cancers": SITE_ONLY}, {"ALK": "confirmed"}),
    Case("gate-alk-inconclusive", {**NONE, "ALK": "inconclusive"}, {"setting": "early"}),
    Case("gate-failed", {"ALK": "failed"}, {"ALK": "negative"}),
    Case("gate-setting-missing", {**NONE, "setting": None}, {"setting": "advanced"}),
)

ORDERS = (
    Case("order-two-alk-inhibitors", {"orders": LORLATINIB}, {"orders": ALECTINIB}),
    Case("order-two-alk-inhibitors", {"orders": LORLATINIB}, {"disease_status": "worse"}),
    Case(
        "order-two-alk-inhibitors",
        {"disease_status": "stable", "orders": LORLATINIB},
        {"orders": REPLACING},
    ),
    Case(
        "order-switch-while-active",
        {"disease_status": "worse", "orders": LORLATINIB},
        {"disease_status": "stable"},
    ),
    Case(
        "order-switch-while-active",
        {"disease_status": "worse", "orders": LORLATINIB},
        {"orders": ALECTINIB},
    ),
    *(
        Case("order-look-alike", {**NONE, "orders": (order(name),)}, near)
        for name in ("loratadine", "axitinib", "bosutinib")
        for near in ({"orders": (order(f"des{name}"),)}, {"ALK": "negative"})
    ),
    Case("order-look-alike", {**NONE, "orders": (order("loratadine"),)}, {"lines": ON_ALECTINIB}),
    Case(
        "order-meant-for-egfr",
        {"lines": (), "ALK": None, "EGFR_gene": "sensitising mutation", "orders": ALECTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-meant-for-egfr",
        {"lines": (), "ALK": None, "EGFR_gene": "sensitising mutation", "orders": ALECTINIB},
        {"EGFR_gene": "wild type"},
    ),
    Case("order-switch-while-active", {"orders": REPLACING}, {"lines": HAD_CRIZOTINIB}),
    *(
        Case("order-switch-while-active", {"orders": LORLATINIB, **why}, near)
        for why, near in (
            ({INTOLERANCES: ("alectinib",)}, {INTOLERANCES: ("crizotinib",)}),
            (LIVER_STOPS, {"total_bilirubin": "1"}),
        )
    ),
    Case(
        "order-intolerance-unexplained",
        {**NONE, "orders": ALECTINIB, INTOLERANCES: ("alectinib without a reaction",)},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-intolerance-unexplained",
        {"orders": ALECTINIB, INTOLERANCES: ("alectinib without a reaction",)},
        {INTOLERANCES: ("alectinib",)},
    ),
    Case(
        "order-intolerance-explained",
        {**NONE, "orders": ALECTINIB, INTOLERANCES: ("alectinib",)},
        {INTOLERANCES: ("alectinib without a reaction",)},
    ),
    Case(
        "order-intolerance-explained",
        # The drug runs, and nothing else in the answer speaks of a reaction to it.
        {"lines": ON_ALECTINIB, "orders": ALECTINIB, INTOLERANCES: ("alectinib",)},
        LIVER_HOLDS,
    ),
    Case("order-beside-held-inhibitor", {"orders": LORLATINIB, **LIVER_HOLDS}, {"ALT": "1"}),
    Case("order-beside-held-inhibitor", {"orders": LORLATINIB, **LIVER_HOLDS}, LIVER_STOPS),
    Case(
        "order-beside-held-inhibitor",
        {"orders": LORLATINIB, **LIVER_HOLDS},
        {"disease_status": "worse"},
    ),
    Case(
        "order-beside-held-inhibitor", {"orders": LORLATINIB, **LIVER_HOLDS}, {"orders": ALECTINIB}
    ),
    Case("order-two-alk-inhibitors", {"orders": LORLATINIB}, LIVER_HOLDS),
    Case("order-beside-paused-inhibitor", PAUSED_THEN_LORLATINIB, {"orders": ALECTINIB}),
    Case("order-beside-paused-inhibitor", PAUSED_THEN_LORLATINIB, {"lines": ()}),
    Case("order-slow-heart-symptoms", SLOW_BEFORE_ALECTINIB, {"orders": LORLATINIB}),
    Case("order-slow-heart-symptoms", SLOW_BEFORE_ALECTINIB, {"symptomatic_bradycardia": "absent"}),
    Case(
        "order-slow-heart-symptoms",
        {**NONE, "orders": ALECTINIB, "heart_rate": "55", "bradycardia_symptoms": "present"},
        {"heart_rate": "60"},
    ),
    # A drug that begins while another one runs begins all the same.
    Case(
        "order-lung-disease",
        {"orders": LORLATINIB, "interstitial_lung_disease": "present"},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-lorlatinib-mind-later",
        {"orders": LORLATINIB, "psychiatric_disorder": "present"},
        {"psychiatric_disorder": "absent"},
    ),
    Case(
        "order-two-alk-drafted",
        {**NONE, "orders": ALECTINIB + LORLATINIB},
        {"orders": ALECTINIB + OSIMERTINIB},
    ),
    Case(
        "order-drafted-twice",
        {**NONE, "orders": (*ALECTINIB, order("alectinib", "450", 2))},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-runs-at-odds",
        {"running_orders_at_odds": ("alectinib",), "orders": ALECTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-pregnant",
        {**WOMAN, "pregnancy": "present", "orders": ALECTINIB},
        {"pregnancy": None, "suspected pregnancy": "present"},
    ),
    Case(
        "order-pregnancy-unknown",
        {**NONE, **WOMAN, "suspected pregnancy": "present", "orders": ALECTINIB},
        {"pregnancy": "present"},
    ),
    Case(
        "order-pregnancy-test-open",
        {
            **WOMAN,
            "pregnancy": "absent",
            "pregnancy_test_not_judged": "present",
            "orders": ALECTINIB,
        },
        {"pregnancy_test_not_judged": [(31, "present")]},
    ),
    Case(
        "order-patient-dead",
        {"death_recorded": "present", "orders": ALECTINIB},
        {"death_recorded": None},
    ),
    Case(
        "order-liver-class-missing",
        {**NONE, "cirrhosis": "present", "ascites": "present", "orders": ALECTINIB},
        {"Child-Pugh_class": "B"},
    ),
    Case(
        "order-pregnancy-unknown", {**NONE, **WOMAN, "orders": ALECTINIB}, {"pregnancy": "absent"}
    ),
    Case(
        "order-pregnancy-unknown",
        {**NONE, **WOMAN, "pregnancy": [(31, "absent")], "orders": ALECTINIB},
        {"pregnancy": [(30, "absent")]},
    ),
    Case(
        "order-pregnancy-unknown",
        {**NONE, "sex": "female", "age": "55", "orders": ALECTINIB},
        {"age": "56"},
    ),
    Case(
        "order-pregnancy-unknown",
        {**NONE, "sex": "female", "age": "12", "orders": ALECTINIB},
        {"age": "11"},
    ),
    Case(
        "order-immunotherapy-alk-positive",
        {**NONE, "orders": PEMBROLIZUMAB},
        {"lines": HAD_LORLATINIB},
    ),
    Case(
        "order-immunotherapy-alk-positive",
        {**NONE, "orders": PEMBROLIZUMAB},
        {"setting": "resected"},
    ),
    Case(
        "order-immunotherapy-after-inhibitors",
        {"lines": HAD_LORLATINIB, "orders": PEMBROLIZUMAB},
        {"lines": HAD_CRIZOTINIB},
    ),
    Case(
        "order-immunotherapy-after-inhibitors",
        {"lines": HAD_LORLATINIB, "orders": ATEZOLIZUMAB, "medications": FOUR_DRUGS[:2]},
        {"medications": FOUR_DRUGS},
    ),
    Case(
        "order-immunotherapy-after-inhibitors",
        {"lines": HAD_LORLATINIB, "orders": ATEZOLIZUMAB, "medications": ("bevacizumab",)},
        {"earlier_medications": FOUR_DRUGS[1:]},
    ),
    Case(
        "order-immunotherapy-stage-three",
        {**NONE, "setting": "locally advanced", "orders": PEMBROLIZUMAB},
        {"setting": "advanced"},
    ),
    Case(
        "order-immunotherapy-resected",
        {**NONE, "setting": "resected", "orders": PEMBROLIZUMAB},
        {"ALK": "negative"},
    ),
    Case(
        "order-immunotherapy-alk-open",
        {**NONE, "ALK": "pending", "orders": PEMBROLIZUMAB},
        {"ALK": "negative"},
    ),
    Case(
        "order-immunotherapy-alk-unknown", {**SILENT, "orders": PEMBROLIZUMAB}, {"ALK": "negative"}
    ),
    Case(
        "order-immunotherapy-alk-inconclusive",
        {**NONE, "ALK": "inconclusive", "orders": PEMBROLIZUMAB},
        {"ALK": "negative"},
    ),
    Case("order-egfr-inhibitor", {**NONE, "orders": OSIMERTINIB}, {"ALK": "negative"}),
    Case(
        "order-egfr-inhibitor-wild-type",
        {**NONE, "EGFR_gene": "wild type", "orders": OSIMERTINIB},
        {"EGFR_gene": None},
    ),
    Case(
        "order-egfr-inhibitor-two-drivers",
        {**NONE, "EGFR_gene": "sensitising mutation", "orders": OSIMERTINIB},
        {"EGFR_gene": "wild type"},
    ),
    Case(
        "order-lung-disease",
        {**NONE, "interstitial_lung_disease": "present", "orders": ALECTINIB},
        {"interstitial_lung_disease": "absent"},
    ),
    Case(
        "order-lung-disease-same-drug",
        {**NONE, LUNG_BY_CRIZOTINIB: "present", "orders": CRIZOTINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-lung-disease-other-drug",
        {**NONE, LUNG_BY_CRIZOTINIB: "present", "orders": ALECTINIB},
        {"orders": CRIZOTINIB},
    ),
    Case(
        "order-lung-disease-other-drug",
        {**NONE, LUNG_BY_CRIZOTINIB: "present", "orders": NELADALKIB},
        {"interstitial_lung_disease": "present"},
    ),
    Case(
        "order-lung-disease-brigatinib",
        {**NONE, LUNG_BY_CRIZOTINIB: "present", "orders": BRIGATINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-lung-disease-cause-open",
        {"lines": HAD_ALECTINIB, LUNG_BY_A_DRUG: "present", "orders": ALECTINIB},
        {LUNG_BY_A_DRUG: None, LUNG_BY_CRIZOTINIB: "present"},
    ),
    Case(
        # A drug that was never taken caused nothing.
        "order-lung-disease-cause-open",
        {"lines": HAD_ALECTINIB, LUNG_BY_A_DRUG: "present", "orders": ALECTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-lung-disease-other-drug",
        {"lines": HAD_ALECTINIB, LUNG_BY_A_DRUG: "present", "orders": LORLATINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-slow-heart-symptoms-unknown",
        {**NONE, "heart_rate": "59", "bradycardia_symptoms": None, "orders": ALECTINIB},
        {"heart_rate": "60"},
    ),
    Case(
        "order-slow-heart-symptoms-unknown",
        {**NONE, "heart_rate": "59", "bradycardia_symptoms": None, "orders": CRIZOTINIB},
        {"bradycardia_symptoms": "absent"},
    ),
    Case(
        "order-long-qt-not-said",
        {**NONE, "long_QT": "present", "congenital_long_QT": None, "orders": CRIZOTINIB},
        {"congenital_long_QT": "present"},
    ),
    Case(
        "order-long-qt-crizotinib",
        {**NONE, "congenital_long_QT": "present", "orders": CRIZOTINIB},
        {"congenital_long_QT": None},
    ),
    Case(
        "order-long-qt-crizotinib",
        {**NONE, "congenital_long_QT": "present", "orders": CRIZOTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-not-preferred",
        {**NONE, "brain_metastases": "absent", "orders": CRIZOTINIB},
        {"lines": HAD_LORLATINIB},
    ),
    Case(
        "order-not-preferred-brain",
        {**NONE, "brain_metastases": "present", "orders": CERITINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-not-preferred-brain-unknown",
        {**NONE, "orders": CRIZOTINIB},
        {"brain_metastases": "absent"},
    ),
    Case(
        "order-chemotherapy-first-line", {**NONE, "orders": PEMETREXED}, {"lines": HAD_LORLATINIB}
    ),
    Case("order-not-approved", {**NONE, "orders": NELADALKIB}, {"orders": LORLATINIB}),
    Case("order-ensartinib-pretreated", {"lines": HAD_CRIZOTINIB, "orders": ENSARTINIB}, NONE),
    Case(
        "order-adjuvant-other-inhibitor",
        {**NONE, "setting": "resected", "orders": LORLATINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-abnormal-before-start",
        {**NONE, "ALT": "5.01", "orders": ALECTINIB},
        {"ALT": "5"},
    ),
    Case(
        "order-abnormal-before-start",
        # Another one is on hold for its reaction: the next one does not begin into it.
        {"lines": (treatment((200, "paused", FULL)),), "ALT": "5.01", "orders": LORLATINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-abnormal-before-start",
        {**NONE, "total_bilirubin": "3.01", "orders": ALECTINIB},
        {"total_bilirubin": "3"},
    ),
    Case(
        "order-adjuvant-beyond-two-years",
        {"setting": "resected", "earliest_treatment_start": 732, "orders": ALECTINIB},
        {"earliest_treatment_start": 730},
    ),
    Case(
        "order-adjuvant-small-tumour",
        {
            **NONE,
            "setting": "resected",
            "tumour_size": "3.9",
            "positive_lymph_nodes": "0",
            "orders": ALECTINIB,
        },
        {"tumour_size": "4"},
    ),
    Case(
        "order-adjuvant-small-tumour",
        {
            **NONE,
            "setting": "resected",
            "tumour_size": "3.9",
            "positive_lymph_nodes": "0",
            "orders": ALECTINIB,
        },
        {"positive_lymph_nodes": "1"},
    ),
    Case("order-above-label", {"orders": (order("alectinib", "601", 2),)}, {"orders": ALECTINIB}),
    Case("order-above-label", {"orders": (order("alectinib", "600", 3),)}, {"orders": ALECTINIB}),
    Case(
        "order-above-label",
        {"orders": (order("alectinib", "1200", 1),)},
        {"orders": (order("alectinib", "600", 1),)},
    ),
    Case("order-dose-unreadable", {"orders": (order("alectinib"),)}, {"orders": ALECTINIB}),
    Case(
        "order-dose-not-divided",
        {"orders": (of_the_day("alectinib", "1200"),)},
        {"orders": (of_the_day("alectinib", "1300"),)},
    ),
    Case(
        "order-dose-not-divided",
        {"orders": (of_the_day("alectinib", "900"),)},
        {"orders": (of_the_day("alectinib", "200"),)},
    ),
    Case(
        "order-dose-not-divided",
        {**NONE, "orders": (of_the_day("lorlatinib", "100"),)},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-above-label",
        {"orders": (of_the_day("alectinib", "1300"),)},
        {"orders": (of_the_day("alectinib", "1200"),)},
    ),
    Case(
        "order-off-ladder",
        {"orders": (of_the_day("alectinib", "200"),)},
        {"orders": (of_the_day("alectinib", "600"),)},
    ),
    Case(
        "order-not-approved-here",
        {
            "lines": (treatment((200, "ended", ("250", 2)), ingredient="crizotinib"),),
            "orders": (order("ensartinib", "225", 1),),
        },
        {"lines": ()},
    ),
    Case(
        "order-off-ladder",
        {"orders": (order("alectinib", "500", 2),)},
        {"orders": (order("alectinib", "450", 2),)},
    ),
    Case(
        "order-off-ladder",
        {"orders": (order("alectinib", "600", 1),)},
        {"orders": (order("alectinib", "900", 2),)},
    ),
    Case(
        "order-first-dose-elsewhere",
        {**NONE, "orders": (order("alectinib", "300", 2),)},
        {"orders": (order("alectinib", "300", 1),)},
    ),
    Case(
        "order-first-dose-elsewhere",
        {**NONE, "orders": (order("alectinib", "300", 2),)},
        {"lines": ON_ALECTINIB},
    ),
    Case(
        "order-first-dose-low",
        {**NONE, "orders": (order("alectinib", "450", 2),)},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-first-dose-low",
        {**NONE, "orders": (order("alectinib", "450", 2),)},
        {"lines": ON_ALECTINIB},
    ),
    Case(
        "order-first-dose-low",
        {**NONE, "orders": (order("alectinib", "450", 2),)},
        {"Child-Pugh_class": "C"},
    ),
    Case(
        "order-first-dose-low",
        {**NONE, "orders": (order("brigatinib", "60", 1),)},
        {"orders": (order("brigatinib", "90", 1),)},
    ),
    Case(
        "order-first-dose-low",
        {**NONE, "orders": (order("brigatinib", "60", 1),)},
        {"orders": (order("brigatinib", "120", 1),)},
    ),
    Case("order-alk-not-confirmed", {**SILENT, "orders": ALECTINIB}, {"ALK": "confirmed"}),
    Case("order-alk-not-confirmed", {**SILENT, "orders": CRIZOTINIB}, ROS1),
    Case(
        "order-alk-inconclusive",
        {**NONE, "ALK": "inconclusive", "orders": ALECTINIB},
        {"ALK": "confirmed"},
    ),
    Case("order-alk-inconclusive", {**NONE, "ALK": "inconclusive", "orders": CRIZOTINIB}, ROS1),
    Case(
        "order-alk-open",
        {**NONE, "ALK": "equivocal", **ROS1, "orders": ALECTINIB},
        {"orders": CRIZOTINIB},
    ),
    Case("order-alk-not-rearranged", {**NONE, "ALK": "negative", "orders": CRIZOTINIB}, ROS1),
    Case(
        "order-alk-not-rearranged",
        {**NONE, **ROS1, "ALK": "negative", "orders": ALECTINIB},
        {"orders": CRIZOTINIB},
    ),
    Case(
        "order-alk-not-rearranged",
        {**NONE, "ALK": "negative", "orders": CRIZOTINIB},
        {"cancers": ("ALK-positive lymphoma",)},
    ),
    Case(
        "order-crizotinib-ros1",
        {**NONE, **ROS1, "ALK": "negative", "orders": CRIZOTINIB},
        {"ROS1_gene": "wild type"},
    ),
    Case("order-crizotinib-ros1", {**SILENT, **ROS1, "orders": CRIZOTINIB}, {"ALK": "confirmed"}),
    Case(
        "order-crizotinib-lymphoma",
        {**NONE, "cancers": ("ALK-positive lymphoma",), "orders": CRIZOTINIB},
        {"orders": ALECTINIB},
    ),
    Case(
        "order-alk-open", {**NONE, "ALK": "equivocal", "orders": ALECTINIB}, {"lines": ON_ALECTINIB}
    ),
    Case(
        "order-alk-not-rearranged",
        {**NONE, "ALK": "negative", "orders": ALECTINIB},
        {"ALK": "confirmed"},
    ),
)

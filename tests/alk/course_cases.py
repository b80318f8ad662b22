"""Cases for the course of the disease: progression, resistance, later lines, switches of drug.

`Case(row, facts, near)` as in `order_cases`.
"""

from __future__ import annotations

from cds_service.knowledge.table_files import Row
from tests.alk.order_cases import (
    ALECTINIB,
    CRIZOTINIB,
    LORLATINIB,
    NONE,
    PEMETREXED,
    Case,
)
from tests.alk.patients import knowledge, order, treatment

FAILED = "ALK_inhibitors_stopped_for_progression"
UNTOLERATED = "ALK_inhibitors_stopped_for_toxicity"
FINISHED = "ALK_inhibitors_stopped_for_another_reason"
FINDINGS = "ALK_mutation_findings"
OTHER = "other_resistance_findings"


def had(*drugs: str, now: str | None = None, ago: int = 400) -> dict[str, object]:
    """Drugs that ended, and maybe one that is running."""
    lines = [treatment((ago, "ended", ("100", 1)), ingredient=drug) for drug in drugs]
    if now is not None:
        lines.append(treatment((170, "active", ("100", 1)), ingredient=now))
    return {"lines": tuple(lines)}


def on(drug: str, pattern: str | None = None, **more: object) -> dict[str, object]:
    """The disease progresses on a drug."""
    said: dict[str, object] = {**had(now=drug), "disease_status": "worse", **more}
    return said if pattern is None else {**said, "progression_pattern": pattern}


def found(*findings: str, drug: str = "alectinib") -> dict[str, object]:
    """A finding in the tumour of a patient on a drug."""
    return {**had(now=drug), FINDINGS: findings}


BETTER = {"disease_status": "improved"}
LIMITED = on("alectinib", "limited", progressing_sites="3", progressing_sites_ablatable="present")
AFTER_CRIZOTINIB = {**had("crizotinib"), FAILED: ("crizotinib",)}
AFTER_ALECTINIB = {**had("alectinib"), FAILED: ("alectinib",)}
AFTER_LORLATINIB = {**had("lorlatinib"), FAILED: ("lorlatinib",)}
USED_UP = {
    **had("alectinib", "lorlatinib"),
    FAILED: ("alectinib", "lorlatinib"),
    "ECOG_performance_status": "1",
}
IN_A_TRIAL = {
    **had("lorlatinib", now="neladalkib"),
    "disease_status": "worse",
    "progression_pattern": "systemic",
}
"""On a drug that is known by name only."""

FIT = {"ECOG_performance_status": "1"}
SIGNS = {**had(now="alectinib"), "signs_of_progression": ("new metastasis", "new brain metastasis")}
MENINGES = {"leptomeningeal_metastases": "present"}
SWITCHED = {
    **had("alectinib", now="lorlatinib"),
    FAILED: ("alectinib",),
    "treatment_start": 20,
}
ADJUVANT = {**had("alectinib"), FINISHED: ("alectinib",), "resection": 900}
I1171_PAIR = "I1171N + L1196M"

PROGRESSION = (
    Case("progression-phase-unknown", found("several mutations of unknown phase"), BETTER),
    Case(
        "progression-phase-unknown",
        found("several mutations of unknown phase"),
        {FINDINGS: ("G1202R",)},
    ),
    Case(
        "progression-compound-no-approved-drug",
        found("L1196M + G1202R", drug="lorlatinib"),
        {FINDINGS: ("G1202R", "L1196M")},
    ),
    Case(
        "progression-compound-e1210k",
        found("D1203N + E1210K"),
        had("lorlatinib", now="alectinib"),
    ),
    Case("progression-compound-board", found("C1156Y + G1269A"), {FINDINGS: ("G1269A",)}),
    Case("progression-compound-board", found(I1171_PAIR), {FINDINGS: ("I1171N",)}),
    Case(
        "progression-crizotinib-again",
        {
            **found("C1156Y + L1198F", drug="lorlatinib"),
            "brain_metastases": "absent",
            "leptomeningeal_metastases": "absent",
        },
        {"brain_metastases": "present"},
    ),
    Case(
        "progression-crizotinib-again-brain",
        found("C1156Y + L1198F", drug="lorlatinib"),
        {"brain_metastases": "absent", "leptomeningeal_metastases": "absent"},
    ),
    Case("progression-g1202r", found("G1202R"), had("lorlatinib", now="alectinib")),
    Case("progression-g1202r", found("G1202R"), {FINDINGS: ("L1196M + G1202R",)}),
    Case("progression-i1171-v1180", found("I1171N"), had("crizotinib", now="ensartinib")),
    Case("progression-i1171-v1180", found("V1180L"), had("alectinib", now="brigatinib")),
    Case("progression-f1174", {**AFTER_CRIZOTINIB, FINDINGS: ("F1174L",)}, {FINDINGS: ("F1245C",)}),
    Case("progression-f1174", found("F1174V", drug="ceritinib"), BETTER),
    Case(
        "progression-small-cell",
        {**had(now="lorlatinib"), OTHER: ("small cell transformation",)},
        {OTHER: ("squamous transformation",)},
    ),
    Case(
        "progression-squamous",
        {**had(now="lorlatinib"), OTHER: ("squamous transformation",)},
        {OTHER: ()},
    ),
    Case(
        "progression-met", {**had(now="lorlatinib"), OTHER: ("MET amplification",)}, {OTHER: None}
    ),
    Case("progression-egfr", {**had(now="alectinib"), OTHER: ("EGFR mutation",)}, {"lines": ()}),
    Case("progression-bypass", {**had(now="alectinib"), OTHER: ("NF2 loss",)}, BETTER),
    Case(
        "progression-suppressor-loss", {**had(now="alectinib"), OTHER: ("RB1 loss",)}, {OTHER: ()}
    ),
    Case(
        "progression-fusion-lost",
        {**had(now="alectinib"), OTHER: ("ALK fusion lost",)},
        {OTHER: ()},
    ),
    Case("progression-reason-missing", had("alectinib"), AFTER_ALECTINIB),
    Case("progression-reason-missing", had("alectinib"), {UNTOLERATED: ("alectinib",)}),
    Case("progression-pattern-missing", on("alectinib"), {"progression_pattern": "slow"}),
    Case("progression-pattern-missing", on("alectinib"), {"disease_status": [(85, "worse")]}),
    Case(
        "progression-early",
        {**on("alectinib"), "treatment_start": 56},
        {"treatment_start": 57},
    ),
    Case("progression-signs", SIGNS, {"signs_of_progression": ()}),
    Case("progression-signs", SIGNS, {"disease_status": "worse"}),
    Case("progression-signs", SIGNS, {"progression_pattern": "brain only"}),
    Case(
        "progression-signs",
        {**had(now="alectinib"), "signs_of_progression": ("metastasis suspected",)},
        {"lines": ()},
    ),
    Case(
        "progression-radiation-necrosis",
        {**SIGNS, "radiation_necrosis_of_the_brain": "present"},
        {"signs_of_progression": ("report of progression",)},
    ),
    Case(
        "progression-radiation-necrosis",
        {**on("alectinib"), "radiation_necrosis_of_the_brain": "present"},
        {"disease_status": "stable"},
    ),
    Case(
        "progression-radiation-necrosis",
        {**on("alectinib"), "suspected_radiation_necrosis_of_the_brain": "present"},
        {"suspected_radiation_necrosis_of_the_brain": "absent"},
    ),
    Case(
        "progression-pseudo",
        {**on("alectinib"), "pseudo-progression": "present"},
        {"pseudo-progression": "absent"},
    ),
    Case(
        "progression-pseudo",
        {**SIGNS, "suspected_pseudo-progression": "present"},
        {"signs_of_progression": ()},
    ),
    Case(
        "progression-renal-cyst",
        {**on("crizotinib"), "renal_cyst": "present"},
        {"renal_cyst": "absent"},
    ),
    Case(
        "progression-leptomeningeal",
        {**had(now="lorlatinib"), **MENINGES},
        {"spine_imaging": 30, "CSF_examination": 20},
    ),
    Case(
        "progression-leptomeningeal",
        {**had(now="lorlatinib"), **MENINGES, "spine_imaging": 30},
        {"leptomeningeal_metastases": "absent"},
    ),
    Case("progression-switched", SWITCHED, {FINDINGS: ("none detected",)}),
    Case("progression-switched", SWITCHED, {"treatment_start": 31}),
    Case("progression-profile", SIGNS, {"signs_of_progression": ()}),
    Case(
        "progression-slow",
        {**SIGNS, "progression_pattern": "slow"},
        {"signs_of_progression": ()},
    ),
    Case(
        "progression-slow",
        {**on("alectinib", "slow"), FINDINGS: ("L1196M",)},
        {FINDINGS: ("G1202R",)},
    ),
    Case(
        "progression-slow",
        on("alectinib", "slow"),
        {"drug-induced_interstitial_lung_disease": "present"},
    ),
    Case("progression-limited", LIMITED, {FINDINGS: ("G1202R",)}),
    Case("progression-limited-leave", {**LIMITED, FINDINGS: ("G1202R",)}, {FINDINGS: ("L1196M",)}),
    Case(
        "progression-brain",
        on("alectinib", "brain only"),
        {"ALT": "6.2"},
    ),
    Case(
        "progression-brain-leave",
        {**on("alectinib", "brain only"), "ALT": "6.2"},
        {"ALT": "0.8"},
    ),
    Case("progression-her2", {**had(now="alectinib"), OTHER: ("HER2 amplification",)}, {OTHER: ()}),
    Case(
        "progression-copies-open",
        {**had(now="alectinib"), OTHER: ("copy number without interpretation",)},
        {OTHER: ("MET amplification",)},
    ),
    Case("progression-profile", on("alectinib"), {FINDINGS: ("none detected",)}),
    Case("progression-profile", on("lorlatinib"), had(now="crizotinib")),
    Case("progression-slow", on("alectinib", "slow"), {"disease_status": "stable"}),
    Case("progression-limited", LIMITED, {"progressing_sites": "4"}),
    Case("progression-limited", LIMITED, {"progressing_sites_ablatable": "absent"}),
    Case(
        "progression-limited-four-or-five",
        {**LIMITED, "progressing_sites": "5"},
        {"progressing_sites": "6"},
    ),
    Case(
        "progression-limited-four-or-five",
        {**LIMITED, "progressing_sites": "4"},
        {"progressing_sites": "3"},
    ),
    Case(
        "progression-limited-details",
        {**LIMITED, "progressing_sites": None},
        {"progressing_sites": "3"},
    ),
    Case("progression-brain", on("alectinib", "brain only"), {"progression_pattern": "systemic"}),
    Case(
        "progression-brain-after-lorlatinib",
        on("lorlatinib", "brain only"),
        had(now="alectinib"),
    ),
    Case(
        "progression-whole-brain-radiotherapy",
        {"ordered_procedures": ("whole brain radiotherapy",)},
        had("lorlatinib", now="alectinib"),
    ),
    Case("progression-after-crizotinib", AFTER_CRIZOTINIB, {FAILED: ()}),
    Case("progression-after-crizotinib", on("crizotinib", "systemic"), BETTER),
    Case("progression-after-second-generation", on("alectinib", "systemic"), BETTER),
    Case("progression-after-second-generation", AFTER_ALECTINIB, {FAILED: ()}),
    Case(
        "progression-after-second-generation",
        {**LIMITED, "progressing_sites_ablatable": "absent"},
        {"progressing_sites_ablatable": "present"},
    ),
    Case(
        "progression-after-second-generation",
        {**LIMITED, "progressing_sites": "6"},
        {"progressing_sites": "5"},
    ),
    Case("progression-after-lorlatinib", AFTER_LORLATINIB, {FAILED: ()}),
    Case("progression-after-lorlatinib", on("lorlatinib", "systemic"), USED_UP),
    Case("progression-after-lorlatinib", IN_A_TRIAL, {"progression_pattern": "slow"}),
    Case("progression-profile", IN_A_TRIAL, {FINDINGS: ("none detected",)}),
    Case(
        "later-platinum-pemetrexed",
        {**IN_A_TRIAL, **had("alectinib", "lorlatinib", now="neladalkib"), **FIT},
        {"earlier_medications": ("pemetrexed",)},
    ),
    Case(
        "progression-not-tolerated",
        {**had("alectinib"), UNTOLERATED: ("alectinib",)},
        {"disease_status": "worse"},
    ),
    Case("progression-after-adjuvant", {**ADJUVANT, "dose_taken": 184}, {"dose_taken": 180}),
    Case("progression-soon-after-adjuvant", ADJUVANT, {"dose_taken": 184}),
    Case(
        "progression-shortly-after-adjuvant",
        {**ADJUVANT, "dose_taken": 180},
        {"dose_taken": 184},
    ),
    Case("later-platinum-pemetrexed", USED_UP, {"ECOG_performance_status": "3"}),
    Case("later-platinum-pemetrexed", USED_UP, {"earlier_medications": ("pemetrexed",)}),
    Case("later-squamous", {**USED_UP, "histology": "squamous"}, {"histology": "adenocarcinoma"}),
    Case(
        "later-poor-performance",
        {**USED_UP, "ECOG_performance_status": "3"},
        {"ECOG_performance_status": "2"},
    ),
    Case(
        "later-performance-missing",
        {**USED_UP, "ECOG_performance_status": None},
        {"ECOG_performance_status": "2"},
    ),
    Case(
        "later-immunotherapy-combination",
        {**USED_UP, "earlier_medications": ("pemetrexed",)},
        {"ECOG_performance_status": "2"},
    ),
    Case(
        "later-immunotherapy-combination",
        {**USED_UP, "earlier_medications": ("pemetrexed",)},
        {"earlier_medications": ("pemetrexed", "immune checkpoint inhibitor")},
    ),
)

BRIGATINIB = (order("brigatinib", "180", 1),)
SWITCH = {**AFTER_ALECTINIB, "orders": BRIGATINIB}
ORDERS = (
    Case(
        "order-switch-without-profile",
        {**SWITCH, "progression_pattern": "systemic"},
        {"progression_pattern": "brain only"},
    ),
    Case(
        "order-switch-without-profile",
        {**SWITCH, "progression_pattern": "slow"},
        {FINDINGS: ("I1171N",)},
    ),
    Case("order-switch-pattern-unknown", SWITCH, {"progression_pattern": "visceral crisis"}),
    Case(
        "order-chemotherapy-before-lorlatinib",
        {**AFTER_ALECTINIB, "orders": PEMETREXED, OTHER: ()},
        {OTHER: ("small cell transformation",)},
    ),
    Case(
        "order-chemotherapy-before-lorlatinib-profile-open",
        {**AFTER_ALECTINIB, "orders": PEMETREXED},
        {OTHER: ()},
    ),
    Case(
        "order-chemotherapy-after-intolerance",
        {**had("alectinib"), UNTOLERATED: ("alectinib",), "orders": PEMETREXED},
        {"disease_status": "worse"},
    ),
    Case(
        "order-chemotherapy-no-progression",
        {**had(now="lorlatinib"), "orders": PEMETREXED},
        {"disease_status": "worse"},
    ),
    Case(
        "order-chemotherapy-end-unexplained",
        {**had("alectinib"), "orders": PEMETREXED},
        {FAILED: ("alectinib",)},
    ),
    Case(
        "order-chemotherapy-inhibitors-left",
        {**AFTER_CRIZOTINIB, "orders": PEMETREXED},
        had("crizotinib", "lorlatinib"),
    ),
    Case(
        "order-chemotherapy-resected",
        {**NONE, "setting": "resected", "tumour_size": "4", "orders": PEMETREXED},
        {"tumour_size": "3.9"},
    ),
    Case(
        "order-lead-in-skipped",
        {**NONE, "orders": (order("brigatinib", "180", 1),)},
        {"orders": (order("brigatinib", "90", 1),)},
    ),
    Case(
        "order-lead-in-undecided",
        {
            "lines": (treatment((None, "ended", ("180", 1)), ingredient="brigatinib"),),
            "orders": (order("brigatinib", "180", 1),),
        },
        {"lines": ()},
    ),
    Case(
        "order-lorlatinib-mind",
        {**NONE, "psychiatric_disorder": "present", "orders": LORLATINIB},
        {"psychiatric_disorder": "absent"},
    ),
    Case(
        "order-lorlatinib-mind",
        {**NONE, "seizures": "present", "orders": LORLATINIB},
        {"seizures": "absent"},
    ),
    Case(
        "order-lorlatinib-block",
        {
            **NONE,
            "atrioventricular_block_of_second_degree": "present",
            "pacemaker": "absent",
            "orders": LORLATINIB,
        },
        {"pacemaker": "present"},
    ),
    Case(
        "order-lorlatinib-block-pacemaker-unknown",
        {**NONE, "complete_atrioventricular_block": "present", "orders": LORLATINIB},
        {"pacemaker": "present"},
    ),
    Case(
        "order-crizotinib-after-immunotherapy",
        {**NONE, "checkpoint_inhibitor": 90, "orders": CRIZOTINIB},
        {"checkpoint_inhibitor": 91},
    ),
    Case(
        "order-crizotinib-immunotherapy-day-missing",
        {
            **NONE,
            "medications_of_unknown_end": ("immune checkpoint inhibitor",),
            "orders": CRIZOTINIB,
        },
        {"medications_of_unknown_end": ()},
    ),
    Case(
        "order-inhibitor-after-immunotherapy",
        {**NONE, "checkpoint_inhibitor": 90, "orders": ALECTINIB},
        {"checkpoint_inhibitor": 91},
    ),
    Case(
        "order-fasting",
        {**NONE, "orders": ALECTINIB, "ordered_food": "fasting"},
        {"ordered_food": "with food"},
    ),
    Case(
        "order-crushed",
        {**NONE, "orders": LORLATINIB, "ordered_crushed_or_opened": "present"},
        {"ordered_crushed_or_opened": "absent"},
    ),
)

GATES = (
    Case(
        "gate-negative-dna-only",
        {**NONE, "ALK": "negative", "ALK_assay": "DNA sequencing"},
        {"ALK_assay": "RNA sequencing"},
    ),
    Case(
        "gate-partner-dna-only",
        {**NONE, "ALK_assay": "DNA sequencing", "ALK_fusion_partner": "other partner"},
        {"ALK_fusion_partner": "EML4"},
    ),
    Case(
        "gate-two-drivers",
        {**NONE, "EGFR_gene": "sensitising mutation"},
        {"EGFR_gene": "wild type"},
    ),
    Case(
        "gate-two-current-inhibitors",
        {"lines": (*had(now="alectinib")["lines"], *had(now="lorlatinib")["lines"])},  # type: ignore[misc]
        had(now="alectinib"),
    ),
    Case(
        "gate-during-chemotherapy", {**NONE, "medications": ("chemotherapy",)}, {"medications": ()}
    ),
    Case("gate-squamous", {**NONE, "histology": "squamous"}, {"histology": "adenocarcinoma"}),
)

PRESSED = {**NONE, "systolic_blood_pressure": "160"}
MODIFIERS = (
    Case(
        "modifier-variant-three-lorlatinib",
        {**NONE, "ALK_fusion_variant": "variant 3"},
        {"ALK_fusion_variant": "variant 1"},
    ),
    Case(
        "modifier-variant-three-lorlatinib",
        {**NONE, "TP53_gene": "mutated"},
        {"TP53_gene": "wild type"},
    ),
    Case("modifier-lipids-lorlatinib", {**NONE, "triglycerides": "501"}, {"triglycerides": "500"}),
    Case(
        "modifier-lipids-lorlatinib",
        {**NONE, "total_cholesterol": "401"},
        {"total_cholesterol": "400"},
    ),
    Case("modifier-pressure-lorlatinib", PRESSED, {"systolic_blood_pressure": "159"}),
    Case(
        "modifier-pressure-brigatinib",
        {**NONE, "diastolic_blood_pressure": "100"},
        {"diastolic_blood_pressure": "99"},
    ),
    Case(
        "modifier-slow-heart-lorlatinib",
        {**NONE, "heart_rate": "59", "bradycardia_symptoms": "present"},
        {"heart_rate": "60"},
    ),
    Case(
        "modifier-inducer-alectinib",
        {**NONE, "medications": ("strong CYP3A inducer",)},
        {"medications": ()},
    ),
    Case(
        "modifier-pretreated-ensartinib",
        {**had("alectinib"), UNTOLERATED: ("alectinib",)},
        {"lines": ()},
    ),
    Case("modifier-seizures-lorlatinib", {**NONE, "seizures": "present"}, {"seizures": "absent"}),
)


def _resistance_case(row: Row) -> Case:
    """The first finding that a row is about, in a patient who has nothing else."""
    finding = row.text("when").split('"')[1]
    return Case(row.identifier, {**had(now="alectinib"), FINDINGS: (finding,)}, {FINDINGS: ()})


RESISTANCE = tuple(_resistance_case(row) for row in knowledge().tables["resistance"])

COURSE = (*PROGRESSION, *ORDERS, *GATES, *MODIFIERS, *RESISTANCE)

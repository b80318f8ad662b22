"""Cases in which a finding or the histology silences a row that would contradict another card.

After a transformation no pemetrexed and no change of drug alone; with a compound mutation no
default that the compound resists. `Case(row, facts, near)` as in `order_cases`.
"""

from __future__ import annotations

from tests.alk.course_cases import (
    AFTER_CRIZOTINIB,
    AFTER_LORLATINIB,
    FAILED,
    FINDINGS,
    I1171_PAIR,
    LIMITED,
    OTHER,
    USED_UP,
    had,
    on,
)
from tests.alk.order_cases import NONE, Case

TRANSFORMED = {OTHER: ("small cell transformation",)}
SQUAMOUS = {OTHER: ("squamous transformation",)}
SMALL_CELL = {"histology": "small cell"}
SYSTEMIC = {**on("alectinib", "systemic"), FINDINGS: ("none detected",)}
COMPOUNDS = (
    "C1156Y + L1198F",
    "L1196M + G1202R",
    "F1174L + G1202R",
    "L1196M + D1203N",
    "C1156Y + G1269A",
    I1171_PAIR,
)
PRETREATED = {**USED_UP, "earlier_medications": ("pemetrexed",)}

COURSE = (
    *(
        Case("progression-after-second-generation", SYSTEMIC, near)
        for near in (TRANSFORMED, SQUAMOUS, SMALL_CELL, *({FINDINGS: (it,)} for it in COMPOUNDS))
    ),
    Case("progression-after-crizotinib", AFTER_CRIZOTINIB, TRANSFORMED),
    Case("progression-after-crizotinib", AFTER_CRIZOTINIB, {FINDINGS: ("C1156Y + G1269A",)}),
    Case("progression-brain", on("alectinib", "brain only"), {FINDINGS: ("L1196M + G1202R",)}),
    Case("progression-after-lorlatinib", AFTER_LORLATINIB, TRANSFORMED),
    Case("progression-after-lorlatinib", AFTER_LORLATINIB, SMALL_CELL),
    Case("progression-after-lorlatinib", AFTER_LORLATINIB, {FINDINGS: ("C1156Y + L1198F",)}),
    Case(
        "progression-after-lorlatinib",
        {**LIMITED, **had(now="lorlatinib"), "progressing_sites": "4"},
        {"progressing_sites": "3"},
    ),
    Case(
        "progression-small-cell",
        {**had(now="lorlatinib"), **SMALL_CELL},
        {"histology": "adenocarcinoma"},
    ),
    Case(
        "progression-suppressor-loss",
        {**had(now="alectinib"), OTHER: ("RB1 loss",)},
        {OTHER: ("RB1 loss", "small cell transformation")},
    ),
    Case("later-platinum-pemetrexed", USED_UP, SMALL_CELL),
    Case("later-platinum-pemetrexed", USED_UP, TRANSFORMED),
    Case("later-immunotherapy-combination", PRETREATED, TRANSFORMED),
)

FRAIL = {**NONE, "age": "75", "ECOG_performance_status": "2"}
CHOICE = (
    Case(
        "gate-poor-performance",
        {**NONE, "ECOG_performance_status": "3"},
        {"ECOG_performance_status": "2"},
    ),
    Case(
        "gate-poor-performance",
        {**NONE, "ECOG_performance_status": "4"},
        {**had("alectinib"), FAILED: ("alectinib",)},
    ),
    Case("modifier-age-alectinib", {**NONE, "age": "75"}, {"age": "74"}),
    Case("modifier-frail-lorlatinib", FRAIL, {"age": "74"}),
    Case("modifier-frail-lorlatinib", FRAIL, {"ECOG_performance_status": "1"}),
    Case("modifier-frail-lorlatinib", FRAIL, {"ECOG_performance_status": None}),
    Case(
        "modifier-substrates-alectinib",
        {**NONE, "medications": ("sensitive CYP3A substrate",)},
        {"medications": ("CYP2C9 substrate",)},
    ),
    Case(
        "modifier-substrates-alectinib",
        {**NONE, "medications": ("narrow CYP3A substrate",)},
        {"medications": ()},
    ),
    Case(
        "modifier-anticoagulant-alectinib",
        {**NONE, "medications": ("anticoagulant",)},
        {"medications": ()},
    ),
)

SILENCED = (*COURSE, *CHOICE)

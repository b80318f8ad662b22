"""Cases of the orders in force: a chart that is looked at, with nothing being ordered."""

from __future__ import annotations

from tests.alk.order_cases import HAD_LORLATINIB, INTOLERANCES, LIVER_HOLDS, Case
from tests.alk.patients import FULL, LOWER, treatment

HIGHEST = treatment((170, "active", ("900", 2)))
ODD = treatment((170, "active", ("550", 2)))
LOW = treatment((170, "active", LOWER))
UNREAD = treatment((170, "active", (None, None)))
ON_CRIZOTINIB = (treatment((170, "active", ("250", 2)), ingredient="crizotinib"),)
ON_CERITINIB = (treatment((170, "active", ("450", 1)), ingredient="ceritinib"),)
CHECKPOINT = ("immune checkpoint inhibitor",)
DECOMPENSATED = {"cirrhosis": "present", "ascites": "present"}
LOWERED = treatment((170, "ended", FULL), (60, "active", LOWER))

IN_FORCE = (
    Case(
        "force-above-label", {"lines": (HIGHEST,)}, {"lines": (treatment((170, "active", FULL)),)}
    ),
    Case(
        "force-above-label",
        # Two orders of which nobody wrote down the day.
        {"lines": (treatment((None, "active", ("900", 2)), (None, "active", ("900", 2))),)},
        {"lines": (treatment((None, "active", FULL), (None, "active", FULL)),)},
    ),
    Case(
        "force-runs-at-odds",
        {"running_orders_at_odds": ("alectinib",)},
        {"running_orders_at_odds": ("lorlatinib",)},
    ),
    Case("force-off-ladder", {"lines": (ODD,)}, {"lines": (LOW,)}),
    Case("force-dose-unreadable", {"lines": (UNREAD,)}, {"lines": (LOW,)}),
    Case(
        "force-long-qt",
        {"lines": ON_CRIZOTINIB, "congenital_long_QT": "present"},
        {"congenital_long_QT": "absent"},
    ),
    Case(
        "force-long-qt",
        {"lines": ON_CERITINIB, "congenital_long_QT": "present"},
        {"lines": (LOW,)},
    ),
    Case("force-liver-class-missing", DECOMPENSATED, {"Child-Pugh_class": "C"}),
    Case("force-liver-class-missing", DECOMPENSATED, {"ascites": "absent"}),
    Case("force-first-dose-low", {"lines": (LOW,)}, {"lines": (LOWERED,)}),
    Case("force-first-dose-low", {"lines": (LOW,)}, {"running_orders_at_odds": ("alectinib",)}),
    Case(
        "force-intolerance-unexplained",
        {INTOLERANCES: ("alectinib without a reaction",)},
        {INTOLERANCES: ("lorlatinib without a reaction",)},
    ),
    Case(
        "force-intolerance-explained",
        {INTOLERANCES: ("alectinib",)},
        {INTOLERANCES: ("alectinib without a reaction",)},
    ),
    Case("force-intolerance-explained", {INTOLERANCES: ("alectinib",)}, LIVER_HOLDS),
    Case(
        "force-immunotherapy",
        {"medications": ("immune checkpoint inhibitor",)},
        {"medications": ("chemotherapy",)},
    ),
    Case(
        "force-immunotherapy",
        {"medications": ("immune checkpoint inhibitor",)},
        {"ALK": "negative"},
    ),
    Case(
        "force-immunotherapy",
        {"lines": HAD_LORLATINIB, "medications": ("atezolizumab", "immune checkpoint inhibitor")},
        {"medications": ("atezolizumab", "immune checkpoint inhibitor", "bevacizumab")},
    ),
    Case(
        "force-immunotherapy-stage-three",
        {"lines": (), "medications": CHECKPOINT, "setting": "locally advanced"},
        {"medications": ("chemotherapy",)},
    ),
    Case(
        "force-immunotherapy-stage-three",
        {"lines": (), "medications": CHECKPOINT, "setting": "locally advanced"},
        {"ALK": "negative"},
    ),
    Case(
        "force-immunotherapy-resected",
        {"lines": (), "medications": CHECKPOINT, "setting": "resected"},
        {"ALK": "negative"},
    ),
    Case(
        "force-immunotherapy-resected",
        {"lines": (), "medications": CHECKPOINT, "setting": "early"},
        {"setting": "locally advanced"},
    ),
    Case(
        "force-immunotherapy-alk-open",
        {"lines": (), "medications": CHECKPOINT, "ALK": "pending"},
        {"ALK": "negative"},
    ),
    Case(
        "force-immunotherapy-alk-open",
        {"lines": (), "medications": CHECKPOINT, "ALK": "equivocal"},
        {"medications": ("chemotherapy",)},
    ),
    Case("force-egfr-inhibitor", {"medications": ("EGFR inhibitor",)}, {"ALK": "negative"}),
    Case(
        "force-egfr-inhibitor",
        {"medications": ("EGFR inhibitor",), "EGFR_gene": "wild type"},
        {"EGFR_gene": "sensitising mutation"},
    ),
    Case(
        "force-adjuvant-beyond-two-years",
        {"setting": "resected", "earliest_treatment_start": 732},
        {"earliest_treatment_start": 730},
    ),
)

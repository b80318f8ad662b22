"""Cases of the course as a whole: drugs taken up again, states that no other table answers."""

from __future__ import annotations

from tests.alk.course_cases import FAILED, FINDINGS, FINISHED, UNTOLERATED, had
from tests.alk.order_cases import (
    ALECTINIB,
    CRIZOTINIB,
    ENSARTINIB,
    LORLATINIB,
    NONE,
    OSIMERTINIB,
    PEMBROLIZUMAB,
    Case,
)
from tests.alk.patients import treatment

RESECTED = {"setting": "resected", "resection": 400, "tumour_size": "5"}
AFTER_TWO = {**had("crizotinib"), FAILED: ("crizotinib",)}
BLOCK = {"atrioventricular_block_of_second_degree": "present"}


def ended(*drugs: str) -> dict[str, object]:
    """Drugs that ended one after the other, the last of them 100 days ago."""
    ago = 100 * len(drugs)
    lines = []
    for drug in drugs:
        lines.append(treatment((ago, "ended", ("100", 1)), ingredient=drug))
        ago -= 100
    return {"lines": tuple(lines)}


STATES = (
    Case(
        "order-not-tolerated-again",
        {**ended("alectinib"), UNTOLERATED: ("alectinib",), "orders": ALECTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-failed-again",
        {**ended("alectinib"), FAILED: ("alectinib",), "orders": ALECTINIB},
        {"orders": LORLATINIB},
    ),
    Case(
        "order-failed-again",
        {**ended("crizotinib"), FAILED: ("crizotinib",), "orders": CRIZOTINIB},
        {FINDINGS: ("C1156Y + L1198F",)},
    ),
    Case(
        "order-unexplained-again",
        {**ended("alectinib"), "dose_taken": 31, "orders": ALECTINIB},
        {"dose_taken": 30},
    ),
    Case(
        "order-inhibitor-not-advanced",
        {**NONE, "setting": "locally advanced", "orders": ALECTINIB},
        {"setting": "advanced"},
    ),
    Case("order-ensartinib-pretreated", {"orders": ENSARTINIB}, had(now="ensartinib")),
    Case(
        "order-switch-without-profile",
        {**ended("crizotinib"), FAILED: ("lorlatinib",), "orders": ALECTINIB,
         "progression_pattern": "slow"},
        had(now="alectinib"),
    ),
    Case(
        "order-lorlatinib-mind-later",
        {**ended("alectinib"), "psychiatric_disorder": "present", "orders": LORLATINIB},
        ended("crizotinib"),
    ),
    Case(
        "order-lorlatinib-mind",
        {**ended("crizotinib"), "psychiatric_disorder": "present", "orders": LORLATINIB},
        ended("alectinib"),
    ),
    Case(
        "order-lorlatinib-block-later",
        {**ended("alectinib"), **BLOCK, "orders": LORLATINIB},
        {"pacemaker": "present"},
    ),
    *(
        Case(row, {"medications": (drug,)}, {"only_other_cancers_recorded": "present"})
        for row, drug in (
            ("force-immunotherapy", "immune checkpoint inhibitor"),
            ("force-egfr-inhibitor", "EGFR inhibitor"),
        )
    ),
    *(
        Case(
            row,
            {**NONE, "orders": orders, **more},
            {"only_other_cancers_recorded": "present"},
        )
        for row, orders, more in (
            ("order-immunotherapy-alk-positive", PEMBROLIZUMAB, {}),
            ("order-egfr-inhibitor", OSIMERTINIB, {}),
            ("order-egfr-inhibitor-wild-type", OSIMERTINIB, {"EGFR_gene": "wild type"}),
        )
    ),
    Case("force-inhibitor-not-advanced", {"setting": "locally advanced"}, {"setting": "advanced"}),
    Case(
        "force-adjuvant-other-inhibitor",
        {**had(now="lorlatinib"), "setting": "resected"},
        had(now="alectinib"),
    ),
    Case(
        "progression-reason-missing",
        {**ended("crizotinib", "alectinib"), FAILED: ("crizotinib",)},
        {FAILED: ("alectinib",)},
    ),
    Case(
        "progression-later-not-tolerated",
        {
            **ended("crizotinib", "alectinib"),
            FAILED: ("crizotinib",),
            UNTOLERATED: ("alectinib",),
        },
        {FAILED: ("crizotinib", "alectinib")},
    ),
    Case(
        "progression-last-not-tolerated",
        {
            **ended("alectinib", "lorlatinib"),
            FAILED: ("alectinib",),
            UNTOLERATED: ("lorlatinib",),
        },
        {UNTOLERATED: (), FINISHED: ("lorlatinib",)},
    ),
    Case(
        "adjuvant-after-inhibitor",
        {**ended("alectinib"), **RESECTED, "resection": 60},
        NONE,
    ),
    Case(
        "course-progressing",
        {
            **had("alectinib", now="crizotinib"),
            UNTOLERATED: ("alectinib",),
            "disease_status": "worse",
            "progression_pattern": "systemic",
        },
        {"disease_status": "stable"},
    ),
    Case(
        "course-paused-progressing",
        {
            "lines": (treatment((100, "paused", ("600", 2))),),
            "disease_status": "worse",
        },
        {"disease_status": "stable"},
    ),
    Case(
        "course-paused-unexplained",
        {"lines": (treatment((100, "paused", ("600", 2))),)},
        {"ALT": "6.2"},
    ),
    Case(
        "course-paused-unexplained",
        {"lines": (treatment((100, "paused", ("600", 2))),), **RESECTED},
        {"lines": (treatment((100, "active", ("600", 2))),)},
    ),
    Case(
        "order-on-hold-again",
        {"lines": (treatment((100, "paused", ("600", 2))),), "orders": ALECTINIB},
        {"ALT": "6.2"},
    ),
    Case(
        "order-on-hold-again",
        {"lines": (treatment((100, "paused", ("600", 2))),), "orders": ALECTINIB},
        {"lines": (treatment((100, "active", ("600", 2))),)},
    ),
    Case(
        "course-relapse-unrecorded",
        {**ended("alectinib"), **RESECTED, FAILED: ("alectinib",)},
        {FAILED: (), FINISHED: ("alectinib",)},
    ),
    Case(
        "course-worse-not-advanced",
        {**NONE, "setting": "locally advanced", "disease_status": "worse"},
        {"disease_status": "stable"},
    ),
    Case(
        "course-adjuvant-ended-early",
        {**ended("alectinib"), **RESECTED, UNTOLERATED: ("alectinib",)},
        {UNTOLERATED: (), FINISHED: ("alectinib",)},
    ),
    Case(
        "course-not-advanced-ended",
        {**ended("alectinib"), "setting": "locally advanced"},
        NONE,
    ),
    Case(
        "course-ended",
        {**ended("lorlatinib"), FINISHED: ("lorlatinib",)},
        {"medications": ("chemotherapy",)},
    ),
)  # fmt: skip

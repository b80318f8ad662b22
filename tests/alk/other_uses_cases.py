"""Crizotinib for something else than ALK-positive lung cancer: ROS1, lymphoma, a rare tumour."""

from __future__ import annotations

from tests.alk.order_cases import ALECTINIB, CRIZOTINIB, LUNG, NONE, ROS1, SILENT, Case
from tests.alk.patients import treatment

MYOFIBROBLASTIC = ("inflammatory myofibroblastic tumour",)
NEGATIVE: dict[str, object] = {**NONE, "ALK": "negative", "orders": CRIZOTINIB}
UNCONFIRMED = {"ROS1_gene": "unconfirmed"}

OTHER_USES = (
    Case("order-crizotinib-ros1-unconfirmed", {**NEGATIVE, **UNCONFIRMED}, ROS1),
    Case(
        "order-crizotinib-ros1-unconfirmed",
        {**NEGATIVE, **UNCONFIRMED},
        {"ROS1_gene": "wild type"},
    ),
    Case(
        "order-crizotinib-ros1-unconfirmed",
        {**SILENT, **UNCONFIRMED, "orders": CRIZOTINIB},
        {"orders": ALECTINIB},
    ),
    Case("order-alk-not-rearranged", NEGATIVE, UNCONFIRMED),
    Case(
        "order-alk-not-rearranged",
        {**NEGATIVE, **UNCONFIRMED, "orders": ALECTINIB},
        {"ALK": "confirmed"},
    ),
    Case("order-alk-not-rearranged", NEGATIVE, {"cancers": MYOFIBROBLASTIC}),
    Case(
        "order-alk-not-confirmed",
        {**SILENT, "orders": CRIZOTINIB},
        {"cancers": ("ALK-positive lymphoma",)},
    ),
    Case("gate-myofibroblastic-tumour", {"cancers": MYOFIBROBLASTIC}, {"orders": CRIZOTINIB}),
    Case(
        "gate-myofibroblastic-without-inhibitor",
        {**NONE, "cancers": MYOFIBROBLASTIC},
        {"ALK": None},
    ),
    Case(
        "gate-myofibroblastic-tumour",
        {"cancers": MYOFIBROBLASTIC},
        {"lines": (treatment((30, "paused", ("250", 2)), ingredient="crizotinib"),)},
    ),
    Case(
        "gate-myofibroblastic-tumour",
        {"cancers": MYOFIBROBLASTIC},
        {"cancers": MYOFIBROBLASTIC + LUNG},
    ),
    Case(
        "order-crizotinib-myofibroblastic",
        {**NONE, "cancers": MYOFIBROBLASTIC, "orders": CRIZOTINIB},
        {"cancers": MYOFIBROBLASTIC + LUNG},
    ),
)

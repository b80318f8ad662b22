"""The kidney as a diagnosis, for every drug: its stage where no value is known, and dialysis."""

from __future__ import annotations

from tests.alk.order_cases import (
    ALECTINIB,
    CERITINIB,
    CRIZOTINIB,
    ENSARTINIB,
    LORLATINIB,
    NONE,
    Case,
)
from tests.alk.patients import order

STAGE_4, STAGE_5 = "chronic_kidney_disease_stage_4", "chronic_kidney_disease_stage_5"
FAILED, DIALYSIS = "end-stage_renal_disease", "dialysis"
ORDERED = {
    "alectinib": ALECTINIB,
    "brigatinib": (order("brigatinib", "180", 1),),
    "ceritinib": CERITINIB,
    "crizotinib": CRIZOTINIB,
    "ensartinib": ENSARTINIB,
    "lorlatinib": LORLATINIB,
}
BY_STAGE = {
    "alectinib-kidney-not-studied": (STAGE_4, STAGE_5),
    "ceritinib-kidney-no-data": (STAGE_4, STAGE_5),
    "ensartinib-kidney-not-studied": (STAGE_4, STAGE_5),
    "crizotinib-kidney-severe": (STAGE_4, STAGE_5),
    "brigatinib-kidney-severe": (STAGE_4,),
    "lorlatinib-kidney-severe": (STAGE_4,),
    "brigatinib-kidney-failure": (STAGE_5,),
    "lorlatinib-kidney-failure": (STAGE_5,),
    "modifier-kidney-alectinib": (STAGE_4, STAGE_5),
    "modifier-kidney-ceritinib": (STAGE_4, STAGE_5),
    "modifier-kidney-ensartinib": (STAGE_4, STAGE_5),
    "modifier-kidney-brigatinib": (STAGE_5,),
    "modifier-kidney-failure-lorlatinib": (STAGE_5,),
}
"""By row the stages that answer where no value of the filtration is known."""
BY_DIALYSIS = (
    *(f"{drug}-dialysis" for drug in ("alectinib", "ceritinib", "crizotinib", "ensartinib")),
    *(f"{drug}-kidney-failure" for drug in ("brigatinib", "lorlatinib")),
    *(f"modifier-dialysis-{drug}" for drug in ORDERED),
)


def _patient(row: str) -> dict[str, object]:
    if row.startswith("modifier-"):
        return {**NONE, "eGFR": None}
    return {"lines": (), "eGFR": None, "orders": ORDERED[row.partition("-")[0]]}


KIDNEY = (
    *(
        # A measured value goes before a stage, and a stage that is over is none.
        Case(row, {**_patient(row), stage: "present"}, change)
        for row, stages in BY_STAGE.items()
        for stage in stages
        for change in ({"eGFR": "30"}, {stage: "absent"})
    ),
    *(
        # An old value says nothing of today: the stage answers.
        Case(row, {**_patient(row), "eGFR": [(91, "40")], stage: "present"}, {"eGFR": [(90, "40")]})
        for row, stages in BY_STAGE.items()
        for stage in stages
    ),
    *(
        Case(row, {**_patient(row), state: "present"}, {state: "absent"})
        for row in BY_DIALYSIS
        for state in (DIALYSIS, FAILED)
    ),
    *(
        Case(row, {**_patient(row), STAGE_4: "present"}, {other: "present"})
        for row, others in (
            ("crizotinib-kidney-severe", (DIALYSIS, FAILED)),
            ("brigatinib-kidney-severe", (DIALYSIS, STAGE_5)),
            ("lorlatinib-kidney-severe", (DIALYSIS, STAGE_5)),
        )
        for other in others
    ),
)

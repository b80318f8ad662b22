"""The oncology resources: diagnosis, stage, imaging, performance and disease status, ECG."""

from __future__ import annotations

from datetime import date

from fhir_fixtures.build.chart import Chart
from fhir_fixtures.build.codes import (
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    DIAGNOSTIC_SERVICE,
    ICD10CM,
    LOINC,
    MCODE,
    PROGRESSION,
    SNOMED,
    Json,
    coding,
    concept,
    quantity,
)

ADENOCARCINOMA = coding(SNOMED, "1187332001", "Adenocarcinoma (morphologic abnormality)")
NON_SMALL_CELL = coding(SNOMED, "254637007", "Non-small cell lung cancer")
STAGE_CODES = {
    "IVA": coding(SNOMED, "261642001", "Stage 4A"),
    "IVB": coding(SNOMED, "261643006", "Stage 4B"),
    "IV": coding(SNOMED, "258228008", "Stage 4"),
}
_ICD_DISPLAY = {
    "C34.11": "Malignant neoplasm of upper lobe, right bronchus or lung",
    "C34.12": "Malignant neoplasm of upper lobe, left bronchus or lung",
    "C34.31": "Malignant neoplasm of lower lobe, right bronchus or lung",
    "C34.32": "Malignant neoplasm of lower lobe, left bronchus or lung",
    "C34.91": "Malignant neoplasm of unspecified part of right bronchus or lung",
}


def primary_cancer(
    chart: Chart,
    diagnosed: date,
    *,
    icd: str = "C34.11",
    stage: str | None = "IVA",
    staged: date | None = None,
    pathologic: bool = False,
    edition: str | None = None,
    snomed: bool = True,
) -> str:
    """The primary lung adenocarcinoma, with its stage group Observation when ``stage`` is known.

    A stage without a code in ``STAGE_CODES`` goes out as text only. ``staged`` is the day of
    staging (default: the day of diagnosis), ``edition`` the staging manual in free text.
    """
    condition_id = chart.new_id("lung-cancer")
    codings = [coding(ICD10CM, icd, _ICD_DISPLAY[icd])]
    if snomed:
        codings.insert(0, NON_SMALL_CELL)
    body: Json = {
        "meta": {"profile": [MCODE + "mcode-primary-cancer-condition"]},
        "extension": [
            {
                "url": MCODE + "mcode-histology-morphology-behavior",
                "valueCodeableConcept": concept(ADENOCARCINOMA),
            }
        ],
        "clinicalStatus": concept(coding(CONDITION_CLINICAL, "active")),
        "verificationStatus": concept(coding(CONDITION_VERIFICATION, "confirmed")),
        "category": [concept(coding(CONDITION_CATEGORY, "problem-list-item"))],
        "code": concept(*codings, text="Adenocarcinoma of lung"),
        "subject": chart.subject,
        "onsetDateTime": diagnosed.isoformat(),
        "recordedDate": diagnosed.isoformat(),
    }
    if stage is not None:
        summary = concept(
            *([STAGE_CODES[stage]] if stage in STAGE_CODES else []), text=f"Stage {stage}"
        )
        stage_code = (
            coding(SNOMED, "399588009", "Pathologic TNM stage grouping")
            if pathologic
            else coding(SNOMED, "399537006", "Clinical TNM stage grouping")
        )
        stage_body: Json = {
            "focus": [{"reference": f"Condition/{condition_id}"}],
            "valueCodeableConcept": summary,
        }
        if edition is not None:
            stage_body["method"] = concept(text=edition)
        stage_id = chart.observation(
            "stage-group",
            "laboratory" if pathologic else "exam",
            concept(stage_code),
            staged or diagnosed,
            stage_body,
        )
        body["stage"] = [
            {
                "summary": summary,
                "assessment": [{"reference": f"Observation/{stage_id}"}],
                "type": concept(stage_code),
            }
        ]
    chart.add_with_id("Condition", condition_id, body)
    return condition_id


def performance_status(chart: Chart, day: date, score: int) -> str:
    """ECOG performance status as mCODE sends it."""
    answers = ("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8")
    return chart.observation(
        "ecog",
        "survey",
        concept(coding(LOINC, "89247-1", "ECOG Performance Status score"), text="ECOG"),
        day,
        {
            "meta": {"profile": [MCODE + "mcode-ecog-performance-status"]},
            "valueInteger": score,
            "interpretation": [concept(coding(LOINC, answers[score]))],
        },
    )


def disease_status(chart: Chart, day: date, condition_id: str, trend: str) -> str:
    """Cancer disease status: ``trend`` is improved, stable or worsened."""
    codes = {
        "improved": coding(SNOMED, "268910001", "Patient's condition improved (finding)"),
        "stable": coding(SNOMED, "359746009", "Patient's condition stable (finding)"),
        "worsened": coding(SNOMED, "271299001", "Patient's condition worsened (finding)"),
    }
    return chart.observation(
        "disease-status",
        "exam",
        concept(coding(LOINC, "97509-4", "Cancer Disease Progression")),
        day,
        {
            "focus": [{"reference": f"Condition/{condition_id}"}],
            "valueCodeableConcept": concept(codes[trend]),
        },
    )


def progression_pattern(chart: Chart, day: date, pattern: str) -> str:
    """How the disease progresses; no standard code says so (docs/connect-an-ehr.md)."""
    return chart.observation(
        "progression-pattern",
        "exam",
        concept(coding(PROGRESSION, "pattern"), text="Pattern of progression"),
        day,
        {"valueCodeableConcept": concept(coding(PROGRESSION, pattern))},
    )


def brain_mri(chart: Chart, day: date, conclusion: str) -> str:
    """A brain MRI report."""
    return chart.add(
        "DiagnosticReport",
        "brain-mri",
        {
            "status": "final",
            "category": [concept(coding(DIAGNOSTIC_SERVICE, "RAD", "Radiology"))],
            "code": concept(
                coding(LOINC, "24587-8", "MR Brain WO and W contrast IV"), text="MRI of the brain"
            ),
            "subject": chart.subject,
            "effectiveDateTime": chart.moment(day, "14:30:00"),
            "conclusion": conclusion,
        },
    )


def electrocardiogram(
    chart: Chart, day: date, *, qtc: int, pr: int, rate: int | None = None
) -> None:
    """QTc (Fridericia) and PR interval in ms, and the heart rate of the tracing when given."""
    chart.observation(
        "qtc",
        "procedure",
        concept(
            coding(LOINC, "76634-5", "Q-T interval corrected based on Fridericia formula"),
            text="QTcF",
        ),
        day,
        {"valueQuantity": quantity(qtc, "ms")},
    )
    chart.observation(
        "pr-interval",
        "procedure",
        concept(coding(LOINC, "8625-6", "P-R Interval"), text="PR interval"),
        day,
        {"valueQuantity": quantity(pr, "ms")},
    )
    if rate is not None:
        chart.heart_rate(day, rate)

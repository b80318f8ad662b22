"""Stories after surgery, and two charts in which there is little or nothing to say."""

from __future__ import annotations

from datetime import date

from fhir_fixtures.build.biomarkers import alk_fusion, alk_stain
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.codes import LOINC, SNOMED, Json, coding, concept, quantity
from fhir_fixtures.build.courses import Story, baseline, earlier_years, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, SAGUARO
from fhir_fixtures.build.medicines import ALECTINIB_600, AMLODIPINE_5, draft, request
from fhir_fixtures.build.oncology import brain_mri, performance_status, primary_cancer


def _resected(chart: Chart, cancer: str, day: date, centimetres: float, code: Json) -> None:
    """A lobectomy on ``day`` and its pathology a week later: size in cm, no node, R0."""
    chart.add(
        "Procedure",
        "lobectomy",
        {
            "status": "completed",
            "category": concept(coding(SNOMED, "387713003", "Surgical procedure")),
            "code": code,
            "subject": chart.subject,
            "performedDateTime": chart.moment(day, "09:00:00"),
            "reasonReference": [{"reference": f"Condition/{cancer}"}],
        },
    )
    reported = date.fromordinal(day.toordinal() + 7)
    focus = [{"reference": f"Condition/{cancer}"}]
    chart.observation(
        "tumour-size",
        "laboratory",
        concept(coding(LOINC, "21889-1", "Size Tumor"), text="Tumour size, pathology"),
        reported,
        {
            "focus": focus,
            "component": [
                {
                    "code": concept(coding(LOINC, "33728-7"), text="Largest dimension"),
                    "valueQuantity": quantity(centimetres, "cm"),
                }
            ],
        },
    )
    chart.observation(
        "positive-nodes",
        "laboratory",
        concept(coding(LOINC, "21893-3", "Regional lymph nodes positive [#] Specimen")),
        reported,
        {"focus": focus, "valueQuantity": quantity(0, "1")},
    )
    chart.observation(
        "margin",
        "laboratory",
        concept(coding(SNOMED, "395536008", "Surgical margin finding"), text="Resection margin"),
        reported,
        {
            "focus": focus,
            "valueCodeableConcept": concept(
                coding(SNOMED, "258254000", "Residual tumor stage R0"), text="R0"
            ),
        },
    )


def adjuvant_after_resection() -> Story:
    """4.5 cm, no nodes, R0, edition of the staging manual not recorded."""
    chart = Chart(
        "adjuvant-after-resection",
        HARBOUR,
        given="Lotte",
        family="Sampleton",
        gender="female",
        birth_date="1966-01-31",
    )
    earlier_years(chart, ago(120), 3)
    cancer = primary_cancer(chart, ago(58), icd="C34.11", stage=None)
    _resected(
        chart,
        cancer,
        ago(35),
        4.5,
        concept(
            coding(SNOMED, "359615001", "Partial lobectomy of lung (procedure)"),
            text="Right upper lobectomy",
        ),
    )
    alk_stain(chart, ago(24), clone="D5F3 CDx", result="positive")
    performance_status(chart, ago(6), 0)
    brain_mri(chart, ago(50), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(50))
    baseline(chart, ago(6))
    return told(
        chart,
        "A 60-year-old woman had a right upper lobectomy five weeks ago for a 4.5 cm lung",
        "adenocarcinoma without involved nodes and with clear margins; the D5F3 companion stain",
        "is positive and performance status is 0. Which edition of the staging manual applies is",
        "not recorded. The service should recommend alectinib 600 mg twice daily with food for 24",
        "months on size and nodes alone, and note the missing edition.",
    )


def adjuvant_small_tumour() -> Story:
    """A 2 cm tumour for which adjuvant alectinib is ordered."""
    chart = Chart(
        "adjuvant-small-tumour",
        SAGUARO,
        given="Felix",
        family="Exampleby",
        gender="male",
        birth_date="1961-12-20",
    )
    earlier_years(chart, ago(140), 3)
    cancer = primary_cancer(
        chart,
        ago(64),
        icd="C34.32",
        stage="IA2",
        staged=ago(35),
        pathologic=True,
        edition="AJCC Cancer Staging Manual, 8th edition",
    )
    _resected(chart, cancer, ago(42), 2.0, concept(text="Left lower lobectomy"))
    chart.condition("hypertension", ago(2900), onset=ago(2900))
    request(chart, "amlodipine", AMLODIPINE_5, ago(220))
    alk_fusion(chart, ago(26))
    performance_status(chart, ago(8), 0)
    baseline(chart, ago(8))
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 64-year-old man had a 2 cm lung adenocarcinoma without involved nodes removed six",
        "weeks ago, stage IA2, with an EML4-ALK fusion. Alectinib 600 mg twice daily is being",
        "ordered. The service should ask for the intent, say that adjuvant alectinib is meant for",
        "tumours of 4 cm or more or with involved nodes, and point to follow-up without a drug.",
    )


def no_lung_cancer() -> Story:
    """Hypertension and asthma."""
    chart = Chart(
        "no-lung-cancer",
        SAGUARO,
        given="Dora",
        family="Fakenham",
        gender="female",
        birth_date="1978-08-24",
    )
    earlier_years(chart, ago(100), 4)
    chart.condition("hypertension", ago(1800), onset=ago(1800))
    chart.condition("asthma", ago(7000), onset=ago(7000))
    request(chart, "amlodipine", AMLODIPINE_5, ago(160))
    panel(chart, ago(15))
    vital_signs(chart, ago(15))
    return told(
        chart,
        "A 48-year-old woman with high blood pressure and asthma, and without any lung tumour,",
        "comes for her yearly check. The service must say nothing at all.",
    )


def chart_almost_empty() -> Story:
    """A lung cancer code and nothing else."""
    chart = Chart(
        "chart-almost-empty",
        HARBOUR,
        given="Quinn",
        family="Specimen",
        gender="unknown",
        birth_date="1959-04-01",
    )
    chart.add(
        "Condition",
        "lung-cancer",
        {
            "code": concept(
                coding(
                    "http://hl7.org/fhir/sid/icd-10-cm",
                    "C34.91",
                    "Malignant neoplasm of unspecified part of right bronchus or lung",
                )
            ),
            "subject": chart.subject,
        },
    )
    return told(
        chart,
        "Someone has a code for cancer of the right lung in the chart, without histology, stage,",
        "dates, tests or treatment. The service should say what is missing before anything can be",
        "said, tissue type and ALK result first, and take nothing for normal because it is absent.",
    )


STORIES = (
    adjuvant_after_resection,
    adjuvant_small_tumour,
    no_lung_cancer,
    chart_almost_empty,
)

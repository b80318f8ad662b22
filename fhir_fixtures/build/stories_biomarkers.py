"""Stories in which the ALK result itself is the question."""

from __future__ import annotations

from fhir_fixtures.build.biomarkers import (
    alk_amplification,
    alk_fish,
    alk_fusion_absent,
    alk_pending,
    alk_point_mutation,
    alk_stain,
    pd_l1,
)
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.codes import INTERPRETATION, LOCAL_LABORATORY, coding, concept, quantity
from fhir_fixtures.build.courses import Story, baseline, earlier_years, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    AMLODIPINE_5,
    ATORVASTATIN_40,
    PEMBROLIZUMAB_200,
    draft,
    request,
)
from fhir_fixtures.build.oncology import brain_mri, performance_status, primary_cancer


def alk_level_is_alkaline_phosphatase() -> Story:
    """A blood enzyme mistaken for a tumour marker."""
    chart = Chart(
        "alk-level-is-alkaline-phosphatase",
        LAKESIDE,
        given="Bram",
        family="Dummyson",
        gender="male",
        birth_date="1960-02-14",
    )
    earlier_years(chart, ago(60), 2)
    chart.condition("lung nodule", ago(24), onset=ago(24))
    chart.condition(
        "suspected lung cancer", ago(24), verification="provisional", category="encounter-diagnosis"
    )
    for day, value in ((ago(23), 205), (ago(9), 214)):
        chart.observation(
            "alk-level",
            "laboratory",
            concept(coding(LOCAL_LABORATORY, "ALKL", "ALK level"), text="ALK level"),
            day,
            {
                "valueQuantity": quantity(value, "U/L"),
                "interpretation": [concept(coding(INTERPRETATION, "H", "High"))],
                "referenceRange": [
                    {"low": quantity(40, "U/L"), "high": quantity(120, "U/L"), "text": "40-120 U/L"}
                ],
            },
        )
    panel(chart, ago(9), skip=("alp",))
    vital_signs(chart, ago(9))
    return told(
        chart,
        "A 66-year-old man was referred with a nodule in the right upper lobe and a persistently",
        "raised ALK level of 214 U/L (range 40 to 120). There is no biopsy and no molecular",
        "report. The service should say that there is no blood test for ALK with such a unit and",
        "that the number looks like alkaline phosphatase; it must not call him ALK-positive or",
        "name an ALK inhibitor as an option.",
    )


def hepatocellular_alk_stain() -> Story:
    """An ALK stain in liver cancer."""
    chart = Chart(
        "hepatocellular-alk-stain",
        HARBOUR,
        given="Yara",
        family="Testwell",
        gender="female",
        birth_date="1957-09-05",
    )
    earlier_years(chart, ago(120), 2)
    chart.condition("hepatocellular carcinoma", ago(45), onset=ago(48))
    chart.condition("bone metastases", ago(40), onset=ago(41))
    chart.condition("cirrhosis", ago(900), onset=ago(920))
    alk_stain(chart, ago(20), clone="5A4 laboratory-developed", result="positive")
    performance_status(chart, ago(10), 1)
    panel(chart, ago(10), alt=1.6, ast=1.9)
    chart.lab("haemoglobin", ago(10))
    vital_signs(chart, ago(10))
    return told(
        chart,
        "A 69-year-old woman with hepatocellular carcinoma and bone metastases had an ALK stain",
        "of the liver tumour with a laboratory-developed antibody, reported positive. The service",
        "should say that its rules are for lung cancer, that such staining of liver cancer comes",
        "without rearrangement and is no target, and ask whether the diagnosis code is right; it",
        "must not treat the diagnosis as lung cancer.",
    )


def alk_pending_immunotherapy_ordered() -> Story:
    """The ALK result is not there yet."""
    chart = Chart(
        "alk-pending-immunotherapy-ordered",
        SAGUARO,
        given="Lena",
        family="Proxyman",
        gender="female",
        birth_date="1968-12-11",
    )
    earlier_years(chart, ago(45), 2)
    primary_cancer(chart, ago(19), icd="C34.31", stage="IV")
    alk_pending(chart, ago(8))
    pd_l1(chart, ago(12), 90)
    performance_status(chart, ago(5), 1)
    brain_mri(chart, ago(10), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(10))
    baseline(chart, ago(5), with_ecg=False)
    draft(chart, "pembrolizumab", PEMBROLIZUMAB_200)
    return told(
        chart,
        "A 57-year-old woman with stage IV lung adenocarcinoma has a PD-L1 score of 90 %, and RNA",
        "sequencing for ALK was ordered eight days ago without a result so far. Pembrolizumab is",
        "being ordered. The service should ask to wait for the ALK result and say why",
        "immunotherapy first makes a later ALK inhibitor riskier; it must not call her positive",
        "or negative.",
    )


def alk_equivocal_stain() -> Story:
    """A 2+ laboratory-developed stain."""
    chart = Chart(
        "alk-equivocal-stain",
        HARBOUR,
        given="Petra",
        family="Mockridge",
        gender="female",
        birth_date="1974-04-03",
    )
    earlier_years(chart, ago(50), 2)
    primary_cancer(chart, ago(27), icd="C34.11", stage="IVA")
    chart.condition("bone metastases", ago(26), onset=ago(27))
    alk_stain(
        chart, ago(13), clone="5A4 laboratory-developed", result="2+ moderate staining, equivocal"
    )
    performance_status(chart, ago(6), 1)
    brain_mri(chart, ago(12), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(12))
    baseline(chart, ago(6))
    return told(
        chart,
        "A 52-year-old woman with stage IVA lung adenocarcinoma has a laboratory-developed ALK",
        "stain read as 2+, equivocal. The service should ask for FISH or RNA sequencing and must",
        "not propose an ALK inhibitor on this stain alone.",
    )


def alk_discordant_results() -> Story:
    """Stain and FISH disagree."""
    chart = Chart(
        "alk-discordant-results",
        LAKESIDE,
        given="Hugo",
        family="Fakenham",
        gender="male",
        birth_date="1962-07-19",
    )
    earlier_years(chart, ago(55), 2)
    primary_cancer(chart, ago(31), icd="C34.12", stage="IVA")
    chart.condition("hypertension", ago(2000), onset=ago(2000))
    request(chart, "amlodipine", AMLODIPINE_5, ago(300))
    alk_stain(chart, ago(17), clone="D5F3 CDx", result="positive")
    alk_fish(chart, ago(11), positive=False, loinc_answer=False)
    performance_status(chart, ago(6), 1)
    brain_mri(chart, ago(14), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(14))
    baseline(chart, ago(6))
    return told(
        chart,
        "A 64-year-old man with stage IVA lung adenocarcinoma has a positive D5F3 companion stain",
        "and a negative FISH test of the same biopsy. The service should show both results, ask",
        "for RNA sequencing as a third method, and say that people with this pattern have",
        "responded; it must not decide for either result silently.",
    )


def alk_point_mutation_only() -> Story:
    """A point mutation without a fusion."""
    chart = Chart(
        "alk-point-mutation-only",
        SAGUARO,
        given="Selma",
        family="Exampleby",
        gender="female",
        birth_date="1955-10-08",
    )
    earlier_years(chart, ago(65), 2)
    primary_cancer(chart, ago(29), icd="C34.31", stage="IVB")
    chart.condition("liver metastases", ago(29), onset=ago(29))
    chart.condition("hyperlipidaemia", ago(1700), onset=ago(1700))
    request(chart, "atorvastatin", ATORVASTATIN_40, ago(200))
    alk_point_mutation(chart, ago(12))
    alk_fusion_absent(chart, ago(12))
    performance_status(chart, ago(6), 1)
    baseline(chart, ago(6))
    return told(
        chart,
        "A 71-year-old woman with stage IVB lung adenocarcinoma has the ALK point mutation",
        "p.Arg1275Gln and no ALK fusion on sequencing. The service should say that the mutation",
        "alone is no ground for an ALK inhibitor in lung cancer and point to the pathway without",
        "a driver and the molecular board.",
    )


def alk_amplification_only() -> Story:
    """A copy number gain without a fusion; whether a fusion was looked for is not in the chart."""
    chart = Chart(
        "alk-amplification-only",
        HARBOUR,
        given="Casper",
        family="Sampleton",
        gender="male",
        birth_date="1966-03-29",
    )
    earlier_years(chart, ago(65), 2)
    primary_cancer(chart, ago(22), icd="C34.32", stage="IVA")
    alk_amplification(chart, ago(10), 7)
    performance_status(chart, ago(5), 2)
    brain_mri(chart, ago(9), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(9))
    baseline(chart, ago(5))
    return told(
        chart,
        "A 60-year-old man with stage IVA lung adenocarcinoma has seven copies of the ALK gene",
        "and no fusion in the report. The service should say that a gain of copies is not a",
        "rearrangement and must not propose an ALK inhibitor.",
    )


STORIES = (
    alk_level_is_alkaline_phosphatase,
    hepatocellular_alk_stain,
    alk_pending_immunotherapy_ordered,
    alk_equivocal_stain,
    alk_discordant_results,
    alk_point_mutation_only,
    alk_amplification_only,
)

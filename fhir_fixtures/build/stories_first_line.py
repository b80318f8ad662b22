"""Stories of people who have not started an ALK inhibitor yet."""

from __future__ import annotations

from fhir_fixtures.build.biomarkers import (
    PLASMA,
    alk_fish,
    alk_fusion,
    alk_stain,
    egfr_wild_type,
    pd_l1,
)
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.courses import Story, baseline, earlier_years, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    AMLODIPINE_5,
    APIXABAN_5,
    CRIZOTINIB_250,
    DIGOXIN_125,
    LEVOTHYROXINE_75,
    METFORMIN_500,
    METOPROLOL_50,
    OSIMERTINIB_80,
    PEMBROLIZUMAB_200,
    SIMVASTATIN_20,
    draft,
    request,
)
from fhir_fixtures.build.oncology import brain_mri, performance_status, primary_cancer


def first_line_choice() -> Story:
    """Stage IV, fusion just found, nothing started."""
    chart = Chart(
        "first-line-choice",
        SAGUARO,
        given="Iris",
        family="Sampleton",
        gender="female",
        birth_date="1971-03-18",
    )
    earlier_years(chart, ago(40), 3)
    primary_cancer(chart, ago(33), icd="C34.11", stage="IVA")
    chart.condition("pleural metastases", ago(33), onset=ago(35))
    chart.condition("hypothyroidism", ago(2200), onset=ago(2230))
    request(chart, "levothyroxine", LEVOTHYROXINE_75, ago(210))
    alk_fusion(chart, ago(14))
    pd_l1(chart, ago(20), 40)
    egfr_wild_type(chart, ago(14))
    performance_status(chart, ago(6), 1)
    brain_mri(chart, ago(9), "No intracranial metastases. No leptomeningeal enhancement.")
    chart.excluded("brain metastases", ago(9), "No brain metastases on contrast-enhanced MRI.")
    baseline(chart, ago(6), skip=("cpk",), with_ecg=False)
    chart.condition("pleural metastases", ago(6), category="encounter-diagnosis")
    return told(
        chart,
        "A 55-year-old woman with stage IVA lung adenocarcinoma and pleural disease learnt two",
        "weeks ago that her tumour carries an EML4-ALK fusion, found by RNA sequencing.",
        "Performance status is 1, brain MRI nine days ago was clear, and nothing has been",
        "started. Liver tests, creatinine and glucose are recent; creatine kinase and an ECG are",
        "missing. The service should offer the set of preferred first-line ALK inhibitors with",
        "the trade-offs between them, name the missing baseline tests, and not pick one by itself",
        "or treat the PD-L1 value of 40 % as a reason for immunotherapy.",
    )


def first_line_brain_metastases() -> Story:
    """Brain metastases, and crizotinib is being ordered."""
    chart = Chart(
        "first-line-brain-metastases",
        HARBOUR,
        given="Milo",
        family="Exampleby",
        gender="male",
        birth_date="1964-08-02",
    )
    earlier_years(chart, ago(60), 2)
    primary_cancer(chart, ago(41), icd="C34.32", stage="IVB")
    chart.condition("bone metastases", ago(38), onset=ago(41))
    chart.condition("brain metastases", ago(12), onset=ago(12))
    chart.condition("hypertension", ago(3100), onset=ago(3100))
    request(chart, "amlodipine", AMLODIPINE_5, ago(150))
    alk_stain(chart, ago(18), clone="D5F3 CDx", result="positive")
    performance_status(chart, ago(5), 1)
    brain_mri(
        chart,
        ago(12),
        "Three enhancing lesions, largest 9 mm in the left frontal lobe, without mass effect. "
        "Findings in keeping with metastases.",
    )
    baseline(chart, ago(5))
    draft(chart, "crizotinib", CRIZOTINIB_250)
    return told(
        chart,
        "A 62-year-old man with newly found stage IVB lung adenocarcinoma has three small brain",
        "metastases without symptoms and an ALK-positive D5F3 companion stain. Nothing was given",
        "yet, and crizotinib 250 mg twice daily is being ordered. The service should warn that",
        "crizotinib reaches the brain poorly and is not preferred, and show the brain-active",
        "alternatives; it should not block the order silently or count the draft as treatment.",
    )


def first_line_bradycardia_drugs() -> Story:
    """A slow pulse and two drugs that slow it, before alectinib."""
    chart = Chart(
        "first-line-bradycardia-drugs",
        LAKESIDE,
        given="Odell",
        family="Mockridge",
        gender="male",
        birth_date="1952-11-30",
    )
    earlier_years(chart, ago(50), 3, heart_rate=63)
    primary_cancer(chart, ago(30), icd="C34.31", stage="IVA")
    chart.condition("atrial fibrillation", ago(1500), onset=ago(1500))
    chart.condition("hypertension", ago(4000), onset=ago(4000))
    request(chart, "metoprolol", METOPROLOL_50, ago(120))
    request(chart, "digoxin", DIGOXIN_125, ago(120))
    request(chart, "apixaban", APIXABAN_5, ago(120))
    alk_fish(chart, ago(16), positive=True)
    performance_status(chart, ago(3), 1)
    brain_mri(chart, ago(11), "No evidence of metastatic disease.")
    chart.excluded("brain metastases", ago(11))
    panel(chart, ago(3))
    chart.lab("cpk", ago(3))
    vital_signs(chart, ago(3), 52)
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 73-year-old man with stage IVA lung adenocarcinoma and a positive ALK FISH test takes",
        "metoprolol and digoxin for atrial fibrillation. His resting pulse was 52 three days ago,",
        "and nobody wrote down whether he has symptoms. Alectinib 600 mg twice daily is being",
        "ordered. The service should point at the slow pulse and the two drugs that slow it,",
        "ask about symptoms, and not assume that he has none.",
    )


def immunotherapy_ordered_alk_positive() -> Story:
    """High PD-L1 tempts into immunotherapy although the fusion is known."""
    chart = Chart(
        "immunotherapy-ordered-alk-positive",
        HARBOUR,
        given="Renata",
        family="Placeholder",
        gender="female",
        birth_date="1980-05-09",
    )
    earlier_years(chart, ago(70), 2)
    primary_cancer(chart, ago(28), icd="C34.12", stage="IVB")
    chart.condition("liver metastases", ago(28), onset=ago(29))
    alk_fusion(chart, ago(8))
    pd_l1(chart, ago(21), 90)
    performance_status(chart, ago(4), 1)
    brain_mri(chart, ago(15), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(15))
    baseline(chart, ago(4))
    draft(chart, "pembrolizumab", PEMBROLIZUMAB_200)
    return told(
        chart,
        "A 46-year-old woman with stage IVB lung adenocarcinoma has a PD-L1 score of 90 % and,",
        "reported eight days ago, an EML4-ALK fusion. She has never had an ALK inhibitor, and",
        "pembrolizumab is being ordered. The service should stop the order, say that the PD-L1",
        "value does not change the choice, and show the ALK inhibitors to consider.",
    )


def egfr_inhibitor_ordered() -> Story:
    """An EGFR inhibitor for a tumour without an EGFR variant."""
    chart = Chart(
        "egfr-inhibitor-ordered",
        SAGUARO,
        given="Tomas",
        family="Fakenham",
        gender="male",
        birth_date="1959-01-22",
    )
    earlier_years(chart, ago(80), 2)
    primary_cancer(chart, ago(36), icd="C34.11", stage="IVA")
    chart.condition("type 2 diabetes", ago(2600), onset=ago(2600))
    chart.condition("hyperlipidaemia", ago(2600), onset=ago(2600))
    request(chart, "metformin", METFORMIN_500, ago(90))
    request(chart, "simvastatin", SIMVASTATIN_20, ago(90))
    alk_fusion(chart, ago(10), specimen=PLASMA)
    egfr_wild_type(chart, ago(10))
    performance_status(chart, ago(4), 0)
    brain_mri(chart, ago(13), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(13))
    baseline(chart, ago(4))
    draft(chart, "osimertinib", OSIMERTINIB_80)
    return told(
        chart,
        "A 67-year-old man with stage IVA lung adenocarcinoma has an EML4-ALK fusion in plasma",
        "and no EGFR variant, yet osimertinib 80 mg daily is being ordered. The service should",
        "stop the order, ask whether the wrong drug or the wrong patient was picked, and show the",
        "ALK inhibitors to consider.",
    )


def pregnant_alk_inhibitor_ordered() -> Story:
    """Pregnancy and a draft order."""
    chart = Chart(
        "pregnant-alk-inhibitor-ordered",
        LAKESIDE,
        given="Noor",
        family="Specimen",
        gender="female",
        birth_date="1994-06-27",
    )
    earlier_years(chart, ago(90), 1)
    primary_cancer(chart, ago(25), icd="C34.12", stage="IVA")
    chart.condition("pregnancy", ago(18), onset=ago(95))
    chart.pregnancy_status(ago(7))
    alk_fusion(chart, ago(9))
    performance_status(chart, ago(7), 1)
    brain_mri(chart, ago(16), "No intracranial metastases on unenhanced images.")
    chart.excluded("brain metastases", ago(16))
    baseline(chart, ago(7))
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 32-year-old woman in the fourth month of pregnancy has stage IVA lung adenocarcinoma",
        "with an EML4-ALK fusion, and alectinib 600 mg twice daily is being ordered. The service",
        "should stop the order because of harm to the fetus, point at the pregnancy status of a",
        "week ago as its reason, and ask for a joint decision rather than propose another ALK",
        "inhibitor as if it were safe.",
    )


STORIES = (
    first_line_choice,
    first_line_brain_metastases,
    first_line_bradycardia_drugs,
    immunotherapy_ordered_alk_positive,
    egfr_inhibitor_ordered,
    pregnant_alk_inhibitor_ordered,
)

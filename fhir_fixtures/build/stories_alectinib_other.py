"""Stories of people on alectinib: heart, muscle, lung, overdue tests, dose."""

from __future__ import annotations

from dataclasses import replace

from fhir_fixtures.build.biomarkers import alk_fish, alk_fusion, alk_stain
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.codes import concept, quantity
from fhir_fixtures.build.courses import (
    Story,
    baseline,
    earlier_years,
    on_treatment,
    panel,
    told,
    vital_signs,
)
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    ALECTINIB_900,
    AMLODIPINE_5,
    LORLATINIB_100,
    METOPROLOL_50,
    SIMVASTATIN_20,
    draft,
    request,
)
from fhir_fixtures.build.oncology import (
    brain_mri,
    disease_status,
    electrocardiogram,
    performance_status,
    primary_cancer,
)


def alectinib_creatine_kinase_second_episode() -> Story:
    """The second time that creatine kinase passes five times the limit."""
    chart = Chart(
        "alectinib-creatine-kinase-second-episode",
        HARBOUR,
        given="Vera",
        family="Fakenham",
        gender="female",
        birth_date="1972-07-07",
    )
    start = ago(290)
    earlier_years(chart, ago(360), 1)
    cancer = primary_cancer(chart, ago(330), icd="C34.12", stage="IVA")
    alk_fusion(chart, ago(305))
    performance_status(chart, ago(296), 1)
    brain_mri(chart, ago(299), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(299))
    baseline(chart, ago(296))
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    on_treatment(chart, start, ago(20), skip=("cpk",))
    # The first episode in March, its recovery in April, months of quiet, and the second one now.
    for days, times in ((276, 0.9), (249, 7.0), (240, 4.2), (232, 2.1), (218, 1.1), (190, 0.8)):
        chart.lab("cpk", ago(days), times_upper_limit=times)
    for days in (150, 95, 40):
        chart.lab("cpk", ago(days))
    chart.condition("myalgia", ago(249), onset=ago(252), abated=ago(225))
    chart.condition("myalgia", ago(5), onset=ago(9))
    chart.lab("cpk", ago(5), times_upper_limit=8.0)
    panel(chart, ago(5))
    vital_signs(chart, ago(5))
    return told(
        chart,
        "A 54-year-old woman in the tenth month of alectinib had a creatine kinase of seven times",
        "the upper limit in the second month, which settled. Five days ago it was eight times the",
        "limit, with aching muscles. The service should recognise a second episode, say to",
        "withhold alectinib until recovery and to restart one step lower, and not treat it like a",
        "first episode with return to the same dose.",
    )


def alectinib_symptomatic_bradycardia() -> Story:
    """A pulse of 45 with dizziness and a beta-blocker."""
    chart = Chart(
        "alectinib-symptomatic-bradycardia",
        SAGUARO,
        given="Arvid",
        family="Placeholder",
        gender="male",
        birth_date="1954-01-12",
    )
    start = ago(98)
    earlier_years(chart, ago(180), 2, heart_rate=66)
    cancer = primary_cancer(chart, ago(140), icd="C34.11", stage="IVB")
    chart.condition("bone metastases", ago(138), onset=ago(140))
    chart.condition("hypertension", ago(3600), onset=ago(3600))
    alk_fish(chart, ago(115), positive=True, loinc_answer=False)
    performance_status(chart, ago(104), 1)
    baseline(chart, ago(104))
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    request(chart, "metoprolol", METOPROLOL_50, ago(700))
    on_treatment(chart, start, ago(15), heart_rate=58)
    panel(chart, ago(3))
    vital_signs(chart, ago(3), 45)
    electrocardiogram(chart, ago(3), qtc=431, pr=178, rate=45)
    chart.condition("bradycardia", ago(3), onset=ago(3), category="encounter-diagnosis")
    chart.condition("dizziness", ago(3), onset=ago(8))
    chart.excluded("syncope", ago(3))
    return told(
        chart,
        "A 72-year-old man in the fourth month of alectinib has been dizzy for a week; three days",
        "ago his pulse was 45 and the ECG showed sinus bradycardia. He takes metoprolol and has",
        "not fainted. The service should say to withhold alectinib until he is free of symptoms or",
        "the pulse is 60, name metoprolol as a possible cause, and show that the dose afterwards",
        "depends on whether metoprolol is stopped or adjusted.",
    )


def alectinib_monitoring_overdue() -> Story:
    """Second month, and the tests have been forgotten."""
    chart = Chart(
        "alectinib-monitoring-overdue",
        LAKESIDE,
        given="Thea",
        family="Specimen",
        gender="female",
        birth_date="1981-10-30",
    )
    start = ago(49)
    earlier_years(chart, ago(130), 1)
    cancer = primary_cancer(chart, ago(84), icd="C34.31", stage="IVA")
    alk_stain(chart, ago(66), clone="D5F3 CDx", result="positive")
    performance_status(chart, ago(55), 0)
    brain_mri(chart, ago(60), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(60))
    baseline(chart, ago(55))
    capsules = replace(ALECTINIB_600, text="4 capsules twice daily with food", by_count=True)
    request(chart, "alectinib", capsules, start, reason=cancer)
    panel(chart, ago(35))
    vital_signs(chart, ago(35))
    return told(
        chart,
        "A 45-year-old woman started alectinib seven weeks ago, ordered as four capsules twice",
        "daily. Her last liver tests are five weeks old, and creatine kinase was not measured",
        "since the start. The service should list both as overdue with the interval that applies",
        "in the first three months, and not call the old normal results current.",
    )


def alectinib_pneumonitis() -> Story:
    """A drug-induced lung disorder four days ago."""
    chart = Chart(
        "alectinib-pneumonitis",
        HARBOUR,
        given="Jonas",
        family="Testwell",
        gender="male",
        birth_date="1967-06-18",
    )
    start = ago(66)
    earlier_years(chart, ago(150), 2)
    cancer = primary_cancer(chart, ago(101), icd="C34.32", stage="IVA")
    alk_fusion(chart, ago(80))
    performance_status(chart, ago(71), 1)
    brain_mri(chart, ago(76), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(76))
    baseline(chart, ago(71))
    chart.oxygen_saturation(ago(71), 97)
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer, shape="referenced")
    on_treatment(chart, start, ago(10))
    panel(chart, ago(4))
    vital_signs(chart, ago(4), 96)
    chart.oxygen_saturation(ago(4), 90)
    chart.condition("dyspnoea", ago(4), onset=ago(9))
    chart.condition(
        "drug-induced interstitial lung disease",
        ago(4),
        onset=ago(4),
        note="New bilateral ground-glass opacities; infection work-up negative so far.",
    )
    return told(
        chart,
        "A 59-year-old man in the third month of alectinib has become short of breath, with an",
        "oxygen saturation of 90 %, and four days ago an acute drug-induced lung disorder was",
        "recorded. Alectinib is still active. The service should say to stop alectinib at once and",
        "for good if no other cause is found, and must not propose a lower dose.",
    )


def alectinib_above_label() -> Story:
    """A low trough level and an order above every labelled dose."""
    chart = Chart(
        "alectinib-above-label",
        SAGUARO,
        given="Mira",
        family="Proxyman",
        gender="female",
        birth_date="1976-02-28",
    )
    start = ago(125)
    earlier_years(chart, ago(200), 1)
    cancer = primary_cancer(chart, ago(160), icd="C34.11", stage="IVA")
    alk_fusion(chart, ago(140))
    performance_status(chart, ago(131), 1)
    brain_mri(chart, ago(135), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(135))
    baseline(chart, ago(131))
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    chart.condition("reflux", ago(900), onset=ago(900))
    on_treatment(chart, start, ago(13))
    panel(chart, ago(9))
    vital_signs(chart, ago(9))
    # No code for this assay could be verified, so it goes out as text, as a send-out test would.
    chart.observation(
        "alectinib-level",
        "laboratory",
        concept(text="Alectinib trough plasma concentration (Cmin)"),
        ago(9),
        {
            "valueQuantity": quantity(300, "ng/mL"),
            "note": [{"text": "Sampled before the morning dose."}],
        },
    )
    draft(chart, "alectinib", ALECTINIB_900)
    return told(
        chart,
        "A 50-year-old woman in the fifth month of alectinib has a trough plasma level of 300",
        "ng/mL, below the 435 ng/mL some centres aim for, and alectinib 900 mg twice daily is",
        "being ordered. The service should warn that the dose is above the label, that a low",
        "level is no ground for raising it by rule, and suggest asking about food and adherence.",
    )


def two_alk_inhibitors() -> Story:
    """Lorlatinib is ordered while alectinib runs on."""
    chart = Chart(
        "two-alk-inhibitors",
        LAKESIDE,
        given="Paula",
        family="Dummyson",
        gender="female",
        birth_date="1963-11-03",
    )
    start = ago(620)
    earlier_years(chart, ago(700), 1)
    cancer = primary_cancer(chart, ago(655), icd="C34.12", stage="IVA")
    alk_fusion(chart, ago(634))
    performance_status(chart, ago(626), 1)
    baseline(chart, ago(626))
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    request(chart, "alectinib", ALECTINIB_600, ago(300), shape="reported")
    request(chart, "simvastatin", SIMVASTATIN_20, ago(240))
    request(chart, "amlodipine", AMLODIPINE_5, ago(240))
    chart.condition("hyperlipidaemia", ago(2500), onset=ago(2500))
    chart.condition("hypertension", ago(2500), onset=ago(2500))
    on_treatment(chart, start, ago(14))
    brain_mri(chart, ago(8), "New 6 mm enhancing lesion in the right cerebellum.")
    chart.condition("brain metastases", ago(8), onset=ago(8))
    disease_status(chart, ago(8), cancer, "worsened")
    performance_status(chart, ago(6), 1)
    panel(chart, ago(6))
    for name in ("cpk", "cholesterol", "triglycerides"):
        chart.lab(name, ago(6))
    vital_signs(chart, ago(6))
    electrocardiogram(chart, ago(6), qtc=422, pr=170)
    draft(chart, "lorlatinib", LORLATINIB_100)
    return told(
        chart,
        "A 63-year-old woman has progressed in the brain after twenty months of alectinib, and",
        "lorlatinib 100 mg daily is being ordered, but alectinib was never stopped in the",
        "record. The service should say that two ALK inhibitors would run together and ask to stop",
        "alectinib first; it should count the patient's own medication list as the same alectinib,",
        "not as a third drug.",
    )


STORIES = (
    alectinib_creatine_kinase_second_episode,
    alectinib_symptomatic_bradycardia,
    alectinib_monitoring_overdue,
    alectinib_pneumonitis,
    alectinib_above_label,
    two_alk_inhibitors,
)

"""Stories of people on brigatinib, crizotinib, ceritinib or ensartinib."""

from __future__ import annotations

from fhir_fixtures.build.chart import ago
from fhir_fixtures.build.courses import Story, on_treatment, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    BRIGATINIB_90,
    BRIGATINIB_180,
    CERITINIB_450,
    CITALOPRAM_20,
    CRIZOTINIB_250,
    ENSARTINIB_225,
    METFORMIN_500,
    draft,
    request,
)
from fhir_fixtures.build.oncology import (
    brain_mri,
    disease_status,
    electrocardiogram,
)
from fhir_fixtures.build.openings import Person, opened

PANCREAS = ("lipase", "amylase")


def brigatinib_without_lead_in() -> Story:
    """The full dose on the first day."""
    chart, _ = opened(
        "brigatinib-without-lead-in",
        HARBOUR,
        Person("Emeric", "Proxyman", "male", "1969-12-05"),
        0,
        stage="IVA",
        also=PANCREAS,
    )
    draft(chart, "brigatinib", BRIGATINIB_180)
    return told(
        chart,
        "A 56-year-old man with newly found stage IVA ALK-positive lung adenocarcinoma has had no",
        "treatment yet, and brigatinib 180 mg daily is being ordered from the first day. The label",
        "begins with 90 mg daily for 7 days, because early lung events cluster there. The service",
        "should say not to sign and offer the order with the lead-in.",
    )


def brigatinib_early_pneumonitis() -> Story:
    """Pneumonitis of grade 1 on the fourth day of the lead-in."""
    chart, cancer = opened(
        "brigatinib-early-pneumonitis",
        SAGUARO,
        Person("Liora", "Testwell", "female", "1964-06-02"),
        4,
        stain=True,
        also=PANCREAS,
    )
    request(chart, "brigatinib 90", BRIGATINIB_90, ago(4), reason=cancer)
    chart.condition(
        "pneumonitis",
        ago(0),
        onset=ago(1),
        severity="grade 1",
        category="encounter-diagnosis",
        note="Seen on a CT done for another reason. No cough, no breathlessness.",
    )
    vital_signs(chart, ago(0))
    chart.oxygen_saturation(ago(0), 97)
    return told(
        chart,
        "A 62-year-old woman is on the fourth day of brigatinib 90 mg daily. A CT done for another",
        "reason shows a pneumonitis that is recorded as drug-induced and of CTCAE grade 1; she has",
        "no symptoms. The service should say to hold brigatinib, not to raise the dose afterwards",
        "while lung disease by the drug is suspected, and to check the current label; it must not",
        "say to stop for good.",
    )


def crizotinib_long_qtc() -> Story:
    """Two ECGs with a QTc above 500 ms."""
    chart, cancer = opened(
        "crizotinib-long-qtc",
        HARBOUR,
        Person("Wanda", "Specimen", "female", "1955-03-11"),
        300,
        stage="IVA",
        stain=True,
        also=("platelets",),
    )
    request(chart, "crizotinib", CRIZOTINIB_250, ago(300), reason=cancer)
    request(chart, "citalopram", CITALOPRAM_20, ago(45))
    chart.condition("depression", ago(45), onset=ago(60))
    on_treatment(chart, ago(300), ago(30), skip=("cpk",), also=("platelets",))
    disease_status(chart, ago(30), cancer, "stable")
    brain_mri(chart, ago(30), "No intracranial metastases.")
    electrocardiogram(chart, ago(150), qtc=447, pr=170)
    electrocardiogram(chart, ago(6), qtc=512, pr=172)
    electrocardiogram(chart, ago(2), qtc=508, pr=170, rate=68)
    panel(chart, ago(2))
    for name in ("potassium", "haemoglobin", "neutrophils", "platelets"):
        chart.lab(name, ago(2))
    vital_signs(chart, ago(2), 68)
    return told(
        chart,
        "A 71-year-old woman has been well on crizotinib for ten months; it was begun when nothing",
        "else was to be had. Six weeks ago citalopram was added. Her QTc was 512 ms six days ago",
        "and 508 ms two days ago, and 447 ms before citalopram. The service should say to hold",
        "crizotinib until the QTc is below 481 ms and to resume one dose lower, 200 mg twice",
        "daily, and ask for electrolytes and for other medicines that prolong the QT interval.",
    )


def ceritinib_liver_and_glucose() -> Story:
    """ALT six times the limit and a glucose above 250 mg/dL, and a refill."""
    chart, cancer = opened(
        "ceritinib-liver-and-glucose",
        LAKESIDE,
        Person("Barnaby", "Placeholder", "male", "1962-09-16"),
        250,
        also=PANCREAS,
    )
    chart.condition("type 2 diabetes", ago(1800), onset=ago(1800))
    request(chart, "metformin", METFORMIN_500, ago(600))
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        ago(250),
        status="stopped",
        status_reason="not tolerated",
        reason=cancer,
        ended=ago(160),
    )
    on_treatment(chart, ago(250), ago(165))
    request(chart, "ceritinib", CERITINIB_450, ago(140), reason=cancer)
    on_treatment(chart, ago(140), ago(40), skip=("cpk",), also=(*PANCREAS, "glucose"))
    disease_status(chart, ago(28), cancer, "stable")
    chart.excluded("cholestasis", ago(2))
    panel(chart, ago(2), alt=6.1, ast=4.4, bilirubin=0.8)
    chart.lab("glucose", ago(2), 286)
    vital_signs(chart, ago(2))
    electrocardiogram(chart, ago(2), qtc=432, pr=166)
    draft(chart, "ceritinib", CERITINIB_450)
    return told(
        chart,
        "A 64-year-old man with diabetes took alectinib, did not tolerate it, and has been on",
        "ceritinib 450 mg daily for five months. ALT is six times the upper limit with a normal",
        "bilirubin, and glucose is 286 mg/dL on metformin. A refill is being signed. The service",
        "should say to hold ceritinib until the liver has recovered and to resume one dose lower,",
        "300 mg daily, and ask whether the glucose treatment is as good as it can be.",
    )


def ensartinib_severe_rash() -> Story:
    """A severe rash in the fifth week."""
    chart, cancer = opened(
        "ensartinib-severe-rash",
        SAGUARO,
        Person("Ottilie", "Fakenham", "female", "1972-02-22"),
        33,
        stage="IVA",
        also=("uric-acid",),
    )
    request(chart, "ensartinib", ENSARTINIB_225, ago(33), reason=cancer)
    on_treatment(chart, ago(33), ago(10))
    panel(chart, ago(3))
    vital_signs(chart, ago(3))
    chart.condition("rash", ago(3), onset=ago(8), severity="severe")
    return told(
        chart,
        "A 54-year-old woman in the fifth week of ensartinib 225 mg daily has a widespread rash,",
        "recorded as severe. The dose table of the label could not be read in a source. The",
        "service should say to look at the current label and with which questions, offer no order,",
        "and not make up a dose. The drug is in the record by its name alone, without a code.",
    )


STORIES = (
    brigatinib_without_lead_in,
    brigatinib_early_pneumonitis,
    crizotinib_long_qtc,
    ceritinib_liver_and_glucose,
    ensartinib_severe_rash,
)

"""Stories of people on alectinib whose liver is the question."""

from __future__ import annotations

from datetime import date

from fhir_fixtures.build.biomarkers import alk_fusion, alk_stain
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.codes import SNOMED, coding, concept
from fhir_fixtures.build.courses import (
    Story,
    baseline,
    earlier_years,
    on_treatment,
    panel,
    told,
    vital_signs,
)
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO, Laboratory
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    APIXABAN_5,
    ATORVASTATIN_40,
    LEVOTHYROXINE_75,
    METFORMIN_500,
    draft,
    request,
)
from fhir_fixtures.build.oncology import (
    brain_mri,
    disease_status,
    performance_status,
    primary_cancer,
)


def _started(
    name: str,
    laboratory: Laboratory,
    start: date,
    person: tuple[str, str, str, str],
    *,
    years_before: int = 1,
) -> tuple[Chart, str]:
    """A chart up to the first dose of alectinib on ``start``, and the id of the cancer."""
    given, family, gender, birth_date = person
    chart = Chart(
        name, laboratory, given=given, family=family, gender=gender, birth_date=birth_date
    )
    days = (ago(0) - start).days
    earlier_years(chart, ago(days + 60), years_before)
    cancer = primary_cancer(chart, ago(days + 35), icd="C34.11", stage="IVA")
    alk_fusion(chart, ago(days + 14))
    performance_status(chart, ago(days + 5), 1)
    brain_mri(chart, ago(days + 10), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(days + 10))
    baseline(chart, ago(days + 5))
    return chart, cancer


def alectinib_on_track() -> Story:
    """Two and a half years of alectinib and nothing to complain about."""
    start = ago(912)
    chart, cancer = _started(
        "alectinib-on-track",
        SAGUARO,
        start,
        ("Greta", "Placeholder", "female", "1969-09-21"),
    )
    request(chart, "alectinib", ALECTINIB_600, start, status="completed", reason=cancer)
    request(chart, "alectinib", ALECTINIB_600, ago(180), reason=cancer)
    request(chart, "atorvastatin", ATORVASTATIN_40, ago(400))
    chart.condition("hyperlipidaemia", ago(1400), onset=ago(1400))
    on_treatment(chart, start, ago(12))
    for months in range(3, 30, 6):
        day = ago(912 - months * 30)
        brain_mri(chart, day, "No intracranial metastases. Unchanged.")
        disease_status(chart, day, cancer, "improved" if months < 6 else "stable")
    # Three results a reader must not use: one withdrawn, one never measured, one not total.
    chart.lab("alt", ago(40), 990, status="entered-in-error", note="Wrong tube.")
    chart.lab("alt", ago(39), status="cancelled", absent_reason="error", note="Haemolysed sample.")
    chart.lab("direct-bilirubin", ago(7))
    panel(chart, ago(7))
    for name in ("cpk", "haemoglobin", "neutrophils", "glucose", "ldh", "potassium"):
        chart.lab(name, ago(7))
    vital_signs(chart, ago(7))
    chart.weight(ago(7), 70.2)
    brain_mri(chart, ago(21), "No intracranial metastases. Unchanged.")
    disease_status(chart, ago(21), cancer, "stable")
    performance_status(chart, ago(7), 0)
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 57-year-old woman with stage IVA ALK-positive lung adenocarcinoma has taken alectinib",
        "600 mg twice daily for two and a half years. Disease is stable, and liver tests, creatine",
        "kinase, pulse and blood pressure of a week ago are normal. A refill of the same dose is",
        "being signed. The service should find nothing wrong and stay quiet or say so in one",
        "line; the withdrawn ALT of 990, the cancelled sample and the direct bilirubin are to be",
        "ignored.",
    )


def alectinib_alt_six_times() -> Story:
    """Month five, ALT six times the upper limit, bilirubin normal."""
    start = ago(150)
    chart, cancer = _started(
        "alectinib-alt-six-times",
        SAGUARO,
        start,
        ("Albin", "Sampleton", "male", "1963-02-07"),
        years_before=2,
    )
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    request(chart, "metformin", METFORMIN_500, ago(330))
    chart.condition("type 2 diabetes", ago(1900), onset=ago(1900))
    on_treatment(chart, start, ago(30))
    panel(chart, ago(20), alt=2.1, ast=1.6)
    panel(chart, ago(8), alt=6.2, ast=4.4, bilirubin=0.67)
    chart.lab("cpk", ago(8))
    chart.lab("haptoglobin", ago(8))
    vital_signs(chart, ago(8))
    chart.excluded("cholestasis", ago(8), "Ultrasound without dilated bile ducts.")
    chart.excluded("haemolysis", ago(8), "Haptoglobin and LDH normal.")
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 63-year-old man in the fifth month of alectinib 600 mg twice daily had, eight days ago,",
        "an ALT of 6.2 times the upper limit with a normal bilirubin; cholestasis and haemolysis",
        "were looked for and excluded. A refill of the full dose is being signed. The service",
        "should say to withhold alectinib until ALT has come down to three times the limit or to",
        "baseline and to restart one step lower, and warn about the refill.",
    )


def alectinib_hepatitis_with_jaundice() -> Story:
    """ALT and bilirubin both raised without another cause."""
    start = ago(75)
    chart, cancer = _started(
        "alectinib-hepatitis-with-jaundice",
        HARBOUR,
        start,
        ("Ottilie", "Testwell", "female", "1977-11-15"),
    )
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    on_treatment(chart, start, ago(19))
    panel(chart, ago(4), alt=4.0, ast=3.4, bilirubin=2.5)
    chart.lab("cpk", ago(4))
    chart.lab("ldh", ago(4))
    chart.lab("haemoglobin", ago(4))
    vital_signs(chart, ago(4))
    chart.excluded("cholestasis", ago(3), "Ultrasound without dilated bile ducts, ALP normal.")
    chart.excluded("haemolysis", ago(3), "LDH and haemoglobin normal.")
    return told(
        chart,
        "A 49-year-old woman in the third month of alectinib has, since four days, an ALT of four",
        "times and a bilirubin of 2.5 times the upper limit. Cholestasis and haemolysis were",
        "excluded. The service should say to stop alectinib for good, not to pause and reduce it.",
    )


def alectinib_alt_without_bilirubin() -> Story:
    """ALT is high and nobody measured bilirubin."""
    start = ago(170)
    chart, cancer = _started(
        "alectinib-alt-without-bilirubin",
        LAKESIDE,
        start,
        ("Edda", "Proxyman", "female", "1958-04-16"),
    )
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer, shape="contained")
    request(chart, "levothyroxine", LEVOTHYROXINE_75, ago(500))
    chart.condition("hypothyroidism", ago(3000), onset=ago(3000))
    on_treatment(chart, start, ago(92))
    for day in (ago(60), ago(32)):
        panel(chart, day, skip=("bilirubin",))
        vital_signs(chart, day)
    panel(chart, ago(5), alt=6.0, ast=4.6, skip=("bilirubin",))
    chart.lab("cpk", ago(5))
    vital_signs(chart, ago(5))
    return told(
        chart,
        "A 68-year-old woman in the sixth month of alectinib had an ALT of six times the upper",
        "limit five days ago. Bilirubin was last measured about three months ago. The service",
        "cannot know whether to pause or to stop for good: it should ask for bilirubin at once,",
        "say what hangs on it, and not take the old value for a current one.",
    )


def alectinib_recovered_liver() -> Story:
    """Held for five weeks, recovered, and the full dose is ordered again."""
    start = ago(140)
    chart, cancer = _started(
        "alectinib-recovered-liver",
        LAKESIDE,
        start,
        ("Ruben", "Dummyson", "male", "1970-12-01"),
        years_before=2,
    )
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        start,
        status="on-hold",
        status_reason="ALT above 5 times the upper limit",
        reason=cancer,
    )
    on_treatment(chart, start, ago(56))
    panel(chart, ago(35), alt=7.0, ast=5.1, bilirubin=0.8)
    chart.condition("toxic hepatitis", ago(35), onset=ago(35), abated=ago(3))
    chart.excluded("cholestasis", ago(34))
    chart.excluded("haemolysis", ago(34))
    panel(chart, ago(28), alt=5.6, ast=4.0, bilirubin=0.7)
    panel(chart, ago(21), alt=3.9, ast=2.8, bilirubin=0.6)
    panel(chart, ago(12), alt=2.2, ast=1.7, bilirubin=0.6)
    panel(chart, ago(3), alt=1.4, ast=1.1, bilirubin=0.5)
    chart.lab("cpk", ago(3))
    vital_signs(chart, ago(3))
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 55-year-old man had an ALT of seven times the upper limit five weeks ago with a normal",
        "bilirubin, and alectinib has been on hold since. ALT is now 1.4 times the limit. A new",
        "order for alectinib 600 mg twice daily is being signed. The service should agree to the",
        "restart and say that the dose is to be one step lower, 450 mg twice daily.",
    )


def alectinib_no_reference_range() -> Story:
    """A number without a range and a unit nobody knows."""
    start = ago(110)
    chart, cancer = _started(
        "alectinib-no-reference-range",
        SAGUARO,
        start,
        ("Ines", "Mockridge", "female", "1965-05-25"),
    )
    request(chart, "alectinib", ALECTINIB_600, start, reason=cancer)
    request(chart, "apixaban", APIXABAN_5, ago(260))
    chart.condition("atrial fibrillation", ago(800), onset=ago(800))
    on_treatment(chart, start, ago(26))
    chart.lab("alt", ago(6), 310, with_range=False)
    chart.lab("bilirubin", ago(6), 1.4, with_range=False, unit="units")
    vital_signs(chart, ago(6))
    return told(
        chart,
        "A 61-year-old woman in the fourth month of alectinib had an ALT of 310 U/L six days ago,",
        "sent by another laboratory without a reference range, and a bilirubin of 1.4 in a unit",
        "called 'units'. The service should say that neither can be graded, ask for the range and",
        "the unit or a repeat, and neither borrow the range of an earlier result nor guess.",
    )


def alectinib_severe_cirrhosis() -> Story:
    """Child-Pugh C before the first dose."""
    chart = Chart(
        "alectinib-severe-cirrhosis",
        LAKESIDE,
        given="Wendel",
        family="Exampleby",
        gender="male",
        birth_date="1956-08-13",
    )
    earlier_years(chart, ago(70), 3)
    primary_cancer(chart, ago(34), icd="C34.91", stage="IVA")
    chart.condition("cirrhosis", ago(1300), onset=ago(1320), note="Child-Pugh class C.")
    alk_stain(chart, ago(15), clone="D5F3 CDx", result="positive")
    performance_status(chart, ago(6), 2)
    brain_mri(chart, ago(12), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(12))
    panel(chart, ago(6), bilirubin=2.6, alt=1.2, ast=1.6)
    for name in ("cpk", "haemoglobin", "glucose"):
        chart.lab(name, ago(6))
    chart.lab("inr", ago(6), 2.4)
    vital_signs(chart, ago(6))
    chart.observation(
        "child-pugh",
        "survey",
        concept(coding(SNOMED, "3191000175106", "Child-Pugh score"), text="Child-Pugh class"),
        ago(6),
        {"valueCodeableConcept": concept(text="Child-Pugh class C")},
    )
    draft(chart, "alectinib", ALECTINIB_600)
    return told(
        chart,
        "A 70-year-old man with cirrhosis, Child-Pugh class C as recorded six days ago, has newly",
        "found stage IVA ALK-positive lung adenocarcinoma. Alectinib 600 mg twice daily is being",
        "ordered. The service should say that the starting dose in severe hepatic impairment is",
        "450 mg twice daily, and not read the raised bilirubin as harm done by a drug he has not",
        "taken yet.",
    )


STORIES = (
    alectinib_on_track,
    alectinib_alt_six_times,
    alectinib_hepatitis_with_jaundice,
    alectinib_alt_without_bilirubin,
    alectinib_recovered_liver,
    alectinib_no_reference_range,
    alectinib_severe_cirrhosis,
)

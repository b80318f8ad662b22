"""Stories of people on lorlatinib, and of one for whom lorlatinib no longer works."""

from __future__ import annotations

from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.courses import Story, on_treatment, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    AMLODIPINE_5,
    CLARITHROMYCIN_500,
    LORLATINIB_100,
    NELADALKIB_150,
    RIFAMPIN_600,
    draft,
    request,
)
from fhir_fixtures.build.oncology import (
    brain_mri,
    disease_status,
    electrocardiogram,
    performance_status,
)
from fhir_fixtures.build.openings import Person, opened

LIPIDS = ("cholesterol", "triglycerides")


def _recent_tests(chart: Chart, days: int) -> None:
    """A full visit without a finding: what the label asks for on lorlatinib."""
    panel(chart, ago(days))
    for name in (*LIPIDS, "glucose"):
        chart.lab(name, ago(days))
    vital_signs(chart, ago(days))
    electrocardiogram(chart, ago(days), qtc=421, pr=168)


def lorlatinib_triglycerides() -> Story:
    """Second month, triglycerides above 1000 mg/dL, nothing given against them."""
    chart, cancer = opened(
        "lorlatinib-triglycerides",
        SAGUARO,
        Person("Delphine", "Sampleton", "female", "1967-04-09"),
        430,
        stage="IVA",
        also=LIPIDS,
    )
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        ago(430),
        status="stopped",
        status_reason="no response",
        reason=cancer,
        ended=ago(72),
    )
    on_treatment(chart, ago(430), ago(75))
    disease_status(chart, ago(78), cancer, "worsened")
    for name in LIPIDS:
        chart.lab(name, ago(66))
    electrocardiogram(chart, ago(66), qtc=415, pr=164)
    brain_mri(chart, ago(70), "No intracranial metastases.")
    request(chart, "lorlatinib", LORLATINIB_100, ago(64), reason=cancer)
    for days in (50, 36, 22):
        panel(chart, ago(days))
        vital_signs(chart, ago(days))
    chart.lab("cholesterol", ago(36), 331)
    chart.lab("triglycerides", ago(36), 612)
    disease_status(chart, ago(9), cancer, "improved")
    panel(chart, ago(3))
    vital_signs(chart, ago(3))
    chart.lab("cholesterol", ago(3), 388)
    chart.lab("triglycerides", ago(3), 1240)
    chart.lab("glucose", ago(3))
    draft(chart, "lorlatinib", LORLATINIB_100)
    return told(
        chart,
        "A 59-year-old woman in the third month of lorlatinib has triglycerides of 1240 mg/dL and",
        "a cholesterol of 388 mg/dL. Both were already raised a month ago, and no statin or other",
        "lipid-lowering medicine is in the record. A refill of 100 mg daily is being signed. The",
        "service should say to hold lorlatinib until the lipids have come down, to treat them with",
        "a statin that does not depend on CYP3A, and to resume at the same dose, because it is the",
        "first time.",
    )


def lorlatinib_hallucinations() -> Story:
    """Hallucinations and low mood of moderate severity, with onset on the drug."""
    chart, cancer = opened(
        "lorlatinib-hallucinations",
        HARBOUR,
        Person("Osric", "Fakenham", "male", "1960-10-14"),
        133,
        stain=True,
        also=LIPIDS,
    )
    request(chart, "lorlatinib", LORLATINIB_100, ago(133), reason=cancer, shape="contained")
    on_treatment(chart, ago(133), ago(20), skip=("cpk",), also=LIPIDS)
    disease_status(chart, ago(40), cancer, "improved")
    brain_mri(chart, ago(40), "No intracranial metastases.")
    chart.condition("low mood", ago(4), onset=ago(21), severity="moderate")
    chart.condition("visual hallucinations", ago(4), onset=ago(7), severity="moderate")
    _recent_tests(chart, 4)
    return told(
        chart,
        "A 66-year-old man in the fifth month of first-line lorlatinib has been low for three",
        "weeks, and for a week he has seen people who are not there. Both are recorded with the",
        "severity moderate; he had neither before lorlatinib. The service should say to hold",
        "lorlatinib until the effects are mild at most and to resume one dose lower, 75 mg daily,",
        "and ask whether he is suicidal or psychotic.",
    )


def lorlatinib_clarithromycin_ordered() -> Story:
    """A strong inhibitor of CYP3A is being ordered beside lorlatinib."""
    chart, cancer = opened(
        "lorlatinib-clarithromycin-ordered",
        LAKESIDE,
        Person("Runa", "Mockridge", "female", "1958-01-27"),
        210,
        stage="IVA",
        also=LIPIDS,
    )
    request(chart, "lorlatinib", LORLATINIB_100, ago(210), reason=cancer)
    request(chart, "amlodipine", AMLODIPINE_5, ago(700))
    chart.condition("hypertension", ago(2400), onset=ago(2400))
    on_treatment(chart, ago(210), ago(25), skip=("cpk",), also=LIPIDS)
    disease_status(chart, ago(30), cancer, "stable")
    brain_mri(chart, ago(30), "No intracranial metastases.")
    _recent_tests(chart, 11)
    chart.condition("sinusitis", ago(0), onset=ago(6), category="encounter-diagnosis")
    draft(chart, "clarithromycin", CLARITHROMYCIN_500)
    return told(
        chart,
        "A 68-year-old woman on lorlatinib 100 mg daily for seven months has sinusitis, and",
        "clarithromycin 500 mg twice daily is being ordered. The service should say to choose",
        "another antibiotic, because strong CYP3A inhibitors raise lorlatinib, and that the label",
        "lowers lorlatinib to 75 mg daily if it cannot be avoided. It is the antibiotic that is",
        "being ordered: nothing may be said about a first dose of lorlatinib.",
    )


def lorlatinib_rifampin_ordered() -> Story:
    """A contraindicated medicine is being ordered beside lorlatinib."""
    chart, cancer = opened(
        "lorlatinib-rifampin-ordered",
        SAGUARO,
        Person("Tobin", "Exampleby", "male", "1970-05-31"),
        88,
        also=LIPIDS,
    )
    request(chart, "lorlatinib", LORLATINIB_100, ago(88), reason=cancer, shape="referenced")
    on_treatment(chart, ago(88), ago(20), skip=("cpk",), also=LIPIDS)
    disease_status(chart, ago(30), cancer, "improved")
    _recent_tests(chart, 6)
    chart.condition("latent tuberculosis", ago(6))
    draft(chart, "rifampin", RIFAMPIN_600)
    return told(
        chart,
        "A 56-year-old man on lorlatinib for three months has latent tuberculosis, and rifampin",
        "600 mg daily is being ordered. The two together are contraindicated: most healthy",
        "volunteers who took both had severe liver toxicity. The service should say not to sign,",
        "and take the rifampin order away if asked to.",
    )


def neladalkib_ordered() -> Story:
    """A drug without approval, after alectinib and lorlatinib."""
    chart, cancer = opened(
        "neladalkib-ordered",
        HARBOUR,
        Person("Cosima", "Dummyson", "female", "1957-08-20"),
        1210,
    )
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        ago(1210),
        status="stopped",
        status_reason="no response",
        reason=cancer,
        ended=ago(420),
    )
    on_treatment(chart, ago(1210), ago(430))
    disease_status(chart, ago(425), cancer, "worsened")
    request(
        chart,
        "lorlatinib",
        LORLATINIB_100,
        ago(418),
        status="stopped",
        status_reason="no response",
        reason=cancer,
        ended=ago(9),
    )
    on_treatment(chart, ago(418), ago(24), skip=("cpk",), also=LIPIDS)
    disease_status(chart, ago(12), cancer, "worsened")
    brain_mri(chart, ago(12), "No intracranial metastases.")
    performance_status(chart, ago(9), 1)
    _recent_tests(chart, 9)
    draft(chart, "neladalkib", NELADALKIB_150)
    return told(
        chart,
        "A 69-year-old woman has progressed on alectinib and then on lorlatinib, and neladalkib",
        "150 mg daily is being ordered; no tissue was taken since. The service should say not to",
        "sign, because no approval is known, point to expanded access and trials, name the goal",
        "date of the FDA and the day it was last looked up, and hold back with doses and tests of",
        "a drug whose label does not exist.",
    )


STORIES = (
    lorlatinib_triglycerides,
    lorlatinib_hallucinations,
    lorlatinib_clarithromycin_ordered,
    lorlatinib_rifampin_ordered,
    neladalkib_ordered,
)

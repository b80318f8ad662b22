"""Stories of people whose disease progressed, or whose drug was not tolerated."""

from __future__ import annotations

from fhir_fixtures.build.biomarkers import (
    alk_no_resistance,
    alk_on_one_allele,
    alk_resistance,
    met_amplification,
)
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.courses import Story, on_treatment, panel, told, vital_signs
from fhir_fixtures.build.laboratories import HARBOUR, LAKESIDE, SAGUARO
from fhir_fixtures.build.medicines import (
    ALECTINIB_600,
    BRIGATINIB_180,
    CARBOPLATIN_550,
    CERITINIB_450,
    CRIZOTINIB_250,
    LORLATINIB_100,
    PEMETREXED_900,
    draft,
    request,
)
from fhir_fixtures.build.oncology import (
    brain_mri,
    disease_status,
    electrocardiogram,
    performance_status,
    progression_pattern,
)
from fhir_fixtures.build.openings import Person, opened

LIPIDS = ("cholesterol", "triglycerides")
PANCREAS = ("lipase", "amylase")


def _progressed(
    chart: Chart, cancer: str, pattern: str | None, *, brain_clear: bool = True
) -> None:
    """The visit at which the progression was found, twelve days ago."""
    disease_status(chart, ago(12), cancer, "worsened")
    if pattern is not None:
        progression_pattern(chart, ago(12), pattern)
    if brain_clear:
        brain_mri(chart, ago(11), "No intracranial metastases.")
        chart.excluded("brain metastases", ago(11))
    performance_status(chart, ago(6), 1)
    panel(chart, ago(6))
    for name in ("cpk", "glucose", "haemoglobin", "neutrophils"):
        chart.lab(name, ago(6))
    vital_signs(chart, ago(6))
    electrocardiogram(chart, ago(6), qtc=419, pr=165)


def progression_systemic() -> Story:
    """Bone and liver grow on alectinib; no profile yet."""
    chart, cancer = opened(
        "progression-systemic",
        SAGUARO,
        Person("Marguerite", "Dummyson", "female", "1966-07-29"),
        640,
    )
    request(chart, "alectinib", ALECTINIB_600, ago(640), reason=cancer)
    on_treatment(chart, ago(640), ago(20))
    chart.condition("bone metastases", ago(640), onset=ago(650))
    chart.condition("liver metastases", ago(12), onset=ago(12))
    _progressed(chart, cancer, "systemic")
    return told(
        chart,
        "A 60-year-old woman has taken alectinib for twenty-one months. Twelve days ago new liver",
        "metastases and growing bone metastases were found; the pattern is recorded as systemic,",
        "the brain is clear. Nothing was sequenced since the diagnosis. The service should say to",
        "profile resistance in plasma and tissue now, and name lorlatinib as what follows",
        "alectinib by default.",
    )


def progression_brain_only() -> Story:
    """Three new lesions in the brain, everything else controlled."""
    chart, cancer = opened(
        "progression-brain-only",
        HARBOUR,
        Person("Casimir", "Testwell", "male", "1974-01-08"),
        505,
        stage="IVA",
    )
    request(chart, "alectinib", ALECTINIB_600, ago(505), reason=cancer)
    on_treatment(chart, ago(505), ago(20))
    brain_mri(
        chart, ago(5), "Three new enhancing lesions, largest 7 mm, without mass effect or oedema."
    )
    chart.condition("brain metastases", ago(5), onset=ago(5))
    _progressed(chart, cancer, "brain-only", brain_clear=False)
    return told(
        chart,
        "A 52-year-old man has taken alectinib for sixteen months and has three new small brain",
        "metastases without symptoms; the rest of the body is controlled, and the pattern is",
        "recorded as brain only. The service should offer lorlatinib, or local treatment with",
        "alectinib continued, and put whole-brain radiotherapy last.",
    )


def progression_g1202r() -> Story:
    """The solvent-front mutation after brigatinib."""
    chart, cancer = opened(
        "progression-g1202r",
        LAKESIDE,
        Person("Ludo", "Proxyman", "male", "1959-11-24"),
        410,
        also=PANCREAS,
    )
    request(chart, "brigatinib", BRIGATINIB_180, ago(403), reason=cancer)
    on_treatment(chart, ago(410), ago(20), also=PANCREAS)
    _progressed(chart, cancer, "systemic")
    for name in PANCREAS:
        chart.lab(name, ago(6))
    alk_resistance(chart, ago(8), "p.Gly1202Arg", percent=31)
    return told(
        chart,
        "A 66-year-old man has progressed in several organs after thirteen months of brigatinib.",
        "A biopsy of a growing lesion eight days ago shows ALK G1202R. The service should name",
        "lorlatinib as the option and no other second-generation drug.",
    )


def progression_i1171n() -> Story:
    """A mutation that resists alectinib and leaves several drugs."""
    chart, cancer = opened(
        "progression-i1171n",
        SAGUARO,
        Person("Perpetua", "Exampleby", "female", "1961-05-03"),
        560,
    )
    request(chart, "alectinib", ALECTINIB_600, ago(560), reason=cancer)
    on_treatment(chart, ago(560), ago(20))
    _progressed(chart, cancer, "systemic")
    alk_resistance(chart, ago(7), "p.Ile1171Asn")
    return told(
        chart,
        "A 65-year-old woman has progressed after eighteen months of alectinib; a biopsy shows ALK",
        "I1171N alone. The service should rank lorlatinib first, then ceritinib and brigatinib,",
        "and not offer alectinib, crizotinib or ensartinib.",
    )


def progression_f1174l() -> Story:
    """A drug that the mutation resists is being ordered."""
    chart, cancer = opened(
        "progression-f1174l",
        HARBOUR,
        Person("Hedda", "Mockridge", "female", "1953-09-09"),
        380,
        stain=True,
        also=PANCREAS,
    )
    request(
        chart,
        "crizotinib",
        CRIZOTINIB_250,
        ago(380),
        status="stopped",
        status_reason="no response",
        reason=cancer,
        ended=ago(10),
    )
    on_treatment(chart, ago(380), ago(20), skip=("cpk",))
    _progressed(chart, cancer, "systemic")
    for name in PANCREAS:
        chart.lab(name, ago(6))
    alk_resistance(chart, ago(9), "p.Phe1174Leu", percent=22.5)
    draft(chart, "ceritinib", CERITINIB_450)
    return told(
        chart,
        "A 73-year-old woman has progressed on crizotinib; a biopsy shows ALK F1174L, and",
        "ceritinib 450 mg daily is being ordered. That mutation resists ceritinib. The service",
        "should say to avoid the order and name lorlatinib, alectinib and brigatinib.",
    )


def chemotherapy_after_intolerance() -> Story:
    """Chemotherapy is ordered although nothing has progressed."""
    chart, cancer = opened(
        "chemotherapy-after-intolerance",
        SAGUARO,
        Person("Linus", "Specimen", "male", "1968-03-30"),
        170,
        stage="IVA",
    )
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        ago(170),
        status="stopped",
        status_reason="intolerance",
        reason=cancer,
        ended=ago(16),
    )
    on_treatment(chart, ago(170), ago(20))
    chart.condition("myalgia", ago(60), onset=ago(90), abated=ago(5), severity="moderate")
    disease_status(chart, ago(13), cancer, "stable")
    brain_mri(chart, ago(13), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(13))
    performance_status(chart, ago(4), 1)
    panel(chart, ago(4))
    for name in ("cpk", "glucose", "haemoglobin", "neutrophils", "platelets", *LIPIDS):
        chart.lab(name, ago(4))
    vital_signs(chart, ago(4))
    electrocardiogram(chart, ago(4), qtc=420, pr=160)
    draft(chart, "carboplatin", CARBOPLATIN_550)
    draft(chart, "pemetrexed", PEMETREXED_900)
    return told(
        chart,
        "A 58-year-old man stopped alectinib two weeks ago because of muscle pain; the reason is",
        "coded as suspected intolerance, and the disease is stable. Carboplatin and pemetrexed are",
        "being ordered. The service should say that intolerance is no resistance, that another",
        "preferred ALK inhibitor comes before chemotherapy, and say it once for both drugs.",
    )


def progression_compound_mutation() -> Story:
    """Two mutations on one allele after alectinib and lorlatinib."""
    chart, cancer = opened(
        "progression-compound-mutation",
        LAKESIDE,
        Person("Evander", "Sampleton", "male", "1965-12-19"),
        900,
        stage="IVA",
    )
    request(
        chart,
        "alectinib",
        ALECTINIB_600,
        ago(900),
        status="stopped",
        status_reason="no response",
        reason=cancer,
        ended=ago(370),
    )
    on_treatment(chart, ago(900), ago(375))
    disease_status(chart, ago(374), cancer, "worsened")
    request(chart, "lorlatinib", LORLATINIB_100, ago(365), reason=cancer)
    on_treatment(chart, ago(365), ago(20), skip=("cpk",), also=LIPIDS)
    _progressed(chart, cancer, "systemic")
    for name in LIPIDS:
        chart.lab(name, ago(6))
    first = alk_resistance(chart, ago(8), "p.Leu1196Met", percent=28)
    second = alk_resistance(chart, ago(8), "p.Gly1202Arg", percent=27)
    alk_on_one_allele(chart, ago(8), (first, second))
    return told(
        chart,
        "A 60-year-old man has progressed on alectinib and, after a year, on lorlatinib. The",
        "biopsy shows L1196M and G1202R, and the laboratory states that both sit on one allele.",
        "The service should say that no approved ALK inhibitor is expected to work, and point to",
        "a trial or expanded access and to platinum-pemetrexed; it should offer no drug.",
    )


def lorlatinib_met_amplification() -> Story:
    """A bypass after first-line lorlatinib."""
    chart, cancer = opened(
        "lorlatinib-met-amplification",
        HARBOUR,
        Person("Iseult", "Placeholder", "female", "1963-08-06"),
        480,
        also=LIPIDS,
    )
    request(chart, "lorlatinib", LORLATINIB_100, ago(480), reason=cancer)
    on_treatment(chart, ago(480), ago(20), skip=("cpk",), also=LIPIDS)
    _progressed(chart, cancer, "systemic")
    for name in LIPIDS:
        chart.lab(name, ago(6))
    alk_no_resistance(chart, ago(8))
    met_amplification(chart, ago(8), 14)
    return told(
        chart,
        "A 63-year-old woman has progressed after sixteen months of first-line lorlatinib. The",
        "biopsy shows no ALK mutation and an amplification of MET. The service should take it to",
        "the molecular board, say what a combination would be, and not offer a second-generation",
        "ALK inhibitor on trust.",
    )


STORIES = (
    progression_systemic,
    progression_brain_only,
    progression_g1202r,
    progression_i1171n,
    progression_f1174l,
    chemotherapy_after_intolerance,
    progression_compound_mutation,
    lorlatinib_met_amplification,
)

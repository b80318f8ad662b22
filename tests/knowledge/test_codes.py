"""The code tables hold only what was found, and lookups answer from what is verified."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.knowledge.codes import Codes, load_codes
from cds_service.knowledge.drug_folders import load_drugs
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.sources import load_sources
from cds_service.knowledge.yaml_files import knowledge_folder

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"

CODES = load_codes()
DRUGS = load_drugs()
ALL = CODES.with_drugs(DRUGS.values())

ANALYTES = """ALT, AST, total bilirubin, direct bilirubin, ALP, GGT, CPK, creatinine, eGFR, lipase,
amylase, glucose, HbA1c, total cholesterol, LDL cholesterol, triglycerides, neutrophils,
lymphocytes, platelets, haemoglobin, LDH, haptoglobin, reticulocytes, reticulocyte share, troponin,
uric acid, potassium, magnesium, calcium, INR, hCG, heart rate, systolic blood pressure,
diastolic blood pressure, QTc, PR interval, oxygen saturation, body weight,
inhaled oxygen flow, inspired oxygen, left ventricular ejection fraction"""

# The dihedral group of Verhoeff's scheme and the powers of its permutation.
MULTIPLY = [
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
]
PERMUTE = [
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
]


def verhoeff_holds(number: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(number)):
        check = int(MULTIPLY[check][int(PERMUTE[position % 8][int(digit)])])
    return check == 0


def loinc_check_digit_holds(code: str) -> bool:
    body, check = code.split("-")
    total = 0
    for position, digit in enumerate(reversed(body)):
        product = int(digit) * (2 if position % 2 == 0 else 1)
        total += product // 10 + product % 10
    return (10 - total % 10) % 10 == int(check)


def copy_of_codes(folder: Path) -> Path:
    source = Path(str(knowledge_folder() / "codes"))
    return Path(shutil.copytree(source, folder / "codes"))


def test_every_code_has_a_system_and_a_known_source() -> None:
    sources = load_sources()
    systems = {system.uri for system in CODES.systems.values()}
    for holder, code in ALL.all_codes():
        assert code.source in sources, (holder, code.code)
        # Our own codes mean what we say they mean; any other meaning has to be read somewhere.
        if code.verified and code.system != "urn:alk-cds:progression":
            assert sources[code.source].kind != "design", (holder, code.code)
        if code.system in systems:
            assert CODES.canonical_system(code.system) == code.system


def test_every_membership_analyte_and_registry_item_has_a_known_source() -> None:
    sources = load_sources()
    for medication_class in ALL.medication_classes.values():
        for name, membership in medication_class.ingredients.items():
            assert set(membership.sources) <= set(sources), (medication_class.name, name)
            assert not (membership.verified and membership.sources == ("general-knowledge",))
    for analyte in CODES.analytes.values():
        assert analyte.factor_source in sources
    for item in CODES.registry_items.values():
        assert item.source in sources


def test_the_snomed_and_loinc_check_digits_hold() -> None:
    assert verhoeff_holds("254637007")
    assert not verhoeff_holds("254637008")
    assert loinc_check_digit_holds("1742-6")
    assert not loinc_check_digit_holds("69725-2")
    for holder, code in ALL.all_codes():
        if code.system == SNOMED:
            assert verhoeff_holds(code.code), (holder, code.code)
        if code.system == LOINC and not code.code.startswith("LA"):
            assert loinc_check_digit_holds(code.code), (holder, code.code)


def test_no_do_not_use_code_is_in_any_set_or_product() -> None:
    forbidden = {(entry.system, entry.code) for entry in CODES.do_not_use}
    assert (RXNORM, "1946821") in forbidden
    assert (LOINC, "69725-2") in forbidden
    assert not forbidden & {code.key for _, code in ALL.all_codes()}
    assert not forbidden & set(CODES.product_matches)


def test_the_analytes_are_the_names_that_rules_use() -> None:
    assert list(CODES.analytes) == [name.strip() for name in ANALYTES.split(",")]


def test_unit_factors_are_finite_positive_decimals_and_the_canonical_unit_is_one() -> None:
    for analyte in CODES.analytes.values():
        assert analyte.units[analyte.unit] == 1
        for factor in analyte.units.values():
            assert isinstance(factor, Decimal)
            assert factor.is_finite()
            assert factor > 0


@pytest.mark.parametrize(
    ("analyte", "unit", "as_sent", "canonical"),
    [
        ("total bilirubin", "mg/dL", "1.2", "20.52"),
        ("creatinine", "mg/dL", "1", "88.4"),
        ("glucose", "mmol/L", "10", "180.16"),
        ("ALT", "ukat/L", "0.5", "30"),
        ("ALT", "nkat/L", "500", "30"),
        ("neutrophils", "/uL", "1500", "1.5"),
        ("haemoglobin", "g/L", "98", "9.8"),
        ("QTc", "s", "0.48", "480"),
        ("body weight", "[lb_av]", "100", "45.359237"),
    ],
)
def test_a_number_as_sent_times_its_factor_is_exact(
    analyte: str, unit: str, as_sent: str, canonical: str
) -> None:
    assert Decimal(as_sent) * CODES.analytes[analyte].units[unit] == Decimal(canonical)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [("ALT", "units"), ("eGFR", "mL/min/m2"), ("HbA1c", "mmol/mol"), ("INR", ""), ("ALT", "mg/dL")],
)
def test_a_unit_outside_the_table_has_no_factor(analyte: str, unit: str) -> None:
    assert unit not in CODES.analytes[analyte].units


def test_direct_bilirubin_is_never_total_bilirubin() -> None:
    direct = CODES.analyte_for(LOINC, "1968-7")
    total = CODES.analyte_for(LOINC, "1975-2")
    assert direct is not None
    assert total is not None
    assert (direct.name, total.name) == ("direct bilirubin", "total bilirubin")


@pytest.mark.parametrize("code", ["8634-8", "44974-4", "45066-8", "59261-8"])
def test_a_trap_code_names_no_analyte(code: str) -> None:
    assert CODES.analyte_for(LOINC, code) is None
    assert CODES.analyte_for(LOINC, code, include_unverified=True) is None


def test_a_code_matches_only_within_its_own_system() -> None:
    assert CODES.analyte_for(SNOMED, "1742-6") is None
    assert CODES.value_sets_with(LOINC, "C34.91") == frozenset()


@pytest.mark.parametrize(
    ("system", "code", "name", "member"),
    [
        (SNOMED, "254637007", "non-small cell lung cancer", True),
        (SNOMED, "830151004", "ALK-positive non-small cell lung cancer", True),
        (SNOMED, "830055006", "ALK-positive non-small cell lung cancer", False),
        (SNOMED, "254632001", "small cell lung cancer", True),
        (SNOMED, "254632001", "non-small cell lung cancer", False),
        (ICD_10_CM, "C34.91", "lung cancer of unknown type", True),
        (ICD_10_CM, "C34.91", "non-small cell lung cancer", False),
        (ICD_10_CM, "C22.0", "hepatocellular carcinoma", True),
        (ICD_10_CM, "C22.1", "hepatocellular carcinoma", False),
        (ICD_10_CM, "C84.60", "ALK-positive lymphoma", True),
        (ICD_10_CM, "C79.31", "brain metastases", True),
        (ICD_10_CM, "C79.32", "brain metastases", False),
        (ICD_10_CM, "C77.1", "other metastases", False),
        (ICD_10_CM, "J70.2", "interstitial lung disease", True),
        (ICD_10_CM, "J70.0", "interstitial lung disease", False),
        (ICD_10_CM, "J18.9", "interstitial lung disease", False),
        (SNOMED, "703228009", "EGFR-mutated non-small cell lung cancer", True),
        (SNOMED, "426964009", "EGFR-mutated non-small cell lung cancer", False),
        (ICD_10_CM, "Z33.2", "pregnancy", False),
        (ICD_10_CM, "O92.20", "lactation", False),
        (SNOMED, "162573006", "lung cancer of unknown type", False),
    ],
)
def test_a_condition_code_is_in_the_sets_that_say_what_it_says(
    system: str, code: str, name: str, member: bool
) -> None:
    assert name in CODES.value_sets
    assert (name in CODES.value_sets_with(system, code)) is member


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        ("http://hl7.org/fhir/sid/icd-10", "C34.1", "lung cancer of unknown type"),
        ("http://hl7.org/fhir/sid/icd-10", "C34.11", "lung cancer of unknown type"),
        ("http://hl7.org/fhir/sid/icd-10-nl", "C34.1", "lung cancer of unknown type"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "C34.1", "lung cancer of unknown type"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "C79.3", "central nervous system metastases"),
        ("http://hl7.org/fhir/sid/icd-10-am", "C78.7", "other metastases"),
    ],
)
def test_the_tumour_is_known_by_the_codes_of_every_edition(
    system: str, code: str, name: str
) -> None:
    assert name in CODES.value_sets_with(system, code)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("non-small cell lung cancer", "small cell lung cancer"),
        ("non-small cell lung cancer", "lung cancer of unknown type"),
        ("small cell lung cancer", "lung cancer of unknown type"),
        ("answer positive", "answer negative"),
        ("answer positive", "answer equivocal"),
        ("pregnancy", "lactation"),
        ("brain metastases", "leptomeningeal metastases"),
    ],
)
def test_sets_that_exclude_each_other_share_no_code(first: str, second: str) -> None:
    one = CODES.value_sets[first].code_keys(include_unverified=True)
    other = CODES.value_sets[second].code_keys(include_unverified=True)
    assert not one & other


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("258228008", "IV"),
        ("261638004", "IIIA"),
        ("261643006", "IVB"),
        ("423121009", "IV"),
        ("424993006", "IV"),
        ("254637007", None),
    ],
)
def test_a_stage_is_read_from_a_code_only_where_the_code_says_it(
    code: str, stage: str | None
) -> None:
    assert CODES.stage_of(SNOMED, code) == stage


def test_ecog_answers_carry_their_score() -> None:
    scores = {code.code: code.value for code in CODES.value_sets["ECOG answer"].codes}
    assert [scores[f"LA962{n}-{d}"] for n, d in zip("234567", "753086", strict=True)] == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]


def test_unverified_codes_match_only_when_asked_for() -> None:
    value_set = CODES.value_sets["answer equivocal"]
    assert (SNOMED, "42425007") not in value_set.code_keys()
    assert (SNOMED, "42425007") in value_set.code_keys(include_unverified=True)
    assert "answer equivocal" not in CODES.value_sets_with(SNOMED, "42425007")


def test_registry_answers_are_kept_apart_from_value_sets() -> None:
    item = CODES.registry_items["ALK rearrangement"]
    meanings = {code: answer.meaning for code, answer in item.answers.items()}
    assert meanings["0"] == "negative"
    assert meanings["1"] == meanings["4"] == "positive"
    assert meanings["9"] == "unknown"


@pytest.mark.parametrize(
    ("system", "code", "ingredient", "class_name"),
    [
        (RXNORM, "6918", "metoprolol", "beta-blocker"),
        (RXNORM, "337525", "erlotinib", "EGFR inhibitor"),
        (RXNORM, "1547545", "pembrolizumab", "immune checkpoint inhibitor"),
        (RXNORM, "9384", "rifampin", "strong CYP3A inducer"),
        (RXNORM, "11289", "warfarin", "anticoagulant"),
        (RXNORM, "2599543", "ritonavir", "strong CYP3A inhibitor"),
        (RXNORM, "1727479", "alectinib", "ALK inhibitor"),
        (ATC, "L01ED05", "lorlatinib", "ALK inhibitor"),
    ],
)
def test_a_medication_code_leads_to_its_ingredient_and_class(
    system: str, code: str, ingredient: str, class_name: str
) -> None:
    assert ingredient in ALL.ingredients_for(system, code)
    assert class_name in ALL.classes_of(ingredient)


def test_product_codes_know_ingredient_route_and_strength() -> None:
    rows = [
        match
        for matches in CODES.product_matches.values()
        for match in matches
        if match.display == "Metoprolol Tartrate 25 MG Oral Tablet"
    ]
    assert [(row.ingredient, row.systemic, row.strength_mg) for row in rows] == [
        ("metoprolol", True, Decimal(25))
    ]


def test_alk_inhibitors_come_from_their_own_folders_only() -> None:
    assert not set(DRUGS) & set(CODES.ingredients)
    assert set(ALL.medication_classes["ALK inhibitor"].ingredients) == set(DRUGS)
    ensartinib = {code.code for code in ALL.ingredients["ensartinib"].codes}
    assert ensartinib == {"2712634", "2712640", "2712642", "2712644", "83076-1025-3"}
    assert "ensacove" in ALL.ingredients["ensartinib"].match_text
    with pytest.raises(KnowledgeError, match="no folder of its own"):
        ALL.with_drugs(DRUGS.values())


def test_an_unknown_medication_code_has_no_ingredient() -> None:
    assert ALL.medications(RXNORM, "0") == ()
    assert ALL.classes_of("water") == frozenset()


def test_contested_inducers_are_strong_and_the_conflict_is_written_down() -> None:
    strong = CODES.medication_classes["strong CYP3A inducer"].ingredients
    moderate = CODES.medication_classes["moderate CYP3A inducer"].ingredients
    for name in ("St John's wort", "rifapentine", "phenobarbital", "primidone"):
        assert "disagree" in str(strong[name].note)
        assert name not in moderate


def test_unverified_memberships_are_named_only_when_asked_for() -> None:
    assert "strong CYP3A inhibitor" not in CODES.classes_of("adagrasib")
    assert "strong CYP3A inhibitor" in CODES.classes_of("adagrasib", include_unverified=True)


def test_a_local_product_does_not_count_but_an_unknown_route_does() -> None:
    local = CODES.medications(ATC, "D07AA02")
    assert [match.ingredient for match in local] == ["hydrocortisone"]
    assert not CODES.counts_for_class(local[0])
    plain = next(
        match
        for code in CODES.ingredients["hydrocortisone"].codes
        if code.kind == "IN"
        for match in CODES.medications(*code.key)
    )
    assert plain.systemic is None
    assert CODES.counts_for_class(plain)


def test_eye_drops_with_a_beta_blocker_count() -> None:
    assert not CODES.ingredients["timolol"].systemic_routes_only


def test_spellings_of_a_system_lead_to_the_canonical_uri() -> None:
    assert CODES.canonical_system("urn:oid:2.16.840.1.113883.6.88") == RXNORM
    assert CODES.canonical_system("urn:oid:2.16.840.1.113883.6.1") == LOINC
    assert CODES.canonical_system("urn:example:unknown") == "urn:example:unknown"


def test_unconfirmed_identifiers_are_not_taken_for_the_system() -> None:
    unconfirmed = CODES.systems["ATC"].unconfirmed_variants
    assert unconfirmed
    assert all(uri not in CODES.system_variants for uri in unconfirmed)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("file", "old", "new", "where", "expected"),
    [
        ("labs.yaml", '"ukat/L": "60"', '"ukat/L": 60', "ALT.units.ukat/L", "in quotes"),
        ("labs.yaml", '"ukat/L": "60"', '"ukat/L": "-60"', "ALT.units.ukat/L", "greater than 0"),
        ("labs.yaml", '"ukat/L": "60"', '"ukat/L": "NaN"', "ALT.units.ukat/L", "finite"),
        ("labs.yaml", '"U/L": "1"', '"U/L": "2"', "ALT", "factor 1"),
        ("labs.yaml", '"1742-6"', '"1920-8"', "AST", "under one analyte only"),
        ("labs.yaml", '"1975-2"', '"1968-7"', "total bilirubin", "no trap code"),
        ("vitals.yaml", "heart rate:", "pulse: 3\nheart rate:", "pulse", "a mapping"),
        ("conditions.yaml", '"254637007"', "254637007", "codes.0.code", "valid string"),
        ("conditions.yaml", 'stage: "IV"', 'stage: "4"', "stage", "match pattern"),
        ("conditions.yaml", "hypertension:", "gene ALK:", "gene ALK", "one file only"),
        ("biomarkers.yaml", '"78205-2"', '"69725-2"', "ALK test by FISH", "no do-not-use code"),
        (
            "medications.yaml",
            '  "timolol":\n    match',
            '  "timo":\n    match',
            "timolol",
            "listed",
        ),
        ("medications.yaml", "classes:", "groups:", "classes", "a mapping of names"),
        ("medication_products.csv", "system,code", "code,system", "row 1", "the columns"),
        ("registry_items.yaml", "meaning: negative", "meaning: no", "answers.0", "'positive'"),
        ("systems.yaml", "LOINC:", "RxNorm:", "line", "given once"),
    ],
)
def test_a_bad_table_stops_with_file_and_place(
    tmp_path: Path, file: str, old: str, new: str, where: str, expected: str
) -> None:
    folder = copy_of_codes(tmp_path)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_codes(folder)
    assert caught.value.file.startswith(str(folder))
    assert where in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ("a,b,c\n", None, "8 columns"),
        ("s,1,Name,unobtainium,,,oral,x\n", "ingredient", "medications.yaml"),
        ("s,,Name,metoprolol,,,oral,x\n", None, "system, code, name and source"),
        ("s,1,Name,metoprolol,,,by post,x\n", "route", "a known route"),
        ("s,1,Name,metoprolol,much,,oral,x\n", "strength", "milligrams"),
    ],
)
def test_a_bad_product_row_stops_with_row_and_column(
    tmp_path: Path, row: str, column: str | None, expected: str
) -> None:
    folder = copy_of_codes(tmp_path)
    path = folder / "medication_products.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text(f"{header}\n{row}", encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_codes(folder)
    assert (caught.value.row, caught.value.column) == (2, column)
    assert expected in str(caught.value)


def test_a_missing_table_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    folder = copy_of_codes(tmp_path)
    (folder / "medication_products.csv").unlink()
    with pytest.raises(KnowledgeError, match="a readable UTF-8 file"):
        load_codes(folder)


def test_the_tables_are_not_shared_and_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CODES.analytes["ALT"] = CODES.analytes["AST"]  # type: ignore[index]
    assert isinstance(ALL, Codes)
    assert "ALK inhibitor" not in CODES.medication_classes

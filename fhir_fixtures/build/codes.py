"""Codings the stories use. Where each code was read is listed in ``fhir_fixtures/CODES.md``."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
HGNC = "http://www.genenames.org"
SEQUENCE_ONTOLOGY = "http://www.sequenceontology.org/"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
REFERENCE_RANGE_MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
DATA_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"
TIMING_ABBREVIATION = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
LOCAL_LABORATORY = "http://hospital.example.org/laboratory-codes"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"
CTCAE_GRADE = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
STATUS_REASON = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"
PROGRESSION = "urn:alk-cds:progression"
GENOMICS_PHASE = "http://terminology.hl7.org/CodeSystem/sequence-phase-relationship-cs"
GENOMICS = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/"


def coding(system: str, code: str, display: str | None = None) -> Json:
    """One FHIR Coding."""
    found: Json = {"system": system, "code": code}
    if display is not None:
        found["display"] = display
    return found


def concept(*codings: Json, text: str | None = None) -> Json:
    """A FHIR CodeableConcept of the codings and the text given."""
    found: Json = {}
    if codings:
        found["coding"] = list(codings)
    if text is not None:
        found["text"] = text
    return found


def quantity(value: float, unit: str, code: str | None = None) -> Json:
    """A FHIR Quantity in UCUM; ``unit`` is the printed unit, ``code`` the UCUM code."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


POSITIVE_LOINC = coding(LOINC, "LA6576-8", "Positive")
NEGATIVE_LOINC = coding(LOINC, "LA6577-6", "Negative")
POSITIVE_SNOMED = coding(SNOMED, "10828004", "Positive (qualifier value)")
NEGATIVE_SNOMED = coding(SNOMED, "260385009", "Negative (qualifier value)")
PRESENT = coding(LOINC, "LA9633-4", "Present")
ABSENT = coding(LOINC, "LA9634-2", "Absent")
SOMATIC = coding(LOINC, "LA6684-0", "Somatic")

GENE_ALK = coding(HGNC, "HGNC:427", "ALK")
GENE_EML4 = coding(HGNC, "HGNC:1316", "EML4")
GENE_EGFR = coding(HGNC, "HGNC:3236", "EGFR")
GENE_MET = coding(HGNC, "HGNC:7029", "MET")
COPY_NUMBER_GAIN = coding("http://www.sequenceontology.org", "SO:0001742", "copy_number_gain")
CIS = coding(GENOMICS_PHASE, "Cis", "Cis")

# How bad a reaction is: as a plain severity, and as a grade of CTCAE.
SEVERITIES = {
    "mild": coding(SNOMED, "255604002", "Mild"),
    "moderate": coding(SNOMED, "6736007", "Moderate"),
    "severe": coding(SNOMED, "24484000", "Severe"),
    "grade 1": coding(CTCAE_GRADE, "1", "CTCAE grade 1"),
}

# Why a treatment ended: the codes of the oncology guide, and those of FHIR itself.
END_REASONS = {
    "no response": coding(SNOMED, "266721009", "No response to treatment (situation)"),
    "not tolerated": coding(SNOMED, "407563006", "Treatment not tolerated (situation)"),
    "intolerance": coding(STATUS_REASON, "sintol", "Suspected intolerance"),
}

# Diseases and findings: the name used by the stories -> (text, codings).
DISEASES: dict[str, tuple[str, tuple[Json, ...]]] = {
    "brain metastases": (
        "Secondary malignant neoplasm of brain",
        (
            coding(SNOMED, "94225005", "Secondary malignant neoplasm of brain"),
            coding(ICD10CM, "C79.31", "Secondary malignant neoplasm of brain"),
        ),
    ),
    "bone metastases": (
        "Secondary malignant neoplasm of bone",
        (coding(ICD10CM, "C79.51", "Secondary malignant neoplasm of bone"),),
    ),
    "pleural metastases": (
        "Secondary malignant neoplasm of pleura",
        (coding(ICD10CM, "C78.2", "Secondary malignant neoplasm of pleura"),),
    ),
    "liver metastases": (
        "Secondary malignant neoplasm of liver",
        (
            coding(
                ICD10CM,
                "C78.7",
                "Secondary malignant neoplasm of liver and intrahepatic bile duct",
            ),
        ),
    ),
    "cholestasis": (
        "Cholestasis",
        (
            coding(SNOMED, "33688009", "Cholestasis"),
            coding(ICD10CM, "K71.0", "Toxic liver disease with cholestasis"),
        ),
    ),
    "haemolysis": (
        "Haemolysis",
        (
            coding(SNOMED, "61261009", "Hemolytic anemia"),
            coding(ICD10CM, "D59.9", "Acquired hemolytic anemia, unspecified"),
        ),
    ),
    "dizziness": (
        "Dizziness",
        (
            coding(SNOMED, "404640003", "Dizziness"),
            coding(ICD10CM, "R42", "Dizziness and giddiness"),
        ),
    ),
    "syncope": ("Syncope", (coding(ICD10CM, "R55", "Syncope and collapse"),)),
    "dyspnoea": (
        "Worsening dyspnoea",
        (coding(SNOMED, "267036007", "Dyspnea"), coding(ICD10CM, "R06.00", "Dyspnea, unspecified")),
    ),
    "myalgia": (
        "Myalgia",
        (
            coding(SNOMED, "68962001", "Muscle pain"),
            coding(ICD10CM, "M79.10", "Myalgia, unspecified site"),
        ),
    ),
    "bradycardia": (
        "Sinus bradycardia",
        (
            coding(SNOMED, "49710005", "Sinus bradycardia"),
            coding(ICD10CM, "R00.1", "Bradycardia, unspecified"),
        ),
    ),
    "drug-induced interstitial lung disease": (
        "Acute drug-induced interstitial lung disorder",
        (coding(ICD10CM, "J70.2", "Acute drug-induced interstitial lung disorders"),),
    ),
    "toxic hepatitis": (
        "Drug-induced hepatitis",
        (coding(ICD10CM, "K71.2", "Toxic liver disease with acute hepatitis"),),
    ),
    "cirrhosis": (
        "Cirrhosis of liver",
        (
            coding(SNOMED, "19943007", "Cirrhosis of liver"),
            coding(ICD10CM, "K74.60", "Unspecified cirrhosis of liver"),
        ),
    ),
    "hepatocellular carcinoma": (
        "Hepatocellular carcinoma",
        (
            coding(SNOMED, "109841003", "Liver cell carcinoma (disorder)"),
            coding(ICD10CM, "C22.0", "Liver cell carcinoma"),
        ),
    ),
    "suspected lung cancer": (
        "Suspected lung cancer",
        (coding(SNOMED, "162573006", "Suspected lung cancer"),),
    ),
    "lung nodule": (
        "Solitary pulmonary nodule, right upper lobe",
        (coding(ICD10CM, "R91.1", "Solitary pulmonary nodule"),),
    ),
    "hypertension": (
        "Essential hypertension",
        (coding(ICD10CM, "I10", "Essential (primary) hypertension"),),
    ),
    "asthma": (
        "Asthma, mild intermittent",
        (coding(ICD10CM, "J45.20", "Mild intermittent asthma, uncomplicated"),),
    ),
    "hypothyroidism": (
        "Hypothyroidism",
        (coding(ICD10CM, "E03.9", "Hypothyroidism, unspecified"),),
    ),
    "type 2 diabetes": (
        "Type 2 diabetes mellitus",
        (
            coding(SNOMED, "44054006", "Type 2 diabetes mellitus"),
            coding(ICD10CM, "E11.9", "Type 2 diabetes mellitus without complications"),
        ),
    ),
    "atrial fibrillation": (
        "Paroxysmal atrial fibrillation",
        (coding(ICD10CM, "I48.0", "Paroxysmal atrial fibrillation"),),
    ),
    "hyperlipidaemia": (
        "Hyperlipidaemia",
        (coding(ICD10CM, "E78.5", "Hyperlipidemia, unspecified"),),
    ),
    "pregnancy": ("Pregnant", (coding(ICD10CM, "Z33.1", "Pregnant state, incidental"),)),
    "visual hallucinations": (
        "Visual hallucinations",
        (
            coding(SNOMED, "7011001", "Hallucinations (finding)"),
            coding(ICD10CM, "R44.1", "Visual hallucinations"),
        ),
    ),
    "low mood": (
        "Depressed mood on treatment",
        (
            coding(
                ICD10CM,
                "F06.31",
                "Mood disorder due to known physiological condition with depressive features",
            ),
        ),
    ),
    "pneumonitis": (
        "Drug-induced pneumonitis",
        (
            coding(SNOMED, "205237003", "Pneumonitis"),
            coding(ICD10CM, "J70.2", "Acute drug-induced interstitial lung disorders"),
        ),
    ),
    "rash": (
        "Widespread rash",
        (
            coding(
                ICD10CM,
                "L27.0",
                "Generalized skin eruption due to drugs and medicaments taken internally",
            ),
        ),
    ),
    # Written by hand in the problem list: no code came with them.
    "sinusitis": ("Acute bacterial sinusitis", ()),
    "latent tuberculosis": ("Latent tuberculosis infection", ()),
    "depression": (
        "Depressive episode",
        (),
    ),
    "reflux": (
        "Gastro-oesophageal reflux",
        (coding(ICD10CM, "K21.9", "Gastro-esophageal reflux disease without esophagitis"),),
    ),
}

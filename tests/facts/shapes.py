"""Resources in the shapes that guides and vendors use, each with what they have to mean.

Built after the examples of US Core, mCODE and Genomics Reporting and after what Epic and Oracle
Health document; the values are invented.
"""

from __future__ import annotations

from typing import Any

from tests.facts.records import Json, day

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
HGNC = "http://www.genenames.org"
UCUM = "http://unitsofmeasure.org"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
EPIC_RATE = "http://epic.com/CodeSystem/dose-rate-type"
PATIENT = {"reference": "Patient/p"}
CAPSULE = "alectinib 150 MG Oral Capsule"


def concept(system: str, code: str, display: str | None = None, text: str | None = None) -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


ALECTINIB = concept(RXNORM, "1727479", CAPSULE, "alectinib 150 mg capsule")


def mg(value: object) -> Json:
    return {"value": value, "unit": "mg", "system": UCUM, "code": "mg"}


def order(**members: Any) -> Json:
    """A MedicationRequest; None takes an element out."""
    body = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": ALECTINIB,
        "subject": PATIENT,
        "authoredOn": day(30),
        **members,
    }
    return {name: value for name, value in body.items() if value is not None}


def by_reference(reference: Json, **members: Any) -> Json:
    return order(medicationCodeableConcept=None, medicationReference=reference, **members)


def product(**members: Any) -> Json:
    """A Medication with the codings that Epic sends: ingredient, product and proprietary ones."""
    codings = [
        {"system": RXNORM, "code": "1727455"},
        {"system": RXNORM, "code": "1727479"},
        {"system": "urn:oid:2.16.840.1.113883.6.253", "code": "99999"},
        {"system": "urn:oid:2.16.840.1.113883.6.68", "code": "2153000000"},
    ]
    code = {"coding": codings, "text": "ALECTINIB 150 MG PO CAPS"}
    useless = {"numerator": {"value": 1, "unit": "capsule"},
               "denominator": {"value": 1, "unit": "capsule"}}  # fmt: skip
    body = {
        "resourceType": "Medication",
        "id": "eMed3",
        "code": code,
        "ingredient": [{"itemCodeableConcept": code, "strength": useless}],
    }
    return {**body, **members}


TWICE_A_DAY = {
    "repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": day(30)}},
    "code": {"coding": [{"system": GTS, "code": "BID"}]},
}
US_CORE_DOSAGE = {
    "text": "4 capsules twice daily with food",
    "timing": TWICE_A_DAY,
    "route": concept(SNOMED, "26643006"),
    "doseAndRate": [{"doseQuantity": mg(600)}],
}
EPIC_DOSAGE = {
    "text": "Take 4 capsules by mouth 2 times daily with food",
    "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
    "doseAndRate": [
        {"type": {"coding": [{"system": EPIC_RATE, "code": kind}]}, "doseQuantity": quantity}
        for kind, quantity in (
            ("calculated", mg(600)),
            ("admin-amount", {"value": 4, "unit": "capsule", "system": UCUM, "code": "{capsule}"}),
            ("ordered", mg(600)),
        )
    ],
}
ORACLE_DOSAGE = {
    "text": "600 mg = 4 cap, Oral, BID",
    "timing": {
        "repeat": {"boundsPeriod": {"start": day(30)}},
        "code": {
            "coding": [{"system": "https://fhir.cerner.com/t/codeSet/4003", "code": "2313114"}],
            "text": "BID",
        },
    },
    "doseAndRate": [{"doseQuantity": {"value": 4, "unit": "cap"}}],
}
ORACLE_CONCEPT = {
    "coding": [
        {"system": "https://fhir.cerner.com/t/synonym", "code": "1", "userSelected": True},
        {"system": RXNORM, "code": "1727479", "display": CAPSULE},
    ],
    "text": "alectinib",
}

MEDICATIONS: dict[str, tuple[list[Json], str]] = {
    "US Core, coded, with structured timing": (
        [order(dosageInstruction=[US_CORE_DOSAGE])], "active 600 x 2"),
    "US Core, contained product": (
        [by_reference({"reference": "#med2"}, contained=[product(id="med2")],
                      dosageInstruction=[US_CORE_DOSAGE])], "active 600 x 2"),
    "Epic, product beside it in the Bundle": (
        [by_reference({"reference": "Medication/eMed3", "display": "ALECTINIB 150 MG PO CAPS"},
                      dosageInstruction=[EPIC_DOSAGE]), product()], "active 600 x 2"),
    "Epic before 2024, named by the display of a reference only": (
        [by_reference({"reference": "Medication/eMed9", "display": "ALECTINIB 150 MG PO CAPS"},
                      dosageInstruction=[EPIC_DOSAGE])], "active 600 x 2"),
    "a display without a reference": (
        [by_reference({"display": "Alecensa 150 mg"}, dosageInstruction=[US_CORE_DOSAGE])],
        "active 600 x 2"),
    "Oracle Health, frequency in the timing code, pieces as the amount": (
        [order(medicationCodeableConcept=ORACLE_CONCEPT, dosageInstruction=[ORACLE_DOSAGE])],
        "active 600 x 2"),
    "words only, 4 caps BID with food": (
        [order(dosageInstruction=[{"text": "4 caps BID with food"}])], "active 600 x 2"),
    "words only, for the patient": (
        [order(dosageInstruction=[{"patientInstruction": "Take 4 capsules twice a day"}])],
        "active 600 x 2"),
    "words that are not read": (
        [order(dosageInstruction=[{"text": "as discussed with Dr Smith"}])], "active ? x ?"),
    "no dosage at all": ([order()], "active ? x ?"),
    "a dose without any timing": (
        [order(dosageInstruction=[{"doseAndRate": [{"doseQuantity": mg(600)}]}])],
        "active 600 x ?"),
    "New Zealand, timing as a SNOMED code": (
        [order(dosageInstruction=[{"timing": {"code": concept(SNOMED, "229799001")},
                                   "doseAndRate": [{"doseQuantity": mg(600)}]}])],
        "active 600 x 2"),
    "events of the day in place of a frequency": (
        [order(dosageInstruction=[{
            "timing": {"repeat": {"when": ["MORN", "EVE"]}},
            "doseAndRate": [{"doseQuantity": mg(600)}]}])], "active 600 x 2"),
    "STU3 dose on the instruction itself": (
        [order(dosageInstruction=[{"timing": TWICE_A_DAY, "doseQuantity": mg(600)}])],
        "active 600 x 2"),
    "a taper in two steps, of which the last one counts": (
        [order(dosageInstruction=[
            {"sequence": 1, "timing": TWICE_A_DAY, "doseAndRate": [{"doseQuantity": mg(600)}]},
            {"sequence": 2, "timing": TWICE_A_DAY, "doseAndRate": [{"doseQuantity": mg(450)}]},
        ])], "active 450 x 2"),
    "a lead-in in words": (
        [order(medicationCodeableConcept={"text": "brigatinib"}, dosageInstruction=[
            {"text": "90 mg once daily for 7 days, then 180 mg once daily"}])],
        "active 180 x 1"),
    "one object where a list belongs": (
        [order(dosageInstruction=US_CORE_DOSAGE)], "active 600 x 2"),
    "on hold": ([order(status="on-hold", dosageInstruction=[US_CORE_DOSAGE])], "paused 600 x 2"),
    "completed": ([order(status="completed", dosageInstruction=[US_CORE_DOSAGE])],
                  "ended 600 x 2"),
    "stopped": ([order(status="stopped", dosageInstruction=[US_CORE_DOSAGE])], "ended 600 x 2"),
    "a status with a trailing blank": ([order(status="active ")], "active ? x ?"),
    "cancelled": ([order(status="cancelled")], "none"),
    "entered in error": ([order(status="entered-in-error")], "none"),
    "a draft in the chart": ([order(status="draft")], "none"),
    "a proposal": ([order(intent="proposal")], "none"),
    "Germany, an option of the tumour board": ([order(intent="option", status="draft")], "none"),
    "a plan": ([order(intent="plan")], "unclear"),
    "US Core, self-reported plan": (
        [order(intent="plan", reportedBoolean=True,
               dosageInstruction=[{"text": "4 capsules twice a day"}])], "active 600 x 2"),
    "an instance order": ([order(intent="instance-order")], "active ? x ?"),
    "not to be given": ([order(doNotPerform=True)], "none"),
    "a status that says nothing": ([order(status="unknown")], "unclear"),
    "no status": ([order(status=None)], "unclear"),
    "a product that cannot be found": (
        [by_reference({"reference": "Medication/nowhere"})], "unclear"),
    "a medication that names nothing": (
        [order(medicationCodeableConcept={"extension": [{"url": "http://hl7.org/x"}]})],
        "unclear"),
    "codes of one drug and the name of another": (
        [order(medicationCodeableConcept={**ALECTINIB, "text": "lorlatinib 100 mg"})],
        "unclear"),
    "codes of two ALK inhibitors": (
        [order(medicationCodeableConcept={"coding": [
            {"system": RXNORM, "code": "1727455"}, {"system": RXNORM, "code": "2103164"}]})],
        "unclear"),
    "R5, a concept": (
        [order(medicationCodeableConcept=None, medication={"concept": ALECTINIB},
               dosageInstruction=[US_CORE_DOSAGE])], "active 600 x 2"),
    "R5, a reference": (
        [order(medicationCodeableConcept=None,
               medication={"reference": {"reference": "Medication/eMed3"}}), product()],
        "active ? x ?"),
    "R5, a plan that was reported": (
        [order(intent="plan", reported=True)], "active ? x ?"),
    "R4 statement": (
        [{"resourceType": "MedicationStatement", "id": "s", "status": "active",
          "medicationCodeableConcept": ALECTINIB, "subject": PATIENT,
          "effectivePeriod": {"start": day(30)}, "dosage": [US_CORE_DOSAGE]}], "active 600 x 2"),
    "R5 statement of what is taken": (
        [{"resourceType": "MedicationStatement", "id": "s", "status": "recorded",
          "adherence": {"code": {"coding": [{"code": "taking"}]}},
          "medication": {"concept": ALECTINIB}, "subject": PATIENT,
          "effectivePeriod": {"start": day(30)}, "dosage": [US_CORE_DOSAGE]}], "active 600 x 2"),
    "R5 statement that does not say whether it is taken": (
        [{"resourceType": "MedicationStatement", "id": "s", "status": "recorded",
          "medication": {"concept": ALECTINIB}, "subject": PATIENT}], "unclear"),
    "the draft name of a statement in R5": (
        [{"resourceType": "MedicationUsage", "id": "s", "status": "recorded",
          "adherence": {"code": {"coding": [{"code": "stopped-as-directed"}]}},
          "medication": {"concept": ALECTINIB}, "subject": PATIENT}], "ended ? x ?"),
    "another patient": ([order(subject={"reference": "Patient/q"})], "none"),
}  # fmt: skip
"""Shape -> resources, and the one line of treatment: status, amount x doses a day."""


# -- ALK ------------------------------------------------------------


def result(code: Json, **members: Any) -> Json:
    body = {
        "resourceType": "Observation",
        "id": "alk",
        "status": "final",
        "code": code,
        "subject": PATIENT,
        "effectiveDateTime": day(40),
        **members,
    }
    return {name: value for name, value in body.items() if value is not None}


FISH = concept(LOINC, "78205-2")
STAIN = concept(LOINC, "47303-3")
VARIANT = concept(LOINC, "69548-6", None, "Genetic variant assessment")
POSITIVE = concept(LOINC, "LA6576-8", "Positive")
PRESENT = concept(LOINC, "LA9633-4")
ABSENT = concept(LOINC, "LA9634-2")
NEGATIVE = concept(SNOMED, "260385009", "Negative")
ALK = {"coding": [{"system": HGNC, "code": "HGNC:427", "display": "ALK"},
                  {"system": "https://www.ncbi.nlm.nih.gov/gene", "code": "238"}]}  # fmt: skip
EML4 = concept(HGNC, "HGNC:1316", "EML4")
EGFR = concept(HGNC, "HGNC:3236", "EGFR")
TP53 = concept(HGNC, "HGNC:11998", "TP53")
D5F3 = {"text": "VENTANA ALK (D5F3) CDx Assay"}
RNA = {"text": "RNA next-generation sequencing"}
MII = ("https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/"
       "mii-cs-mtb-molekulare-biomarker")  # fmt: skip


def part(code: str, value: Json | None, system: str = LOINC) -> Json:
    component: Json = {"code": concept(system, code)}
    return component if value is None else {**component, "valueCodeableConcept": value}


def variant(*components: Json, **members: Any) -> Json:
    told = {"valueCodeableConcept": PRESENT, "method": RNA, **members}
    return result(VARIANT, component=list(components), **told)


def gene(value: Json) -> Json:
    return part("48018-6", value)


FUSED = part("48019-4", concept("http://www.sequenceontology.org/", "SO:0001565"))
REARRANGED = part("48019-4", concept("http://www.sequenceontology.org/", "SO:0002062"))
PLASMA = {"resourceType": "Specimen", "id": "s", "type": {"text": "Plasma, cfDNA"}}


def report(code: Json, **members: Any) -> Json:
    body = {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "code": code,
        "subject": PATIENT,
        "effectiveDateTime": day(40),
        **members,
    }
    return {name: value for name, value in body.items() if value is not None}


GENETIC = concept(LOINC, "51969-4", "Genetic analysis report")
ALK_POSITIVE_CANCER = concept(SNOMED, "830151004")
ALK_NEGATIVE_CANCER = concept(SNOMED, "830055006")
WORDS = "ALK rearrangement DETECTED. POSITIVE for EML4-ALK fusion (variant 1)."

ALK_SHAPES: dict[str, tuple[list[Json], str | None]] = {
    "FISH": ([result(FISH, valueCodeableConcept=POSITIVE)], "confirmed"),
    "FISH, negative": ([result(FISH, valueCodeableConcept=NEGATIVE)], "negative"),
    "FISH as part of a panel": (
        [result({"text": "Lung FISH panel"}, component=[part("78205-2", POSITIVE)])],
        "confirmed"),
    "FISH by interpretation only": (
        [result(FISH, interpretation=[concept("http://x", "POS")])], "confirmed"),
    "FISH, detected by interpretation": (
        [result(FISH, interpretation=[concept("http://x", "DET")])], "confirmed"),
    "FISH, value and interpretation against each other": (
        [result(FISH, valueCodeableConcept=POSITIVE,
                interpretation=[concept("http://x", "NEG")])], "equivocal"),
    "FISH, code and words against each other": (
        [result(FISH, valueCodeableConcept={**POSITIVE, "text": "Not detected"})], "equivocal"),
    "FISH, interpretation and words against each other": (
        [result(FISH, valueString="Negative", interpretation=[concept("http://x", "POS")])],
        "equivocal"),
    "FISH in words": ([result(FISH, valueCodeableConcept={"text": "Present"})], "equivocal"),
    "FISH, percentage of cells": (
        [result(concept(LOINC, "78233-4"), valueQuantity={"value": 45, "unit": "%"})],
        "confirmed"),
    "FISH, percentage below the cut-off": (
        [result(concept(LOINC, "78233-4"), valueQuantity={"value": 6, "unit": "%"})],
        "negative"),
    "FISH, a test known by its name alone": (
        [result({"text": "ALK FISH"}, valueCodeableConcept=POSITIVE)], "equivocal"),
    "FISH, narrative": ([result(concept(LOINC, "78210-2"), valueString=WORDS)], "equivocal"),
    "FISH, without an answer and why": (
        [result(FISH, dataAbsentReason=concept("http://x", "not-performed"))], "failed"),
    "FISH, registered": ([result(FISH, status="registered")], "pending"),
    "FISH, cancelled": ([result(FISH, status="cancelled", valueCodeableConcept=POSITIVE)], None),
    "FISH, entered in error": (
        [result(FISH, status="entered-in-error", valueCodeableConcept=POSITIVE)], None),
    "FISH, corrected": (
        [result(FISH, status="corrected", valueCodeableConcept=POSITIVE)], "confirmed"),
    "IHC with the companion antibody": (
        [result(STAIN, valueCodeableConcept=POSITIVE, method=D5F3)], "confirmed"),
    "IHC with an unnamed antibody": (
        [result(STAIN, valueCodeableConcept=POSITIVE)], "equivocal"),
    "IHC 2+": (
        [result(STAIN, valueCodeableConcept={**POSITIVE, "text": "positive (2+)"}, method=D5F3)],
        "equivocal"),
    "mCODE, two genes and a rearrangement": (
        [variant(gene(EML4), gene(ALK), REARRANGED)], "confirmed"),
    "two genes": ([variant(gene(EML4), gene(ALK))], "confirmed"),
    "two genes and a fusion term": ([variant(gene(EML4), gene(ALK), FUSED)], "confirmed"),
    "one gene and a fusion term": ([variant(gene(ALK), FUSED)], "confirmed"),
    "two genes in one code": (
        [variant(part("95123-6", concept(HGNC, "HGNC:1316::HGNC:427", "EML4::ALK")))],
        "confirmed"),
    "two genes in one code beside only the five prime gene": (
        [variant(gene(EML4), part("95123-6", concept(HGNC, "HGNC:1316::HGNC:427")))],
        "confirmed"),
    "Germany, five and three prime genes": (
        [variant(part("five-prime-gene", EML4, MII), part("three-prime-gene", ALK, MII))],
        "confirmed"),
    "Germany, five and three prime genes without values": (
        [variant(part("five-prime-gene", None, MII), part("three-prime-gene", None, MII),
                 identifier=[{"value": "FUS-DNA-EML4ALK-001"}])], None),
    "a fusion by its COSMIC number": (
        [variant(part("81252-9", concept("https://cancer.sanger.ac.uk/cosmic", "COSF1171")))],
        "confirmed"),
    "a fusion by another COSMIC number": (
        [variant(part("81252-9", concept("https://cancer.sanger.ac.uk/cosmic", "COSF1")))], None),
    "one gene and a fusion in words": (
        [variant(gene(ALK), part("81252-9", {"text": "EML4-ALK fusion"}))], "equivocal"),
    "an inversion in words": (
        [variant(part("81291-7", {"text": "inv(2)(p21p23)"}))], None),
    "genes that were looked at and are absent": (
        [variant(gene(ALK), gene(EGFR), gene(TP53), valueCodeableConcept=ABSENT)], "negative"),
    "three genes present": ([variant(gene(ALK), gene(EGFR), gene(TP53))], "equivocal"),
    "two genes and a changed residue": (
        [variant(gene(ALK), gene(EGFR), part("48005-3", {"text": "p.Leu858Arg"}))], "equivocal"),
    "a fusion with a DNA change of its own": (
        [variant(gene(EML4), gene(ALK), REARRANGED,
                 part("48004-6", {"text": "NM_019063.5:r.1_1751::NM_004304.5:r.4080_6220"}))],
        "confirmed"),
    "a mutation of ALK": (
        [variant(gene(ALK), part("48005-3", {"text": "NP_004295.2:p.(Gly1202Arg)"}))],
        "point mutation only"),
    "copies of ALK": (
        [variant(gene(ALK), part("82155-3", None))], "amplification only"),
    "an inherited fusion": (
        [variant(gene(EML4), gene(ALK), part("48002-0", concept(LOINC, "LA6683-2")))], None),
    "a fusion in plasma by a contained specimen": (
        [variant(gene(EML4), gene(ALK), method=None, contained=[PLASMA],
                 specimen={"reference": "#s"})], "confirmed"),
    "no call": (
        [variant(gene(EML4), gene(ALK), valueCodeableConcept=concept(LOINC, "LA18198-4"))],
        "failed"),
    "indeterminate": (
        [variant(gene(EML4), gene(ALK), valueCodeableConcept=concept(LOINC, "LA11884-6"))],
        "equivocal"),
    "a variant without an answer": (
        [variant(gene(EML4), gene(ALK), valueCodeableConcept=None)], "equivocal"),
    "genes that a panel covers": (
        [{"resourceType": "Procedure", "id": "panel", "status": "completed", "subject": PATIENT,
          "code": {"text": "analysisTumorNormalDNA: ALK, EML4"}}], None),
    "a report with its results beside it": (
        [report(GENETIC, result=[{"reference": "Observation/alk"}]),
         variant(gene(EML4), gene(ALK))], "confirmed"),
    "a report with its results inside it": (
        [report(GENETIC, contained=[{**variant(gene(EML4), gene(ALK)), "subject": None,
                                     "id": "v"}], result=[{"reference": "#v"}])], "confirmed"),
    "a FISH report with a coded conclusion": (
        [report(FISH, conclusionCode=[concept(SNOMED, "10828004")])], "confirmed"),
    "a FISH report with a negative conclusion": (
        [report(FISH, conclusionCode=[NEGATIVE])], "negative"),
    "a FISH report with two conclusions": (
        [report(FISH, conclusionCode=[NEGATIVE, POSITIVE])], "equivocal"),
    "a FISH report of which the results were not sent": (
        [report(FISH, result=[{"reference": "Observation/elsewhere"}], conclusion=WORDS)],
        "equivocal"),
    "a FISH report whose own results say otherwise": (
        [report(FISH, conclusionCode=[POSITIVE], result=[{"reference": "Observation/alk"}]),
         result(FISH, valueCodeableConcept=NEGATIVE)], "negative"),
    "a FISH report that is awaited": ([report(FISH, status="registered")], "pending"),
    "a FISH report that was withdrawn": (
        [report(FISH, status="entered-in-error", conclusionCode=[POSITIVE])], None),
    "a FISH report of the future": (
        [report(FISH, effectiveDateTime=day(-5), conclusionCode=[POSITIVE])], None),
    "a stain report with a coded conclusion": (
        [report(STAIN, conclusionCode=[POSITIVE])], "equivocal"),
    "a report that concludes with the diagnosis": (
        [report(GENETIC, conclusionCode=[ALK_POSITIVE_CANCER])], "equivocal"),
    "a report that concludes with the diagnosis without ALK": (
        [report(GENETIC, conclusionCode=[ALK_NEGATIVE_CANCER])], "negative"),
    "a genetic report in words": ([report(GENETIC, conclusion=WORDS)], None),
    "the diagnosis": (
        [{"resourceType": "Condition", "id": "c", "subject": PATIENT, "code": ALK_POSITIVE_CANCER,
          "onsetDateTime": day(40)}], "equivocal"),
    "the diagnosis of another day": (
        [{"resourceType": "Condition", "id": "c", "subject": PATIENT, "code": ALK_POSITIVE_CANCER,
          "onsetDateTime": day(-3)}], None),
}  # fmt: skip
"""Shape -> resources, and the ALK status; None where nothing may be said."""

TEMPTING = (
    WORDS,
    "ALK positive",
    "ALK+",
    "EML4-ALK fusion present",
    "POSITIVE",
    "ALK IHC D5F3 3+ positive",
    "ALK break-apart FISH: 45 % of cells rearranged",
)
"""Words that must never make a positive result, wherever they stand."""


def tempting(words: str) -> dict[str, list[Json]]:
    """The same words in every place of a chart where words can stand."""
    note = [{"text": words}]
    condition = {"resourceType": "Condition", "id": "c", "subject": PATIENT,
                 "onsetDateTime": day(40)}  # fmt: skip
    return {
        "value of a FISH result": [result(FISH, valueString=words)],
        "value of a stain": [result(STAIN, valueCodeableConcept={"text": words}, method=D5F3)],
        "display without a code": [
            result(FISH, valueCodeableConcept={"coding": [{"display": words}]})
        ],
        "code without a system": [
            result(FISH, valueCodeableConcept={"coding": [{"code": "LA6576-8", "display": words}]})
        ],
        "name of a result": [result({"text": words}, valueCodeableConcept=POSITIVE)],
        "note": [result(FISH, note=note)],
        "variant": [variant(gene(ALK), part("81252-9", {"text": words}))],
        "report": [report(GENETIC, conclusion=words)],
        "FISH report": [report(FISH, conclusion=words)],
        "conclusion in words": [report(FISH, conclusionCode=[{"text": words}])],
        "form of a report": [report(GENETIC, presentedForm=[{"title": words}])],
        "problem": [{**condition, "code": {"text": words}}],
        "note of a problem": [{**condition, "code": {"text": "cancer"}, "note": note}],
        "evidence of a problem": [{**condition, "evidence": [{"code": [{"text": words}]}]}],
    }

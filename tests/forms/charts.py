"""From a few words in YAML to a whole chart, and from the chart to the Decision.

A chart is written as a list of resources, each `{ResourceType: {element: value}}`, in FHIR's own
words but for what would be said again and again:

- `-5d` is the day five days before the day asked about;
- `snomed 205237003`, `cm J84.9` (also `who`, `gm`, `am`, `loinc`, `rxnorm`, `atc`, `ncit`,
  `ctcae`, `icdo`) is a CodeableConcept, `cm J84.9 + snomed 205237003` one with two codes, and
  `text: Pneumonitis` one without a code;
- `value: 246 U/L` is a quantity in UCUM, `high: 40 U/L` the upper end of the reference range;
- `dose: 600 mg x 2` is a dosage;
- what every such resource has (id, subject, `status: final`, `clinicalStatus: active` ...) stands
  there of itself, and `~` takes it away.

`{draft: {...}}` is an order to sign, `{person: {...}}` lies over the Patient.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.alk import Decision, Question, decide
from tests.facts.records import AS_OF, Json, alk_test, day, knowledge, laboratory, person, read

SYSTEMS = {
    "snomed": "http://snomed.info/sct",
    "cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "who": "http://hl7.org/fhir/sid/icd-10",
    "gm": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "am": "http://hl7.org/fhir/sid/icd-10-am",
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "atc": "http://www.whocc.no/atc",
    "ncit": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "ctcae": "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system",
    "severity": "http://terminology.hl7.org/CodeSystem/adverse-event-severity",
    "outcome": "http://terminology.hl7.org/CodeSystem/adverse-event-outcome",
    "icdo": "http://terminology.hl7.org/CodeSystem/icd-o-3",
    "npu": "http://npu-terminology.org",
    "hl7": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
}
GUIDE = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
_CODE = re.compile(rf"({'|'.join(SYSTEMS)}) (\S+)")
_DAY = re.compile(r"-(\d+)d")
_QUANTITY = re.compile(r"([<>]?=?)\s*(-?[\d.]+) (\S+)")
_DOSE = re.compile(r"([\d.]+) mg x (\d)")
_STATUSES = {"clinicalStatus": "condition-clinical", "verificationStatus": "condition-ver-status"}
_ALLERGIES = {
    "clinicalStatus": "allergyintolerance-clinical",
    "verificationStatus": "allergyintolerance-verification",
}
_DEFAULTS: Mapping[str, Json] = {
    "Condition": {"clinicalStatus": "active", "verificationStatus": "confirmed"},
    "AllergyIntolerance": {"clinicalStatus": "active", "verificationStatus": "confirmed"},
    "AdverseEvent": {"actuality": "actual"},
    "Observation": {"status": "final"},
    "DiagnosticReport": {"status": "final"},
    "Procedure": {"status": "completed"},
    "Encounter": {"status": "finished"},
    "MedicationRequest": {"status": "active", "intent": "order"},
    "MedicationStatement": {"status": "active"},
    "MedicationAdministration": {"status": "completed"},
    "MedicationDispense": {"status": "completed"},
    "ServiceRequest": {"status": "active", "intent": "order"},
    "ClinicalImpression": {"status": "completed"},
    "Flag": {"status": "active"},
    "Device": {"status": "active"},
    "DeviceUseStatement": {"status": "active"},
}
_OWNED_BY_PATIENT = frozenset({"AllergyIntolerance", "Device"})

Chart = Sequence[Mapping[str, Any]]


def written_out(value: Any) -> Any:
    """FHIR of the short words, all the way down."""
    if isinstance(value, Mapping):
        return {name: written_out(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [written_out(item) for item in value]
    if not isinstance(value, str):
        return value
    if found := _DAY.fullmatch(value):
        return day(int(found[1]))
    codes = [_CODE.fullmatch(part) for part in value.split(" + ")]
    if all(codes):
        return {"coding": [{"system": SYSTEMS[code[1]], "code": code[2]} for code in codes if code]}
    return {"text": value.removeprefix("text: ")} if value.startswith("text: ") else value


def _quantity(text: str) -> Json:
    found = _QUANTITY.fullmatch(text)
    assert found is not None, f"{text!r} is not a number with a unit"
    sign, number, unit = found.groups()
    value = float(number) if "." in number else int(number)
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"comparator": sign, **quantity} if sign else quantity


def _dosage(text: str) -> Json:
    found = _DOSE.fullmatch(text)
    assert found is not None, f"{text!r} is not so many mg x times a day"
    amount = {"value": float(found[1]), "unit": "mg"}
    repeat = {"frequency": int(found[2]), "period": 1, "periodUnit": "d"}
    return {"doseAndRate": [{"doseQuantity": amount}], "timing": {"repeat": repeat}}


def resource(kind: str, said: Mapping[str, Any], number: int) -> Json:
    """One resource of the patient."""
    body: Json = {**_DEFAULTS.get(kind, {}), **said}
    short = {name: body.pop(name, None) for name in ("value", "high", "dose")}
    statuses = _ALLERGIES if kind == "AllergyIntolerance" else _STATUSES
    for name, system in statuses.items():
        if isinstance(body.get(name), str):
            address = f"http://terminology.hl7.org/CodeSystem/{system}"
            body[name] = {"coding": [{"system": address, "code": body[name]}]}
    if short["value"] is not None:
        body["valueQuantity"] = _quantity(short["value"])
    if short["high"] is not None:
        body["referenceRange"] = [{"high": _quantity(short["high"])}]
    if short["dose"] is not None:
        body["dosageInstruction"] = [_dosage(short["dose"])]
    owner = "patient" if kind in _OWNED_BY_PATIENT else "subject"
    whole = {"id": f"form-{number}", owner: {"reference": "Patient/p"}, **body}
    return {"resourceType": kind, **written_out(whole)}


@dataclass(frozen=True)
class Base:
    """Who the patient is before the form is added.

    A man of 65 with ALK-positive adenocarcinoma, stage IV, on the full label dose of `drug` since
    `since` days, whose results of three days ago are all normal, and the same order to sign.
    Without a drug nobody treats him yet. `order` names the drug to sign when it is another one
    (`none`: nothing is signed), `without` the parts that are left out.
    """

    drug: str | None = None
    since: int = 100
    dose: str | None = None
    order: str | None = None
    without: tuple[str, ...] = ()
    person: Mapping[str, str] | None = None


_NORMAL = {
    "ALT": (20, "U/L", 40), "AST": (20, "U/L", 40), "total bilirubin": (8, "umol/L", 20),
    "ALP": (80, "U/L", 120), "CPK": (90, "U/L", 200), "creatinine": (70, "umol/L", 100),
    "lipase": (20, "U/L", 60), "amylase": (40, "U/L", 100), "heart rate": (72, "/min", None),
    "systolic blood pressure": (122, "mm[Hg]", None), "uric acid": (250, "umol/L", 400),
    "diastolic blood pressure": (76, "mm[Hg]", None), "QTc": (410, "ms", None),
    "PR interval": (160, "ms", None), "neutrophils": (4, "10*9/L", None),
    "platelets": (220, "10*9/L", None), "haemoglobin": (13.5, "g/dL", None),
    "total cholesterol": (190, "mg/dL", None), "triglycerides": (130, "mg/dL", None),
    "glucose": (95, "mg/dL", None),
}  # fmt: skip


def full_dose(drug: str) -> str:
    """The full label dose of a drug in the short form."""
    dose = knowledge().drugs[drug].drug.dosing.full_dose
    return f"{dose.amount_mg} mg x {dose.per_day}"


def _code_of(drug: str) -> str:
    """The RxNorm code of a drug, its name where no code is known."""
    codes = [
        f"rxnorm {item.code}"
        for item in knowledge().codes.ingredients[drug].codes
        if item.verified and item.system == SYSTEMS["rxnorm"]
    ]
    return codes[0] if codes else f"text: {drug}"


def based_on(base: Base) -> tuple[list[Json], list[Json]]:
    """The resources and the orders to sign of the patient to whom a form is added."""
    parts: dict[str, list[Json]] = {
        "cancer": [
            resource(
                "Condition",
                {"code": "snomed 254626006", "onsetDateTime": "-400d",
                 "stage": [{"summary": "text: Stage IV"}]},
                900,
            )
        ],
        "ALK": [alk_test("RNA", "positive", 390), alk_test("FISH", "positive", 390)],
        "results": [
            laboratory(name, value, ago, unit=unit, high=high)
            for name, (value, unit, high) in _NORMAL.items()
            if name not in base.without
            for ago in (3, base.since + 5)
        ],
    }  # fmt: skip
    if base.drug is not None:
        dose = base.dose or full_dose(base.drug)
        said = {"medicationCodeableConcept": _code_of(base.drug), "authoredOn": f"-{base.since}d"}
        parts["drug"] = [resource("MedicationRequest", {**said, "dose": dose}, 901)]
    signed = base.order or base.drug
    drafts = []
    if signed is not None and signed != "none":
        dose = base.dose if base.dose and signed == base.drug else full_dose(signed)
        drafts.append(drafted({"medicationCodeableConcept": _code_of(signed), "dose": dose}, 902))
    kept = [item for name, held in parts.items() if name not in base.without for item in held]
    return kept, drafts


def drafted(said: Mapping[str, Any], number: int) -> Json:
    """An order to sign."""
    return resource("MedicationRequest", {"status": "draft", "authoredOn": "-0d", **said}, number)


def decided(base: Base, chart: Chart, extra: Sequence[Json] = ()) -> Decision:
    """The decision about the base patient with this chart added; `extra` are whole resources."""
    resources, drafts = based_on(base)
    man = {"gender": "male", "birthDate": "1961-03-02", **(base.person or {})}
    for number, item in enumerate(chart):
        ((kind, said),) = item.items()
        if kind == "draft":
            drafts.append(drafted(said, number))
        elif kind == "person":
            man |= said
        else:
            resources.append(resource(kind, said, number))
    patient = {**person(None, None), **man}
    facts, orders = read(*resources, *extra, patient, drafts=drafts)
    moment = "order-sign" if orders else "patient-view"
    return decide(facts, Question(moment, orders), knowledge(), AS_OF).whole()

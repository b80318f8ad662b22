"""Small FHIR records for the tests of the facts: one function for each kind of resource.

Days are counted back from the day asked about; codes are taken from the code tables by name.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.facts import FactReader, OrderedMedication, PatientFacts, Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from cds_service.knowledge.release import Knowledge
from cds_service.rules import Concept, Evaluation, Series, Statements, Verdict
from tests.packaged import packaged_knowledge

AS_OF = date(2026, 11, 20)
ALL = frozenset(
    {
        "conditions",
        "medications",
        "procedures",
        "laboratory",
        "vital_signs",
        "findings",
        "reports",
    }
)
DATA = Path(__file__).parent / "data"
Json = dict[str, Any]

_numbers = itertools.count(1)


@cache
def knowledge() -> Knowledge:
    """The packaged release, loaded once."""
    return packaged_knowledge()


@cache
def reader() -> FactReader:
    """One reader for all tests: it keeps nothing of any patient."""
    return FactReader(knowledge())


def day(days_ago: int) -> str:
    """A FHIR date so many days before the day asked about."""
    return (AS_OF - timedelta(days=days_ago)).isoformat()


def table(name: str) -> list[dict[str, str]]:
    """The rows of a tab-separated truth table; lines that begin with # are remarks."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.strip() and not line.startswith("#")]
    header = kept[0].split("\t")
    rows = []
    for line in kept[1:]:
        cells = line.split("\t")
        assert len(cells) == len(header), f"{name}: {line!r}"
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def coded(value_set: str, text: str | None = None) -> Json:
    """A CodeableConcept with the first verified code of a value set, else of a concept."""
    sets, concepts = knowledge().codes.value_sets, knowledge().concepts
    if value_set in sets:
        codes = [(item.system, item.code) for item in sets[value_set].codes if item.verified]
    else:
        rows = concepts[value_set].rows(concepts.editions)
        codes = [(system, code) for system, code, row in rows if row.verified and not row.wider]
    concept: Json = {"coding": [{"system": codes[0][0], "code": codes[0][1]}]}
    return concept if text is None else {**concept, "text": text}


def resource(kind: str, body: Mapping[str, Any], patient: str = "p") -> Json:
    """A resource of one patient with an id of its own; None entries are left out."""
    known = {name: value for name, value in body.items() if value is not None}
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": kind, "id": f"r{next(_numbers)}", "subject": subject, **known}


def person(gender: str | None = "female", birth: str | None = "1970-05-05") -> Json:
    """The Patient resource."""
    body = {"gender": gender, "birthDate": birth}
    known = {name: value for name, value in body.items() if value is not None}
    return {"resourceType": "Patient", "id": "p", **known}


def condition(
    value_set: str,
    onset: int | None = 10,
    *,
    verification: str | None = "confirmed",
    clinical: str | None = "active",
    abated: int | None = None,
    recorded: int | None = None,
    patient: str = "p",
    **more: object,
) -> Json:
    """A Condition by the name of a value set or concept."""
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    body = {
        "code": coded(value_set),
        "clinicalStatus": clinical and {"coding": [{"system": f"{system}clinical",
                                                    "code": clinical}]},
        "verificationStatus": verification and {"coding": [{"system": f"{system}ver-status",
                                                            "code": verification}]},
        "onsetDateTime": None if onset is None else day(onset),
        "abatementDateTime": None if abated is None else day(abated),
        "recordedDate": None if recorded is None else day(recorded),
        **more,
    }  # fmt: skip
    return resource("Condition", body, patient)


def laboratory(
    analyte: str,
    value: object,
    days_ago: int | None = 3,
    *,
    unit: str | None = "U/L",
    high: object = 40,
    status: str = "final",
    clock: str = "T08:00:00Z",
    patient: str = "p",
    **more: object,
) -> Json:
    """A laboratory result or vital sign with its reference range."""
    tests = knowledge().codes.analytes[analyte].codes
    code = next(item for item in tests if item.verified)
    quantity: Json = {"value": value}
    if unit is not None:
        quantity |= {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    limit: Json = {"value": high}
    if unit is not None:
        limit["unit"] = unit
    body = {
        "status": status,
        "code": {"coding": [{"system": code.system, "code": code.code}]},
        "effectiveDateTime": None if days_ago is None else f"{day(days_ago)}{clock}",
        "valueQuantity": None if value is None else quantity,
        "referenceRange": None if high is None else [{"high": limit}],
        **more,
    }
    return resource("Observation", body, patient)


def observation(value_set: str, days_ago: int | None = 3, **body: object) -> Json:
    """Any other Observation by the name of the value set of its code."""
    described = {
        "status": "final",
        "code": coded(value_set),
        "effectiveDateTime": None if days_ago is None else day(days_ago),
        **body,
    }
    return resource("Observation", described)


_STAINS = {"D5F3": "D5F3 companion assay", "stain": "laboratory-developed antibody 5A4"}
_SEQUENCED = {
    "RNA": ("RNA next-generation sequencing", "tissue"),
    "DNA": ("DNA next-generation sequencing", "tissue"),
    "plasma": ("DNA next-generation sequencing", "plasma, circulating tumour DNA"),
    "PCR": ("RT-PCR", "tissue"),
    "unnamed": ("in-house assay", "tissue"),
}
_ANSWERS = {
    "positive": "answer positive",
    "negative": "answer negative",
    "equivocal": "answer equivocal",
    "failed": "answer no call",
}


def _gene(value_set: str) -> Json:
    return {
        "code": coded("component gene studied"),
        "valueCodeableConcept": coded(value_set),
    }


def alk_test(method: str, answer: str, days_ago: int | None, status: str = "final") -> Json:
    """An ALK test; `answer` is one of the coded answers, `pending`, or text sent as such.

    Methods: FISH, D5F3, stain (another antibody), RNA, DNA, plasma, PCR and unnamed (all with a
    fusion of two genes), copies (gain of copies), mutation (a point mutation).
    """
    value: Json | None = {"text": answer}
    if answer in _ANSWERS:
        value = coded(_ANSWERS[answer])
    elif answer == "pending":
        value, status = None, "registered"
    body: Json = {"status": status, "valueCodeableConcept": value}
    if method == "FISH":
        return observation("ALK test by FISH", days_ago, **body)
    if method in _STAINS:
        body["method"] = {"text": _STAINS[method]}
        return observation("ALK test by immunohistochemistry", days_ago, **body)
    if method in ("copies", "mutation"):
        other = {
            "copies": {"code": coded("component copy number"), "valueQuantity": {"value": 7}},
            "mutation": {
                "code": coded("component amino acid change"),
                "valueCodeableConcept": {"text": "p.Arg1275Gln"},
            },
        }
        body["method"] = {"text": "DNA next-generation sequencing"}
        body["component"] = [_gene("gene ALK"), other[method]]
    else:
        text, specimen = _SEQUENCED[method]
        body["method"] = {"text": text}
        body["specimen"] = {"display": specimen}
        body["component"] = [_gene("gene EML4"), _gene("gene ALK")]
    return observation("genetic variant assessment", days_ago, **body)


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"


def dosage(amount: object, per_day: int | None, unit: str = "mg") -> Json:
    """A dosage: so much each time, so many times a day."""
    found: Json = {"doseAndRate": [{"doseQuantity": {"value": amount, "unit": unit}}]}
    if per_day is not None:
        found["timing"] = {"repeat": {"frequency": per_day, "period": 1, "periodUnit": "d"}}
    return found


def medication(
    *,
    code: str | None = None,
    system: str = RXNORM,
    text: str | None = None,
    status: str = "active",
    intent: str = "order",
    start: int | None = 30,
    end: int | None = None,
    dose: Json | None = None,
    patient: str = "p",
    **more: object,
) -> Json:
    """A MedicationRequest by code or by text."""
    concept: Json = {}
    if code is not None:
        concept["coding"] = [{"system": system, "code": code}]
    if text is not None:
        concept["text"] = text
    instruction = dict(dose or {})
    if end is not None:
        bounds = {"end": day(end)} | ({} if start is None else {"start": day(start)})
        timing = dict(instruction.get("timing", {}))
        timing["repeat"] = {**timing.get("repeat", {}), "boundsPeriod": bounds}
        instruction["timing"] = timing
    body = {
        "status": status,
        "intent": intent,
        "medicationCodeableConcept": concept,
        "authoredOn": None if start is None else day(start),
        "dosageInstruction": [instruction] if instruction else None,
        **more,
    }
    return resource("MedicationRequest", body, patient)


def facts_of(
    *resources: Json,
    complete: Iterable[str] = ALL,
    drafts: Sequence[Json] = (),
    as_of: date = AS_OF,
    known_on: date | None = None,
) -> PatientFacts:
    """The facts of patient `p` with these resources."""
    found = read(*resources, complete=complete, drafts=drafts, as_of=as_of, known_on=known_on)
    return found[0]


def read(
    *resources: Json,
    complete: Iterable[str] = ALL,
    drafts: Sequence[Json] = (),
    as_of: date = AS_OF,
    known_on: date | None = None,
) -> tuple[PatientFacts, tuple[OrderedMedication, ...]]:
    """Facts and draft orders; `known_on` is the day on which the chart was read, if another."""
    listed = list(resources)
    if not any(item["resourceType"] == "Patient" for item in listed):
        listed.append(person())
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": item} for item in listed],
    }
    found = read_resources(json.dumps(bundle).encode())
    record = PatientRecord.build("p", [found])
    requests = []
    for draft in drafts:
        (request,) = read_resources(json.dumps(draft).encode()).resources
        assert isinstance(request, MedicationRequest)
        requests.append((request, draft))
    supplied = Supplied(record, frozenset(complete), {}, requests, known_on=known_on)
    return reader().read(supplied, as_of)


def stated(facts: PatientFacts, name: str) -> str | None:
    """The newest word of a state, or None when nothing is said.

    Of a finding: `present`, `absent`, or None where the rules cannot say; its name may be any
    sentence about it, such as `suspected haemolysis`.
    """
    kind = knowledge().vocabulary.find(name) if name in knowledge().vocabulary else None
    if kind is None or isinstance(kind, Concept):
        rule = knowledge().compiler.compile(name)
        found = rule.evaluate(Evaluation(facts, facts.as_of)).verdict
        return {Verdict.MET: "present", Verdict.NOT_MET: "absent"}.get(found)
    value = facts.find(name)
    assert value is None or isinstance(value, Statements)
    return value.statements[0].value if value else None


def numbers(facts: PatientFacts, name: str) -> list[str]:
    """The values of a series, newest first, `?` for one that cannot be used."""
    found = facts.find(name)
    assert found is None or isinstance(found, Series)
    items = found.measurements if found else ()
    return ["?" if item.value is None else format(item.value.normalize(), "f") for item in items]

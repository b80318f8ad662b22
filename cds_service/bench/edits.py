"""Changes of facts as changes of the FHIR resources that a request carries.

The rules then read them as they read everything else: nothing here knows a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.bench.changes import Changes
from cds_service.bench.fields import MeasuredField
from cds_service.facts.courses import REASONS
from cds_service.fhir.terminology import CodeKey, code_key
from cds_service.knowledge.code_models import Code
from cds_service.knowledge.release import Knowledge
from hooks.data import CONDITIONS, FINDINGS, LABORATORY, MEDICATIONS, VITAL_SIGNS

Resource = dict[str, Any]

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_GRADE = "http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade"
_UCUM = "http://unitsofmeasure.org"
_LONG_AGO_DAYS = 400
_ENDED_DAYS = 20
_BEGUN_DAYS = 14
"""How long ago began what is over."""
_OBSERVATIONS = (LABORATORY.key, VITAL_SIGNS.key, FINDINGS.key)


class Editor:
    """Edits the prefetch of one request for one patient on one day."""

    def __init__(
        self, knowledge: Knowledge, prefetch: dict[str, Any], patient_id: str, day: date
    ) -> None:
        self._knowledge = knowledge
        self._prefetch = prefetch
        self._subject = {"reference": f"Patient/{patient_id}"}
        self._day = day

    def apply(self, changes: Changes) -> None:
        """Carry out all changes, in place."""
        for item, number in changes.results.items():
            self._measure(item, number)
        if changes.finding:
            self._finding(changes.finding, changes.state, changes.grade)
        if changes.brain_metastases is not None:
            self._brain_metastases(present=changes.brain_metastases)
        if changes.pregnancy is not None:
            self._pregnancy(present=changes.pregnancy)
        if changes.earlier:
            self._earlier_inhibitor(changes.earlier, changes.ended)
        if changes.mutation:
            self._mutation(changes.mutation)
        if changes.medication:
            start = self._day - timedelta(days=5)
            self._add(MEDICATIONS.key, {
                **self._medication_request(changes.medication, "medication"),
                "status": "active",
                "authoredOn": start.isoformat(),
            })  # fmt: skip

    def draft_order(self, drug: str) -> Resource:
        """A draft of the drug at the dose of its label's first day, where the tables have one."""
        draft = {
            **self._medication_request(drug, "order"),
            "status": "draft",
            "authoredOn": self._day.isoformat(),
        }
        known = self._knowledge.drugs.get(drug)
        if known is None:
            return draft
        dosing = known.drug.dosing
        dose = dosing.lead_in or dosing.start
        repeat = {"frequency": int(dose.per_day), "period": 1, "periodUnit": "d"}
        amount = {"value": dose.amount_mg, "unit": "mg", "system": _UCUM, "code": "mg"}
        often = f"{dose.per_day} times daily" if dose.per_day != 1 else "once daily"
        draft["dosageInstruction"] = [
            {
                "text": f"{dose.amount_mg:f} mg by mouth {often}",
                "timing": {"repeat": repeat},
                "doseAndRate": [{"doseQuantity": amount}],
            }
        ]
        return draft

    def _measure(self, item: MeasuredField, number: Decimal | None) -> None:
        analyte = self._knowledge.codes.analytes[item.analyte]
        keys = analyte.code_keys(include_unverified=True)
        if number is None:
            self._drop(_OBSERVATIONS, lambda resource: _has_code(resource.get("code"), keys))
            return
        # Two results of one day without a time would be a contradiction, not a change.
        self._drop(
            _OBSERVATIONS,
            lambda resource: (
                _has_code(resource.get("code"), keys)
                and str(resource.get("effectiveDateTime", ""))[:10] == self._day.isoformat()
            ),
        )
        laboratory = analyte.kind == "laboratory"
        unit = {"unit": analyte.unit, "system": _UCUM, "code": analyte.unit}
        resource = self._observation(
            item.name, analyte.codes, "laboratory" if laboratory else "vital-signs"
        )
        limit = item.upper_limit
        resource["valueQuantity"] = {"value": number * limit if limit else number, **unit}
        if limit is not None:
            resource["referenceRange"] = [{"high": {"value": limit, **unit}}]
        self._add(LABORATORY.key if laboratory else VITAL_SIGNS.key, resource)

    def _brain_metastases(self, *, present: bool) -> None:
        names = ("brain metastases", "central nervous system metastases")
        sets = self._knowledge.codes.value_sets
        keys = frozenset(key for name in names for key in sets[name].code_keys())
        sites = sets["brain body site"].code_keys()
        self._drop(
            (CONDITIONS.key,),
            lambda resource: (
                _has_code(resource.get("code"), keys)
                or any(_has_code(site, sites) for site in _listed(resource.get("bodySite")))
            ),
        )
        if present:
            self._add(CONDITIONS.key, {
                "resourceType": "Condition",
                "id": "bench-brain-metastases",
                "clinicalStatus": _concept(_coding(_CLINICAL, "active")),
                "verificationStatus": _concept(_coding(_VERIFICATION, "confirmed")),
                "code": self._answer("brain metastases"),
                "subject": self._subject,
                "recordedDate": self._day.isoformat(),
            })  # fmt: skip

    def _finding(self, concept: str, state: str, grade: int | None) -> None:
        """A diagnosis of the concept as the form says it, in place of those that are charted."""
        concepts = self._knowledge.concepts
        names = {concept, *concepts.narrower(concept)}
        self._drop(
            (CONDITIONS.key,),
            lambda resource: not names.isdisjoint(concepts.match(_keys(resource.get("code")))),
        )
        if state == "none":
            return
        rows = concepts[concept].rows(concepts.editions)
        codes = [(system, code) for system, code, row in rows if row.verified and not row.wider]
        coded = _concept(_coding(*codes[0])) if codes else {}
        status = "resolved" if state == "over" else "active"
        certain = "provisional" if state == "suspected" else "confirmed"
        begun = self._day - timedelta(days=_BEGUN_DAYS)
        resource: Resource = {
            "resourceType": "Condition",
            "id": "bench-finding",
            "clinicalStatus": _concept(_coding(_CLINICAL, status)),
            "verificationStatus": _concept(_coding(_VERIFICATION, certain)),
            "code": {**coded, "text": concept},
            "subject": self._subject,
            "onsetDateTime": (begun if state == "over" else self._day).isoformat(),
            "recordedDate": self._day.isoformat(),
        }
        if state == "over":
            resource["abatementDateTime"] = self._day.isoformat()
        if grade is not None:
            resource["extension"] = [{"url": _GRADE, "valueInteger": grade}]
        self._add(CONDITIONS.key, resource)

    def _pregnancy(self, *, present: bool) -> None:
        sets = self._knowledge.codes.value_sets
        observed, diagnosed = sets["pregnancy status"].code_keys(), sets["pregnancy"].code_keys()
        self._drop(_OBSERVATIONS, lambda resource: _has_code(resource.get("code"), observed))
        self._drop((CONDITIONS.key,), lambda resource: _has_code(resource.get("code"), diagnosed))
        if present:
            codes = sets["pregnancy status"].codes
            resource = self._observation("pregnancy", codes, "social-history")
            resource["valueCodeableConcept"] = self._answer("answer pregnant")
            self._add(FINDINGS.key, resource)

    def _earlier_inhibitor(self, drug: str, ended: str) -> None:
        start = self._day - timedelta(days=_LONG_AGO_DAYS)
        end = self._day - timedelta(days=_ENDED_DAYS)
        bounds = {"start": start.isoformat(), "end": end.isoformat()}
        order = {
            **self._medication_request(drug, "earlier"),
            "status": "stopped",
            "authoredOn": start.isoformat(),
            "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": bounds}}}],
        }
        if ended:
            order["statusReason"] = self._answer(REASONS[ended])
        self._add(MEDICATIONS.key, order)

    def _mutation(self, change: str) -> None:
        sets = self._knowledge.codes.value_sets

        def part(name: str, value: Resource) -> Resource:
            return {"code": _coded(sets[name].codes), "valueCodeableConcept": value}

        written = f"p.{change}"
        resource = self._observation(
            "mutation", sets["genetic variant assessment"].codes, "laboratory"
        )
        resource["valueCodeableConcept"] = self._answer("answer positive")
        resource["component"] = [
            part("component gene studied", self._answer("gene ALK")),
            part(
                "component amino acid change",
                {"coding": [_coding("http://varnomen.hgvs.org", written)], "text": written},
            ),
            part("component genomic source class", self._answer("somatic")),
        ]
        self._add(FINDINGS.key, resource)

    def _observation(self, name: str, codes: Iterable[Code], category: str) -> Resource:
        return {
            "resourceType": "Observation",
            "id": f"bench-{name.replace('_', '-')}",
            "status": "final",
            "category": [_concept(_coding(_CATEGORY, category))],
            "code": _coded(codes),
            "subject": self._subject,
            "effectiveDateTime": self._day.isoformat(),
        }

    def _medication_request(self, name: str, role: str) -> Resource:
        codes = self._knowledge.codes.ingredients[name].codes
        return {
            "resourceType": "MedicationRequest",
            "id": f"bench-{role}",
            "intent": "order",
            "medicationCodeableConcept": {**(_coded(codes) if codes else {}), "text": name},
            "subject": self._subject,
        }

    def _answer(self, value_set: str) -> Resource:
        return _coded(self._knowledge.codes.value_sets[value_set].codes)

    def _add(self, key: str, resource: Resource) -> None:
        page = self._prefetch.get(key)
        if not isinstance(page, dict) or page.get("resourceType") != "Bundle":
            # What is added to a list that did not come does not make the list whole: counting
            # one resource more than it holds says that there may be others.
            page = self._prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "total": 2}
        elif isinstance(page.get("total"), int):
            page["total"] += 1
        page.setdefault("entry", []).append({"resource": resource, "search": {"mode": "match"}})

    def _drop(self, keys: Iterable[str], matches: Callable[[Resource], bool]) -> None:
        for key in keys:
            page = self._prefetch.get(key)
            entries = page.get("entry") if isinstance(page, dict) else None
            if not isinstance(page, dict) or not isinstance(entries, list):
                continue
            kept = [entry for entry in entries if not _holds(entry, matches)]
            if isinstance(page.get("total"), int):
                page["total"] -= len(entries) - len(kept)
            page["entry"] = kept
            if not kept:
                # FHIR has no empty array.
                del page["entry"]


def _holds(entry: Any, matches: Callable[[Resource], bool]) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and matches(resource)


def _has_code(concept: Any, keys: frozenset[CodeKey]) -> bool:
    return not keys.isdisjoint(_keys(concept))


def _keys(concept: Any) -> list[CodeKey]:
    """The codes of a concept that may be anything at all."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    keys = (
        code_key(coding["system"], coding["code"])
        for coding in _listed(codings)
        if isinstance(coding, dict)
        and isinstance(coding.get("system"), str)
        and isinstance(coding.get("code"), str)
    )
    return [key for key in keys if key is not None]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _coded(codes: Iterable[Code]) -> Resource:
    """A concept of the first code that was verified, else of the first."""
    listed = tuple(codes)
    code = next((code for code in listed if code.verified), listed[0])
    system, value = code.as_written
    return _concept({**_coding(system, value), "display": code.display})


def _coding(system: str, code: str) -> Resource:
    return {"system": system, "code": code}


def _concept(coding: Resource) -> Resource:
    return {"coding": [coding]}

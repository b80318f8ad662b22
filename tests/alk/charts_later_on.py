"""What becomes of a chart after the day asked about: things end, and new ones are written."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from cds_service.alk import Question, decide
from cds_service.cards import decision_document
from cds_service.facts import Supplied
from cds_service.fhir.reading import read_resources
from cds_service.fhir.record import PatientRecord
from tests.facts.records import ALL, knowledge, reader

Json = dict[str, Any]
_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}")
_NAMING = frozenset({"id", "url", "system", "code", "reference", "fullUrl", "profile"})
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def answer(
    patient: str, resources: Sequence[Json], as_of: date, known_on: date | None = None
) -> Json:
    """The whole decision at the opening of the chart as a document, remarks left out."""
    entries = [{"resource": item} for item in resources]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    record = PatientRecord.build(patient, [read_resources(json.dumps(bundle).encode())])
    facts, _ = reader().read(Supplied(record, ALL, {}, known_on=known_on), as_of)
    decision = decide(facts, Question("patient-view"), knowledge(), as_of).whole()
    document = decision_document("one", decision, knowledge(), {}, (), {}, facts)
    said: Json = json.loads(json.dumps(document, default=str))
    return said


def moved_after(resource: Json, day: date, number: int) -> Json:
    """A copy of a resource with another id whose every date lies after a day."""

    def moved(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: moved(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [moved(item, name) for item in value]
        if isinstance(value, str) and name not in _NAMING:
            return _DATE.sub((day + timedelta(days=number)).isoformat(), value)
        return value

    copied = moved(copy.deepcopy(resource))
    assert isinstance(copied, dict)
    return {**copied, "id": f"later-{number}-{resource.get('id')}"}


def ended_on(resource: Json, day: date, how: str) -> Json:
    """The same resource once it ended on a day, in one of the ways in which charts say so."""
    kind, last = resource["resourceType"], day.isoformat()
    if kind == "Condition":
        code = {"coding": [{"system": _CLINICAL, "code": "resolved"}]}
        end: Json = {"abatementDateTime": last}
        if how == "period":
            end = {"abatementPeriod": {"end": last}}
        return {**resource, "clinicalStatus": code, **end}
    if kind == "MedicationRequest":
        reason = {"text": "stopped later on"}
        ended = {**resource, "status": "stopped", "statusReason": reason}
        if how == "period":
            return {**ended, "effectiveDosePeriod": {"end": last}}
        if how == "held":
            return {**ended, "status": "on-hold", "statusChanged": last}
        return {**ended, "status": "completed", "statusChanged": last}
    return resource


def is_dated(resource: Json) -> bool:
    """Whether a resource of the chart says on which day it was; people and products do not."""
    moved = moved_after(resource, date(2030, 1, 1), 1)
    return resource["resourceType"] not in ("Patient", "Medication") and "2030-" in str(moved)


def may_end(resource: Json) -> bool:
    """Whether it lasts on the day of the story."""
    if resource["resourceType"] == "MedicationRequest":
        return bool(resource["status"] == "active")
    codes = [item["code"] for item in resource.get("clinicalStatus", {}).get("coding", ())]
    return resource["resourceType"] == "Condition" and codes == ["active"]

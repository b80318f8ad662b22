"""R4 resources that leave the service: built as JSON objects, validated before they go.

Numbers in them are Decimals; an encoder has to write them as JSON numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.fhir.datatypes import Coding
from cds_service.fhir.errors import InvalidResource
from cds_service.fhir.terminology import SNOMED, UCUM
from cds_service.fhir.validation import validate, warm

__all__ = [
    "InvalidResource",
    "OrderedStep",
    "Reason",
    "Supply",
    "dosage_instructions",
    "medication_concept",
    "medication_request",
    "service_request",
    "supply_quantity",
    "updated",
    "validate",
    "warm",
]

_ORAL_ROUTE = {
    "coding": [{"system": SNOMED, "code": "26643006", "display": "Oral route"}],
    "text": "oral",
}
_TIMES_PER_DAY = {
    1: ("once daily", "QD"),
    2: ("twice daily", "BID"),
    3: ("three times daily", "TID"),
    4: ("four times daily", "QID"),
}
_DRUG_FORM = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
_FORM_CODES = {"capsule": "CAP", "tablet": "TAB"}
_GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
_DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_FIXED = frozenset({"resourceType", "id", "meta", "subject", "contained"})
_STAND_INS: Mapping[str, Mapping[str, Any]] = {
    "MedicationRequest": {
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "stand-in"},
        "subject": {"reference": "Patient/stand-in"},
    },
    "ServiceRequest": {
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/stand-in"},
    },
}


@dataclass(frozen=True, slots=True)
class OrderedStep:
    """One step of an oral dose.

    `amount_mg` per dose; `pieces` of `piece` ("capsule", "tablet") make it up; `days` None means
    open-ended. `with_food` None says nothing about food. `made_of` says in words what makes up the
    dose where that is not one kind of piece.
    """

    amount_mg: Decimal
    times_per_day: int
    pieces: int | None = None
    piece: str | None = None
    days: int | None = None
    with_food: bool | None = None
    made_of: str | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """What a pharmacy hands out: for `days` days `pieces` of `piece`, with so many repeats.

    `pieces` None: more than one kind of piece makes up the dose, so that no one number tells.
    """

    days: int
    pieces: int | None = None
    piece: str | None = None
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is ordered: codes, words or both."""

    codings: tuple[Coding, ...] = ()
    text: str | None = None


def _coding(coding: Coding) -> dict[str, Any]:
    members = {"system": coding.system, "code": coding.code, "display": coding.display}
    return {name: value for name, value in members.items() if value}


def _concept(codings: Sequence[Coding], text: str | None) -> dict[str, Any]:
    concept: dict[str, Any] = {}
    if codings:
        concept["coding"] = [_coding(coding) for coding in codings]
    if text:
        concept["text"] = text
    return concept


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def dosage_instructions(
    steps: Sequence[OrderedStep], *, start: date | None = None
) -> list[dict[str, Any]]:
    """The dosageInstruction list for steps that follow each other.

    Every step but the last needs `days`. With `start`, each step carries its own dates.
    Raises ValueError for steps that cannot be carried out.
    """
    if not steps:
        raise ValueError("a dosage needs at least one step")
    instructions: list[dict[str, Any]] = []
    begins = start
    for position, step in enumerate(steps, start=1):
        if step.days is None and position < len(steps):
            raise ValueError("every step but the last needs a number of days")
        instructions.append(_instruction(step, position if len(steps) > 1 else None, begins))
        if begins is not None and step.days is not None:
            begins += timedelta(days=step.days)
    return instructions


def _instruction(step: OrderedStep, sequence: int | None, begins: date | None) -> dict[str, Any]:
    if step.amount_mg <= 0 or step.times_per_day not in _TIMES_PER_DAY:
        raise ValueError("the dose must be positive and taken one to four times a day")
    if step.days is not None and step.days <= 0:
        raise ValueError("a step lasts at least one day")
    words, abbreviation = _TIMES_PER_DAY[step.times_per_day]
    repeat: dict[str, Any] = {
        "frequency": step.times_per_day,
        "period": 1,
        "periodUnit": "d",
    }
    if begins is not None:
        repeat["boundsPeriod"] = {"start": begins.isoformat()}
        if step.days is not None:
            last = begins + timedelta(days=step.days - 1)
            repeat["boundsPeriod"]["end"] = last.isoformat()
    elif step.days is not None:
        repeat["boundsDuration"] = {
            "value": step.days,
            "unit": "d",
            "system": UCUM,
            "code": "d",
        }
    instruction: dict[str, Any] = {
        "text": _words(step, words),
        "timing": {
            "repeat": repeat,
            "code": {"coding": [{"system": _GTS, "code": abbreviation}], "text": words},
        },
        "asNeededBoolean": False,
        "route": copy.deepcopy(_ORAL_ROUTE),
        "doseAndRate": [
            {
                "doseQuantity": {
                    "value": step.amount_mg,
                    "unit": "mg",
                    "system": UCUM,
                    "code": "mg",
                }
            }
        ],
    }
    if step.with_food:
        instruction["additionalInstruction"] = [{"text": "with food"}]
    if sequence is not None:
        instruction["sequence"] = sequence
    return instruction


def _words(step: OrderedStep, frequency: str) -> str:
    dose = f"{_plain(step.amount_mg)} mg"
    if step.pieces is not None:
        if step.pieces <= 0 or not step.piece:
            raise ValueError("a number of pieces needs to be positive and to name the piece")
        plural = step.piece if step.pieces == 1 else f"{step.piece}s"
        dose += f" ({step.pieces} {plural})"
    elif step.made_of:
        dose += f" ({step.made_of})"
    text = f"{dose} by mouth {frequency}"
    if step.with_food:
        text += " with food"
    if step.days is not None:
        text += f" for {step.days} day" + ("" if step.days == 1 else "s")
    return text


def medication_concept(codings: Sequence[Coding], text: str) -> dict[str, Any]:
    """What is ordered, as a CodeableConcept."""
    return _concept(codings, text)


def supply_quantity(supply: Supply) -> dict[str, Any] | None:
    """The number of capsules or tablets as a Quantity, None when there is no one number."""
    if supply.pieces is None or supply.piece is None:
        return None
    return {
        "value": supply.pieces,
        "unit": supply.piece,
        "system": _DRUG_FORM,
        "code": _FORM_CODES[supply.piece],
    }


def _dispense_request(supply: Supply) -> dict[str, Any]:
    request: dict[str, Any] = {
        "numberOfRepeatsAllowed": supply.repeats,
        "expectedSupplyDuration": {
            "value": supply.days, "unit": "days", "system": UCUM, "code": "d"
        },
    }  # fmt: skip
    quantity = supply_quantity(supply)
    return request | ({"quantity": quantity} if quantity is not None else {})


def medication_request(
    *,
    patient_id: str,
    codings: Sequence[Coding],
    text: str,
    steps: Sequence[OrderedStep],
    supply: Supply | None = None,
    status: str = "draft",
    intent: str = "order",
    start: date | None = None,
    authored_on: date | None = None,
    reasons: Sequence[Reason] = (),
    requester: str | None = None,
    encounter_id: str | None = None,
    resource_id: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """An order for an oral drug. `requester` is a reference such as `Practitioner/1`.

    Raises InvalidResource or ValueError instead of returning an order that must not leave.
    """
    resource: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": intent,
        "medicationCodeableConcept": _concept(codings, text),
        "subject": {"reference": f"Patient/{patient_id}"},
        "dosageInstruction": dosage_instructions(steps, start=start),
    }
    if supply is not None:
        resource["dispenseRequest"] = _dispense_request(supply)
    _add_common(
        resource,
        resource_id=resource_id,
        encounter_id=encounter_id,
        requester=requester,
        authored_on=authored_on,
        reasons=reasons,
        note=note,
    )
    return validate(resource)


def service_request(
    *,
    patient_id: str,
    codings: Sequence[Coding],
    text: str,
    occurrence: date | None = None,
    priority: str | None = None,
    status: str = "draft",
    intent: str = "order",
    category: Sequence[Reason] = (),
    authored_on: date | None = None,
    reasons: Sequence[Reason] = (),
    requester: str | None = None,
    encounter_id: str | None = None,
    resource_id: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """An order for a test, an image or a referral. Raises like `medication_request`."""
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": intent,
        "code": _concept(codings, text),
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    if category:
        resource["category"] = [_concept(entry.codings, entry.text) for entry in category]
    if priority is not None:
        resource["priority"] = priority
    if occurrence is not None:
        resource["occurrenceDateTime"] = occurrence.isoformat()
    _add_common(
        resource,
        resource_id=resource_id,
        encounter_id=encounter_id,
        requester=requester,
        authored_on=authored_on,
        reasons=reasons,
        note=note,
    )
    return validate(resource)


def _add_common(
    resource: dict[str, Any],
    *,
    resource_id: str | None,
    encounter_id: str | None,
    requester: str | None,
    authored_on: date | None,
    reasons: Sequence[Reason],
    note: str | None,
) -> None:
    if resource_id is not None:
        resource["id"] = resource_id
    if encounter_id is not None:
        resource["encounter"] = {"reference": f"Encounter/{encounter_id}"}
    if requester is not None:
        resource["requester"] = {"reference": requester}
    if authored_on is not None:
        resource["authoredOn"] = authored_on.isoformat()
    if reasons:
        resource["reasonCode"] = [_concept(reason.codings, reason.text) for reason in reasons]
    if note is not None:
        resource["note"] = [{"text": note}]


def updated(original: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of a resource as sent, with the named top-level elements replaced.

    Everything else stays as it is, known or not: an EHR's draft need not be valid to be changed.
    Only what is put in is validated. A change to None removes the element, with the id and the
    extensions that stand beside a primitive value; else those stay. Identity and subject
    cannot be changed. Raises InvalidResource naming the element.
    """
    kind = original.get("resourceType")
    if not isinstance(kind, str) or kind not in _STAND_INS:
        raise InvalidResource("resourceType", "only orders can be updated")
    for name in changes:
        if name in _FIXED or name.startswith("_"):
            raise InvalidResource(name, "this element is never changed by an update")
    added = {name: value for name, value in changes.items() if value is not None}
    validate(_probe(kind, added))
    result: dict[str, Any] = copy.deepcopy(dict(original))
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
            result.pop(f"_{name}", None)
            continue
        result[name] = copy.deepcopy(value)
        _present_now(result, f"_{name}")
    return result


def _present_now(resource: dict[str, Any], name: str) -> None:
    """Beside a value nothing may say that there is none: that alone goes of what stands there."""
    beside = resource.get(name)
    extensions = beside.get("extension") if isinstance(beside, dict) else None
    if not isinstance(beside, dict) or not isinstance(extensions, list):
        return
    kept = [
        one
        for one in extensions
        if not (isinstance(one, dict) and one.get("url") == _DATA_ABSENT_REASON)
    ]
    left = {member: value for member, value in beside.items() if member != "extension"}
    resource[name] = left | ({"extension": kept} if kept else {})
    if not resource[name]:
        del resource[name]


def _probe(kind: str, added: Mapping[str, Any]) -> dict[str, Any]:
    probe = {"resourceType": kind, **_STAND_INS[kind], **added}
    if "medicationReference" in added:
        probe.pop("medicationCodeableConcept", None)
    return probe

"""Strict validation of what leaves, with `fhir.resources` R4B and what that does not check.

R4B and R4 are the same for the resources sent from here. The models are large: they are imported
at first use, which `warm` moves to the start of the service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from cds_service.fhir.errors import InvalidResource

# fhir.resources does not enforce required bindings: these are the ones of what we send.
_REQUEST_INTENTS = frozenset(
    {
        "proposal",
        "plan",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    }
)
_PRIORITIES = frozenset({"routine", "urgent", "asap", "stat"})
_BINDINGS: Mapping[tuple[str, str], frozenset[str]] = {
    ("MedicationRequest", "status"): frozenset(
        {
            "active",
            "on-hold",
            "cancelled",
            "completed",
            "entered-in-error",
            "stopped",
            "draft",
            "unknown",
        }
    ),
    ("MedicationRequest", "intent"): _REQUEST_INTENTS,
    ("MedicationRequest", "priority"): _PRIORITIES,
    ("ServiceRequest", "status"): frozenset(
        {
            "draft",
            "active",
            "on-hold",
            "revoked",
            "completed",
            "entered-in-error",
            "unknown",
        }
    ),
    ("ServiceRequest", "intent"): _REQUEST_INTENTS | {"directive"},
    ("ServiceRequest", "priority"): _PRIORITIES,
}


@cache
def _model(kind: str) -> type[BaseModel]:
    from fhir.resources.R4B import get_fhir_model_class

    model: type[BaseModel] = get_fhir_model_class(kind)
    return model


def validate(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource if it is valid R4, else raise InvalidResource naming the element."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not kind:
        raise InvalidResource("resourceType", "is missing")
    alike = _without_the_call(resource)
    if alike is None or alike not in _valid:
        _validated(resource, kind)
        if alike is not None and len(alike) <= _LONGEST:
            if len(_valid) >= _MOST:
                _valid.clear()
            _valid[alike] = None
    return dict(resource)


_OF_THE_CALL = {
    "subject": re.compile(r"Patient/[A-Za-z0-9.-]{1,64}", re.ASCII),
    "encounter": re.compile(r"Encounter/[A-Za-z0-9.-]{1,64}", re.ASCII),
    "requester": re.compile(r"[A-Z][A-Za-z]{1,40}/[A-Za-z0-9.-]{1,64}", re.ASCII),
}
"""References that each call fills in, and how they look where nothing is wrong with them."""
_DAYS_OF_THE_CALL = ("authoredOn", "occurrenceDateTime")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST = 4000
_MOST = 256
_valid: dict[bytes, None] = {}
"""Orders that were found valid, without what a call fills in: a release fixes all the rest."""


def _without_the_call(resource: Mapping[str, Any]) -> bytes | None:
    """The text of an order with the same words where each call has its own; None when what it has
    there may be at fault, or more of the order than its words is a caller's."""
    if resource.get("resourceType") != "ServiceRequest" or "id" in resource or "note" in resource:
        return None
    fixed = dict(resource)
    for name, usual in _OF_THE_CALL.items():
        sent = fixed.get(name)
        if sent is None and name not in fixed:
            continue
        if not isinstance(sent, dict) or sent.keys() != {"reference"}:
            return None
        if not isinstance(sent["reference"], str) or usual.fullmatch(sent["reference"]) is None:
            return None
        fixed[name] = True
    for name in _DAYS_OF_THE_CALL:
        day = fixed.get(name)
        if day is None and name not in fixed:
            continue
        if not isinstance(day, str) or _DAY.fullmatch(day) is None or not _is_day(day):
            return None
        fixed[name] = True
    try:
        return orjson.dumps(fixed, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _validated(resource: Mapping[str, Any], kind: str) -> None:
    _refuse_empties(resource, kind)
    for (bound_kind, name), allowed in _BINDINGS.items():
        if bound_kind == kind and name in resource and resource[name] not in allowed:
            raise InvalidResource(f"{kind}.{name}", "is not a code of the required value set")
    try:
        model = _model(kind)
    except (KeyError, ValueError):
        raise InvalidResource("resourceType", "is not an R4 resource type") from None
    try:
        model.model_validate(dict(resource))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join([kind, *(str(part) for part in first["loc"])])
        # The model's own message can quote the value: only the kind of fault is passed on.
        raise InvalidResource(path, first["type"]) from None
    except KeyError:
        raise InvalidResource(kind, "holds a resource of an unknown type") from None


def _refuse_empties(value: Any, path: str) -> None:
    """FHIR forbids null and empty members; `fhir.resources` lets them pass."""
    if isinstance(value, Mapping):
        if not value:
            raise InvalidResource(path, "is empty")
        for name, member in value.items():
            _refuse_empties(member, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        if not value:
            raise InvalidResource(path, "is empty")
        for position, member in enumerate(value):
            _refuse_empties(member, f"{path}[{position}]")
    elif value is None or value == "":
        raise InvalidResource(path, "is empty")


def warm() -> None:
    """Import and build the models of what is sent, so that no request pays for it."""
    subject = {"reference": "Patient/warm"}
    common = {"status": "draft", "intent": "order", "subject": subject}
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"}
    dosage = {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": {"value": 1}}]}
    validate(
        {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": {"text": "warm"},
            "dosageInstruction": [dosage],
            **common,
        }
    )
    validate({"resourceType": "ServiceRequest", "code": {"text": "warm"}, **common})

"""Strict validation of what leaves, with `fhir.resources` R4B and what that does not check.

R4B and R4 are the same for the resources sent from here. The models are large: they are imported
at first use, which `warm` moves to the start of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

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
    return dict(resource)


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

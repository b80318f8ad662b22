"""Orders written in another FHIR version than R4: which element tells, and which is not read.

Where R5 or STU3 means the same, the views read it (`medication.concept`, `code.concept`,
`dosageInstruction.doseQuantity`). What leaves the service is R4 only, so a draft of another version
is never sent back with a change.
"""

from __future__ import annotations

from collections.abc import Mapping

_R5_ONLY = {
    "MedicationRequest": (
        "medication", "reason", "reported", "informationSource", "device", "effectiveDosePeriod",
        "renderedDosageInstruction", "statusChanged",
    ),
    "ServiceRequest": ("reason", "location", "bodyStructure", "focus"),
}  # fmt: skip


_STU3_ONLY = ("context", "definition")
_STU3_DOSES = ("doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio")

_OLDER_TYPES = {
    "MedicationOrder": "DSTU2",
    "DiagnosticOrder": "DSTU2",
    "DeviceUseRequest": "DSTU2",
    "ProcedureRequest": "DSTU2 or STU3",
    "ReferralRequest": "DSTU2 or STU3",
}


def version_of_type(resource_type: object) -> str | None:
    """The older FHIR version that an order's type belongs to; None for a type of R4 or R5."""
    return _OLDER_TYPES.get(resource_type) if isinstance(resource_type, str) else None


def foreign_element(resource: Mapping[str, object]) -> str | None:
    """The first element of an order that R4 does not have, such as `medication`; None in R4."""
    kind = resource.get("resourceType")
    for name in _R5_ONLY.get(kind, ()) if isinstance(kind, str) else ():
        if name in resource:
            return name
    older = _stu3_element(resource) if kind == "MedicationRequest" else None
    if older is not None:
        return older
    code = resource.get("code")
    if (
        kind == "ServiceRequest"
        and isinstance(code, Mapping)
        and {"concept", "reference"} & set(code)
    ):
        return "code"
    return None


def _stu3_element(resource: Mapping[str, object]) -> str | None:
    """The first element of a medication order that R4 moved: an answer in R4 would hide it."""
    for name in _STU3_ONLY:
        if name in resource:
            return name
    requester = resource.get("requester")
    if isinstance(requester, Mapping) and "agent" in requester:
        return "requester.agent"
    dosages = resource.get("dosageInstruction")
    for dosage in dosages if isinstance(dosages, list) else ():
        for name in _STU3_DOSES:
            if isinstance(dosage, Mapping) and name in dosage:
                return f"dosageInstruction.{name}"
    return None


def unreadable_element(resource: Mapping[str, object]) -> str | None:
    """The element that says what is ordered in a way that is not read here; None if there is none.

    An R5 order may point to a definition in place of a code: what it orders then stands elsewhere.
    """
    kind = resource.get("resourceType")
    if kind == "MedicationRequest" and "medication" in resource:
        named = resource["medication"]
        if not isinstance(named, Mapping) or not any(
            isinstance(named.get(part), Mapping) for part in ("concept", "reference")
        ):
            return "medication"
    if kind == "ServiceRequest":
        code = resource.get("code")
        if isinstance(code, Mapping) and "reference" in code and not {
            "concept", "coding", "text",
        } & set(code):  # fmt: skip
            return "code.reference"
    return None

"""The one status of a resource, under whichever name its kind has it."""

from __future__ import annotations

from cds_service.fhir.views import (
    AllergyIntolerance,
    Condition,
    MedicationStatement,
    Resource,
)

WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
"""Statuses whose resources are not served unless they are asked for."""

_ADHERENCE = {
    "taking": "active",
    "on-hold": "on-hold",
    "stopped": "stopped",
    "not-taking": "not-taken",
}

_VERIFIED = (Condition, AllergyIntolerance)
_AS_THEY_SHOULD_BE = frozenset(
    {"final", "amended", "corrected", "active", "completed", "stopped", "on-hold", "draft"}
)


def status_of(resource: Resource) -> str | None:
    """The resource's status, stripped and lower-cased; of a Condition or allergy its
    verification status.

    Of an R5 MedicationStatement, whose status only says that it was recorded, its adherence.
    """
    status: str | None = getattr(resource, "status", None)
    if status in _AS_THEY_SHOULD_BE:
        return status
    if isinstance(resource, MedicationStatement) and status == "recorded":
        return _adherence(resource)
    if isinstance(resource, _VERIFIED) and resource.verification_status is not None:
        codes = [coding.code for coding in resource.verification_status.coding if coding.code]
        status = codes[0] if codes else resource.verification_status.text
    return status.strip().lower() or None if isinstance(status, str) else None


def _adherence(statement: MedicationStatement) -> str | None:
    """The R4 status that an R5 adherence means; None when it says nothing."""
    concept = statement.adherence.code if statement.adherence is not None else None
    for coding in concept.coding if concept is not None else ():
        word = (coding.code or "").strip().lower()
        for beginning, status in _ADHERENCE.items():
            if word == beginning or word.startswith(f"{beginning}-"):
                return status
    return None

"""What one medication resource is as an order: whether it is one, when it runs, what is unclear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.facts.context import Context
from cds_service.fhir.datatypes import CodeableConcept
from cds_service.fhir.medications import MedicationConcept
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import (
    Dosage,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    MedicationUse,
)
from cds_service.rules import Reason, ReasonKind

_NOT_ORDERS = frozenset({"proposal", "option"})
KNOWN_STATUSES = frozenset(
    {
        "active", "on-hold", "completed", "stopped", "ended", "draft", "intended", "not-taken",
        "cancelled", "entered-in-error",
    }
)  # fmt: skip

_NEVER_TAKEN = frozenset({"draft", "not-taken", "cancelled", "entered-in-error"})

ASKED_DAYS = 365
"""How long after its date an order is asked about that does not say whether it runs (our own
choice)."""
LATER_DAYS = 90
"""How long before its first day an order is looked at together with the drug (our own choice)."""

ON_ITS_WAY_DAYS = 7
"""An order dispatched this soon after its date is not taken yet (our own choice)."""

OVER = frozenset({"stopped", "completed", "ended"})
"""Statuses of orders that are over."""

PLANNED = Reason.of(
    ReasonKind.MISSING,
    "medications",
    "an ALK inhibitor is planned, and nothing says whether it is taken",
)
SUPPLIED_ON_NO_DAY = Reason.of(
    ReasonKind.MISSING, "medications", "an ALK inhibitor was supplied or given on no known day"
)
_NO_PRODUCT = "a medication is named by nothing, or by a reference that led nowhere"
_CONTRADICTORY = "codes and words of a medication name different drugs"
_NO_DATES = "the dates of an ALK inhibitor's order do not say whether it ran on that day"
NOT_DATED = Reason.of(
    ReasonKind.MISSING,
    "medications",
    "the dates of an order do not say whether it ran on that day",
)
_LOOKS_LIKE_ONE = "a medication that is not known here is named or coded like an ALK inhibitor"
_NO_STATUS = "an ALK inhibitor is recorded without a status that says whether it is taken"


def is_order(use: MedicationUse) -> bool:
    """Whether a resource says that a medication is to be taken or is taken."""
    if isinstance(use, MedicationRequest):
        intent = (use.intent or "").strip().lower()
        return not use.do_not_perform and intent not in _NOT_ORDERS
    return isinstance(use, MedicationStatement)


def is_bare_plan(use: MedicationUse) -> bool:
    """Whether a request only plans a medication, and nobody reports that it is taken.

    Such a plan counts for interactions. It does not show that an ALK inhibitor is taken.
    """
    if not isinstance(use, MedicationRequest) or (use.intent or "").strip().lower() != "plan":
        return False
    return not (use.reported_boolean or use.reported or use.reported_reference is not None)


def is_doubtful(use: MedicationUse, start: date | None, as_of: date) -> bool:
    """Whether a medicine may be taken although nothing says so: its order has no readable status,
    a statement says that it is meant to be taken, or the order runs and begins on a later day."""
    status = status_of(use) or ""
    if start is not None and start > as_of:
        return status == "active" and (start - as_of).days <= LATER_DAYS
    if start is not None and (as_of - start).days > ASKED_DAYS:
        return False
    return status == "intended" or status not in KNOWN_STATUSES


def is_on_its_way(start: date | None, as_of: date) -> bool:
    """Whether an order that is just sent out is so new that nothing of it is taken yet."""
    return start is None or (as_of - start).days <= ON_ITS_WAY_DAYS


def dosages_of(use: MedicationUse) -> tuple[Dosage, ...]:
    """The dosage instructions of an order, a statement or a supply."""
    if isinstance(use, MedicationRequest | MedicationDispense):
        return use.dosage_instruction
    return use.dosage if isinstance(use, MedicationStatement) else ()


def start_of(context: Context, use: MedicationUse) -> date | None:
    """The first day of an order, as far as recorded."""
    for dosage in dosages_of(use):
        repeat = dosage.timing.repeat if dosage.timing is not None else None
        if repeat is not None and repeat.bounds_period is not None:
            day = context.day_of(repeat.bounds_period.start)
            if day is not None:
                return day
    if isinstance(use, MedicationRequest):
        period = use.effective_dose_period
        return context.day_of(period.start if period else None, use.authored_on)
    if isinstance(use, MedicationStatement):
        period = use.effective_period
        return context.day_of(period.start if period else None, use.effective_date_time)
    return None


def end_of(context: Context, use: MedicationUse) -> date | None:
    """The last day of an order, None when it is open or not recorded."""
    ends: list[date | None] = []
    for dosage in dosages_of(use):
        repeat = dosage.timing.repeat if dosage.timing is not None else None
        if repeat is not None and repeat.bounds_period is not None:
            ends.append(context.day_of(repeat.bounds_period.end))
    if ends:
        # Of several steps the last one ends the order; one that is left open leaves it open.
        known = [day for day in ends if day is not None]
        return max(known) if len(known) == len(ends) else None
    period = None
    if isinstance(use, MedicationRequest):
        period = use.effective_dose_period
    elif isinstance(use, MedicationStatement):
        period = use.effective_period
    day = context.day_of(period.end) if period is not None else None
    if day is None and isinstance(use, MedicationRequest) and status_of(use) in OVER:
        # R5 says when the status became what it is.
        return context.day_of(use.status_changed)
    return day


def ends_of(use: MedicationRequest) -> Iterator[str]:
    """The texts that say when an order ends."""
    periods = [dosage.timing.repeat.bounds_period for dosage in use.dosage_instruction
               if dosage.timing is not None and dosage.timing.repeat is not None]  # fmt: skip
    for period in (*periods, use.effective_dose_period):
        if period is not None and period.end:
            yield period.end


def like_an_inhibitor(context: Context, concept: MedicationConcept) -> str:
    """How a medication that no table knows looks like an ALK inhibitor: coded or named like one;
    empty where it does not."""
    book = context.book
    keys = concept_keys(CodeableConcept(coding=concept.all_codings))
    if any(key in book.doubtful_inhibitors for key in keys):
        return "coded"
    return "named" if any(map(book.watched_medications.in_text, concept.texts)) else ""


def why_unclear(
    concept: MedicationConcept,
    status: str,
    *,
    contradictory: bool,
    inhibitor: bool,
    looks_like_one: bool = False,
    past: bool = False,
) -> Reason | None:
    """Why a medication of the record may hide an ALK inhibitor that is taken; None when none may.

    `inhibitor` says that the drug was recognised as an ALK inhibitor, `looks_like_one` that nothing
    was recognised and the name or the code is like that of one, `past` that its status was
    worked out for an earlier day.
    """
    says = ""
    if contradictory:
        says = _CONTRADICTORY
    elif not (concept.texts or concept.all_codings or concept.ingredient_texts):
        says = _NO_PRODUCT
    elif looks_like_one and status not in _NEVER_TAKEN:
        says = _LOOKS_LIKE_ONE
    elif inhibitor and status not in KNOWN_STATUSES:
        says = _NO_DATES if past else _NO_STATUS
    return Reason.of(ReasonKind.MISSING, "medications", says) if says else None

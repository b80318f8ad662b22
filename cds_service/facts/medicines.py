"""Medications: what is taken, the lines of ALK inhibitors, and the draft orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cds_service.facts import courses
from cds_service.facts.context import Context
from cds_service.facts.identifying import identify
from cds_service.facts.medication_orders import (
    dosages_of,
    end_of,
    is_order,
    start_of,
    why_unclear,
)
from cds_service.facts.ordered import asks_to_crush, food_of
from cds_service.facts.patient import (
    DoseTaken,
    OrderedMedication,
    TreatmentLine,
    TreatmentOrder,
)
from cds_service.fhir.dosage import DoseStep, read_dosage
from cds_service.fhir.record import status_of
from cds_service.fhir.terminology import concept_keys
from cds_service.fhir.views import (
    Dosage,
    MedicationAdministration,
    MedicationRequest,
    MedicationUse,
    ServiceRequest,
)
from cds_service.rules import (
    Collection,
    Event,
    Events,
    Item,
    Reason,
    ReasonKind,
    Statement,
    Statements,
)

ACTIVE = frozenset({"active"})
PAUSED = frozenset({"on-hold"})
ENDED = frozenset({"completed", "stopped", "ended"})
SLOWING_CLASSES = ("beta-blocker", "other bradycardic")
ADJUSTED_DAYS = 30
"""A contributing medication stopped this recently counts as adjusted (our own choice)."""
ON_ITS_WAY_DAYS = 7
"""An order dispatched this soon after its date is not taken yet (our own choice)."""


def dose_of(dosages: Sequence[Dosage], strength_mg: Decimal | None) -> DoseTaken:
    """The dose of the last step of a dosage (a lead-in leads to it)."""
    steps = read_dosage(dosages, strength_mg).steps
    return _dose_of_step(steps[-1]) if steps else DoseTaken(None, None)


def first_dose_of(dosages: Sequence[Dosage], strength_mg: Decimal | None) -> DoseTaken | None:
    """The dose of the first step; None when there is one step only."""
    steps = read_dosage(dosages, strength_mg).steps
    return _dose_of_step(steps[0]) if len(steps) > 1 else None


def _dose_of_step(step: DoseStep) -> DoseTaken:
    return DoseTaken(step.amount_mg, step.doses_per_day, step.as_text)


@dataclass(frozen=True)
class Medicines:
    """Everything read from the patient's medication resources."""

    medications: Collection
    active: Collection
    paused: Collection
    prior: Collection
    lines: tuple[TreatmentLine, ...]
    contributing: Statements | None
    checkpoint_inhibitors: Events
    unclear: tuple[Reason, ...]
    """Why some medication of the record may hide an ALK inhibitor."""
    ended: Mapping[str, Collection]
    """Every ALK inhibitor used, the ended ones by why they ended, and earlier medications."""

    @property
    def first_start(self) -> date | None:
        """The day of the first ALK inhibitor as far as recorded, be it running or not."""
        used = self.ended["ALK inhibitors used"].items
        return min((item.day for item in used if item.day is not None), default=None)


def read_medicines(context: Context, dispatched: frozenset[str] = frozenset()) -> Medicines:
    """Medications, ALK inhibitor lines and what slows the heart.

    `dispatched` are the keys of signed orders that are just being sent out. A new one among them
    is no treatment yet: its own first dose would otherwise count as taken before.
    """
    complete = "medications" in context.complete
    why = () if complete else (
        Reason.of(ReasonKind.MISSING, "medications", "the list was not supplied whole"),
    )  # fmt: skip
    taken: list[Item] = []
    orders: dict[str, list[TreatmentOrder]] = {}
    stopped_slowing: list[date | None] = []
    checkpoint: list[Event] = []
    ended: list[Item] = []
    doses: list[Item] = []
    running: set[str] = set()
    unclear: dict[Reason, None] = {}
    drugs = context.book.knowledge.inhibitors
    for use in context.record.of_type(MedicationUse):
        if isinstance(use, MedicationAdministration):
            doses += _dose_given(context, use)
        if not is_order(use):
            continue
        status = status_of(use) or ""
        concept = context.record.medication_concept(use)
        found = identify(context, concept)
        doubt = why_unclear(
            concept,
            status,
            contradictory=found.contradictory,
            inhibitor=not drugs.isdisjoint(found.ingredients),
        )
        if doubt is not None:
            unclear.setdefault(doubt)
        start = start_of(context, use)
        if start is not None and start > context.as_of:
            context.remark("medications", "an order that starts in the future is not counted yet")
            continue
        if use.key in dispatched and _on_its_way(context, start):
            continue
        if status in ACTIVE:
            taken.append(Item(found.names, found.label, start, found.label, use.key))
        if status in ACTIVE | PAUSED:
            running.update(found.ingredients)
        if status in ENDED:
            ended.append(Item(found.names, found.label, start, found.label, use.key))
        if status in ENDED | PAUSED and found.names & set(SLOWING_CLASSES):
            # On hold is stopped for now, whenever that began.
            stopped_slowing.append(context.as_of if status in PAUSED else end_of(context, use))
        if "immune checkpoint inhibitor" in found.names and status in ACTIVE | PAUSED | ENDED:
            given = _last_given(context, use, start, status)
            checkpoint += [Event(given, found.label, use.key)] if given is not None else []
        word = _line_status(status)
        for ingredient in found.ingredients:
            if ingredient in drugs and word:
                dose = dose_of(dosages_of(use), found.strength_mg)
                orders.setdefault(ingredient, []).append(
                    TreatmentOrder(
                        ingredient,
                        word,
                        start,
                        end_of(context, use),
                        dose,
                        use.key,
                        courses.end_reasons(context, use),
                    )
                )
    if unclear:
        complete, why = False, (*why, *unclear)
    lines = tuple(
        TreatmentLine(name, tuple(sorted(found, key=lambda item: item.start or date.min)))
        for name, found in sorted(orders.items())
    )
    checkpoint += [
        Event(item.day, item.label, item.source)
        for item in doses
        if "immune checkpoint inhibitor" in item.names and item.day is not None
    ]
    checkpoint.sort(key=lambda item: item.day, reverse=True)
    ordered, order_why = complete, why
    loose = courses.without_order(context, lines, doses)
    if loose:
        ordered, order_why = False, (*why, courses.NO_ORDER)
    earlier = courses.earlier_medications(
        [*ended, *doses], frozenset(running), complete=complete, why=why
    )
    stopped = courses.stopped_lines(context, lines, loose, complete=ordered, why=order_why)
    return Medicines(
        Collection(tuple(taken), complete, why),
        _lines_with(context, "active", lines, ordered, order_why),
        _lines_with(context, "paused", lines, ordered, order_why),
        _lines_with(context, "ended", lines, ordered, order_why),
        lines,
        _contributing(context, taken, stopped_slowing, complete),
        Events(tuple(checkpoint), complete),
        tuple(unclear),
        {"earlier medications": earlier, **stopped},
    )


def _on_its_way(context: Context, start: date | None) -> bool:
    return start is None or start >= context.as_of - timedelta(days=ON_ITS_WAY_DAYS)


def _dose_given(context: Context, use: MedicationAdministration) -> list[Item]:
    day = courses.day_given(context, use)
    if day is None:
        return []
    found = identify(context, context.record.medication_concept(use))
    return [Item(found.names, found.label, day, found.label, use.key)]


def _line_status(status: str) -> str:
    for word, statuses in (("active", ACTIVE), ("paused", PAUSED), ("ended", ENDED)):
        if status in statuses:
            return word
    return ""


def _lines_with(
    context: Context,
    status: str,
    lines: tuple[TreatmentLine, ...],
    complete: bool,
    why: tuple[Reason, ...],
) -> Collection:
    items = tuple(courses.line_item(context, line) for line in lines if line.status == status)
    return Collection(items, complete, why)


def _last_given(
    context: Context, use: MedicationUse, start: date | None, status: str
) -> date | None:
    """The last day on which a medication may have been given, as far as recorded."""
    if status in ACTIVE:
        return context.as_of
    end = end_of(context, use)
    return min(end, context.as_of) if end is not None else start


def _contributing(
    context: Context, taken: list[Item], stopped: list[date | None], complete: bool
) -> Statements | None:
    """Whether something that slows the heart is taken, or was stopped lately.

    None when that cannot be told: the list is not whole, or one was stopped on an unknown day.
    """
    slowing = [item for item in taken if item.names & set(SLOWING_CLASSES)]
    if slowing:
        item = slowing[0]
        return Statements((Statement("active", None, item.label, item.source),))
    recent = context.as_of - timedelta(days=ADJUSTED_DAYS)
    days = [day for day in stopped if day is not None and recent <= day <= context.as_of]
    if days:
        return Statements((Statement("adjusted", max(days)),))
    told = complete and None not in stopped
    return Statements((Statement("none"),)) if told else None


def read_orders(
    context: Context, drafts: Sequence[tuple[MedicationRequest, Mapping[str, object]]]
) -> tuple[OrderedMedication, ...]:
    """The draft medication orders, each with the resource as received."""
    orders: list[OrderedMedication] = []
    for request, resource in drafts:
        concept = context.record.medication_concept(request)
        found = identify(context, concept)
        dosages = request.dosage_instruction
        orders.append(
            OrderedMedication(
                request.key,
                found.label,
                found.ingredients,
                found.names,
                dose_of(dosages, found.strength_mg),
                resource,
                found.known,
                found.unverified,
                first_dose_of(dosages, found.strength_mg),
                food_of(context, dosages),
                asks_to_crush(context, dosages),
                found.contradictory,
            )
        )
    return tuple(orders)


def requested_tests(
    context: Context, drafts: Iterable[ServiceRequest]
) -> frozenset[tuple[str, str]]:
    """(system, code) of tests that are already on order or in the draft orders.

    An order without a code is known by its exact text, with an empty system: some of our own
    have no code in any public system.
    """
    keys: set[tuple[str, str]] = set()
    active = (
        request
        for request in context.record.of_type(ServiceRequest)
        if status_of(request) in ("active", "draft")
    )
    for request in (*active, *drafts):
        if request.do_not_perform or request.code is None:
            continue
        coded = concept_keys(request.code)
        keys.update(coded or {("", (request.code.text or "").strip())})
    return frozenset(keys)

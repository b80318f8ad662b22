"""The course of the disease: why treatments ended, how the disease does, what else is ordered.

Reasons and states come from codes only. What ended without a coded reason is listed as such and
never counts as resistance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache

from msgspec import structs

from cds_service.facts import since_the_drug
from cds_service.facts.context import Context
from cds_service.facts.measurements import READABLE_STATUSES, score_series
from cds_service.facts.patient import TreatmentLine, TreatmentOrder
from cds_service.facts.progression_signs import SIGNS, signs_of_progression
from cds_service.facts.progression_words import named_assessments
from cds_service.facts.staging import coded_observation
from cds_service.facts.statement_order import in_order
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    CodeableConcept,
    MedicationAdministration,
    MedicationRequest,
    MedicationUse,
    ServiceRequest,
)
from cds_service.rules import (
    Collection,
    Event,
    Events,
    FactValue,
    Item,
    Reason,
    ReasonKind,
    Series,
    Statement,
    Statements,
)

REASONS = {
    "progression": "treatment ended for progression",
    "toxicity": "treatment ended for toxicity",
    "another reason": "treatment ended for another reason",
}
"""Why a treatment ended, with the value set whose codes say so."""

_COLLECTIONS = {
    "progression": "ALK inhibitors stopped for progression",
    "toxicity": "ALK inhibitors stopped for toxicity",
    "another reason": "ALK inhibitors stopped for another reason",
    "": "ALK inhibitors stopped without a reason",
}
END_OF_THE_LAST = "end of the last ALK inhibitor"
_STATUSES = {
    "improved": ("disease improved",),
    "stable": ("disease stable",),
    "worse": ("disease worsened",),
    "undetermined": ("disease status undetermined",),
    "free of disease": ("no evidence of disease",),
}
_PATTERNS = ("slow", "limited", "brain only", "systemic", "visceral crisis")
_COUNT = re.compile(r"\d+(?:\.0+)?(?: \{?(?:sites?|count)\}?)?")
PROCEDURES = (
    "whole brain radiotherapy",
    "stereotactic radiotherapy of the brain",
    "brain surgery",
)
"""Members of `ordered procedures`; each is a value set of codes/procedures.yaml."""


_GIVEN = frozenset({"completed", "in-progress", "stopped"})


def day_given(context: Context, use: MedicationAdministration) -> date | None:
    """The last day of a dose that was given; None when it was not, or on an unusable day.

    A completed administration is one dose, not the end of a treatment.
    """
    if status_of(use) not in _GIVEN:
        return None
    period = use.effective_period or use.occurence_period
    day = context.day_of(
        use.effective_date_time,
        (period.end or period.start) if period is not None else None,
        use.occurence_date_time,
    )
    if day is not None and day <= context.as_of:
        return day
    context.remark("medications", "a dose without a usable date was left out")
    return None


def end_reasons(context: Context, use: MedicationUse) -> frozenset[str]:
    """The reasons for which a medication resource ended: coded, or one of the exact words."""
    sent = use.status_reason
    concepts = sent if isinstance(sent, tuple) else (sent,)
    return frozenset(
        reason
        for reason, value_set in REASONS.items()
        if any(concept is not None and _names(context, concept, value_set) for concept in concepts)
    )


def generations(context: Context, ingredients: Iterable[str]) -> frozenset[str]:
    """What rules call the generations of the ALK inhibitors among the ingredients."""
    named = context.book.knowledge.generation_names
    return frozenset(name for drug in ingredients for name in named.get(drug, ()))


def line_item(context: Context, line: TreatmentLine) -> Item:
    """A treatment line as a member of a collection: it answers to drug and generation."""
    return _item(context, line.ingredient, line.start, line.orders[-1].source)


def _item(context: Context, ingredient: str, day: date | None, source: str) -> Item:
    names = frozenset({ingredient}) | generations(context, (ingredient,))
    return Item(names, ingredient, day, ingredient, source)


NO_ORDER = Reason.of(
    ReasonKind.MISSING, "orders of ALK inhibitors", "doses are recorded that no order explains"
)


def without_order(
    context: Context, lines: Sequence[TreatmentLine], given: Sequence[Item]
) -> tuple[Item, ...]:
    """ALK inhibitors of which doses were given without an order, or after it was over.

    Whether such a drug is still taken cannot be told.
    """
    found: dict[str, Item] = {}
    for item in sorted(given, key=lambda item: item.day or date.min):
        for name in sorted(item.names & context.book.knowledge.inhibitors):
            line = next((line for line in lines if line.ingredient == name), None)
            if line is None or _over_before(line, item.day):
                found.setdefault(name, _item(context, name, item.day, item.source))
    for name in found:
        context.remark(name, "doses are recorded that no order explains")
    return tuple(found.values())


def _over_before(line: TreatmentLine, day: date | None) -> bool:
    ends = [order.end for order in line.orders]
    known = [end for end in ends if end is not None]
    if line.status != "ended" or len(known) < len(ends) or day is None:
        return False
    return day > max(known)


def stopped_lines(
    context: Context,
    lines: Sequence[TreatmentLine],
    given: Sequence[Item],
    *,
    complete: bool,
    why: tuple[Reason, ...],
) -> dict[str, Collection]:
    """The ended lines by why they ended, and every ALK inhibitor ever used.

    A line whose codes give several reasons stands under each of them: neither the resistance nor
    the intolerance may get lost. `given` are drugs of which doses are recorded but no order.
    """
    found: dict[str, list[Item]] = {name: [] for name in _COLLECTIONS.values()}
    for line in lines:
        if line.status != "ended":
            continue
        reasons = reasons_of(line, context.as_of) or _reason_of_the_next(context, line, lines)
        if len(reasons) > 1:
            context.remark(line.ingredient, "the record gives several reasons why it ended")
        for reason in reasons or {""}:
            found[_COLLECTIONS[reason]].append(line_item(context, line))
    used = [*(line_item(context, line) for line in lines), *given]
    found["ALK inhibitors used"] = used
    found[END_OF_THE_LAST] = [
        Item(frozenset({reason}), reason, line.start, line.ingredient, line.orders[-1].source)
        for line in ended_last(lines)
        for reason in sorted(
            reasons_of(line, context.as_of)
            or _reason_of_the_next(context, line, lines)
            or {"unexplained"}
        )
    ]
    return {name: Collection(tuple(items), complete, why) for name, items in found.items()}


def ended_last(lines: Sequence[TreatmentLine]) -> list[TreatmentLine]:
    """The line that ended last; several when their days do not tell which one it was."""

    def last_day(line: TreatmentLine) -> date:
        days = [day for order in line.orders for day in (order.end, order.start) if day]
        return max(days, default=date.max)

    ended = [line for line in lines if line.status == "ended"]
    latest = max(map(last_day, ended), default=date.min)
    return [line for line in ended if last_day(line) == latest]


def reasons_of(line: TreatmentLine, as_of: date) -> frozenset[str]:
    """Why an ended line ended: what the orders say that were not replaced by a later one.

    A dose reduction ends the order before it, and the reason for that is not why the drug was
    given up. Orders without any date may be the last.
    """
    ended = [order for order in line.orders if order.status == "ended"]
    latest = max((order.start for order in ended if order.start is not None), default=None)

    def is_last(order: TreatmentOrder) -> bool:
        over = order.end if order.end is not None and order.end <= as_of else None
        if latest is None or (order.start is None and over is None):
            return True
        return order.start == latest or (over is not None and over > latest)

    return frozenset(reason for order in ended if is_last(order) for reason in order.reasons)


def _reason_of_the_next(
    context: Context, line: TreatmentLine, lines: Sequence[TreatmentLine]
) -> frozenset[str]:
    """Why a drug ended, where only the order of the drug after it says so: progression."""
    begun = [other for other in lines if other is not line and _follows(other, line)]
    first = min(begun, key=lambda other: other.start or date.max, default=None)
    if first is None:
        return frozenset()
    keys = {order.source for order in first.orders if order.start == first.start}
    for request in context.record.of_type(MedicationRequest):
        if request.key in keys and any(
            context.book.says(concept, "treatment ended for progression", "disease worsened")
            for concept in request.reason_code
        ):
            return frozenset({"progression"})
    return frozenset()


def _follows(other: TreatmentLine, line: TreatmentLine) -> bool:
    return other.start is not None and line.start is not None and other.start > line.start


def earlier_medications(
    ended: Iterable[Item],
    running: frozenset[str],
    *,
    complete: bool,
    why: tuple[Reason, ...],
) -> Collection:
    """Medications that ended and are not taken now: an old prescription of one that is runs on."""
    newest: dict[tuple[str, ...], Item] = {}
    for item in sorted(ended, key=lambda item: item.day or date.min):
        if not item.names & running:
            newest[tuple(sorted(item.names)) or (item.label,)] = item
    items = sorted(newest.values(), key=lambda item: item.label)
    return Collection(tuple(items), complete, why)


def disease_status(context: Context) -> Statements | None:
    """Whether the cancer got better or worse, as the clinician recorded it."""
    return coded_observation(
        context,
        "disease status",
        "disease status",
        dict(_STATUSES),
        named_assessments(context),
    )


def progressions(status: Statements | None) -> Events:
    """The days on which the disease was recorded as worse.

    Never complete: that nobody recorded a progression does not mean that there was none.
    """
    found = {
        item.day: Event(item.day, item.as_sent, item.source)
        for item in (status.statements if status is not None else ())
        if item.value == "worse" and item.day is not None
    }
    return Events(tuple(sorted(found.values(), key=lambda item: item.day, reverse=True)))


def progression_pattern(context: Context) -> Statements | None:
    """How the disease progresses, in our own codes."""
    answers: dict[str, tuple[str, ...]] = {
        pattern: (f"progression {pattern}",) for pattern in _PATTERNS
    }
    return coded_observation(context, "progression pattern", "progression pattern", answers)


def progressing_sites(context: Context) -> Series | None:
    """How many sites progress: whole numbers without a unit of measurement."""
    name = "progressing sites"
    found = score_series(context, name, name, None, None)
    if found is None:
        return None
    kept = tuple(item for item in found.measurements if _COUNT.fullmatch(item.as_sent))
    if len(kept) < len(found.measurements):
        context.remark(name, "an entry that is no number of sites was left out")
    return structs.replace(found, measurements=kept) if kept else None


def sites_ablatable(context: Context) -> Statements | None:
    """Whether every progressing site can be treated locally: a boolean or a coded yes or no."""
    name = "progressing sites ablatable"
    answers: dict[str, tuple[str, ...]] = {"present": ("answer yes",), "absent": ("answer no",)}
    coded = coded_observation(context, name, name, answers)
    found = list(coded.statements) if coded is not None else []
    for result in context.record.observations(context.book.value_sets[name]):
        answer = result.source.value_boolean
        moment = context.effective(result.observation)
        if answer is None or status_of(result.observation) not in READABLE_STATUSES:
            continue
        if context.usable(moment, name) and moment is not None:
            value = "present" if answer else "absent"
            found.append(Statement(value, moment.day, "", result.observation.key))
    return in_order(found)


def ordered_procedures(
    context: Context, drafts: Iterable[ServiceRequest], *, unread: bool
) -> Collection:
    """The procedures among the draft orders, by code or by one of the exact names.

    `unread` says that a draft could not be read: it may have been one of them.
    """
    items: list[Item] = []
    whole = not unread
    for draft in drafts:
        if draft.do_not_perform or status_of(draft) not in ("draft", "active", None):
            continue
        if draft.code is None or not (draft.code.coding or draft.code.label):
            whole = False
            continue
        for procedure in PROCEDURES:
            if _names(context, draft.code, procedure):
                label = draft.code.label or procedure
                names = frozenset({procedure})
                items.append(Item(names, procedure, context.as_of, label, draft.key))
    detail = "a draft order could not be read"
    reasons = () if whole else (Reason.of(ReasonKind.MISSING, "ordered procedures", detail),)
    return Collection(tuple(items), whole, reasons)


def _names(context: Context, concept: CodeableConcept, value_set: str) -> bool:
    if context.book.says(concept, value_set):
        return True
    exact = {word.lower() for word in context.book.knowledge.codes.value_sets[value_set].match_text}
    texts = (concept.text, *(coding.display for coding in concept.coding))
    return any((text or "").strip().lower() in exact for text in texts)


def readers(
    context: Context,
    drafts: Sequence[ServiceRequest],
    lines: Sequence[TreatmentLine] = (),
    switches: Sequence[MedicationRequest] = (),
    *,
    unread: bool,
) -> dict[str, Callable[[], FactValue | None]]:
    """The facts of this module that are worked out when they are asked for."""
    status = cache(lambda: disease_status(context))
    return {
        "disease status": lambda: since_the_drug.status(status(), lines),
        "recorded disease status": status,
        "progression": lambda: progressions(status()),
        SIGNS: lambda: signs_of_progression(context, lines, status(), switches),
        "progression pattern": lambda: since_the_drug.said(progression_pattern(context), lines),
        "progressing sites": lambda: since_the_drug.measured(progressing_sites(context), lines),
        "progressing sites ablatable": lambda: since_the_drug.said(sites_ablatable(context), lines),
        "ordered procedures": lambda: ordered_procedures(context, drafts, unread=unread),
    }

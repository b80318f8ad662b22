"""Medications: what is taken, the lines of ALK inhibitors, and the draft orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from cds_service.facts import courses
from cds_service.facts.context import Context
from cds_service.facts.contributing import SLOWING_CLASSES, Slowing, contributing
from cds_service.facts.identifying import Identified, identify
from cds_service.facts.medication_orders import (
    NOT_DATED,
    PLANNED,
    SUPPLIED_ON_NO_DAY,
    dosages_of,
    end_of,
    is_bare_plan,
    is_doubtful,
    is_on_its_way,
    is_order,
    like_an_inhibitor,
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
from cds_service.facts.running_orders import line_of
from cds_service.facts.still_acting import Stopped, last_given, of_unknown_end, still_acting
from cds_service.facts.supplies import (
    Course,
    courses_without_order,
    dose_given,
    given_on_several_days,
    on_no_known_day,
)
from cds_service.facts.unrecognised import Unrecognised, shown_name
from cds_service.fhir.dosage import DoseStep, read_dosage
from cds_service.fhir.statuses import status_of
from cds_service.fhir.views import (
    Dosage,
    MedicationAdministration,
    MedicationRequest,
    MedicationUse,
)
from cds_service.rules import Collection, Event, Events, Item, Reason, ReasonKind, Statements

ACTIVE = frozenset({"active"})
PAUSED = frozenset({"on-hold"})
ENDED = frozenset({"completed", "stopped", "ended"})
CHECKPOINT = "immune checkpoint inhibitor"
ALL_OF_IT = frozenset({"*"})
"""Stands for every name of a medicine where nothing about it is sure."""
NOT_RECOGNISED = Reason.of(
    ReasonKind.MISSING, "medications", "a medicine of the record was not recognised"
)


def dose_of(dosages: Sequence[Dosage], strength_mg: Decimal | None) -> DoseTaken:
    """The dose of the last step of a dosage (a lead-in leads to it)."""
    steps = read_dosage(dosages, strength_mg).steps
    return _dose_of_step(steps[-1]) if steps else DoseTaken(None, None)


def first_dose_of(dosages: Sequence[Dosage], strength_mg: Decimal | None) -> DoseTaken | None:
    """The dose of the first step; None when there is one step only."""
    steps = read_dosage(dosages, strength_mg).steps
    return _dose_of_step(steps[0]) if len(steps) > 1 else None


def _dose_of_step(step: DoseStep) -> DoseTaken:
    divided = step.amount_mg is not None and step.doses_per_day is not None
    total = None if divided else step.daily_mg
    return DoseTaken(step.amount_mg, step.doses_per_day, step.as_text, total)


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
    unrecognised: tuple[Unrecognised, ...] = ()
    """Medicines taken or on hold that no table knows and that are not known to be harmless."""
    unsure: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By resource the names of its medicine that were not read in a source."""

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
    reading = _Reading(context, dispatched)
    reading.read()
    if reading.unclear:
        complete, why = False, (*why, *reading.unclear)
    lines = tuple(line_of(context, name, found) for name, found in sorted(reading.orders.items()))
    doses = reading.doses
    checkpoint = [
        *reading.checkpoint,
        *(
            Event(item.day, item.label, item.source)
            for item in doses
            if CHECKPOINT in item.names and item.day is not None
        ),
    ]
    checkpoint.sort(key=lambda item: item.day, reverse=True)
    ordered, order_why = complete, why
    loose = courses.without_order(context, lines, doses)
    if loose:
        ordered, order_why = False, (*why, courses.NO_ORDER)
    earlier = courses.earlier_medications(
        [*reading.ended, *doses], frozenset(reading.open), complete=complete, why=why
    )
    stopped = courses.stopped_lines(context, lines, loose, complete=ordered, why=order_why)
    acting, asked = still_acting(context, reading.stopped, frozenset(reading.running))
    unchecked = tuple(reading.unrecognised.values())
    # A medicine that nobody can place may be any of those that a row asks for.
    checked = complete and not unchecked and not reading.undated
    taken_why = (*why, NOT_RECOGNISED) if unchecked else why
    if reading.undated and not reading.unclear:
        taken_why = (*taken_why, NOT_DATED)
    return Medicines(
        Collection(tuple(reading.taken), checked, taken_why),
        _lines_with(context, "active", lines, ordered, order_why),
        _lines_with(context, "paused", lines, ordered, order_why),
        _lines_with(context, "ended", lines, ordered, order_why),
        lines,
        reading.contributing(complete=checked),
        Events(tuple(checkpoint), complete),
        tuple(reading.unclear),
        {
            "earlier medications": earlier,
            "medications still acting": Collection(acting, complete, why),
            "medications of unknown end": Collection(
                of_unknown_end(context, reading.stopped, reading.maybe), complete, why
            ),
            **stopped,
        },
        unchecked,
        {**reading.unsure, **dict.fromkeys(asked, ALL_OF_IT)},
    )


class _Reading:
    """The medication resources of one record, one after the other."""

    def __init__(self, context: Context, dispatched: frozenset[str]) -> None:
        self._context = context
        self._dispatched = dispatched
        self._drugs = context.book.knowledge.inhibitors
        self.taken: list[Item] = []
        self.ended: list[Item] = []
        self.doses: list[Item] = []
        self.orders: dict[str, list[TreatmentOrder]] = {}
        self.slowing: list[Slowing] = []
        self.stopped: list[Stopped] = []
        self.checkpoint: list[Event] = []
        self.running: set[str] = set()
        self.open: set[str] = set()
        self.unclear: dict[Reason, None] = {}
        self.unrecognised: dict[str, Unrecognised] = {}
        self.unsure: dict[str, frozenset[str]] = {}
        self.undated = False
        self.doubtful: set[str] = set()

    def read(self) -> None:
        """Every order and statement, then supplies and doses that none of them explains."""
        for use in self._context.record.of_type(MedicationUse):
            if isinstance(use, MedicationAdministration):
                self.doses += dose_given(self._context, use)
            elif is_order(use):
                self._order(use)
        courses = courses_without_order(self._context)
        treated = given_on_several_days(courses)
        for course in courses:
            self._course(course, treated)
        for use, found in on_no_known_day(self._context, frozenset(self.open)):
            if self._drugs.isdisjoint(found.ingredients):
                self._doubtful(use, found, None)
            else:
                self.unclear.setdefault(SUPPLIED_ON_NO_DAY)

    def _order(self, use: MedicationUse) -> None:
        context = self._context
        status = status_of(use) or ""
        concept = context.record.medication_concept(use)
        found = identify(context, concept, dosages_of(use))
        inhibitor = not self._drugs.isdisjoint(found.ingredients)
        doubt = why_unclear(
            concept,
            status,
            contradictory=found.contradictory,
            inhibitor=inhibitor,
            looks_like_one=not found.ingredients and bool(like_an_inhibitor(context, concept)),
            past=context.past,
        )
        if doubt is not None:
            self.unclear.setdefault(doubt)
        if context.past and status == "unknown" and (found.names or found.unchecked):
            self.undated = True
        start = start_of(context, use)
        if not inhibitor and not context.past and is_doubtful(use, start, context.as_of):
            self._doubtful(use, found, start)
            return
        if start is not None and start > context.as_of:
            context.remark("medications", "an order that starts in the future is not counted yet")
            return
        if use.key in self._dispatched and is_on_its_way(start, context.as_of):
            return
        if inhibitor and is_bare_plan(use):
            if status in ACTIVE:
                self.unclear.setdefault(PLANNED)
            return
        self._count(use, found, _line_status(status), start, end_of(context, use))

    def _doubtful(self, use: MedicationUse, found: Identified, start: date | None) -> None:
        """A medicine of which nothing says that it is taken, and nothing that it is not."""
        if found.names:
            day, says = start, found.label
            if start is not None and start > self._context.as_of:
                day, says = None, f"{found.label}, from {start.isoformat()} on"
            self.taken.append(Item(found.names, says, day, says, use.key))
            self.unsure[use.key] = ALL_OF_IT
            self.doubtful.add(use.key)
        if found.unchecked:
            self._not_recognised(use)

    def _course(self, course: Course, treated: frozenset[str]) -> None:
        """A supply, or a dose given, of which there is no order."""
        inhibitor = not self._drugs.isdisjoint(course.found.ingredients)
        given = isinstance(course.use, MedicationAdministration)
        if inhibitor and given and treated.isdisjoint(course.found.ingredients):
            # One dose is no treatment; `courses.without_order` asks about it.
            return
        ran_out = course.status == "ended" and status_of(course.use) == "completed"
        if inhibitor and not given and ran_out:
            # A supply that ran out does not say that the drug was stopped.
            newer = any(
                order.status == "active"
                for name in course.found.ingredients
                for order in self.orders.get(name, ())
            )
            item = Item(
                course.found.names, course.found.label, course.end, course.found.label,
                course.use.key,
            )  # fmt: skip
            if not newer:
                self.doses.append(item)
                return
        self._count(course.use, course.found, course.status, course.start, course.end)

    def _count(
        self,
        use: MedicationUse,
        found: Identified,
        word: str,
        start: date | None,
        end: date | None,
    ) -> None:
        context = self._context
        item = Item(found.names, found.label, start, found.label, use.key)
        if found.unverified:
            self.unsure[use.key] = found.unverified
        if word == "active":
            self.taken.append(item)
            self.running.update(found.ingredients)
        if word in ("active", "paused"):
            self.open.update(found.ingredients)
            if found.unchecked:
                self._not_recognised(use)
        if word == "ended":
            self.ended.append(item)
        if word in ("ended", "paused"):
            self.stopped.append(Stopped(found, start, end, word == "paused", use.key))
            if found.names & SLOWING_CLASSES:
                # On hold is stopped for now, whenever that began.
                over = context.as_of if word == "paused" else end
                self.slowing.append(Slowing(start, over, found.label, use.key))
        if CHECKPOINT in found.names and word and not isinstance(use, MedicationAdministration):
            given = last_given(context, start, end, active=word == "active")
            self.checkpoint += [Event(given, found.label, use.key)] if given is not None else []
        for ingredient in found.ingredients:
            if ingredient in self._drugs and word:
                order = TreatmentOrder(
                    ingredient,
                    word,
                    start,
                    end,
                    dose_of(dosages_of(use), found.strength_mg),
                    use.key,
                    courses.end_reasons(context, use),
                )
                self.orders.setdefault(ingredient, []).append(order)

    @property
    def maybe(self) -> list[Item]:
        """What may be taken, of which nothing says so."""
        return [item for item in self.taken if item.source in self.doubtful]

    def contributing(self, *, complete: bool) -> Statements | None:
        """What slows the heart; unknown where it may be something that is maybe not taken."""
        sure = [item for item in self.taken if item.source not in self.doubtful]
        maybe = any(item.names & SLOWING_CLASSES for item in self.maybe)
        return contributing(self._context, sure, self.slowing, complete=complete and not maybe)

    def _not_recognised(self, use: MedicationUse) -> None:
        concept = self._context.record.medication_concept(use)
        name = shown_name(concept)
        may = self._context.book.harmless.may_induce(concept)
        self.unrecognised.setdefault(name.casefold(), Unrecognised(name, use.key, may))


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


def read_orders(
    context: Context,
    drafts: Sequence[tuple[MedicationRequest, Mapping[str, object]]],
    dispatched: frozenset[str] = frozenset(),
) -> tuple[OrderedMedication, ...]:
    """The orders asked about, each with the resource as received; `dispatched` are the keys of
    those that are signed."""
    orders: list[OrderedMedication] = []
    for request, resource in drafts:
        concept = context.record.medication_concept(request)
        dosages = request.dosage_instruction
        found = identify(context, concept, dosages)
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
                unrecognised=(
                    Unrecognised(
                        shown_name(concept),
                        request.key,
                        context.book.harmless.may_induce(concept),
                    )
                    if found.unchecked
                    else None
                ),
                dispatched=request.key in dispatched,
            )
        )
    return tuple(orders)

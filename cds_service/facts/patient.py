"""All facts of one patient as of one day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from msgspec import structs

from cds_service.facts.drug_asked_about import USED, caused_by_the_drug
from cds_service.facts.findings import PatientFindings
from cds_service.facts.remarks import Remark
from cds_service.facts.unrecognised import Unrecognised
from cds_service.rules import (
    Collection,
    Event,
    Events,
    FactValue,
    Findings,
    Item,
    Measurement,
    Series,
    Statement,
    Statements,
)

DOSE_TAKEN = "dose taken"
AT_ODDS = "running orders at odds"
UNREAD_DRAFT = "a draft order"
"""Under this name the hooks report a draft order that could not be read or used."""

BASELINE_DAYS = 90
"""How many days before the first dose a result may lie to count as the value before treatment."""


@dataclass(frozen=True, slots=True)
class DoseTaken:
    """A dose as ordered: milligrams each time, times a day; None where it cannot be read.

    `total_mg` is what is taken a day where only that is said: how it is divided is not known.
    """

    amount_mg: Decimal | None
    per_day: Decimal | None
    as_text: str = ""
    total_mg: Decimal | None = None

    @property
    def daily_mg(self) -> Decimal | None:
        """Milligrams a day, or None when neither a total nor amount and frequency are known."""
        if self.amount_mg is None or self.per_day is None:
            return self.total_mg
        return self.amount_mg * self.per_day

    @property
    def not_divided(self) -> bool:
        """Whether the day's total is known, and not how it is divided into doses."""
        return self.daily_mg is not None and (self.amount_mg is None or self.per_day is None)


@dataclass(frozen=True, slots=True)
class TreatmentOrder:
    """One order of an ALK inhibitor: `status` is active, paused or ended.

    `reasons` are the coded reasons for which it ended: progression, toxicity, another reason.
    """

    ingredient: str
    status: str
    start: date | None
    end: date | None
    dose: DoseTaken
    source: str
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TreatmentLine:
    """All orders of one ALK inhibitor, oldest first.

    `together` is the dose that several running orders make up, such as tablets of two strengths.
    """

    ingredient: str
    orders: tuple[TreatmentOrder, ...]
    together: DoseTaken | None = None

    @property
    def start(self) -> date | None:
        """Day of the first order, or None when no order has a day."""
        days = [order.start for order in self.orders if order.start is not None]
        return min(days) if days else None

    @property
    def status(self) -> str:
        """`active` if any order is, else `paused` if any is on hold, else `ended`."""
        statuses = {order.status for order in self.orders}
        for status in ("active", "paused"):
            if status in statuses:
                return status
        return "ended"

    def dose_on(self, day: date) -> DoseTaken | None:
        """The dose of the latest order that had begun by `day`."""
        begun = [order for order in self.orders if order.start is not None and order.start <= day]
        return max(begun, key=lambda order: order.start or date.min).dose if begun else None

    @property
    def current_dose(self) -> DoseTaken | None:
        """What running orders make up together, else the dose of the latest active order, else of
        the latest order."""
        if self.together is not None:
            return self.together
        active = [order for order in self.orders if order.status == "active"] or self.orders
        latest = max(active, key=lambda order: order.start or date.min, default=None)
        return latest.dose if latest else None

    def last_taken(self, as_of: date) -> Event | None:
        """The last day on which the drug was taken as far as recorded; None when none is.

        That is today while an order is active, else the end of the last order. An end that is
        still to come was the plan of an order that is over or paused: when it really ended is
        not known.
        """
        for order in self.orders:
            if order.status == "active":
                return Event(as_of, self.ingredient, order.source)
        ends = [order.end for order in self.orders if order.end is not None]
        undated = [order for order in self.orders if order.start is None and order.end is None]
        latest = max(self.orders, key=lambda order: order.start or date.min, default=None)
        if latest is None or latest.end is None or undated or max(ends) > as_of:
            return None
        return Event(max(ends), self.ingredient, latest.source)


def doses_taken(lines: Iterable[TreatmentLine], as_of: date, complete: bool) -> Events:
    """The last day on which each ALK inhibitor was taken, newest first.

    `complete` says whether all orders are known. Where one is taken today nothing can be later;
    else an unknown end of any of them leaves the latest day open.
    """
    last = [line.last_taken(as_of) for line in lines]
    known = sorted(
        (item for item in last if item is not None), key=lambda item: item.day, reverse=True
    )
    today = bool(known) and known[0].day == as_of
    return Events(tuple(known), today or (complete and None not in last))


@dataclass(frozen=True, slots=True)
class OrderedMedication:
    """A draft order the clinician is looking at.

    `reference` is `Type/id` as the EHR sent it, `names` the ingredients and classes, `dose` that
    of the last step, `resource` the order exactly as received. `first_dose` is the dose of the
    first step where there are several. `food` is what the order says about food, empty when it
    says nothing clear; `crushed` whether it asks to crush or open what is to be swallowed whole,
    None when the order has not been read for that. `contradictory` says that codes and words name
    different drugs, of which none is then believed. `unverified` are the classes whose membership
    was not read in a source: they may warn, but carry no one-click order. `dispatched` says that it
    is signed and on its way to whoever carries it out.
    """

    reference: str
    label: str
    ingredients: tuple[str, ...]
    names: frozenset[str]
    dose: DoseTaken
    resource: Mapping[str, object] = field(repr=False)
    identified: bool = True
    unverified: frozenset[str] = frozenset()
    first_dose: DoseTaken | None = None
    food: str = ""
    crushed: bool | None = None
    contradictory: bool = False
    unrecognised: Unrecognised | None = None
    dispatched: bool = False

    @property
    def starting_dose(self) -> DoseTaken:
        """The dose of the first day."""
        return self.first_dose or self.dose

    @property
    def is_revised(self) -> bool:
        """Whether it is an order in force that is being changed, and no draft (R-214)."""
        status = self.resource.get("status")
        return isinstance(status, str) and status.strip().lower() not in ("", "draft")


@dataclass(frozen=True)
class PatientFacts:
    """Everything known about one patient as of one day; a `FactSource` for the rules.

    `unavailable` names kinds of data that could not be obtained at all (asked for, not
    delivered), with why; `requested_tests` holds (system, code) of tests already on order, of
    those without a code an empty system and the text.
    `remarks` are about data that were looked at so far, because facts are read when asked for.
    `unrecognised` are medicines that no table knows, with their name for the card only. `unsure`
    holds by resource what of its medicine was not read in a source, "*" for all of it.
    `found` holds every clinical event, also those that no fact of the vocabulary is about.
    """

    patient_id: str
    as_of: date
    values: Mapping[str, FactValue] = field(repr=False)
    lines: tuple[TreatmentLine, ...] = ()
    requested_tests: frozenset[tuple[str, str]] = frozenset()
    unavailable: Mapping[str, str] = field(default_factory=dict)
    remarks: Iterable[Remark] = ()
    unrecognised: tuple[Unrecognised, ...] = field(default=(), repr=False)
    unsure: Mapping[str, frozenset[str]] = field(default_factory=dict)
    found: PatientFindings | None = field(default=None, repr=False)

    def find(self, name: str) -> FactValue | None:
        """The value of a fact, or None when nothing is known of it."""
        return self.values.get(name)

    def line(self, ingredient: str) -> TreatmentLine | None:
        """The treatment line of one ALK inhibitor."""
        for line in self.lines:
            if line.ingredient == ingredient:
                return line
        return None

    def dose_taken(self, ingredients: Iterable[str]) -> FactValue | None:
        """The fact `dose taken` about one ALK inhibitor.

        As long as there is no order of another one, the fact about the patient is about it.
        """
        asked = set(ingredients)
        if all(line.ingredient in asked for line in self.lines):
            return self.find("dose taken")
        own = [line for line in self.lines if line.ingredient in asked]
        known = self.find("active ALK inhibitors")
        complete = isinstance(known, Collection) and known.complete
        return doses_taken(own, self.as_of, complete)


class OnTreatment:
    """The facts as they bear on one drug: only results since its first dose, with a baseline,
    and findings that are asked whether they began on it.

    A raised value from before the first dose is not a reaction to the drug. The baseline is the
    last usable result of the 90 days up to the first dose. Of a finding, *on treatment* means
    since that dose. `ingredient` is the drug, of which `dose taken` then speaks.
    """

    def __init__(self, facts: PatientFacts, start: date | None, ingredient: str = "") -> None:
        self._facts = facts
        self._start = start
        self._ingredient = ingredient
        self._series: dict[str, Series] = {}
        self._findings: dict[str, Findings] = {}

    @property
    def start(self) -> date | None:
        """The day of the first dose, None when it is not known."""
        return self._start

    def find(self, name: str) -> FactValue | None:
        """As `PatientFacts.find`, with measurements cut to the treatment."""
        if name == DOSE_TAKEN and self._ingredient:
            return self._facts.dose_taken((self._ingredient,))
        found = self._facts.find(name)
        if isinstance(found, Findings):
            if name not in self._findings:
                own = caused_by_the_drug(found, (self._ingredient,))
                self._findings[name] = structs.replace(own, started=(self._start,))
            return self._findings[name]
        if self._start is None or not isinstance(found, Series):
            return found
        if name not in self._series:
            self._series[name] = since(found, self._start)
        return self._series[name]


def since(series: Series, start: date) -> Series:
    """The measurements from `start` on, with the value before it as baseline."""
    kept = tuple(item for item in series.measurements if item.day >= start)
    earliest = start - timedelta(days=BASELINE_DAYS)
    baseline: Measurement | None = None
    for item in series.measurements:
        if earliest <= item.day <= start and item.problem is None and item.value is not None:
            baseline = item
            break
    return Series(kept, baseline, series.unused)


class WithOrder:
    """The facts of a patient together with one draft order."""

    def __init__(
        self,
        facts: PatientFacts,
        order: OrderedMedication,
        dose_flags: Mapping[str, bool | None],
        beside: Sequence[OrderedMedication] = (),
    ) -> None:
        """`beside` are the other draft orders: signed together they would run together."""
        self._facts = facts
        self._ingredients = order.ingredients
        self._inhibitor = "ALK inhibitor" in order.names
        day = facts.as_of
        item = Item(order.names, order.label, day, order.label, order.reference)
        self._own: dict[str, FactValue] = {
            "ordered medications": Collection((item,), complete=True),
        }
        number = order.dose.daily_mg
        if number is not None:
            measured = Measurement(
                number, day, as_sent=order.dose.as_text or f"{number} mg", source=order.reference
            )
            self._own["ordered daily dose"] = Series((measured,))
        if order.food:
            said = Statement(order.food, day, order.dose.as_text, order.reference)
            self._own["ordered food"] = Statements((said,))
        flags = {"ordered crushed or opened": order.crushed, **dose_flags}
        for name, answer in flags.items():
            if answer is not None:
                value = "present" if answer else "absent"
                said = Statement(value, day, order.dose.as_text, order.reference)
                self._own[name] = Statements((said,))
        self._add_others(order, beside)
        if self._inhibitor:
            last = facts.dose_taken(order.ingredients)
            if last is not None:
                self._own[DOSE_TAKEN] = last
        taken = facts.find("medications")
        if isinstance(taken, Collection):
            self._own["medications"] = Collection(
                (*taken.items, item, *_drafted(beside, day)), taken.complete, taken.incomplete
            )

    def _add_others(self, order: OrderedMedication, beside: Sequence[OrderedMedication]) -> None:
        found = self._facts.find("active ALK inhibitors")
        active = found if isinstance(found, Collection) else Collection((), complete=False)
        own = set(order.ingredients)
        running = [item for item in active.items if not own & item.names]
        self._own["other active ALK inhibitors"] = Collection(
            tuple(running), active.complete, active.incomplete
        )
        at_odds = self._facts.find(AT_ODDS)
        if isinstance(at_odds, Collection):
            of_the_drug = tuple(item for item in at_odds.items if own & item.names)
            self._own[AT_ODDS] = Collection(of_the_drug, at_odds.complete, at_odds.incomplete)
        day = self._facts.as_of
        drafted = [
            Item(other.names, other.label, day, other.label, other.reference)
            for other in beside
            if "ALK inhibitor" in other.names and not own & set(other.ingredients)
        ]
        self._own["other ordered ALK inhibitors"] = Collection(tuple(drafted), complete=True)

    def find(self, name: str) -> FactValue | None:
        """The order's own facts first, then the patient's."""
        if name not in self._own:
            found = self._facts.find(name)
            if not isinstance(found, Findings):
                return found
            used = self._facts.find(USED) if self._inhibitor else None
            self._own[name] = caused_by_the_drug(found, self._ingredients, used)
        return self._own[name]


class BesideDrafts:
    """The facts of a patient with draft orders among what is taken, and nothing ordered.

    So is looked at what the answer offers itself: signed with the drafts it would run with them.
    """

    def __init__(self, facts: PatientFacts, drafts: Sequence[OrderedMedication]) -> None:
        self._facts = facts
        self._taken = facts.find("medications")
        if isinstance(self._taken, Collection):
            items = (*self._taken.items, *_drafted(drafts, facts.as_of))
            self._taken = Collection(items, self._taken.complete, self._taken.incomplete)

    def find(self, name: str) -> FactValue | None:
        """What is taken together with the drafts, else the patient's fact."""
        return self._taken if name == "medications" else self._facts.find(name)


def _drafted(orders: Iterable[OrderedMedication], day: date) -> list[Item]:
    """Draft orders as medicines that are taken; one whose codes contradict each other is none."""
    return [
        Item(order.names, order.label, day, order.label, order.reference)
        for order in orders
        if not order.contradictory
    ]

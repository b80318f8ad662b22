"""What the algorithm answers: a Decision made of recommendations, each with its basis."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from cds_service.facts.patient import OrderedMedication, TreatmentOrder
from cds_service.knowledge.jurisdictions import Approval
from cds_service.knowledge.table_files import Row
from cds_service.rules import Reason, Trace


class Kind(enum.StrEnum):
    """What a recommendation asks for. The order is from the safest action to the mildest."""

    STOP = "stop"
    WITHHOLD = "withhold"
    AVOID = "avoid"
    REDUCE = "reduce"
    ASK = "ask"
    RESUME = "resume"
    CHOOSE = "choose"
    START = "start"
    ORDER_TEST = "order a test"
    INFORM = "inform"


class Topic(enum.StrEnum):
    """Which part of the algorithm spoke; hooks select by it what matters at their moment."""

    GATE = "gate"
    ORDER = "order"
    IN_FORCE = "order in force"
    TOXICITY = "toxicity"
    POPULATION = "population"
    INTERACTION = "interaction"
    CHOICE = "choice"
    ADJUVANT = "adjuvant"
    PROGRESSION = "progression"
    BASELINE = "baseline"
    MONITORING = "monitoring"
    COVERAGE = "coverage"
    AVAILABILITY = "availability"


SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Dose:
    """A label dose of one drug; `months` where the label fixes them.

    `lead_in_mg` is set when treatment starts with a lower dose: milligrams each time in the first
    days, which are as many as the drug's lead-in has.
    """

    drug: str
    amount_mg: Decimal
    per_day: int
    months: int | None = None
    lead_in_mg: Decimal | None = None

    @property
    def daily_mg(self) -> Decimal:
        """Milligrams a day."""
        return self.amount_mg * self.per_day


@dataclass(frozen=True, slots=True)
class DueTest:
    """A test that should be done: `status` is missing, due, overdue, repeat or not known.

    `orderable` is False when the row behind it is not verified: then it is mentioned only. It is
    not known whether a test is due when the data that would show it were not delivered: then
    nothing is ordered, and `lacking` names them. `came` says which results came and why none of
    them shows that the test was done. `sources` are those of the row that asks for it.
    """

    test: str
    status: str
    last: date | None
    due: date
    because: str
    rule_id: str
    orderable: bool
    came: tuple[Reason, ...] = ()
    lacking: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Modifier:
    """Something about this patient that moves one option.

    `effect` is favours, cautions, avoid, or "other dose": the label starts this patient at a
    dose that this release does not know.
    """

    effect: str
    says: str
    rule_id: str
    sources: tuple[str, ...]
    trace: Trace


@dataclass(frozen=True, slots=True)
class Option:
    """One drug of a choice, with its place, the patient's own modifiers and its evidence.

    `dose` is the label's start dose for this patient, None when it must be looked up.
    `stop_first` are the ALK inhibitors that are running: the drug must not be ordered beside
    them. `may_order` says whether the release takes its row for an order. `approval` is what is
    known of the drug's approval for this use where the patient is treated.
    """

    drug: str
    place: str
    says: str
    modifiers: tuple[Modifier, ...]
    evidence: tuple[str, ...]
    rule_id: str
    sources: tuple[str, ...]
    verified: bool
    trace: Trace
    dose: Dose | None = None
    stop_first: tuple[str, ...] = ()
    approval: Approval = "approved"
    may_order: bool = True

    @property
    def speaks_against(self) -> bool:
        """Whether something about this patient argues for leaving the drug out."""
        return any(modifier.effect == "avoid" for modifier in self.modifiers)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do, to avoid, to ask or to know, with the rule and the facts behind it.

    `row` is the table row that fired (None for what the algorithm itself has to say, such as
    data that could not be obtained), `trace` its basis. `resume_dose` is the dose to take up
    again after a hold, `dose` the dose to order now. `also` are further reactions that fired at
    the same time and do not lead. `named` are names as in the record: for the card alone, never
    for the decision's document or a log. `others` are ways on that are no ALK inhibitor,
    `findings` what a finding in the tumour says about each drug. `episode` counts how often the
    reaction began since the first dose. `since` is the day of the trigger when it lies in the past.
    `design` are the sources of what no row of a table says. `settled` is why what it would order
    is not offered, because another recommendation of the same answer speaks against it. `ends` are
    the running orders that a switch brings to an end, `end_reason` why, where the drug that was to
    come in their place is no reason.
    """

    kind: Kind
    topic: Topic
    rule_id: str
    severity: str
    trace: Trace | None = None
    row: Row | None = None
    drug: str | None = None
    summary: str = ""
    detail: str = ""
    ask: str = ""
    dose: Dose | None = None
    resume_dose: Dose | None = None
    resume: str = ""
    until: Trace | None = None
    since: date | None = None
    at_floor: bool = False
    episode: int | None = None
    order: OrderedMedication | None = None
    offers: tuple[str, ...] = ()
    tests: tuple[DueTest, ...] = ()
    options: tuple[Option, ...] = ()
    others: tuple[str, ...] = ()
    findings: tuple[Modifier, ...] = ()
    evidence: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    also: tuple[Recommendation, ...] = ()
    verified: bool = True
    named: tuple[str, ...] = field(default=(), repr=False)
    design: tuple[str, ...] = ()
    settled: str = ""
    ends: tuple[TreatmentOrder, ...] = ()
    end_reason: str = ""

    @classmethod
    def of_row(cls, row: Row, trace: Trace, kind: Kind, topic: Topic) -> Recommendation:
        """What a row that fired says in its own words: severity, summary and detail."""
        return cls(
            kind,
            topic,
            row.identifier,
            row.text("severity"),
            trace=trace,
            row=row,
            summary=row.text("summary"),
            detail=row.text("detail"),
            verified=row.verified,
        )

    @property
    def algorithm_ids(self) -> tuple[str, ...]:
        """Ids of the written algorithm that this implements."""
        return self.row.algorithm_ids if self.row is not None else ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources behind it."""
        own = self.row.sources if self.row is not None else ()
        options = tuple(source for option in self.options for source in option.sources)
        return tuple(dict.fromkeys((*own, *options, *self.design)))

    def changed(self, **changes: object) -> Recommendation:
        """A copy with some fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by replace

    @property
    def rank(self) -> tuple[int, int]:
        """Sort key: the more severe first, then the safer action.

        What to do about the disease or a reaction stands before tests that are due, even where it
        only informs.
        """
        answers = self.topic in (Topic.PROGRESSION, Topic.TOXICITY) and self.kind is Kind.INFORM
        kind = Kind.CHOOSE if answers else self.kind
        return SEVERITIES.index(self.severity), list(Kind).index(kind)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: at which moment, about which draft orders, under which jurisdiction.

    `selected` are the references of the orders just chosen; None means all of `orders`. `signed`
    says that the orders are signed and on their way, so that no draft of them is left to change.
    """

    moment: str
    orders: tuple[OrderedMedication, ...] = ()
    selected: frozenset[str] | None = None
    jurisdiction: str = "US"
    signed: bool = False

    @property
    def orders_asked_about(self) -> tuple[OrderedMedication, ...]:
        """The orders that the answer is aimed at; the others are context."""
        if self.selected is None:
            return self.orders
        return tuple(order for order in self.orders if order.reference in self.selected)


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of the check that broke: its name in plain words, and the error for the log only."""

    part: str
    error: Exception = field(repr=False, compare=False)


@dataclass(frozen=True)
class Decision:
    """Recommendations, most dangerous first, with release and day, for one question.

    `undecided` are rules that could not be answered although part of them held; `first_line` is
    the choice among first-line drugs when one is open, also when a hook does not show it. `notes`
    say what the days of release and question mean for the answer. `requested_tests` are (system,
    code) of tests that are on order or among the drafts, or an empty system and the exact text.
    `failures` are parts that broke; then the first recommendation says so.
    """

    question: Question
    as_of: date
    release: str
    recommendations: tuple[Recommendation, ...]
    undecided: Mapping[str, Trace] = field(default_factory=dict, repr=False)
    choice: Recommendation | None = None
    notes: tuple[str, ...] = ()
    requested_tests: frozenset[tuple[str, str]] = frozenset()
    failures: tuple[Failure, ...] = ()

    def whole(self) -> Decision:
        """This decision, for who has no use for half of it.

        Raises the error of the first part that broke, if one did.
        """
        for failure in self.failures:
            raise failure.error
        return self

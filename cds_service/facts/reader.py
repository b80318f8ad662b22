"""The facts of one patient, read from FHIR resources when a rule asks for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, tzinfo
from typing import Generic, TypeVar, overload

from cds_service.facts import (
    alk_elsewhere,
    alk_evidence,
    alk_status,
    cancers,
    child_pugh,
    courses,
    haemolysis,
    intolerances,
    pregnancy,
    resistance,
    ros1,
    running_orders,
    staging,
    variants,
)
from cds_service.facts.chart_days import BeforeBirthError, is_before_birth, newest_day
from cds_service.facts.code_remarks import remark_on_codes
from cds_service.facts.context import CodeBook, Context
from cds_service.facts.findings import PatientFindings
from cds_service.facts.measurements import SCORED, age_series, score_series
from cds_service.facts.medicines import Medicines, read_medicines, read_orders
from cds_service.facts.past import as_it_was
from cds_service.facts.patient import (
    UNREAD_DRAFT,
    OrderedMedication,
    PatientFacts,
    doses_taken,
)
from cds_service.facts.person import death, sex
from cds_service.facts.presence_tests import pregnancy_tests, unjudged_pregnancy_test
from cds_service.facts.requested import requested_tests
from cds_service.facts.since_the_drug import course_start
from cds_service.facts.treatment import current_daily_dose, starts
from cds_service.facts.unread_results import results_of
from cds_service.fhir.received import AsReceived
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.units import UnitTable
from cds_service.fhir.views import MedicationRequest, ServiceRequest
from cds_service.knowledge.release import Knowledge
from cds_service.rules import (
    Concept,
    FactValue,
    Quantity,
)


@dataclass(frozen=True)
class Supplied:
    """What was obtained for one patient.

    `complete` names the kinds of data that arrived whole (`conditions`, `medications`,
    `procedures`, `laboratory` ...), `unavailable` those that could not be obtained, with why.
    `draft_requests` are the draft medication orders with the resource as received, and
    `draft_tests` the draft service requests. `dispatched` are the keys of those orders that are
    signed already and on their way to whoever carries them out. `received` are the resources as
    they were sent, for what has to go back whole.

    `known_on` is the day on which the record was as it is: of an earlier day only what was known
    then is used (`facts.past`). None says that it is of the day asked about, as in every call of
    a hook.
    """

    record: PatientRecord
    complete: frozenset[str] = frozenset()
    unavailable: Mapping[str, str] = field(default_factory=dict)
    draft_requests: Sequence[tuple[MedicationRequest, Mapping[str, object]]] = ()
    draft_tests: Sequence[ServiceRequest] = ()
    dispatched: frozenset[str] = frozenset()
    known_on: date | None = None
    received: AsReceived = field(default_factory=AsReceived, repr=False)


class FactReader:
    """Reads facts with the code sets of one knowledge release. Build it once at start-up."""

    def __init__(self, knowledge: Knowledge, zone: tzinfo = UTC) -> None:
        self._book = CodeBook.of(knowledge)
        self._zone = zone
        size = knowledge.vocabulary.find("tumour size")
        if not isinstance(size, Quantity):
            raise TypeError("tumour size is not a quantity")
        self._size = UnitTable(size.unit, size.units)
        self._concepts = frozenset(
            kind.name for kind in knowledge.vocabulary if isinstance(kind, Concept)
        )

    def read(
        self, supplied: Supplied, as_of: date
    ) -> tuple[PatientFacts, tuple[OrderedMedication, ...]]:
        """The facts as of a day, and the draft orders.

        Nothing dated after `as_of` is used. Facts are worked out when they are first asked for.
        Raises BeforeBirthError where the caller chose the day (`known_on`) and it lies before the
        patient's birth.
        """
        context = self._context(supplied, as_of)
        remark_on_codes(context)
        medicines = read_medicines(context, supplied.dispatched)
        orders = read_orders(context, supplied.draft_requests, supplied.dispatched)
        unavailable = dict(supplied.unavailable)
        if medicines.unclear:
            unavailable.setdefault(
                "medications", ", and ".join(reason.detail for reason in medicines.unclear)
            )
        if any(order.contradictory for order in orders):
            unavailable.setdefault(UNREAD_DRAFT, "its codes and its words name different drugs")
        values = self._values(context, medicines, supplied)
        facts = PatientFacts(
            supplied.record.patient_id,
            as_of,
            values,
            medicines.lines,
            requested_tests(context, supplied.draft_tests) | alk_elsewhere.tests_on_order(context),
            unavailable,
            context.remarks.keys(),
            medicines.unrecognised,
            medicines.unsure,
            _found(context, medicines),
        )
        return facts, orders

    def known_by(self, supplied: Supplied, today: date, as_of: date) -> Supplied:
        """The same, with the day on which the record was as it is.

        That is the newest day on which anything in it happened or was written down. A chart in
        which nothing is newer than `as_of` is the chart of that day, whenever it is asked. Days
        after `today`, the calendar's, are slips.
        """
        known_on = as_of
        if as_of < today:
            context = Context(self._book, supplied.record, as_of, self._zone, supplied.complete)
            known_on = max(newest_day(context, today) or as_of, as_of)
        return replace(supplied, known_on=known_on)

    def _context(self, supplied: Supplied, as_of: date) -> Context:
        context = Context(self._book, supplied.record, as_of, self._zone, supplied.complete)
        if supplied.known_on is None:
            return context
        if is_before_birth(context):
            raise BeforeBirthError(as_of)
        if supplied.known_on <= as_of:
            return context
        then = as_it_was(context, supplied.known_on)
        context = Context(
            self._book,
            then.record,
            as_of,
            self._zone,
            supplied.complete,
            past=True,
            ends_unknown=then.ends_unknown,
        )
        context.remark("the day asked about", "what was written or happened later was not used")
        return context

    def _values(self, context: Context, medicines: Medicines, supplied: Supplied) -> LazyValues:
        knowledge = self._book.knowledge
        readers: dict[str, Callable[[], FactValue | None]] = self._person(context)
        drafts = [request for request, _ in supplied.draft_requests]
        readers |= self._tumour(context, medicines, drafts)
        found = _found(context, medicines)
        readers[pregnancy.CONCEPT] = lambda: pregnancy.pregnancy(
            context, found.of(pregnancy.CONCEPT), pregnancy_tests(context)
        )
        unread = UNREAD_DRAFT in supplied.unavailable
        tests = supplied.draft_tests
        readers |= courses.readers(context, tests, medicines.lines, drafts, unread=unread)
        collections: dict[str, FactValue | None] = {
            "medications": medicines.medications,
            "active ALK inhibitors": medicines.active,
            "paused ALK inhibitors": medicines.paused,
            "prior ALK inhibitors": medicines.prior,
            "contributing medication": medicines.contributing,
            "checkpoint inhibitor": medicines.checkpoint_inhibitors,
            "treatment start": starts(medicines, lambda line: course_start(line, medicines.lines)),
            "earliest treatment start": starts(medicines, lambda line: line.start),
            "current daily dose": current_daily_dose(medicines),
            "dose taken": doses_taken(medicines.lines, context.as_of, medicines.active.complete),
            **medicines.ended,
        }
        for name, value in collections.items():
            readers[name] = _bound(_given, value)
        readers |= intolerances.readers(context)
        readers |= running_orders.readers(context, medicines.lines, medicines.active)
        analytes = knowledge.fact_list.analytes
        return LazyValues(
            readers,
            (analytes, lambda fact: results_of(context, fact, analytes[fact])),
            (self._concepts, found.of),
        )

    def _person(self, context: Context) -> dict[str, Callable[[], FactValue | None]]:
        return {
            "age": lambda: age_series(context),
            "sex": lambda: sex(context),
            **{
                name: _bound(score_series, context, name, name, answers, None)
                for name, answers in SCORED.items()
            },
            "death recorded": lambda: death(context),
            "pregnancy test not judged": lambda: unjudged_pregnancy_test(context),
            haemolysis.FACT: lambda: haemolysis.haemolysis_in_the_laboratory(context),
            child_pugh.FACT: lambda: child_pugh.child_pugh_class(context),
        }

    def _tumour(
        self, context: Context, medicines: Medicines, drafts: Sequence[MedicationRequest]
    ) -> dict[str, Callable[[], FactValue | None]]:
        found = _Once(lambda: variants.read_variants(context))
        first = medicines.first_start
        tests = _Once(lambda: _alk_tests(context))
        weighed = _Once(
            lambda: alk_evidence.weigh(tests(), self._book.knowledge, context.as_of, first)
        )
        mutations = _Once(lambda: resistance.mutation_findings(context, found(), first))
        recorded = _Once(lambda: cancers.cancers(context, drafts))
        resected = _Once(lambda: staging.resections(context))
        return {
            "cancers": recorded,
            "only other cancers recorded": lambda: cancers.only_others_recorded(recorded()),
            "histology": lambda: cancers.histology(context),
            "ALK": lambda: weighed().status or alk_elsewhere.coded_status(context),
            "ALK assay": lambda: alk_status.assay(weighed().leading),
            "ALK result": lambda: alk_status.result_days(tests()),
            "serum ALK level": lambda: alk_elsewhere.serum_level(context),
            "EGFR gene": lambda: staging.egfr(context),
            "ALK fusion variant": lambda: variants.fusion_variant(found()),
            "ALK fusion partner": lambda: variants.fusion_partner(found()),
            "ROS1 gene": lambda: ros1.ros1(context, found(), drafts),
            "TP53 gene": lambda: variants.tp53(found()),
            "ALK mutation findings": mutations,
            "resistance profile": lambda: resistance.profile_days(mutations()),
            "other resistance findings": lambda: resistance.other_findings(
                context, found(), tests(), first
            ),
            "cells with ALK rearrangement": lambda: alk_status.shares(tests()),
            **{
                name: _bound(lambda wanted: weighed().collection(wanted), name)
                for name in (
                    *dict.fromkeys(alk_evidence.COLLECTIONS.values()),
                    alk_evidence.CONFLICTING,
                )
            },
            "resection": resected,
            "setting": lambda: staging.setting(context, resected(), recorded()),
            "resection margin": lambda: staging.coded_observation(
                context,
                "resection margin",
                "surgical margin",
                {"R0": ("residual tumour none",), "R1": ("residual tumour present",)},
            ),
            "tumour size": lambda: score_series(
                context, "tumour size", "tumour size", None, self._size
            ),
            "positive lymph nodes": lambda: score_series(
                context, "positive lymph nodes", "positive lymph nodes", None, None
            ),
            "brain imaging": lambda: staging.brain_imaging(context),
            "spine imaging": lambda: staging.named_examinations(context, "spine MRI"),
            "CSF examination": lambda: staging.named_examinations(context, "CSF examination"),
            "electrocardiogram": lambda: staging.electrocardiograms(context),
        }


Family = tuple[Collection[str], Callable[[str], FactValue | None]]


Default = TypeVar("Default")


class LazyValues(Mapping[str, FactValue]):
    """Facts by name, worked out once when first looked at; names without a value are absent."""

    def __init__(
        self, readers: Mapping[str, Callable[[], FactValue | None]], *families: Family
    ) -> None:
        """`families` are names that one reader, which is told the name, reads alike: it is asked
        where no reader of a name's own is there."""
        self._readers = readers
        self._families = families
        self._known: dict[str, FactValue | None] = {}

    @property
    def known_names(self) -> frozenset[str]:
        """Every name that has a reader, whether or not it finds anything."""
        return frozenset(self._readers).union(*(names for names, _ in self._families))

    @overload
    def get(self, name: str, /) -> FactValue | None: ...
    @overload
    def get(self, name: str, /, default: Default) -> FactValue | Default: ...
    def get(self, name: str, /, default: object = None) -> object:
        """The value of a fact, or `default`: absent facts are asked for most."""
        if name not in self._known:
            self._known[name] = self._read(name)
        value = self._known[name]
        return default if value is None else value

    def _read(self, name: str) -> FactValue | None:
        read = self._readers.get(name)
        if read is not None:
            return read()
        for names, read_named in self._families:
            if name in names:
                return read_named(name)
        return None

    def __getitem__(self, name: str) -> FactValue:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in sorted(self.known_names) if name in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self)


Value = TypeVar("Value")


class _Once(Generic[Value]):
    """Calls a function at most once and remembers its answer."""

    def __init__(self, work: Callable[[], Value]) -> None:
        self._work = work
        self._done: list[Value] = []

    def __call__(self) -> Value:
        if not self._done:
            self._done.append(self._work())
        return self._done[0]


def _bound(
    function: Callable[..., FactValue | None], *arguments: object
) -> Callable[[], FactValue | None]:
    return lambda: function(*arguments)


def _given(value: FactValue | None) -> FactValue | None:
    return value


def _alk_tests(context: Context) -> list[alk_status.AlkResult]:
    """Every ALK test, as a result of its own or as a report, newest first."""
    found = [*alk_status.alk_results(context), *alk_elsewhere.report_results(context)]
    found += alk_elsewhere.requested_results(context, found)
    return sorted(found, key=lambda item: item.day or date.min, reverse=True)


def _running(medicines: Medicines) -> tuple[date | None, ...]:
    """The first days of the ALK inhibitors that are taken or paused."""
    return tuple(line.start for line in medicines.lines if line.status != "ended")


def _found(context: Context, medicines: Medicines) -> PatientFindings:
    return PatientFindings(context, _running(medicines))

"""The chart as it was on an earlier day, so that the past is judged by what was known then.

What was written, reported or done later is taken out. What ended later lasts. Where a resource is
over by now and its dates do not say whether it was then, that stays unknown. The readers of facts
need to know nothing of it: they read the chart of that day as they read the chart of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TypeVar

import msgspec

from cds_service.facts.chart_days import days_of
from cds_service.facts.context import Context
from cds_service.facts.finding_readers import adverse_event, condition
from cds_service.facts.past_orders import OrdersThen
from cds_service.facts.past_signs import SignsThen, open_from
from cds_service.fhir.datatypes import CodeableConcept, Coding, Extension, Period
from cds_service.fhir.dates import Moment, effective_moment, own_times, parse_moment
from cds_service.fhir.event_views import AdverseEvent, AllergyIntolerance
from cds_service.fhir.owners import contained
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Resource
from cds_service.fhir.statuses import WITHDRAWN, status_of
from cds_service.fhir.views import (
    Condition,
    DiagnosticReport,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Patient,
    Procedure,
    ServiceRequest,
)

_changed = msgspec.structs.replace
_encoder = msgspec.json.Encoder(decimal_format="number")
_ACTIVE = CodeableConcept(
    coding=(
        Coding(system="http://terminology.hl7.org/CodeSystem/condition-clinical", code="active"),
    )
)
_NO_END: Mapping[str, None] = dict.fromkeys(
    name for name in Condition.__struct_fields__ if name.startswith("abatement_")
)
_NO_VALUE: Mapping[str, None] = dict.fromkeys(
    name for name in Observation.__struct_fields__ if name.startswith("value_")
)
_GIVEN = frozenset({"completed", "stopped", "on-hold"})
_OVER = frozenset({"inactive", "resolved"})


@dataclass(frozen=True)
class ChartThen:
    """The record as of a day. `ends_unknown` are by `id` those of its resources that are over by
    now, while nothing says whether they were over on that day."""

    record: PatientRecord
    ends_unknown: frozenset[int]


def as_it_was(context: Context, known_on: date) -> ChartThen:
    """The chart of `context.record` as it was on `context.as_of`; it was read on `known_on`."""
    earlier = _Earlier(context, known_on)
    record = context.record.changed(earlier.of)
    return ChartThen(record, frozenset(earlier.ends_unknown))


_Ended = TypeVar("_Ended", Condition, AdverseEvent, AllergyIntolerance)


class _Earlier:
    """What each resource was on `context.as_of`; None for what was not there yet."""

    def __init__(self, context: Context, known_on: date) -> None:
        self._context = context
        self._orders = OrdersThen(context, known_on)
        self._day = context.as_of
        self.ends_unknown: set[int] = set()
        self._kept: list[Resource] = []

    def of(self, sent: Resource) -> Resource | None:
        """The resource on that day, with what it contains."""
        found = self._of(sent, within=False)
        if found is None or not found.contained:
            return found
        return self._with_contained(found)

    def _of(self, sent: Resource, *, within: bool) -> Resource | None:
        """`within` says that another resource contains it."""
        if isinstance(sent, Observation):
            return self._observation(sent, within=within)
        for kind, change in self._changes:
            if isinstance(sent, kind):
                return change(sent)
        return sent

    @cached_property
    def _changes(self) -> tuple[tuple[type[Resource], Callable[..., Resource | None]], ...]:
        return (
            (Condition, self._condition),
            (MedicationAdministration, self._administration),
            (MedicationDispense, self._dispense),
            (MedicationRequest, self._orders.as_it_stood),
            (MedicationStatement, self._orders.as_it_stood),
            (DiagnosticReport, self._report),
            (Procedure, self._procedure),
            (ServiceRequest, self._request),
            (AdverseEvent, self._event),
            (AllergyIntolerance, self._allergy),
            (Patient, self._patient),
            *SignsThen(self._is_later, self._untouched_since).changes,
        )

    def _with_contained(self, holder: Resource) -> Resource:
        """The holder with what it contains as it was; parts that nobody can read stay as sent."""
        inside = list(contained(holder))
        then = [self._of(inner, within=True) for inner in inside]
        if len(inside) < len(holder.contained) or all(
            new is old for new, old in zip(then, inside, strict=True)
        ):
            return holder
        raw = tuple(
            sent if new is old else msgspec.Raw(_encoder.encode(new))
            for sent, old, new in zip(holder.contained, inside, then, strict=True)
            if new is not None
        )
        return _changed(holder, contained=raw)

    # -- results ---------------------------------------------------------------------------------

    def _observation(self, sent: Observation, *, within: bool) -> Observation | None:
        """A result of a later day is not there; one that was issued later was awaited."""
        if within:
            moment = effective_moment(sent, self._context.zone)
        else:
            moment = self._context.effective(sent)
        if self._is_after(moment):
            return None
        if not self._is_later(*self._issued(sent, within=within)):
            return sent
        return _changed(
            sent, status="registered", component=(), has_member=(), interpretation=(),
            data_absent_reason=None, **_NO_VALUE,
        )  # fmt: skip

    def _issued(self, sent: Observation, *, within: bool) -> tuple[str | None, ...]:
        """When a result was given out; else when the first report that lists it was."""
        if sent.issued or within:
            return (sent.issued,)
        reports = self._context.record.listed_in(sent)
        issued = [text for report in reports if (text := report.issued)]
        if len(issued) < len(reports) or not all(map(self._is_later, issued)):
            return ()
        return tuple(issued)

    def _report(self, sent: DiagnosticReport) -> DiagnosticReport | None:
        times = own_times(sent)
        if self._is_later(*times):
            return None
        if not self._is_later(sent.issued):
            return sent
        if not any(times):
            return None
        return _changed(
            sent, status="registered", result=(), conclusion=None, conclusion_code=(), contained=()
        )

    # -- findings --------------------------------------------------------------------------------

    def _condition(self, sent: Condition) -> Condition | None:
        if self._is_late(sent):
            return None
        clinical = condition.clinical_status(sent)
        over = clinical in condition.OVER_STATUSES
        if not over and (clinical or not condition.has_abatement(sent)):
            return sent
        if status_of(sent) == "refuted" or self._untouched_since(sent):
            return sent
        period = sent.abatement_period
        texts = (sent.abatement_date_time, period.end if period is not None else None)
        ended = next((self._moment(text) for text in texts if text), None)
        if ended is not None and ended.last_day <= self._day:
            return sent
        if ended is not None and ended.first_day > self._day:
            return _changed(sent, clinical_status=_ACTIVE, **_NO_END)
        return self._with_unknown_end(_changed(sent, clinical_status=None, **_NO_END))

    def _is_late(self, sent: Condition) -> bool:
        """Whether it began or was recorded later; without any day by its first visit."""
        period = sent.onset_period
        texts = (
            sent.recorded_date, sent.onset_date_time, period.start if period is not None else None
        )  # fmt: skip
        if any(texts):
            return self._is_later(*texts)
        began = condition.began_on(self._context, sent, self._visits.get(sent.key))
        return began is not None and began > self._day

    @cached_property
    def _visits(self) -> Mapping[str, date]:
        return condition.listing_visits(replace(self._context, as_of=date.max))

    def _event(self, sent: AdverseEvent) -> AdverseEvent | None:
        period = sent.occurrence_period
        start = period.start if period is not None else None
        texts = (sent.date, sent.detected, sent.recorded_date, sent.occurrence_date_time, start)
        if self._is_later(*texts):
            return None
        ended = adverse_event.resolved_on(self._context, sent)
        if (ended is not None and ended <= self._day) or self._untouched_since(sent):
            return sent
        outcomes = adverse_event.listed(sent.outcome)
        kept = tuple(item for item in outcomes if not self._is_outcome_to_come(item))
        extensions = tuple(item for item in sent.extension if not self._is_to_come(item))
        if len(kept) == len(outcomes) and len(extensions) == len(sent.extension) and ended is None:
            return sent
        found = _changed(
            sent, outcome=kept or None, extension=extensions,
            occurrence_period=open_from(period),
        )  # fmt: skip
        says = self._context.book.says
        # What was fatal lasted until then.
        if ended is not None or says(adverse_event.joined(outcomes), adverse_event.FATAL):
            return found
        return self._with_unknown_end(found) if len(kept) < len(outcomes) else found

    def _is_outcome_to_come(self, outcome: CodeableConcept) -> bool:
        if self._context.book.says(outcome, adverse_event.FATAL):
            return not self._had_died
        return self._context.book.says(outcome, adverse_event.ENDED)

    def _is_to_come(self, extension: Extension) -> bool:
        """Whether it dates the end, or says that the event was fatal to somebody who lived."""
        if adverse_event.dates_the_end(extension):
            return True
        criteria = adverse_event.joined(adverse_event.criteria_of((extension,)))
        return self._context.book.says(criteria, adverse_event.FATAL) and not self._had_died

    def _allergy(self, sent: AllergyIntolerance) -> AllergyIntolerance | None:
        period = sent.onset_period
        texts = (
            sent.recorded_date, sent.onset_date_time, period.start if period is not None else None
        )  # fmt: skip
        if self._is_later(*texts):
            return None
        reactions = tuple(item for item in sent.reaction if not self._is_later(item.onset))
        seen_later = self._is_later(sent.last_occurrence)
        if not any(texts) and (seen_later or (sent.reaction and not reactions)):
            return None
        found = sent
        if seen_later or len(reactions) < len(sent.reaction):
            last = None if seen_later else sent.last_occurrence
            found = _changed(sent, reaction=reactions, last_occurrence=last)
        status = sent.clinical_status
        codes = {coding.code for coding in status.coding} if status is not None else set()
        if _OVER.isdisjoint(codes) or self._untouched_since(sent):
            return found
        return self._with_unknown_end(_changed(found, clinical_status=None))

    # -- what was done and asked for -------------------------------------------------------------

    def _procedure(self, sent: Procedure) -> Procedure | None:
        period = sent.performed_period or sent.occurrence_period or Period()
        begun = (sent.performed_date_time, sent.occurrence_date_time, period.start or period.end)
        if self._is_later(*begun):
            return None
        if not self._is_later(period.end):
            return sent
        # What came of it is said of the whole, and the whole was not over.
        return _changed(
            sent, status="in-progress", outcome=None, complication=(), complication_detail=(),
            performed_period=open_from(sent.performed_period),
            occurrence_period=open_from(sent.occurrence_period),
        )  # fmt: skip

    def _request(self, sent: ServiceRequest) -> ServiceRequest | None:
        """An order for a test. When one was done no order says, so that it may have been open."""
        period = sent.occurrence_period
        start = period.start if period is not None else None
        texts = (sent.authored_on,) if sent.authored_on else (sent.occurrence_date_time, start)
        if self._is_later(*texts):
            return None
        kept = {"active", "draft", *WITHDRAWN}
        if status_of(sent) in kept or self._untouched_since(sent):
            return sent
        return _changed(sent, status="unknown")

    def _administration(self, sent: MedicationAdministration) -> MedicationAdministration | None:
        period = sent.effective_period or sent.occurence_period or Period()
        begun = (sent.effective_date_time, sent.occurence_date_time, period.start or period.end)
        if self._is_later(*begun):
            return None
        status = status_of(sent)
        if not self._is_later(period.end):
            unknown = status == "on-hold" and not self._untouched_since(sent)
            return _changed(sent, status="unknown") if unknown else sent
        return _changed(
            sent,
            status="in-progress" if status in _GIVEN else sent.status,
            status_reason=None,
            effective_period=open_from(sent.effective_period),
            occurence_period=open_from(sent.occurence_period),
        )

    def _dispense(self, sent: MedicationDispense) -> MedicationDispense | None:
        if self._is_later(sent.when_handed_over or sent.when_prepared):
            return None
        halted = status_of(sent) in ("on-hold", "stopped") and not self._untouched_since(sent)
        if not halted:
            return sent
        return _changed(
            sent, status="unknown", status_reason=None, status_reason_codeable_concept=None
        )

    def _patient(self, sent: Patient) -> Patient:
        if self._had_died or (sent.deceased_date_time is None and not sent.deceased_boolean):
            return sent
        return _changed(sent, deceased_boolean=None, deceased_date_time=None)

    # -- days ------------------------------------------------------------------------------------

    @cached_property
    def _had_died(self) -> bool:
        patient = self._context.record.patient
        died = self._moment(patient.deceased_date_time) if patient is not None else None
        return died is not None and died.last_day <= self._day

    def _untouched_since(self, sent: Resource) -> bool:
        """Whether the server says that nothing of a resource was changed after that day."""
        updated = self._moment(sent.meta.last_updated) if sent.meta is not None else None
        if updated is None or updated.day is None or updated.day > self._day:
            return False
        return not any(
            moment.first_day > updated.day
            for text in days_of(sent)
            if (moment := self._moment(text)) is not None and moment.first_day <= self._day
        )

    def _with_unknown_end(self, sent: _Ended) -> _Ended:
        self._kept.append(sent)
        self.ends_unknown.add(id(sent))
        return sent

    def _moment(self, text: str | None) -> Moment | None:
        return parse_moment(text, self._context.zone)

    def _is_after(self, moment: Moment | None) -> bool:
        return moment is not None and moment.first_day > self._day

    def _is_later(self, *texts: str | None) -> bool:
        """Whether any of the days lies after the day asked about, as exactly as it was sent."""
        return any(self._is_after(self._moment(text)) for text in texts)

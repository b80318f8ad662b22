"""Laboratory results, vital signs and scores as series of measurements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter

import msgspec

from cds_service.facts.context import Context
from cds_service.facts.result_flags import called_out_of_range
from cds_service.fhir.collecting import CodedResult
from cds_service.fhir.dates import own_times
from cds_service.fhir.statuses import status_of
from cds_service.fhir.terminology import CodeSet, concept_keys
from cds_service.fhir.units import UnitTable
from cds_service.fhir.values import (
    NumberAsSent,
    NumberProblem,
    has_value,
    read_number,
    says_nothing_of_a_limit,
    upper_limit,
)
from cds_service.fhir.views import Observation, ObservationComponent, Patient, ReferenceRange
from cds_service.knowledge.local_codes import Limits
from cds_service.rules import Measurement, Quantity, Reason, ReasonKind, Series
from cds_service.rules.measuring import written_day

READABLE_STATUSES = frozenset({"final", "amended", "corrected", "preliminary"})
SCORED = {
    "ECOG performance status": "ECOG answer",
    "thoughts of death or self-harm": "PHQ-9 answer",
}
"""Facts that are scores, each with the value set of its coded answers."""
_NOT_YET = frozenset({"registered", "cancelled", "entered-in-error"})
_LATER_WORD = frozenset({"amended", "corrected"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_Moment = tuple[date, datetime]


def laboratory_series(context: Context, fact: str, analyte: str) -> Series | None:
    """All usable results of one analyte, newest first, in its canonical unit.

    Each result keeps its own upper limit of normal; one that came without any is judged by the
    laboratory's default if the site has set one. A result in an unknown unit or outside what is
    plausible stays in the series with its problem, and so does one without a number that the
    laboratory flagged as not normal. Any other result without a number (haemolysed, cancelled) or
    without a day is left out, so that the one before it can still answer if it is fresh enough.
    What is left out is named in `unused`. Worked out once for whoever asks.
    """
    asked = (fact, analyte)
    if asked not in context.series:
        context.series[asked] = _laboratory_series(context, fact, analyte)
    return context.series[asked]


def _laboratory_series(context: Context, fact: str, analyte: str) -> Series | None:
    book = context.book
    quantity = book.knowledge.vocabulary.find(fact)
    if not isinstance(quantity, Quantity):
        raise TypeError(f"{fact} is not a quantity")
    table = book.units[analyte]
    plausible = book.knowledge.codes.analytes[analyte].plausible
    found: list[tuple[Measurement, bool]] = []
    unused: dict[Reason, None] = {}
    limits = _UpperLimits(context, table, book.knowledge.local.limits.get(analyte))
    codes = book.analytes[analyte]
    for result in context.record.observations(codes):
        measurement = _measurement(context, quantity, codes, table, result, limits)
        if isinstance(measurement, Measurement):
            measurement = _believed(measurement, quantity, plausible)
            found.append((measurement, status_of(result.observation) in _LATER_WORD))
        elif measurement is not None:
            context.remark(quantity.name, _REMARKS[measurement.kind])
            unused.setdefault(measurement)
    if not found and not unused:
        return None
    return Series(_in_order(found), unused=tuple(sorted(unused)))


def _person(context: Context) -> tuple[str | None, date | None]:
    patient: Patient | None = context.record.patient
    if patient is None:
        return None, None
    return patient.gender, context.day_of(patient.birth_date)


class _UpperLimits:
    """The upper limits of normal of one analyte's results, in its canonical unit.

    A laboratory sends the same few ranges over and over: each is judged once for each unit and
    age. Ranges are told apart as objects, since equal ones may be written with other digits.
    """

    def __init__(self, context: Context, table: UnitTable, defaults: Limits | None) -> None:
        self._sex, self._birth = _person(context)
        self._table = table
        self._defaults = defaults
        self._known: dict[tuple[object, ...], tuple[Decimal | None, str]] = {}

    def of(
        self, source: Observation | ObservationComponent, sent: NumberAsSent, day: date
    ) -> tuple[Decimal | None, str]:
        """The limit of a result and what a reader should know of it."""
        age = completed_years(self._birth, day) if self._birth is not None else None
        ranges = source.reference_range
        asked = (id(ranges), sent.unit, sent.code, sent.system, age)
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = self._judged(ranges, sent, age)
        return known

    def _judged(
        self, ranges: tuple[ReferenceRange, ...], sent: NumberAsSent, age: int | None
    ) -> tuple[Decimal | None, str]:
        found = upper_limit(ranges, sent, sex=self._sex, age_years=age)
        limit = self._table.to_canonical(found.number, found)
        if limit is None and self._defaults and says_nothing_of_a_limit(ranges):
            return self._defaults.of(self._sex) or (None, "")
        return limit, ""


def _measurement(
    context: Context,
    quantity: Quantity,
    codes: CodeSet,
    table: UnitTable,
    result: CodedResult,
    limits: _UpperLimits,
) -> Measurement | Reason | None:
    """One result as a measurement, or why one that came is none; None when nothing came."""
    observation, source = result.observation, result.source
    status = status_of(observation)
    sent = read_number(source)
    if status not in READABLE_STATUSES:
        if status in _NOT_YET or not has_value(source):
            return None
        return Reason.of(ReasonKind.UNUSABLE, quantity.name, "its status does not say it is final")
    flag = called_out_of_range(context, source) if sent.problem is not None else ""
    if sent.problem is not None and not flag and not _holds_a_number(source, sent):
        if sent.problem is NumberProblem.NO_VALUE:
            return None
        return Reason.of(ReasonKind.UNUSABLE, quantity.name, "a result without a number")
    moment = context.effective(observation)
    if moment is None or moment.day is None:
        detail = f"{shown(sent)}, not used"
        return Reason.of(ReasonKind.UNDATED, quantity.name, detail)
    if moment.day > context.as_of:
        detail = f"{shown(sent)} of {written_day(moment.day)}, a day still to come, not used"
        return Reason.of(ReasonKind.UNDATED, quantity.name, detail)
    notes = ["preliminary result"] if status == "preliminary" else []
    if not observation.effective_date_time and not any(
        (*own_times(observation), observation.issued)
    ):
        notes.append("dated by its report")
    if context.book.knowledge.local.readings and context.book.only_local(source.code, codes):
        notes.append("recognised by a code of this site")
    value = table.to_canonical(sent.number, sent)
    if value is None:
        of_day = f"result of {written_day(moment.day)}"
        reason = Reason.of(ReasonKind.UNKNOWN_UNIT, quantity.name, of_day)
        if sent.problem is not None:
            not_one = f"{of_day} is not one number with a known sign"
            reason = Reason.of(ReasonKind.IMPRECISE, quantity.name, not_one)
            if flag:
                called = f"{of_day} came without a number, called {flag!r}"
                reason = Reason.of(ReasonKind.NOT_READ, quantity.name, called)
        return Measurement(
            None,
            moment.day,
            moment.instant,
            as_sent=sent.as_sent or flag,
            source=observation.key,
            problem=reason,
        )
    limit: Decimal | None = None
    if quantity.upper_limit:
        limit, note = limits.of(source, sent, moment.day)
        if note:
            notes.append(note)
    return Measurement(
        value,
        moment.day,
        moment.instant,
        limit,
        sent.comparator,
        sent.as_sent,
        observation.key,
        limit_note=", ".join(notes),
    )


_REMARKS = {
    ReasonKind.UNDATED: "a result without a usable date, or dated in the future, was left out",
    ReasonKind.UNUSABLE: "a result without a usable number or status was left out",
}


def shown(sent: NumberAsSent) -> str:
    """A number as it was sent; nothing else of a result, whose words may name somebody."""
    if sent.number is None:
        return "a result"
    unit = sent.unit or sent.code or ""
    return f"{sent.comparator or ''}{sent.number:f} {unit}".strip()


def _holds_a_number(source: Observation | ObservationComponent, sent: NumberAsSent) -> bool:
    """Whether a result that cannot be read says a number all the same, as a range does.

    It stays the newest result: an older one must not answer in its place.
    """
    if sent.problem is NumberProblem.COMPARATOR:
        return True
    if sent.problem is not NumberProblem.NOT_NUMERIC:
        return False
    ranged = source.value_range is not None or source.value_ratio is not None
    return ranged or any(sign.isdecimal() for sign in sent.as_sent)


def _believed(
    measurement: Measurement, quantity: Quantity, plausible: tuple[Decimal, Decimal]
) -> Measurement:
    """The measurement, without its number when no living person can have it.

    It stays in the series: an older result must not answer in its place.
    """
    value = measurement.value
    if value is None or _possible(value, measurement.comparator, plausible):
        return measurement
    lowest, highest = plausible
    detail = (
        f"{measurement.as_sent} of {written_day(measurement.day)} is no value that a person can"
        f" have ({lowest} to {highest} {quantity.unit})"
    )
    problem = Reason.of(ReasonKind.UNUSABLE, quantity.name, detail)
    return msgspec.structs.replace(measurement, value=None, problem=problem)


def _possible(value: Decimal, comparator: str | None, plausible: tuple[Decimal, Decimal]) -> bool:
    """Whether a person can have the number: "<5" may be below the lowest, never negative."""
    lowest, highest = plausible
    if comparator in ("<", "<="):
        return 0 < value <= highest
    if comparator in (">", ">="):
        return 0 <= value <= highest
    return lowest <= value <= highest


def _in_order(found: list[tuple[Measurement, bool]]) -> tuple[Measurement, ...]:
    """Newest first; of one moment a corrected result replaces the others, repeats count once."""
    timed = [((item.day, item.instant or _LONG_AGO), item, later) for item, later in found]
    timed.sort(key=lambda entry: (entry[0], entry[1].source), reverse=True)
    ordered: list[Measurement] = []
    for _, group in groupby(timed, key=itemgetter(0)):
        same = list(group)
        ordered += [same[0][1]] if len(same) == 1 else _of_one_moment(same)
    return tuple(ordered)


def _of_one_moment(same: list[tuple[_Moment, Measurement, bool]]) -> Iterable[Measurement]:
    corrected = [entry for entry in same if entry[2]]
    kept: dict[tuple[object, ...], Measurement] = {}
    # Which of two alike is named must not hang on the order in which they came: the last of them.
    for _, item, _ in corrected or same:
        kept[(item.value, item.comparator, item.upper_limit)] = item
    return sorted(kept.values(), key=attrgetter("source"), reverse=True)


def completed_years(birth: date, day: date) -> int:
    """Age in completed years on `day`."""
    before_birthday = (day.month, day.day) < (birth.month, birth.day)
    return day.year - birth.year - before_birthday


def age_series(context: Context) -> Series | None:
    """Age on the day asked about."""
    _, birth = _person(context)
    if birth is None or birth > context.as_of:
        return None
    years = completed_years(birth, context.as_of)
    return Series(
        (Measurement(Decimal(years), context.as_of, as_sent=f"{years} years", source="Patient"),)
    )


_IN_WORDS = re.compile(
    r"\s*ECOG(?:\s+(?:PS|performance\s+status|score|grade|status))*\s*(?:[:=]\s*)?([0-5])\s*",
    re.IGNORECASE,
)
"""The exact words in which a performance status is sent as text, such as `ECOG PS: 1`."""
_LONGEST = 80
"""Characters of such words."""


def score_series(
    context: Context, fact: str, value_set: str, answers: str | None, table: UnitTable | None
) -> Series | None:
    """A score or size from observations of a value set: a number, or a coded answer's number.

    `table` converts sizes; without it the number counts as it stands. With `answers` only a number
    that is one of them counts: 90 under the name of ECOG is a Karnofsky value, never converted.
    """
    book = context.book
    found: list[tuple[Measurement, bool]] = []
    by_answer = {}
    if answers is not None:
        by_answer = {
            code.key: code.value
            for code in book.knowledge.codes.value_sets[answers].codes
            if code.verified and code.value is not None
        }
    for result in context.record.observations(book.value_sets[value_set]):
        if status_of(result.observation) not in READABLE_STATUSES:
            continue
        moment = context.effective(result.observation)
        number, as_sent = _score(result, by_answer, table)
        if number is None:
            continue
        if by_answer and number not in by_answer.values():
            context.remark(fact, "a result that is no value of this scale was left out")
            continue
        if not context.usable(moment, fact) or moment is None or moment.day is None:
            continue
        measurement = Measurement(
            number, moment.day, moment.instant, as_sent=as_sent, source=result.observation.key
        )
        found.append((measurement, status_of(result.observation) in _LATER_WORD))
    return Series(_in_order(found)) if found else None


def _score(
    result: CodedResult, by_answer: dict[tuple[str, str], int], table: UnitTable | None
) -> tuple[Decimal | None, str]:
    source = result.source
    for key in concept_keys(source.value_codeable_concept):
        if key in by_answer:
            return Decimal(by_answer[key]), str(by_answer[key])
    concept = source.value_codeable_concept
    said = source.value_string or (concept.label if concept else None) or ""
    worded = _IN_WORDS.fullmatch(" ".join(said.split())) if len(said) <= _LONGEST else None
    if by_answer and worded is not None:
        return Decimal(worded[1]), worded[0].strip()
    sent = read_number(source)
    if sent.problem is not None or sent.comparator is not None:
        return None, ""
    number = sent.number if table is None else table.to_canonical(sent.number, sent)
    # A score has the UCUM unit "1", which says nothing to a reader.
    return number, sent.as_sent.removesuffix(" 1")

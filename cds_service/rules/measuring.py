"""Comparing one measurement, or a series of them, with an amount. Exact decimal arithmetic."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.rules.spans import Span
from cds_service.rules.syntax import X_BASELINE, X_UPPER_LIMIT, Amount
from cds_service.rules.values import Measurement, Series
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict
from cds_service.rules.vocabulary import Quantity

OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operators.gt,
    ">=": operators.ge,
    "<": operators.lt,
    "<=": operators.le,
    "=": operators.eq,
    "!=": operators.ne,
}

Judgement = tuple[Verdict, Reason | None]


@dataclass(frozen=True, slots=True)
class Threshold:
    """``op amount`` for one quantity, ready to judge measurements of it.

    ``amount`` in xULN or xbaseline is multiplied with the upper limit of normal of the result
    judged, or with the baseline of the series; nothing is divided, so that a value exactly on
    the boundary is exactly on it.
    """

    quantity: Quantity
    operator: str
    amount: Amount

    def limit(self, measurement: Measurement, baseline: Measurement | None) -> Decimal | Reason:
        """The number to compare with, in the quantity's canonical unit, or why there is none."""
        unit = self.amount.unit
        if unit == X_UPPER_LIMIT:
            if measurement.upper_limit is None:
                return _reason(self.quantity, ReasonKind.NO_REFERENCE_RANGE, measurement)
            return self.amount.number * measurement.upper_limit
        if unit == X_BASELINE:
            if baseline is None or baseline.value is None or baseline.comparator:
                name = f"baseline {self.quantity.name}"
                return Reason.of(ReasonKind.MISSING, name, "no value before treatment")
            return self.amount.number * baseline.value
        if unit in self.quantity.units:
            return self.amount.number * self.quantity.units[unit]
        return self.amount.number

    def judge(self, measurement: Measurement, baseline: Measurement | None) -> Judgement:
        """Whether one measurement meets the comparison."""
        if measurement.problem is not None or measurement.value is None:
            problem = measurement.problem
            return Verdict.UNKNOWN, problem or _reason(
                self.quantity, ReasonKind.MISSING, measurement
            )
        limit = self.limit(measurement, baseline)
        if isinstance(limit, Reason):
            return Verdict.UNKNOWN, limit
        if measurement.comparator:
            verdict = _bounded(measurement.comparator, measurement.value, self.operator, limit)
            if verdict is Verdict.UNKNOWN:
                return verdict, _reason(self.quantity, ReasonKind.IMPRECISE, measurement)
            return verdict, None
        met = OPERATORS[self.operator](measurement.value, limit)
        return (Verdict.MET if met else Verdict.NOT_MET), None


def _bounded(comparator: str, bound: Decimal, operator: str, limit: Decimal) -> Verdict:
    """Compare an unknown number that is only known to be ``comparator bound`` with ``limit``."""
    if operator == "!=":
        opposite = _bounded(comparator, bound, "=", limit)
        return Verdict.MET if opposite is Verdict.NOT_MET else Verdict.UNKNOWN
    # The unknown number fills an open or closed half-line; whether that half-line lies wholly
    # inside or wholly outside the asked one depends only on how the two ends touch.
    possible = OPERATORS[comparator](limit, bound)
    if operator == "=":
        return Verdict.UNKNOWN if possible else Verdict.NOT_MET
    upwards = comparator.startswith(">")
    if operator.startswith(">") == upwards:
        inside = OPERATORS[operator](bound, limit) or (comparator in "<>" and bound == limit)
        return Verdict.MET if inside else Verdict.UNKNOWN
    touching = comparator in ("<=", ">=") and operator in ("<=", ">=") and bound == limit
    beyond = bound <= limit if comparator.startswith("<") else bound >= limit
    return Verdict.NOT_MET if beyond and not touching else Verdict.UNKNOWN


def _reason(quantity: Quantity, kind: ReasonKind, measurement: Measurement) -> Reason:
    return Reason.of(kind, quantity.name, f"result of {written_day(measurement.day)}")


def written_day(day: date) -> str:
    """A day as clinicians write it: ``12 Nov 2026``."""
    return f"{day.day} {day:%b %Y}"


def up_to(series: Series, as_of: date) -> tuple[Measurement, ...]:
    """The measurements known on ``as_of``, newest first; later ones are not known yet."""
    return tuple(item for item in series.measurements if item.day <= as_of)


def newest(measurements: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """The measurements that share the newest moment; several only when sources disagree."""
    if not measurements:
        return ()
    first = measurements[0]
    moment = (first.day, first.instant)
    return tuple(item for item in measurements if (item.day, item.instant) == moment)


def agreed(
    quantity: Quantity, judgements: list[Judgement], day: date
) -> tuple[Verdict, tuple[Reason, ...]]:
    """One verdict from simultaneous measurements: they must agree, else it is contradictory."""
    verdicts = {verdict for verdict, _ in judgements}
    reasons = tuple(dict.fromkeys(reason for _, reason in judgements if reason is not None))
    if len(verdicts) == 1:
        return verdicts.pop(), reasons
    if Verdict.MET in verdicts and Verdict.NOT_MET in verdicts:
        detail = f"different values on {written_day(day)}"
        return Verdict.UNKNOWN, (Reason.of(ReasonKind.CONTRADICTORY, quantity.name, detail),)
    return Verdict.UNKNOWN, reasons


def stale(quantity: Quantity, day: date, as_of: date, window: Span | None) -> Reason | None:
    """Why a value of ``day`` no longer answers a question about ``as_of``, or None if it does."""
    if window is not None:
        if day >= window.before(as_of):
            return None
        limit = str(window)
    elif quantity.fresh_for_days is None or (as_of - day).days <= quantity.fresh_for_days:
        return None
    else:
        limit = f"{quantity.fresh_for_days} days"
    detail = f"latest of {written_day(day)}, older than {limit}"
    return Reason.of(ReasonKind.STALE, quantity.name, detail)


def count_episodes(
    threshold: Threshold, recovery: Threshold | None, series: Series, days: tuple[date, date]
) -> tuple[int, int, tuple[Measurement, ...], tuple[Reason, ...]]:
    """How many episodes began within ``days`` (first and last day, both included).

    Returns the smallest and the largest possible number (they differ when results could not be
    judged: each of those may at most add one episode), the measurements with which the certain
    episodes began, and the reasons for the uncertainty.
    """
    first, last = days
    began: list[Measurement] = []
    uncertain = 0
    reasons: dict[Reason, None] = {}
    inside = False
    for measurement in reversed(up_to(series, last)):
        if measurement.day < first:
            continue
        verdict, reason = threshold.judge(measurement, series.baseline)
        ended, recovery_reason = verdict, reason
        if recovery is not None:
            ended, recovery_reason = recovery.judge(measurement, series.baseline)
        undecided_end = inside and verdict is Verdict.NOT_MET and ended is Verdict.UNKNOWN
        if verdict is Verdict.UNKNOWN or undecided_end:
            uncertain += 1
            for found in (reason, recovery_reason):
                if found is not None:
                    reasons.setdefault(found)
            continue
        if verdict is Verdict.MET and not inside:
            began.append(measurement)
            inside = True
        elif inside and _over(verdict, ended, recovery):
            inside = False
    return len(began), len(began) + uncertain, tuple(began), tuple(reasons)


def _over(verdict: Verdict, ended: Verdict, recovery: Threshold | None) -> bool:
    if recovery is None:
        return verdict is Verdict.NOT_MET
    return ended is Verdict.MET and verdict is not Verdict.MET


def sustained_for(
    judged: list[tuple[Measurement, Verdict]], span: Span
) -> tuple[Verdict, Measurement | None]:
    """Whether the newest run of MET measurements lasted at least ``span``.

    ``judged`` is newest first and starts with a MET one. The condition certainly held from the
    oldest measurement of the run, and possibly since just after the last one that did not meet
    it. Also returns the oldest measurement of the certain run.
    """
    latest = judged[0][0].day
    begin = judged[0][0]
    certain = True
    for measurement, verdict in judged:
        if verdict is Verdict.NOT_MET:
            # It began after that day at the earliest, so it lasted less than this interval.
            shorter = measurement.day >= span.before(latest)
            if begin.day <= span.before(latest):
                return Verdict.MET, begin
            return (Verdict.NOT_MET if shorter else Verdict.UNKNOWN), begin
        if verdict is Verdict.UNKNOWN:
            certain = False
        elif certain:
            begin = measurement
    if begin.day <= span.before(latest):
        return Verdict.MET, begin
    return Verdict.UNKNOWN, begin

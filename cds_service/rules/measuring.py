"""Comparing one measurement, or a series of them, with an amount. Exact decimal arithmetic."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from cds_service.rules.spans import Span
from cds_service.rules.syntax import X_UPPER_LIMIT, Amount
from cds_service.rules.values import Measurement, Series
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict, negation
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
    judged, or with the baseline of the series, and one above baseline is added to it; nothing is
    divided, so that a value exactly on the boundary is exactly on it.
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
        number = self.amount.number * self.quantity.units.get(unit, Decimal(1))
        if not self.amount.by_baseline:
            return number
        if baseline is None or baseline.value is None or baseline.comparator:
            name = f"baseline {self.quantity.name}"
            return Reason.of(ReasonKind.MISSING, name, "no value before treatment")
        return number + baseline.value if self.amount.above_baseline else number * baseline.value

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


def known_on(series: Series, as_of: date) -> Series:
    """The series as it was known on ``as_of``: nothing later, the baseline included."""
    baseline = series.baseline
    if baseline is not None and baseline.day > as_of:
        baseline = None
    known = tuple(item for item in series.measurements if item.day <= as_of)
    return Series(known, baseline, series.unused)


def latest_on(series: Series, as_of: date) -> tuple[Measurement, ...]:
    """The newest moment known on ``as_of``: the same as the first of ``moments``, found without
    looking at the rest of a long series."""
    measurements = series.measurements
    index = 0
    while index < len(measurements) and measurements[index].day > as_of:
        index += 1
    if index == len(measurements):
        return ()
    first = measurements[index]
    end = index + 1
    while end < len(measurements) and measurements[end].day == first.day:
        end += 1
    if end == index + 1:
        return (first,)
    return moments(measurements[index:end])[0]


def moments(measurements: tuple[Measurement, ...]) -> list[tuple[Measurement, ...]]:
    """Measurements grouped by moment, newest first.

    On a day on which some result has no time of day nobody can say which one came last, so all
    results of that day count as simultaneous.
    """
    groups: list[tuple[Measurement, ...]] = []
    for _, of_day in groupby(measurements, key=attrgetter("day")):
        same_day = tuple(of_day)
        if any(item.instant is None for item in same_day):
            groups.append(same_day)
        else:
            groups.extend(tuple(group) for _, group in groupby(same_day, attrgetter("instant")))
    return groups


def agreed(
    quantity: Quantity, judgements: list[Judgement], day: date
) -> tuple[Verdict, tuple[Reason, ...]]:
    """One verdict from simultaneous measurements: they must agree, else it is contradictory."""
    if len(judgements) == 1:
        verdict, reason = judgements[0]
        return verdict, () if reason is None else (reason,)
    verdicts = [verdict for verdict, _ in judgements]
    reasons = tuple(dict.fromkeys(reason for _, reason in judgements if reason is not None))
    if verdicts.count(verdicts[0]) == len(verdicts):
        return verdicts[0], reasons
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


def judge_moment(
    threshold: Threshold, moment: tuple[Measurement, ...], baseline: Measurement | None
) -> tuple[Verdict, tuple[Reason, ...]]:
    """Whether the measurements of one moment meet the comparison; they must agree."""
    judgements = [threshold.judge(item, baseline) for item in moment]
    return agreed(threshold.quantity, judgements, moment[0].day)


@dataclass(frozen=True, slots=True)
class ResultsCounted:
    """How many separate results meet a comparison: the fewest and the most possible.

    ``meeting`` holds results that meet it, newest first, one for each moment; ``reasons`` say why
    the two numbers differ if they do.
    """

    fewest: int
    most: int
    meeting: tuple[Measurement, ...]
    reasons: tuple[Reason, ...]


def count_results(threshold: Threshold, series: Series, first: date) -> ResultsCounted:
    """Count the separate results on or after ``first`` that meet the comparison."""
    fewest = most = 0
    meeting: list[Measurement] = []
    reasons: dict[Reason, None] = {}
    for day, of_day in groupby(series.measurements, key=attrgetter("day")):
        if day < first:
            break
        counted = _count_of_day(threshold, tuple(of_day), series.baseline)
        fewest += counted.fewest
        most += counted.most
        meeting += counted.meeting
        reasons.update(dict.fromkeys(counted.reasons))
    return ResultsCounted(fewest, most, tuple(meeting), tuple(reasons))


def _count_of_day(
    threshold: Threshold, of_day: tuple[Measurement, ...], baseline: Measurement | None
) -> ResultsCounted:
    """Count on one day, on which a result without a time may repeat any other one.

    Results of one time are one result. One without a time is the same as another of its day with
    the same value; with a different value it may be a result of its own or the same moment read
    differently, so the fewest and the most differ.
    """
    timed: dict[datetime, list[tuple[Measurement, Judgement]]] = {}
    untimed: dict[tuple[object, Verdict], tuple[Measurement, Judgement]] = {}
    repeated: set[tuple[object, Verdict]] = set()
    for item in of_day:
        judged = item, threshold.judge(item, baseline)
        if item.instant is None:
            untimed.setdefault((_as_one(item), judged[1][0]), judged)
        else:
            timed.setdefault(item.instant, []).append(judged)
            repeated.add((_as_one(item), judged[1][0]))
    moments_found = list(timed.values())
    moments_found += [[judged] for key, judged in untimed.items() if key not in repeated]
    verdicts = [{judged[0] for _, judged in moment} for moment in moments_found]
    certain = [found for found in verdicts[: len(timed)] if Verdict.MET in found]
    certain = [found for found in certain if Verdict.NOT_MET not in found]
    alone = verdicts[len(timed) :]
    # Of a different value, a result without a time can take the certainty of one moment at most.
    denied = alone.count({Verdict.NOT_MET})
    fewest = max(len(certain) - denied, 0)
    if not certain and {Verdict.MET} in alone:
        fewest = int(not any(Verdict.NOT_MET in found for found in verdicts))
    most = sum(found != {Verdict.NOT_MET} for found in verdicts)
    meeting = [
        next(item for item, judged in moment if judged[0] is Verdict.MET)
        for moment, found in zip(moments_found, verdicts, strict=True)
        if Verdict.MET in found and Verdict.NOT_MET not in found
    ]
    doubts = [judged[1] for moment in moments_found for _, judged in moment]
    reasons = [reason for reason in doubts if reason is not None]
    open_ones = sum(Verdict.UNKNOWN in found and Verdict.MET not in found for found in verdicts)
    if most - fewest > open_ones:
        detail = f"several results on {written_day(of_day[0].day)} that may be one"
        reasons.append(Reason.of(ReasonKind.CONTRADICTORY, threshold.quantity.name, detail))
    return ResultsCounted(fewest, most, tuple(meeting), tuple(reasons) if most > fewest else ())


def _as_one(item: Measurement) -> object:
    """What two systems that send the same result have in common."""
    return item.as_sent if item.value is None else (item.comparator, item.value)


@dataclass(frozen=True, slots=True)
class EpisodesBegun:
    """How many episodes began: the fewest and the most possible, and what is behind it.

    ``began`` holds the measurements with which the certain episodes began, ``reasons`` why the
    two numbers differ if they do.
    """

    fewest: int
    most: int
    began: tuple[Measurement, ...]
    reasons: tuple[Reason, ...]


def count_episodes(
    threshold: Threshold, recovery: Threshold | None, series: Series, first: date
) -> EpisodesBegun:
    """Count the episodes that began on or after ``first``.

    All of the series is followed, since an episode that began before ``first`` and goes on does
    not begin again. Where a result cannot be judged, both readings are followed.
    """
    # The fewest and most episodes begun so far, if now outside and if now inside an episode.
    counts: dict[bool, tuple[int, int]] = {False: (0, 0)}
    began: list[Measurement] = []
    reasons: dict[Reason, None] = {}
    for moment in reversed(moments(series.measurements)):
        verdict, doubts = judge_moment(threshold, moment, series.baseline)
        ended = negation(verdict)
        if recovery is not None and verdict is not Verdict.MET:
            ended, recovery_doubts = judge_moment(recovery, moment, series.baseline)
            doubts += recovery_doubts if True in counts else ()
        reasons.update(dict.fromkeys(doubts))
        counted = int(moment[0].day >= first)
        if verdict is Verdict.MET and True not in counts and counted:
            began.append(moment[0])
        following: dict[bool, tuple[int, int]] = {}
        for inside, (fewest, most) in counts.items():
            for next_inside in _next_states(inside, verdict, ended):
                step = counted if next_inside and not inside else 0
                low, high = following.get(next_inside, (fewest + step, most + step))
                following[next_inside] = min(low, fewest + step), max(high, most + step)
        counts = following
    fewest = min(low for low, _ in counts.values())
    most = max(high for _, high in counts.values())
    return EpisodesBegun(fewest, most, tuple(began), tuple(reasons) if most > fewest else ())


def _next_states(inside: bool, verdict: Verdict, ended: Verdict) -> set[bool]:
    """Whether an episode may be going on after a moment, given whether one was before it."""
    if verdict is Verdict.MET:
        return {True}
    possible = {True} if verdict is Verdict.UNKNOWN else set()
    if not inside:
        return possible | {False}
    if ended is not Verdict.NOT_MET:
        possible.add(False)
    if ended is not Verdict.MET:
        possible.add(True)
    return possible


def sustained_for(
    judged: list[tuple[Measurement, Verdict]], span: Span
) -> tuple[Verdict, Measurement]:
    """Whether the newest run of MET measurements lasted at least ``span``.

    ``judged`` has one measurement for each moment, newest first, and starts with a MET
    one. The condition certainly held from the oldest measurement of the run, and possibly since
    just after the last one that did not meet it. Also returns the oldest measurement of the
    certain run.
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

"""Compiled conditions on measured quantities, with the sentence that explains each verdict."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.rules.conditions import Evaluation, Leaf
from cds_service.rules.measuring import (
    OPERATORS,
    Judgement,
    Threshold,
    count_episodes,
    count_results,
    judge_moment,
    known_on,
    latest_on,
    moments,
    stale,
    sustained_for,
    written_day,
)
from cds_service.rules.spans import Span
from cds_service.rules.syntax import (
    X_UPPER_LIMIT,
    Amount,
    Compare,
    Episodes,
    Results,
    plain,
)
from cds_service.rules.trace import Trace, explain
from cds_service.rules.values import FactValue, Measurement, Series
from cds_service.rules.verdicts import Reason, Verdict, negation
from cds_service.rules.vocabulary import FactKind, Quantity

ENDING = {Verdict.MET: "so this holds", Verdict.NOT_MET: "so this does not hold"}


class Comparison(Leaf):
    """``[latest|any|every] FACT op amount ...``."""

    __slots__ = ("asked", "quantity", "threshold")

    def __init__(self, text: str, fact: FactKind, asked: Compare) -> None:
        super().__init__(text, fact)
        if not isinstance(fact, Quantity):
            raise TypeError(f"{fact.name} is not a quantity")
        self.quantity = fact
        self.asked = asked
        self.threshold = Threshold(fact, asked.operator, asked.amount)
        self.compared_with = self.threshold

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Series):
            return self.unrecorded
        as_of = evaluation.as_of
        latest = latest_on(found, as_of)
        if not latest:
            return self.unknown(found.unused or self.missing())
        if self.asked.selector != "latest":
            return self._over_all(known_on(found, as_of), as_of)
        if found.baseline is not None and found.baseline.day > as_of:
            found = known_on(found, as_of)
        too_old = stale(self.quantity, latest[0].day, as_of, self.asked.window)
        if too_old is not None:
            return self._undecided((too_old, *found.unused), latest, found)
        verdict, reasons = judge_moment(self.threshold, latest, found.baseline)
        if verdict is Verdict.UNKNOWN:
            return self._undecided(reasons, latest, found)
        if self.asked.sustained is not None and verdict is Verdict.MET:
            return self._sustained(known_on(found, as_of), self.asked.sustained)
        return self._decided(verdict, latest, found)

    def days_met(self, series: FactValue | None) -> list[tuple[date, bool]]:
        """Every day with a result, oldest first, and whether a result of it meets the comparison.

        Taken for itself: freshness and contradictions are not looked at.
        """
        if not isinstance(series, Series):
            return []
        days: dict[date, bool] = {}
        for item in reversed(series.measurements):
            met = self.threshold.judge(item, series.baseline)[0] is Verdict.MET
            days[item.day] = days.get(item.day, False) or met
        return list(days.items())

    def _over_all(self, series: Series, as_of: date) -> Trace:
        window = self.asked.window
        measurements = series.measurements
        if window is not None:
            start = window.before(as_of)
            measurements = tuple(item for item in measurements if item.day >= start)
            if not measurements:
                return self.unknown(self.missing(f"nothing in the last {window}"))
        judged = [(item, self.threshold.judge(item, series.baseline)) for item in measurements]
        wanted = Verdict.MET if self.asked.selector == "any" else Verdict.NOT_MET
        deciding = tuple(item for item, (verdict, _) in judged if verdict is wanted)
        if deciding:
            return self._decided(wanted, deciding, series)
        reasons = _reasons([judgement for _, judgement in judged])
        if reasons:
            return self._undecided(reasons, measurements, series)
        return self._decided(negation(wanted), measurements, series)

    def _sustained(self, series: Series, span: Span) -> Trace:
        judged = [
            (moment[0], judge_moment(self.threshold, moment, series.baseline)[0])
            for moment in moments(series.measurements)
        ]
        verdict, begin = sustained_for(judged, span)
        used = tuple(dict.fromkeys((series.measurements[0], begin)))
        if verdict is Verdict.UNKNOWN:
            detail = f"no result shows since when, before {written_day(used[-1].day)}"
            return self._undecided(self.missing(detail), used, series)
        return self._decided(verdict, used, series)

    def _decided(self, verdict: Verdict, used: tuple[Measurement, ...], series: Series) -> Trace:
        def say() -> str:
            shown = "; ".join(describe(item, series, self.asked.amount) for item in used[:3])
            return f"{self.fact.name}: {shown}; asked: {self.text}, {ENDING[verdict]}."

        return Trace(self.text, verdict, say, used=used)

    def _undecided(
        self, reasons: tuple[Reason, ...], used: tuple[Measurement, ...], series: Series
    ) -> Trace:
        def say() -> str:
            return (
                f"It cannot be said whether {self.text}: {explain(reasons)}; "
                f"latest: {describe(used[0], series, self.asked.amount)}."
            )

        return Trace(self.text, Verdict.UNKNOWN, say, reasons, used[:1])


def describe(item: Measurement, series: Series, amount: Amount) -> str:
    """One result in words: as sent, in the unit that was asked for, with its day."""
    text = item.as_sent or (plain(item.value) if item.value is not None else "no value")
    reference = None
    if amount.unit == X_UPPER_LIMIT:
        reference, name = item.upper_limit, "ULN"
    elif amount.by_baseline and series.baseline is not None:
        reference, name = series.baseline.value, "baseline"
    if reference is not None and amount.above_baseline:
        text += f", {plain(reference)} at baseline"
    elif reference and item.value is not None and item.comparator is None:
        text += f" = {multiple(item.value, reference, amount.number)} x {name}"
    return f"{text} on {written_day(item.day)}{item.limit_note and f' ({item.limit_note})'}"


def multiple(value: Decimal, reference: Decimal, boundary: Decimal) -> str:
    """``value / reference`` for reading, with enough digits to stay on its side of ``boundary``.

    5.004 is shown as 5.004 when the boundary is 5, because "5.0, more than 5" reads as an error.
    """
    exact = value / reference
    for digits in (1, 2, 3, 4):
        shown = round(exact, digits)
        if (shown > boundary, shown < boundary) == (exact > boundary, exact < boundary):
            return f"{shown:f}"
    return plain(exact)


def _reasons(judgements: list[Judgement]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for _, reason in judgements if reason is not None))


class EpisodeCount(Leaf):
    """``second episode of FACT op amount ...``."""

    __slots__ = ("asked", "recovery", "threshold")

    def __init__(self, text: str, fact: FactKind, asked: Episodes) -> None:
        super().__init__(text, fact)
        if not isinstance(fact, Quantity):
            raise TypeError(f"{fact.name} is not a quantity")
        self.asked = asked
        self.threshold = Threshold(fact, asked.operator, asked.amount)
        self.compared_with = self.threshold
        self.recovery: Threshold | None = None
        if asked.recovery_amount is not None:
            self.recovery = Threshold(fact, asked.recovery_operator, asked.recovery_amount)

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Series):
            return self.unrecorded
        found = known_on(found, evaluation.as_of)
        if not found.measurements:
            return self.unknown(found.unused or self.missing())
        window = self.asked.window
        first = date.min if window is None else window.before(evaluation.as_of)
        if found.measurements[0].day < first:
            return self.unknown(self.missing(f"nothing in the last {window}"))
        episodes = count_episodes(self.threshold, self.recovery, found, first)
        fewest, most = episodes.fewest, episodes.most
        verdict = counted(fewest, most, self.asked.counting, self.asked.number)
        if verdict is Verdict.UNKNOWN:
            return Trace(
                self.text,
                verdict,
                lambda: (
                    f"Between {fewest} and {most} episodes of {self.fact.name}"
                    f" {self.asked.operator} {self.asked.amount}: {explain(episodes.reasons)}."
                ),
                episodes.reasons,
                episodes.began,
            )

        def say() -> str:
            days = ", ".join(written_day(item.day) for item in episodes.began) or "none"
            condition = f"{self.fact.name} {self.asked.operator} {self.asked.amount}"
            return f"Episodes of {condition} began on: {days}; {ENDING[verdict]}."

        return Trace(self.text, verdict, say, used=episodes.began)


def counted(fewest: int, most: int, operator: str, number: int) -> Verdict:
    """Compare a count that lies between ``fewest`` and ``most`` with ``number``."""
    compare = OPERATORS[operator]
    if most - fewest > 2 * number + 2:
        most = fewest + 2 * number + 2
    answers = {compare(Decimal(count), Decimal(number)) for count in range(fewest, most + 1)}
    if len(answers) > 1:
        return Verdict.UNKNOWN
    return Verdict.MET if answers.pop() else Verdict.NOT_MET


class ResultCount(Leaf):
    """``at least NUMBER results of FACT op amount ...``."""

    __slots__ = ("asked", "threshold")

    def __init__(self, text: str, fact: FactKind, asked: Results) -> None:
        super().__init__(text, fact)
        if not isinstance(fact, Quantity):
            raise TypeError(f"{fact.name} is not a quantity")
        self.asked = asked
        self.threshold = Threshold(fact, asked.operator, asked.amount)
        self.compared_with = self.threshold

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Series):
            return self.unrecorded
        found = known_on(found, evaluation.as_of)
        if not found.measurements:
            return self.unknown(found.unused or self.missing())
        window = self.asked.window
        first = date.min if window is None else window.before(evaluation.as_of)
        if found.measurements[0].day < first:
            return self.unknown(self.missing(f"nothing in the last {window}"))
        results = count_results(self.threshold, found, first)
        verdict = counted(results.fewest, results.most, ">=", self.asked.number)
        used = results.meeting or found.measurements[:1]
        reasons = results.reasons if verdict is Verdict.UNKNOWN else ()

        def say() -> str:
            condition = f"{self.fact.name} {self.asked.operator} {self.asked.amount}"
            if reasons:
                return (
                    f"Between {results.fewest} and {results.most} results with {condition}:"
                    f" {explain(reasons)}."
                )
            shown = "; ".join(
                describe(item, found, self.asked.amount) for item in results.meeting[:3]
            )
            return f"Results with {condition}: {shown or 'none'}; {ENDING[verdict]}."

        return Trace(self.text, verdict, say, reasons, used)

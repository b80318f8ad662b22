"""The days in the past on which something happened that a row of a table asks about."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date

from cds_service.facts.patient import OnTreatment
from cds_service.knowledge.table_files import Row
from cds_service.rules import Finding, Findings, Series, Trace
from cds_service.rules.compile import CompiledSignal
from cds_service.rules.finding_states import turning_days, was_refuted
from cds_service.rules.measured_leaves import Comparison


class ResultDays:
    """The days of one patient on one drug before the day asked about, newest first.

    A finding has the days on which it began, was denied or was over, a measured fact those of its
    results. What happened before the first dose is no reaction to the drug.
    """

    def __init__(self, view: OnTreatment, as_of: date) -> None:
        self._view = view
        self._as_of = as_of
        self._signals: dict[CompiledSignal, list[tuple[date, bool]]] = {}
        self._days: dict[str, frozenset[date]] = {}

    def all_days(self, rows: Iterable[Row]) -> list[date]:
        """Every day with a result or a finding of a fact that one of the rows names."""
        days = {day for row in rows for day in self.days_of(row)}
        return sorted(days, reverse=True)

    def abnormal(self, rows: Iterable[Row]) -> list[date]:
        """Days on which one of the rows may have fired.

        A row fires only on days on which its signals hold; all other days are skipped.
        """
        days: set[date] = set()
        for row in rows:
            groups = [[self._signal_days(signal) for signal in group] for group in row.when.signals]
            if all(any(met for found in group for _, met in found) for group in groups):
                days.update(
                    day
                    for day in self.days_of(row)
                    if all(any(_holds_on(found, day) for found in group) for group in groups)
                )
        return sorted(days, reverse=True)

    def may_hold(self, row: Row, day: date) -> bool:
        """Whether a row can hold on a day: False where a result that it needs says otherwise.

        Results alone are looked at: a finding may come to hold by lasting.
        """
        for group in row.when.signals:
            if all(isinstance(signal, Comparison) for signal in group) and not any(
                _holds_on(self._signal_days(signal), day) for signal in group
            ):
                return False
        return True

    def _signal_days(self, signal: CompiledSignal) -> list[tuple[date, bool]]:
        known = self._signals.get(signal)
        if known is None:
            known = signal.days_met(self._view.find(signal.fact.name))
            self._signals[signal] = known
        return known

    def days_of(self, row: Row) -> frozenset[date]:
        """The days on which something happened that this row asks about."""
        known = self._days.get(row.identifier)
        if known is None:
            known = self._days[row.identifier] = frozenset(self._worked_out(row))
        return known

    def refuted_since(self, row: Row, trace: Trace) -> bool:
        """Whether a row spoke for nothing but suspicions that are refuted by now.

        A refuted suspicion means nothing: what was held for it need not be answered any more.
        """
        known = [self._view.find(name) for name in row.when.facts_named]
        every = [found for found in known if isinstance(found, Findings)]
        return bool(trace.evidence) and all(
            isinstance(item, Finding)
            and any(
                item in found.findings and was_refuted(item, found, self._as_of) for found in every
            )
            for item in trace.evidence
        )

    def _worked_out(self, row: Row) -> set[date]:
        days: set[date] = set()
        for name in row.when.facts_named:
            found = self._view.find(name)
            if isinstance(found, Series):
                days.update(item.day for item in found.measurements if item.day < self._as_of)
            elif isinstance(found, Findings):
                first = self._view.start or date.min
                days.update(day for day in turning_days(found) if first <= day < self._as_of)
        return days


def _holds_on(days: list[tuple[date, bool]], day: date) -> bool:
    """Whether the newest turn up to `day` met the condition; `days` is oldest first."""
    index = bisect_right(days, (day, True))
    return index > 0 and days[index - 1][1]

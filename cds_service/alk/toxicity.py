"""Dose changes for reactions to one drug, now and over time.

Each row of the drug's table is asked about today. Where no row of a reaction fires today, the
days since the first dose are asked as well: a reaction that called for a hold stays open until it
has recovered and treatment went on at the dose the label allows, and a stop stays a stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from cds_service.alk.case import DrugInView
from cds_service.alk.decision import Dose, Kind, Recommendation, Topic
from cds_service.alk.doses import resumed
from cds_service.alk.fired_row import FiredRow
from cds_service.alk.gates import asked_tests
from cds_service.alk.monitoring import last_done
from cds_service.alk.result_days import ResultDays
from cds_service.alk.undecided import danger_shown, decided_by
from cds_service.alk.unusable import ActedOn, results_to_ask_about
from cds_service.facts.patient import (
    OnTreatment,
    PatientFacts,
    TreatmentOrder,
)
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import DrugTables
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.tests_catalogue import OrderableTest
from cds_service.rules import Evaluation, Trace, Verdict

MEMORY_DAYS = 90
"""How far back a hold that was never documented is still raised (our own choice). A paused drug
and a stop are remembered without limit."""

_KINDS = {
    "stop": Kind.STOP,
    "withhold": Kind.WITHHOLD,
    "reduce": Kind.REDUCE,
    "ask": Kind.ASK,
    "continue": Kind.INFORM,
}
_SEVERITY = {
    "stop": "critical",
    "withhold": "warning",
    "reduce": "warning",
    "ask": "warning",
    "continue": "info",
}
_HOLDS = (Kind.STOP, Kind.WITHHOLD)


class Toxicity:
    """The reactions of one patient to one drug."""

    def __init__(
        self,
        tables: DrugTables,
        tests: Mapping[str, OrderableTest],
        facts: PatientFacts,
        drug: DrugInView,
        evaluation: Evaluation,
    ) -> None:
        """Of a drug whose dose-change table is there, on the day of the evaluation."""
        if tables.dose_changes is None:
            raise ValueError(f"{drug.name} has no table of dose changes")
        self._drug: Drug = tables.drug
        self._table = tables.dose_changes
        self._tests = tests
        self._facts = facts
        self._line = drug.line
        self._order = drug.order
        self._as_of = as_of = evaluation.as_of
        self._view = OnTreatment(facts, drug.line.start, drug.name)
        self._today = Evaluation(self._view, as_of, thorough=evaluation.thorough)
        self._days: dict[date, Evaluation] = {as_of: self._today}
        self._past = ResultDays(self._view, as_of)
        self.undecided: dict[str, Trace] = {}

    def recommendations(self) -> list[Recommendation]:
        """One recommendation led by the safest action, and questions about what is missing."""
        fired: list[Recommendation] = []
        for rows in self._table.reactions:
            found = self._reaction(rows)
            if found is not None:
                fired.append(found)
        fired.sort(key=lambda item: (list(Kind).index(item.kind), item.rank, bool(item.resume)))
        if not fired:
            return self._ungraded(ActedOn())
        leading, *others = fired
        acted = (item.row for item in fired if item.kind is not Kind.INFORM)
        answered = frozenset(row.text("reaction") for row in acted if row is not None)
        held = (item for item in fired if item.kind in (Kind.STOP, Kind.WITHHOLD))
        known = frozenset(source for item in held for source in decided_by(item.trace))
        acted_on = ActedOn(answered, known)
        return [leading.changed(also=tuple(others)), *self._ungraded(acted_on)]

    # -- one reaction ---------------------------------------------------------------------------

    def _reaction(self, rows: Table) -> Recommendation | None:
        found = self._leading(rows)
        if found is None or found.kind not in (Kind.STOP, Kind.WITHHOLD, Kind.RESUME, Kind.REDUCE):
            return found
        return found.changed(episode=self._episode(rows))

    def _leading(self, rows: Table) -> Recommendation | None:
        now = self._strongest(rows, self._as_of)
        if now is not None and now.action == "stop":
            return self._acting(now)
        before = self._earlier(rows)
        remembered = self._remembered(before) if before is not None else None
        if now is not None and now.action in ("withhold", "reduce"):
            # A stop stays a stop: a milder finding of today does not reopen the way back.
            stays = remembered is not None and before is not None and before.action == "stop"
            if stays:
                return remembered
            gravest = self._gravest(rows, now)
            led = self._remembered(gravest) if gravest is not now else None
            if now.action == "withhold" and led is not None and led.kind not in _HOLDS:
                # What is there today holds, whatever has recovered since it began.
                led = None
            return led or self._acting(now)
        if now is not None and remembered is not None and before is not None:
            return self._acting(now) if self._goes_on(now, before) else remembered
        if remembered is not None:
            return remembered
        if now is not None:
            return self._acting(now)
        return self._asked(rows)

    def _strongest(self, rows: Table, day: date) -> FiredRow | None:
        fired = []
        if day == self._as_of:
            for row, trace in rows.standing(self._today):
                if trace.verdict is Verdict.MET:
                    fired.append(FiredRow(row, trace, day))
                else:
                    self.undecided[row.identifier] = trace
            return min(fired, key=lambda item: item.rank, default=None)
        evaluation = self._evaluation(day)
        for row in rows:
            # What happened to something else is no reason to ask a row again: an old result that
            # has gone stale meanwhile would answer otherwise than on its own day.
            if day not in self._past.days_of(row) or not self._past.may_hold(row, day):
                continue
            trace = row.when.evaluate(evaluation)
            if trace.verdict is Verdict.MET:
                # What a drug was put on hold for is remembered until it is resumed.
                paused = self._line.status == "paused"
                if paused or not self._past.refuted_since(row, trace):
                    fired.append(FiredRow(row, trace, day))
        return min(fired, key=lambda item: item.rank, default=None)

    def _evaluation(self, day: date) -> Evaluation:
        if day not in self._days:
            self._days[day] = Evaluation(self._view, day, thorough=self._today.thorough)
        return self._days[day]

    def _asked(self, rows: Table) -> Recommendation | None:
        """A question when a stop or hold hangs only on what is missing."""
        for row in rows:
            trace = self.undecided.get(row.identifier)
            if trace is None or row.text("action") not in ("stop", "withhold"):
                continue
            if danger_shown(trace):
                says = f"If what is missing confirms it, this applies: {row.text('says')}"
                return self._of(row, trace, Kind.ASK, "warning", reasons=trace.reasons, detail=says)
        return None

    def _acting(self, fired: FiredRow) -> Recommendation:
        row = fired.row
        kind, severity = _KINDS[fired.action], _SEVERITY[fired.action]
        if kind not in (Kind.WITHHOLD, Kind.REDUCE):
            return self._of(row, fired.trace, kind, severity)
        dose, at_floor = self._resumed(fired)
        if at_floor:
            # The label's next step would lie below its lowest dose: that means stopping for good.
            return self._of(row, fired.trace, Kind.STOP, "critical", at_floor=True)
        if kind is Kind.WITHHOLD:
            return self._of(row, fired.trace, kind, severity, resume_dose=dose)
        if self._is_at(dose):
            # What is ordered or taken since is that dose already: whether for this is the question.
            return self._of(row, fired.trace, Kind.ASK, "info")
        return self._of(row, fired.trace, kind, severity, dose=dose)

    def _is_at(self, target: Dose | None) -> bool:
        """Whether the order, or else what is taken, is no more than a dose."""
        taken = self._order.dose if self._order is not None else self._line.current_dose
        daily = taken.daily_mg if taken is not None else None
        return target is not None and daily is not None and daily <= target.daily_mg

    # -- over time ------------------------------------------------------------------------------

    def _earlier(self, rows: Table) -> FiredRow | None:
        """The latest earlier day on which a row asked to hold or to stop."""
        serious = rows.of("action", "stop", "withhold")
        latest: FiredRow | None = None
        for day in self._past.abnormal(serious):
            found = self._strongest(serious, day)
            if found is None:
                continue
            if found.action == "stop":
                return found
            latest = latest or found
        return self._gravest(serious, latest) if latest is not None else None

    def _goes_on(self, now: FiredRow, before: FiredRow) -> bool:
        """Whether today's row says to go on with the very finding for which another one held.

        What that one left open is then answered: a pacemaker was placed after the block.
        """
        if now.action != "continue" or self._line.status == "paused":
            return False
        left_open = before.action == "withhold" and not before.row.text("resume")
        held = decided_by(before.trace)
        return left_open and bool(held) and held <= decided_by(now.trace)

    def _gravest(self, rows: Table, fired: FiredRow) -> FiredRow:
        """The finding of the same episode that leaves the narrowest way back.

        A value that is coming down does not make the reaction milder than it was. The episode
        reaches back to the last day on which the reaction had recovered.
        """
        serious = rows.of("action", "withhold")
        gravest = fired
        for day in self._past.all_days(serious):
            if day >= fired.day:
                continue
            found = self._strongest(serious, day)
            if found is None:
                until = gravest.row.rules.get("until")
                if until is None or until.evaluate(self._evaluation(day)).verdict is Verdict.MET:
                    break
            elif found.way_back > gravest.way_back:
                gravest = found
        return gravest

    def _episode(self, rows: Table) -> int | None:
        """Which episode this is since the first dose, or None when its days are not in results.

        Episodes are apart when a result between them no longer asked to hold or to stop.
        """
        serious = rows.of("action", "stop", "withhold")
        begun, open_now = 0, False
        for day in (*reversed(self._past.all_days(serious)), self._as_of):
            fired = any(
                row.when.evaluate(self._evaluation(day)).verdict is Verdict.MET
                for row in serious
                if self._past.may_hold(row, day)
            )
            begun += fired and not open_now
            open_now = fired
        return begun or None

    def _remembered(self, fired: FiredRow) -> Recommendation | None:
        row = fired.row
        if fired.action == "stop":
            if self._line.status == "ended" and self._order is None:
                return None
            return self._of(row, fired.trace, Kind.STOP, "critical", since=fired.day)
        paused = self._line.status == "paused"
        if not paused and fired.day < self._as_of - timedelta(days=MEMORY_DAYS):
            return None
        target, at_floor = self._resumed(fired)
        if at_floor:
            return self._of(row, fired.trace, Kind.STOP, "critical", since=fired.day, at_floor=True)
        if target is not None and self._went_on(fired.day, target):
            return None
        until = row.rules["until"].evaluate(self._today) if "until" in row.rules else None
        if until is None or until.verdict is not Verdict.MET:
            # Where the table names no recovery, an order given since then leaves a question only.
            asked = until is None and self._ordered_since(fired.day)
            return self._of(
                row,
                fired.trace,
                Kind.ASK if asked else Kind.WITHHOLD,
                "warning",
                since=fired.day,
                resume_dose=target,
                until=until,
                reasons=until.reasons if until is not None else (),
            )
        return self._recovered(fired, target, until, paused)

    def _recovered(
        self, fired: FiredRow, target: Dose | None, until: Trace, paused: bool
    ) -> Recommendation | None:
        row = fired.row
        if self._is_at(target) and (self._order is not None or not paused):
            # The order, or what the patient went on with, is already the dose the label allows.
            return None
        if not paused and row.text("resume") == "same":
            return None
        kind = Kind.RESUME if paused else Kind.REDUCE
        if not row.text("resume"):
            # The table leaves open how to go on, and whether: it asks, and an order given since
            # then has answered.
            if not paused and self._ordered_since(fired.day):
                return None
            kind = Kind.ASK
        return self._of(
            row,
            fired.trace,
            kind,
            "warning",
            since=fired.day,
            dose=target,
            until=until,
        )

    def _ordered_since(self, day: date) -> list[TreatmentOrder]:
        """Running orders that began after a day."""
        return [
            order
            for order in self._line.orders
            if order.status == "active" and order.start is not None and order.start > day
        ]

    def _went_on(self, day: date, target: Dose) -> bool:
        """Whether an order after the trigger already continues at the dose the label allows."""
        doses = [order.dose.daily_mg for order in self._ordered_since(day)]
        return any(daily is not None and daily <= target.daily_mg for daily in doses)

    def _resumed(self, fired: FiredRow) -> tuple[Dose | None, bool]:
        """The dose to resume, from the one under which the reaction was seen: not from one
        ordered because of it, nor from the full dose before the lead-in is over."""
        seen = [item.day for item in fired.trace.evidence if item.day is not None]
        day = min(max(seen, default=fired.day), fired.day)
        dose = self._line.dose_on(day) or self._line.current_dose
        lead_in = self._in_lead_in(day)
        return resumed(self._drug, dose, fired.row.text("resume"), lead_in=lead_in)

    def _in_lead_in(self, day: date) -> bool:
        lead, start = self._drug.dosing.lead_in, self._line.start
        return lead is not None and start is not None and (day - start).days < lead.days

    # -- building -------------------------------------------------------------------------------

    def _ungraded(self, acted_on: ActedOn) -> list[Recommendation]:
        """One question for all results that exist but cannot be graded.

        No grade is asked for of a diagnosis that is acted on, nor where its reaction is.
        """
        reasons, row = results_to_ask_about(
            self._table, self.undecided, self._view, self._as_of, acted_on
        )
        if row is None:
            return []
        trace = self.undecided.get(row.identifier) or row.when.evaluate(self._today)
        question = self._of(row, trace, Kind.ASK, "warning", reasons=reasons)
        return [
            question.changed(
                rule_id=f"{self._drug.ingredient}-ungraded-results",
                detail="These results are there but cannot be graded, so nothing that the label"
                " makes depend on them was judged.",
                ask="",
            )
        ]

    def _last_done(self, test: str) -> date | None:
        return last_done(self._tests[test], self._facts, self._as_of)

    def _of(
        self, row: Row, trace: Trace, kind: Kind, severity: str, **more: object
    ) -> Recommendation:
        until = row.rules["until"].evaluate(self._today) if "until" in row.rules else None
        recommendation = Recommendation(
            kind,
            Topic.TOXICITY,
            row.identifier,
            severity,
            trace=trace,
            row=row,
            drug=self._drug.ingredient,
            detail=row.text("says"),
            ask=row.text("ask"),
            resume=row.text("resume"),
            until=until,
            order=self._order,
            tests=asked_tests(row, self._today, row.text("says"), self._last_done),
            verified=row.verified,
        )
        return recommendation.changed(**more)

"""Compiled conditions on states, collections and events, each with its explaining sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

from cds_service.rules.conditions import Evaluation, Leaf
from cds_service.rules.measured_leaves import ENDING, counted
from cds_service.rules.measuring import OPERATORS, written_day
from cds_service.rules.syntax import (
    Ago,
    CountOf,
    Dated,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
)
from cds_service.rules.trace import Trace, explain
from cds_service.rules.values import (
    Collection,
    Event,
    Events,
    Findings,
    Item,
    Series,
    Statement,
    Statements,
)
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict, disjunction, negation
from cds_service.rules.vocabulary import FactKind, State, fold


class StateIs(Leaf):
    """``FACT is VALUE`` and its kin."""

    __slots__ = ("asked", "state", "wanted")

    def __init__(self, text: str, fact: FactKind, asked: IsState) -> None:
        super().__init__(text, fact)
        if not isinstance(fact, State):
            raise TypeError(f"{fact.name} is not a state")
        self.state = fact
        self.asked = asked
        self.wanted = frozenset(asked.values)

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Statements):
            return self.unrecorded
        as_of = evaluation.as_of
        statements = tuple(
            [item for item in found.statements if item.day is None or item.day <= as_of]
        )
        if found.unknown:
            return self._with(Verdict.UNKNOWN, statements, found.unknown)
        if not statements:
            return self.unrecorded
        # A statement without a date may be the newest one, so it must agree with the newest dated.
        days = [item.day for item in statements if item.day is not None]
        newest = max(days) if days else None
        latest = tuple([item for item in statements if item.day in (newest, None)])
        too_old = self._too_old(newest, as_of)
        if too_old is not None:
            return self._with(Verdict.UNKNOWN, latest, (too_old,))
        answers = {(item.value in self.wanted) is not self.asked.negated for item in latest}
        if len(answers) > 1:
            detail = " and ".join(dict.fromkeys(item.value for item in latest))
            reason = Reason.of(ReasonKind.CONTRADICTORY, self.fact.name, detail)
            return self._with(Verdict.UNKNOWN, latest, (reason,))
        return self._with(Verdict.MET if answers.pop() else Verdict.NOT_MET, latest, ())

    def _too_old(self, day: date | None, as_of: date) -> Reason | None:
        window, days = self.asked.window, self.state.fresh_for_days
        if day is None:
            if window is None and days is None:
                return None
            return Reason.of(ReasonKind.MISSING, self.fact.name, "the statement has no date")
        if window is not None:
            fresh = day >= window.before(as_of)
        else:
            fresh = days is None or (as_of - day).days <= days
        if fresh:
            return None
        detail = f"latest of {written_day(day)}"
        return Reason.of(ReasonKind.STALE, self.fact.name, detail)

    def _with(
        self, verdict: Verdict, used: tuple[Statement, ...], reasons: tuple[Reason, ...]
    ) -> Trace:
        def say() -> str:
            if verdict is Verdict.UNKNOWN:
                return f"It cannot be said whether {self.text}: {explain(reasons)}."
            item = used[0]
            when = f" on {written_day(item.day)}" if item.day else ""
            sent = f" (sent as: {item.as_sent})" if item.as_sent else ""
            return f"{self.fact.name}: {item.value}{when}{sent}; {ENDING[verdict]}."

        return Trace(self.text, verdict, say, reasons, used)


class CollectionIncludes(Leaf):
    """``FACT [do not] include ...``."""

    __slots__ = ("asked", "members")

    def __init__(self, text: str, fact: FactKind, asked: Includes) -> None:
        super().__init__(text, fact)
        self.asked = asked
        self.members = tuple(fold(member) for member in asked.members)

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Collection):
            return self.unrecorded
        items = _items(found, evaluation.as_of)
        absent = Verdict.NOT_MET if found.complete else Verdict.UNKNOWN
        named = [(item, _folded(item.names)) for item in items]
        used: list[Item] = []
        verdicts: list[Verdict] = []
        for member in self.members:
            matching = [item for item, names in named if member in names]
            used.extend(matching)
            verdicts.append(Verdict.MET if matching else absent)
        if self.asked.every:
            verdict = negation(disjunction(negation(item) for item in verdicts))
        else:
            verdict = disjunction(verdicts)
        if self.asked.negated:
            verdict = negation(verdict)
        reasons = (found.incomplete or self.missing()) if verdict is Verdict.UNKNOWN else ()
        return _collected(self, verdict, tuple(dict.fromkeys(used)), reasons, items)


class SomethingThere(Leaf):
    """``any FACT`` or ``no FACT`` for a collection or an event."""

    __slots__ = ("asked",)

    def __init__(self, text: str, fact: FactKind, asked: Nonempty) -> None:
        super().__init__(text, fact)
        self.asked = asked

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        used: tuple[Item, ...] | tuple[Event, ...]
        if isinstance(found, Collection):
            used = _items(found, evaluation.as_of)
            incomplete = found.incomplete
        elif isinstance(found, Events):
            used = tuple(item for item in found.events if item.day <= evaluation.as_of)
            incomplete = ()
        else:
            return self.unrecorded
        nothing = Verdict.NOT_MET if found.complete else Verdict.UNKNOWN
        verdict = Verdict.MET if used else nothing
        if self.asked.negated:
            verdict = negation(verdict)
        reasons = (incomplete or self.missing()) if verdict is Verdict.UNKNOWN else ()
        return _collected(self, verdict, used, reasons)


class MemberCount(Leaf):
    """``count of FACT op NUMBER``; members are counted once by their label."""

    __slots__ = ("asked",)

    def __init__(self, text: str, fact: FactKind, asked: CountOf) -> None:
        super().__init__(text, fact)
        self.asked = asked

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Collection):
            return self.unrecorded
        items = _items(found, evaluation.as_of)
        count = len({item.label for item in items})
        # An incomplete list may hold any number more; beyond the asked number nothing changes.
        most = count if found.complete else max(count, self.asked.number) + 2
        verdict = counted(count, most, self.asked.operator, self.asked.number)
        reasons = (found.incomplete or self.missing()) if verdict is Verdict.UNKNOWN else ()
        return _collected(self, verdict, items, reasons)


@lru_cache(maxsize=4096)
def _folded(names: frozenset[str]) -> frozenset[str]:
    """The names in the form in which they are compared. Medicines have the same few sets."""
    return frozenset(fold(name) for name in names)


def _items(collection: Collection, as_of: date) -> tuple[Item, ...]:
    items = collection.items
    for item in items:
        if item.day is not None and item.day > as_of:
            return tuple([item for item in items if item.day is None or item.day <= as_of])
    return items


def _collected(
    leaf: Leaf,
    verdict: Verdict,
    used: tuple[Item, ...] | tuple[Event, ...],
    reasons: tuple[Reason, ...],
    recorded: tuple[Item, ...] = (),
) -> Trace:
    """The trace of a leaf about a list; `recorded` are all items, also those not asked for."""

    def say() -> str:
        if verdict is Verdict.UNKNOWN:
            return f"It cannot be said whether {leaf.text}: {explain(reasons)}."
        shown = ", ".join(_named(item) for item in used[:5]) or _others(recorded)
        return f"{leaf.fact.name}: {shown}; {ENDING[verdict]}."

    return Trace(leaf.text, verdict, say, reasons, used)


def _others(recorded: tuple[Item, ...]) -> str:
    """What is on record where nothing of what was asked for is: never "none" beside something."""
    names = list(dict.fromkeys(map(_named, recorded)))
    if not names:
        return "none found"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"not among {', '.join(names[:3])}{more}"


def _named(item: Item | Event) -> str:
    return item.label if isinstance(item, Item) else f"on {written_day(item.day)}"


class EventTiming(Leaf):
    """``EVENT within SPAN``, ``EVENT at least SPAN ago``, ``EVENT before DATE``: the latest one."""

    __slots__ = ("asked",)

    def __init__(self, text: str, fact: FactKind, asked: Happened | Ago | Dated) -> None:
        super().__init__(text, fact)
        self.asked = asked

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Events):
            return self.unrecorded
        as_of = evaluation.as_of
        events = tuple(item for item in found.events if item.day <= as_of)
        if not events:
            verdict = Verdict.NOT_MET if found.complete else Verdict.UNKNOWN
            return _collected(self, verdict, (), () if found.complete else self.missing())
        met = self._holds_for(events[0].day, as_of)
        # An incomplete list may lack the latest event, which is then on some day up to ``as_of``;
        # each of these conditions turns at one day only, so the two ends speak for all days.
        if not found.complete and self._holds_for(as_of, as_of) is not met:
            detail = f"an event after {written_day(events[0].day)} may not be recorded"
            return _collected(self, Verdict.UNKNOWN, events[:1], self.missing(detail))
        return _collected(self, Verdict.MET if met else Verdict.NOT_MET, events[:1], ())

    def _holds_for(self, day: date, as_of: date) -> bool:
        """The answer if the latest event was on ``day``."""
        match self.asked:
            case Happened(window=window):
                return day >= window.before(as_of)
            case Ago(span=span, strict=strict):
                return day < span.before(as_of) if strict else day <= span.before(as_of)
            case Dated(operator=operator, day=limit):
                days = Decimal(day.toordinal()), Decimal(limit.toordinal())
                return OPERATORS[operator](*days)


class Recorded(Leaf):
    """``FACT known`` or ``FACT unknown``: is there anything usable on the day? Never UNKNOWN."""

    __slots__ = ("asked",)

    def __init__(self, text: str, fact: FactKind, asked: Known) -> None:
        super().__init__(text, fact)
        self.asked = asked

    def work_out(self, evaluation: Evaluation) -> Trace:
        known = _is_recorded(evaluation.find(self.fact.name), evaluation.as_of)
        verdict = Verdict.MET if known is not self.asked.negated else Verdict.NOT_MET
        phrase = "is recorded" if known else "is not recorded"
        return Trace(self.text, verdict, lambda: f"{self.fact.name} {phrase}; {ENDING[verdict]}.")


def _is_recorded(found: object, as_of: date) -> bool:
    if isinstance(found, Series):
        return any(
            item.problem is None and item.value is not None and item.day <= as_of
            for item in found.measurements
        )
    if isinstance(found, Statements):
        if found.unknown:
            return False
        return any(item.day is None or item.day <= as_of for item in found.statements)
    if isinstance(found, Collection):
        return found.complete or bool(_items(found, as_of))
    if isinstance(found, Events):
        return found.complete or any(item.day <= as_of for item in found.events)
    if isinstance(found, Findings):
        return found.complete or any(
            item.began is None or item.began <= as_of for item in found.findings
        )
    return False

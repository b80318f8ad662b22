"""A vocabulary with every kind of fact, and short ways to write down a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from cds_service.rules import (
    Collection,
    CollectionOf,
    Concept,
    Evaluation,
    Event,
    Events,
    FactValue,
    Finding,
    Findings,
    Item,
    Measurement,
    Occurrence,
    Quantity,
    Reason,
    ReasonKind,
    Rule,
    RuleCompiler,
    Series,
    State,
    Statement,
    Statements,
    Trace,
    Verdict,
    Vocabulary,
    flag,
)

AS_OF = date(2026, 11, 20)

VOCABULARY = Vocabulary(
    [
        Quantity("ALT", "U/L", {"ukat/L": Decimal(60)}, True, True, 14),
        Quantity("total bilirubin", "umol/L", {"mg/dL": Decimal("17.1")}, True, False, 28),
        Quantity("heart rate", "bpm", {}, False, True, 3),
        Quantity("pneumonitis", "grade"),
        Quantity("ECOG performance status", "", fresh_for_days=90),
        State("setting", ("advanced", "locally advanced", "resected")),
        State("ALK status", ("confirmed", "negative", "equivocal"), 365),
        State("liver function", ("a", "b", "c")),
        flag("brain metastases"),
        flag("pregnancy", 30),
        flag("node positive"),
        CollectionOf("prior ALK inhibitors", frozenset({"alectinib", "crizotinib", "lorlatinib"})),
        CollectionOf("medications"),
        Occurrence("resection"),
        Occurrence("start of alectinib"),
        Concept("lung disease"),
        Concept("interstitial lung disease", broader=frozenset({"lung disease"})),
        Concept("dizziness on standing", symptom_for_days=5),
        Concept("haemolysis"),
        flag("suspected haemolysis"),
    ]
)


class DictFacts:
    """Facts from a mapping; counts how often each one is asked for."""

    def __init__(self, facts: Mapping[str, FactValue]) -> None:
        self.facts = dict(facts)
        self.asked: dict[str, int] = {}

    def find(self, name: str) -> FactValue | None:
        """The value under this vocabulary name."""
        self.asked[name] = self.asked.get(name, 0) + 1
        return self.facts.get(name)


@lru_cache(maxsize=1)
def _compiler() -> RuleCompiler:
    return RuleCompiler(VOCABULARY)


def compiled(text: str) -> Rule:
    """A rule over the sample vocabulary."""
    return _compiler().compile(text)


def trace_of(text: str, facts: Mapping[str, FactValue], as_of: date = AS_OF) -> Trace:
    """The basis of a rule for one patient."""
    return compiled(text).evaluate(Evaluation(DictFacts(facts), as_of))


def verdict_of(text: str, facts: Mapping[str, FactValue], as_of: date = AS_OF) -> Verdict:
    """The verdict of a rule for one patient."""
    return trace_of(text, facts, as_of).verdict


def kinds_of(text: str, facts: Mapping[str, FactValue], as_of: date = AS_OF) -> set[ReasonKind]:
    """The kinds of reasons that a rule gives for one patient."""
    return {reason.kind for reason in trace_of(text, facts, as_of).reasons}


def on(ago: int, as_of: date = AS_OF) -> date:
    """The day this many days before ``as_of``."""
    return as_of - timedelta(days=ago)


def result(
    value: str | None,
    upper_limit: str | None = None,
    *,
    ago: int = 0,
    day: date | None = None,
    hour: int | None = None,
    problem: ReasonKind | None = None,
) -> Measurement:
    """One result; ``value`` may start with a comparator, ``hour`` gives it a time of day."""
    found = on(ago) if day is None else day
    number, comparator = value, None
    for sign in ("<=", ">=", "<", ">"):
        if value is not None and value.startswith(sign):
            number, comparator = value.removeprefix(sign), sign
            break
    return Measurement(
        value=None if number is None else Decimal(number),
        day=found,
        instant=None if hour is None else datetime(found.year, found.month, found.day, hour),  # noqa: DTZ001 - only order matters
        upper_limit=None if upper_limit is None else Decimal(upper_limit),
        comparator=comparator,
        as_sent=value or "",
        source=f"Observation/{found.isoformat()}",
        problem=None if problem is None else Reason.of(problem, "ALT", "as sent"),
    )


def results(*measurements: Measurement, baseline: str | None = None) -> Series:
    """A series; give the newest first, as the facts room does."""
    before = None if baseline is None else result(baseline, day=date(2020, 1, 1))
    return Series(measurements, before)


def said(*statements: tuple[str, int | None]) -> Statements:
    """Statements as (value, days ago or None for no date), newest first."""
    return Statements(
        tuple(
            Statement(value, None if ago is None else on(ago), value, f"Condition/{value}")
            for value, ago in statements
        )
    )


def members(*names: str, complete: bool = True) -> Collection:
    """A collection of things that answer to one name each."""
    items = tuple(Item(frozenset({name}), name, on(30), name, f"Item/{name}") for name in names)
    return Collection(items, complete)


def happened(*ago: int, complete: bool = True) -> Events:
    """Events so many days ago, newest first."""
    return Events(tuple(Event(on(days), "", f"Procedure/{days}") for days in ago), complete)


def finding(
    status: str = "present",
    ago: int | None = 10,
    *,
    ended: int | None = None,
    grade: int | None = None,
    least: bool = False,
    causes: tuple[str, ...] = (),
    names: tuple[str, ...] = ("interstitial lung disease",),
) -> Finding:
    """One finding that began so many days ago, and was over ``ended`` days ago."""
    return Finding(
        frozenset(names),
        status,
        None if ago is None else on(ago),
        None if ended is None else on(ended),
        grade,
        least,
        "stated" if grade is not None else "",
        frozenset(causes),
        names[-1],
        f"Condition/{status}",
    )


def findings(
    *found: Finding,
    started: tuple[int | None, ...] = (),
    complete: bool = False,
    unknown: tuple[Reason, ...] = (),
) -> Findings:
    """Findings, newest first, of somebody whose drugs were started so many days ago."""
    days = tuple(None if ago is None else on(ago) for ago in started)
    return Findings(found, days, complete, unknown)

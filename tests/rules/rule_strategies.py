"""Random rules and random patients over the sample vocabulary, crowded around the boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from msgspec import structs
from oracle import naive_before
from rule_samples import VOCABULARY

from cds_service.rules import (
    FINDING_STATUSES,
    Collection,
    CollectionOf,
    Concept,
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
    Series,
    Span,
    State,
    Statement,
    Statements,
)
from cds_service.rules.syntax import (
    Ago,
    Amount,
    And,
    Compare,
    CountOf,
    Dated,
    Episodes,
    Expression,
    Found,
    FoundEpisodes,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
    Not,
    Or,
    Qualifiers,
    Results,
    UnknownWhether,
    predicates,
)

DAYS = (date(2024, 2, 29), date(2024, 3, 31), date(2025, 2, 28), date(2026, 1, 1))
SPANS = tuple(
    Span(number, unit)
    for number, unit in (
        (1, "days"), (3, "days"), (14, "days"), (28, "days"), (2, "weeks"),
        (1, "months"), (3, "months"), (6, "months"), (1, "years"),
    )
)  # fmt: skip
NUMBERS = tuple(map(Decimal, ("0.5", "1", "1.1", "1.25", "2.5", "3", "5", "60")))
LIMITS = tuple(map(Decimal, ("1.1", "1.2", "21", "40")))
OFFSETS = tuple(map(Decimal, ("0", "0", "0.01", "-0.01", "7")))
OPERATORS = (">", ">=", "<", "<=", "=", "!=")
MEMBERS = ("alectinib", "crizotinib", "lorlatinib")
OPEN_MEMBERS = ("strong CYP3A inhibitors", "warfarin", "a, \u00e9 {b}")

spans = st.sampled_from(SPANS)
as_of_days = st.sampled_from(DAYS)
QUANTITIES = tuple(fact for fact in VOCABULARY if isinstance(fact, Quantity))
STATES = tuple(fact for fact in VOCABULARY if isinstance(fact, State))
COLLECTIONS = tuple(fact for fact in VOCABULARY if isinstance(fact, CollectionOf))
OCCURRENCES = tuple(fact for fact in VOCABULARY if isinstance(fact, Occurrence))
# "suspected haemolysis" is a fact of its own, so a suspicion of haemolysis cannot be written.
CONCEPTS = tuple(
    fact for fact in VOCABULARY if isinstance(fact, Concept) and fact.name != "haemolysis"
)


# -- rules --------------------------------------------------------------------------------------


def _units(quantity: Quantity) -> tuple[str, ...]:
    relative = ("xULN",) * quantity.upper_limit + ("xbaseline",) * quantity.baseline
    return (quantity.unit, *quantity.units, *relative)


@st.composite
def _amounts(draw: st.DrawFn, quantity: Quantity) -> Amount:
    unit = draw(st.sampled_from(_units(quantity)))
    plain_unit = quantity.baseline and unit not in ("xULN", "xbaseline")
    return Amount(draw(st.sampled_from(NUMBERS)), unit, draw(st.booleans()) and plain_unit)


@st.composite
def comparisons(draw: st.DrawFn, facts: Sequence[Quantity] = QUANTITIES) -> Compare:
    """Any comparison of a measured quantity."""
    quantity = draw(st.sampled_from(facts))
    selector = draw(st.sampled_from(("latest", "latest", "any", "every")))
    timing = draw(st.sampled_from(("none", "window", "sustained")))
    return Compare(
        quantity.name,
        draw(st.sampled_from(OPERATORS)),
        draw(_amounts(quantity)),
        selector,
        draw(spans) if timing == "window" else None,
        draw(spans) if timing == "sustained" and selector == "latest" else None,
    )


@st.composite
def episode_counts(draw: st.DrawFn, facts: Sequence[Quantity] = QUANTITIES) -> Episodes:
    """Any condition on a number of episodes, with or without recovery level and window."""
    quantity = draw(st.sampled_from(facts))
    recovery = draw(st.booleans())
    counting = draw(st.sampled_from(("=", ">=")))
    return Episodes(
        quantity.name,
        draw(st.sampled_from(OPERATORS)),
        draw(_amounts(quantity)),
        draw(st.sampled_from(OPERATORS)) if recovery else "",
        draw(_amounts(quantity)) if recovery else None,
        counting,
        draw(st.integers(1, 3 if counting == "=" else 7)),
        draw(st.none() | spans),
    )


@st.composite
def result_counts(draw: st.DrawFn, facts: Sequence[Quantity] = QUANTITIES) -> Results:
    """Any condition on a number of separate results."""
    quantity = draw(st.sampled_from(facts))
    return Results(
        quantity.name,
        draw(st.sampled_from(OPERATORS)),
        draw(_amounts(quantity)),
        draw(st.integers(1, 4)),
        draw(st.none() | spans),
    )


@st.composite
def state_conditions(draw: st.DrawFn, facts: Sequence[State] = STATES) -> IsState:
    """Any condition on a state or a flag."""
    state = draw(st.sampled_from(facts))
    if state.is_flag:
        value = draw(st.sampled_from(state.values))
        return IsState(state.name, (value,), False, draw(st.none() | spans), flag=True)
    values = draw(st.lists(st.sampled_from(state.values), min_size=1, unique=True))
    negated = draw(st.booleans())
    window = draw(st.none() | spans) if len(values) == 1 else None
    return IsState(state.name, tuple(values), negated, window)


@st.composite
def collection_conditions(
    draw: st.DrawFn, facts: Sequence[CollectionOf] = COLLECTIONS
) -> Includes | CountOf:
    """Any condition on the members of a collection."""
    collection = draw(st.sampled_from(facts))
    if draw(st.booleans()):
        operator = draw(st.sampled_from(OPERATORS))
        return CountOf(collection.name, operator, draw(st.integers(0, 4)))
    names = MEMBERS if collection.members else OPEN_MEMBERS
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    every = draw(st.booleans()) and len(chosen) > 1
    return Includes(collection.name, tuple(chosen), every, draw(st.booleans()))


@st.composite
def event_conditions(
    draw: st.DrawFn, facts: Sequence[Occurrence] = OCCURRENCES
) -> Happened | Ago | Dated:
    """Any condition on when something happened."""
    name = draw(st.sampled_from(facts)).name
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return Happened(name, draw(spans))
    if kind == 1:
        return Ago(name, draw(spans), draw(st.booleans()))
    day = draw(st.sampled_from(DAYS)) + timedelta(days=draw(st.integers(-2, 2)))
    return Dated(name, draw(st.sampled_from(("<", "<=", ">", ">="))), day)


@st.composite
def _qualifiers(draw: st.DrawFn) -> Qualifiers:
    operator = draw(st.sampled_from(("", "", *OPERATORS)))
    return Qualifiers(
        draw(st.booleans()) and draw(st.booleans()),
        draw(st.sampled_from(("", "", "", "a drug", "lorlatinib"))),
        operator,
        draw(st.integers(0, 5)) if operator else None,
        draw(st.none() | st.none() | spans),
    )


ASPECTS = ("present", "present", "absent", "suspected", "earlier")


@st.composite
def finding_conditions(draw: st.DrawFn, facts: Sequence[Concept] = CONCEPTS) -> Found:
    """Any condition on whether something was found."""
    name = draw(st.sampled_from(facts)).name
    return Found(name, draw(st.sampled_from(ASPECTS)), draw(_qualifiers()))


@st.composite
def finding_counts(draw: st.DrawFn, facts: Sequence[Concept] = CONCEPTS) -> FoundEpisodes:
    """Any condition on how often something was found."""
    name = draw(st.sampled_from(facts)).name
    counting = draw(st.sampled_from(("=", ">=")))
    number = draw(st.integers(1, 3 if counting == "=" else 6))
    return FoundEpisodes(name, counting, number, draw(_qualifiers()))


leaves: st.SearchStrategy[Expression] = st.one_of(
    comparisons(),
    comparisons(),
    episode_counts(),
    result_counts(),
    state_conditions(),
    collection_conditions(),
    event_conditions(),
    finding_conditions(),
    finding_conditions(),
    finding_counts(),
    st.builds(
        Nonempty, st.sampled_from([f.name for f in COLLECTIONS + OCCURRENCES]), st.booleans()
    ),
    st.builds(Known, st.sampled_from(VOCABULARY.names), st.booleans()),
)


def about_quantities(facts: Sequence[Quantity]) -> st.SearchStrategy[Expression]:
    """Any condition on a measured quantity, also whether it is recorded at all."""
    names = st.sampled_from([fact.name for fact in facts])
    return st.one_of(
        comparisons(facts),
        result_counts(facts),
        episode_counts(facts),
        st.builds(Known, names, st.booleans()),
    )


def about_findings(facts: Sequence[Concept]) -> st.SearchStrategy[Expression]:
    """Any condition on a concept, also whether anything is recorded."""
    names = st.sampled_from([fact.name for fact in facts])
    return st.one_of(
        finding_conditions(facts),
        finding_conditions(facts),
        finding_counts(facts),
        st.builds(Known, names, st.booleans()),
    )


@st.composite
def two_on_one_fact(draw: st.DrawFn) -> And:
    """Two conditions that ask about the same fact."""
    kinds = (
        (comparisons, QUANTITIES),
        (about_quantities, QUANTITIES),
        (state_conditions, STATES),
        (collection_conditions, COLLECTIONS),
        (event_conditions, OCCURRENCES),
        (about_findings, CONCEPTS),
    )
    conditions, facts = draw(st.sampled_from(kinds))
    fact = (draw(st.sampled_from(facts)),)
    return And((draw(conditions(fact)), draw(conditions(fact))))


def _joined(kind: type[And] | type[Or], parts: list[Expression]) -> Expression:
    """Parts of the same kind dissolve, as brackets around them would."""
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def _combined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda parts: _joined(And, parts)),
        several.map(lambda parts: _joined(Or, parts)),
        inner.map(Not),
        inner.map(UnknownWhether),
    )


expressions: st.SearchStrategy[Expression] = st.recursive(leaves, _combined, max_leaves=6)


# -- patients -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calendar:
    """The day of the question and the days around which its answer may turn."""

    as_of: date
    edges: tuple[date, ...]


def _calendar(expression: Expression, as_of: date) -> Calendar:
    edges = [as_of]
    for leaf in predicates(expression):
        for name in ("window", "sustained", "span"):
            span = getattr(leaf, name, None)
            if span is not None:
                edges.append(naive_before(span, as_of))
        if isinstance(leaf, Dated):
            edges.append(leaf.day)
        for name in ("fresh_for_days", "symptom_for_days"):
            days = getattr(VOCABULARY.find(leaf.fact), name, None)
            if days is not None:
                edges.append(as_of - timedelta(days=days))
    return Calendar(as_of, tuple(edges))


@st.composite
def _fact_days(draw: st.DrawFn, calendar: Calendar) -> date:
    """A day around an edge of the rule, sometimes in the future, sometimes any day."""
    if draw(st.integers(0, 4)) == 0:
        return calendar.as_of - timedelta(days=draw(st.integers(-3, 500)))
    edge = draw(st.sampled_from(calendar.edges))
    return edge + timedelta(days=draw(st.sampled_from((0, 0, 0, -1, 1))))


@st.composite
def _measurements(draw: st.DrawFn, quantity: Quantity, day: date) -> Measurement:
    limit = draw(st.sampled_from((*LIMITS, None)))
    if draw(st.integers(0, 9)) == 0:
        kind = draw(st.sampled_from((ReasonKind.UNKNOWN_UNIT, ReasonKind.MISSING)))
        problem = Reason.of(kind, quantity.name, "as sent")
        return Measurement(None, day, upper_limit=limit, as_sent="6 furlongs", problem=problem)
    factors = [Decimal(1), *quantity.units.values(), *LIMITS[:2]]
    if limit is not None:
        factors += [limit] * 3
    value = draw(st.sampled_from(NUMBERS)) * draw(st.sampled_from(factors))
    value += draw(st.sampled_from(OFFSETS))
    comparator = draw(st.sampled_from((None, None, None, None, "<", "<=", ">", ">=")))
    hour = draw(st.sampled_from((None, None, 8, 8, 20)))
    instant = None if hour is None else datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - only order matters
    return Measurement(
        value,
        day,
        instant,
        limit,
        comparator,
        f"{comparator or ''}{value} {quantity.unit}".strip(),
        f"Observation/{draw(st.integers(1, 9))}",
    )


@st.composite
def _series(draw: st.DrawFn, quantity: Quantity, calendar: Calendar) -> Series:
    days = draw(st.lists(_fact_days(calendar), max_size=5))
    if days and draw(st.booleans()):
        days.append(days[0])
    found = [draw(_measurements(quantity, day)) for day in days]
    baseline = None
    if draw(st.booleans()):
        baseline = draw(_measurements(quantity, draw(_fact_days(calendar))))
    return Series(newest_first(found), baseline)


def newest_first(found: list[Measurement]) -> tuple[Measurement, ...]:
    """By day and, on days on which every result has a time, by time; otherwise as they come."""
    timed = {
        day: all(item.instant is not None for item in found if item.day == day)
        for day in {item.day for item in found}
    }

    def moment(item: Measurement) -> tuple[date, datetime]:
        instant = item.instant if timed[item.day] else None
        return item.day, instant or datetime.min  # noqa: DTZ901 - only order matters

    return tuple(sorted(found, key=moment, reverse=True))


@st.composite
def _statements(draw: st.DrawFn, state: State, calendar: Calendar) -> Statements:
    days = draw(st.lists(st.none() | _fact_days(calendar), max_size=4))
    if days and draw(st.booleans()):
        days.append(days[0])
    found = [Statement(draw(st.sampled_from(state.values)), day, "as sent") for day in days]
    contradiction = Reason.of(ReasonKind.CONTRADICTORY, state.name, "two laboratories")
    unknown = (contradiction,) if draw(st.integers(0, 9)) == 0 else ()
    return Statements(latest_said_first(found), unknown)


def latest_said_first(found: list[Statement]) -> tuple[Statement, ...]:
    """By day; the ones without a day stay last."""
    return tuple(sorted(found, key=lambda item: item.day or date.min, reverse=True))


@st.composite
def _collections(draw: st.DrawFn, collection: CollectionOf, calendar: Calendar) -> Collection:
    names = MEMBERS if collection.members else OPEN_MEMBERS
    items = []
    for _ in range(draw(st.integers(0, 3))):
        answers_to = draw(st.frozensets(st.sampled_from(names), min_size=1, max_size=2))
        label = draw(st.sampled_from(("first item", "second item")))
        items.append(Item(answers_to, label, draw(st.none() | _fact_days(calendar))))
    complete = draw(st.booleans())
    incomplete: tuple[Reason, ...] = ()
    if not complete and draw(st.booleans()):
        incomplete = (Reason.of(ReasonKind.STALE, collection.name, "last asked a year ago"),)
    return Collection(tuple(items), complete, incomplete)


@st.composite
def _events(draw: st.DrawFn, calendar: Calendar) -> Events:
    days = draw(st.lists(_fact_days(calendar), max_size=3))
    found = tuple(Event(day) for day in sorted(days, reverse=True))
    return Events(found, draw(st.booleans()))


CAUSES = ("a drug", "another cause", "the drug asked about", "alectinib", "lorlatinib")


@st.composite
def _finding(draw: st.DrawFn, concept: Concept, calendar: Calendar) -> Finding:
    whole = {concept.name, *concept.broader}
    status = draw(st.sampled_from(("present", "present", *FINDING_STATUSES)))
    began = draw(st.none() | _fact_days(calendar) | _fact_days(calendar))
    ended = None
    if draw(st.booleans()) and status in ("present", "over", "suspected"):
        ended = draw(_fact_days(calendar))
        if began is not None:
            ended = max(began, draw(st.sampled_from((began, began + timedelta(days=1), ended))))
        if status == "over":
            ended = min(ended, calendar.as_of) if began is None or began <= calendar.as_of else None
    grade = draw(st.none() | st.integers(0, 5))
    succeeded = None
    if began is not None and status in ("present", "over") and draw(st.integers(0, 3)) == 0:
        succeeded = max(began + timedelta(days=1), draw(_fact_days(calendar)))
    return Finding(
        frozenset(whole | draw(st.sampled_from((set(), set(), {"a part"}, {"another part"})))),
        status,
        began,
        ended,
        grade,
        grade is not None and draw(st.booleans()),
        "stated" if grade is not None else "",
        draw(st.frozensets(st.sampled_from(CAUSES), max_size=2)),
        f"finding {draw(st.integers(1, 3))}",
        f"Condition/{draw(st.integers(1, 9))}",
        succeeded=succeeded,
    )


@st.composite
def _findings(draw: st.DrawFn, concept: Concept, calendar: Calendar) -> Findings:
    found = draw(st.lists(_finding(concept, calendar), max_size=4))
    starts = draw(st.lists(st.none() | _fact_days(calendar), max_size=2))
    text_only = Reason.of(ReasonKind.IMPRECISE, concept.name, "a report in words")
    unknown = (text_only,) if draw(st.integers(0, 9)) == 0 else ()
    return Findings(latest_found_first(found), tuple(starts), draw(st.booleans()), unknown)


def latest_found_first(found: list[Finding]) -> tuple[Finding, ...]:
    """By day of beginning; the ones without a day stay last."""
    return tuple(sorted(found, key=lambda item: item.began or date.min, reverse=True))


@dataclass(frozen=True)
class Case:
    """A rule, a patient and a day."""

    expression: Expression
    facts: dict[str, FactValue]
    as_of: date


@st.composite
def _needed_facts(draw: st.DrawFn, names: set[str], calendar: Calendar) -> dict[str, FactValue]:
    """Only the facts that a rule names: a fact it does not name cannot matter to it."""
    facts: dict[str, FactValue] = {}
    for name in sorted(names):
        if draw(st.integers(0, 7)) == 0:
            continue
        match fact := VOCABULARY.find(name):
            case Quantity():
                facts[name] = draw(_series(fact, calendar))
            case State():
                facts[name] = draw(_statements(fact, calendar))
            case CollectionOf():
                facts[name] = draw(_collections(fact, calendar))
            case Occurrence():
                facts[name] = draw(_events(calendar))
            case Concept():
                facts[name] = draw(_findings(fact, calendar))
    return facts


@st.composite
def cases(draw: st.DrawFn, rules: st.SearchStrategy[Expression] = expressions) -> Case:
    """A random rule asked about a random patient on a random day."""
    expression = draw(rules)
    as_of = draw(as_of_days)
    calendar = _calendar(expression, as_of)
    return Case(
        expression,
        draw(_needed_facts({leaf.fact for leaf in predicates(expression)}, calendar)),
        as_of,
    )


def without_the_future(facts: dict[str, FactValue], as_of: date) -> dict[str, FactValue]:
    """The same patient before anything dated after ``as_of`` was recorded."""
    kept: dict[str, FactValue] = {}
    for name, fact in facts.items():
        match fact:
            case Series(measurements=found, baseline=baseline):
                known = baseline if baseline is not None and baseline.day <= as_of else None
                kept[name] = Series(tuple(item for item in found if item.day <= as_of), known)
            case Statements(statements=found):
                said = tuple(item for item in found if item.day is None or item.day <= as_of)
                kept[name] = structs.replace(fact, statements=said)
            case Collection(items=found):
                there = tuple(item for item in found if item.day is None or item.day <= as_of)
                kept[name] = structs.replace(fact, items=there)
            case Events(events=found):
                past = tuple(item for item in found if item.day <= as_of)
                kept[name] = structs.replace(fact, events=past)
            case Findings(findings=found):
                seen = tuple(item for item in found if item.began is None or item.began <= as_of)
                kept[name] = structs.replace(fact, findings=seen)
    return kept


def in_another_order(facts: dict[str, FactValue]) -> dict[str, FactValue]:
    """The same patient with everything that has the same moment in reversed order."""
    other: dict[str, FactValue] = {}
    for name, fact in facts.items():
        match fact:
            case Series(measurements=found, baseline=baseline):
                other[name] = Series(newest_first(list(reversed(found))), baseline)
            case Statements(statements=found):
                # What has no date has no place in the order either.
                said = latest_said_first(list(reversed(found)))
                undated = tuple(item for item in said if item.day is None)
                dated = tuple(item for item in said if item.day is not None)
                other[name] = structs.replace(fact, statements=undated + dated)
            case Collection(items=found):
                other[name] = structs.replace(fact, items=tuple(reversed(found)))
            case Events():
                other[name] = fact
            case Findings(findings=found):
                other[name] = structs.replace(
                    fact, findings=latest_found_first(list(reversed(found)))
                )
    return other

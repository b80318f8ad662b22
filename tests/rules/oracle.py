"""A second, slow and obvious reading of the rule language, to hold the compiled one against.

Written from what the language promises, not from how it is computed: every number is a fraction,
every doubtful result is tried out in all its possible meanings, and nothing is remembered.

Where the promise leaves room, this reading takes the side on which missing is never normal:

* results of one day are simultaneous if one of them has no time; simultaneous results must agree;
* a statement without a date may be the newest one, so it must agree with the newest dated one;
* an incomplete list of events may lack a later event than the latest one it shows;
* an episode counts in a time window when it *began* there, whatever was measured before;
* a time window without any result in it tells nothing about episodes;
* results of one day without a time are one if their value is; otherwise each may be a result of its
  own or any other of that day, and what could be two or one is not counted as two;
* nothing dated after the day of the question exists yet, the value before treatment included;
* a finding was there on the day it began, whatever became of it on that day; of one that is over
  without a known end nothing more is known;
* an end that came after the day of the question tells that the finding lasted on that day;
* a part that was denied does not exclude the whole, and a denied whole does not undo a part that
  is there, but answers a suspicion of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from cds_service.rules import (
    Collection,
    Concept,
    Events,
    FactSource,
    Finding,
    Findings,
    Item,
    Measurement,
    Quantity,
    ReasonKind,
    Series,
    Span,
    State,
    Statements,
    Verdict,
    Vocabulary,
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
)

Kinds = frozenset[ReasonKind]
MOST_DOUBTS = 7


@dataclass(frozen=True)
class Answer:
    """A verdict, and why it is UNKNOWN if it is."""

    verdict: Verdict
    kinds: Kinds = frozenset()


MISSING = Answer(Verdict.UNKNOWN, frozenset({ReasonKind.MISSING}))
STALE = Answer(Verdict.UNKNOWN, frozenset({ReasonKind.STALE}))
CONTRADICTORY = Answer(Verdict.UNKNOWN, frozenset({ReasonKind.CONTRADICTORY}))


@dataclass(frozen=True)
class Patient:
    """Whom the question is about and on which day."""

    facts: FactSource
    as_of: date
    vocabulary: Vocabulary


def naive_verdict(
    expression: Expression, facts: FactSource, as_of: date, vocabulary: Vocabulary
) -> Verdict:
    """The verdict of a syntax tree for one patient on one day."""
    return _answer(expression, Patient(facts, as_of, vocabulary)).verdict


def naive_reason_kinds(
    expression: Expression, facts: FactSource, as_of: date, vocabulary: Vocabulary
) -> Kinds:
    """Why the verdict is UNKNOWN; for counted episodes all that may have contributed."""
    return _answer(expression, Patient(facts, as_of, vocabulary)).kinds


def _answer(node: Expression, patient: Patient) -> Answer:
    match node:
        case And(parts):
            return _all(_answer(part, patient) for part in parts)
        case Or(parts):
            return _opposite(_all(_opposite(_answer(part, patient)) for part in parts))
        case Not(inner):
            return _opposite(_answer(inner, patient))
        case UnknownWhether(inner):
            return _yes_or_no(_answer(inner, patient).verdict is Verdict.UNKNOWN)
        case Compare():
            return _compare(node, patient)
        case Episodes():
            return _episodes(node, patient)
        case Results():
            return _results(node, patient)
        case IsState():
            return _state(node, patient)
        case Includes():
            return _includes(node, patient)
        case Nonempty():
            return _nonempty(node, patient)
        case CountOf():
            return _count(node, patient)
        case Happened() | Ago() | Dated():
            return _event(node, patient)
        case Known():
            return _known(node, patient)
        case Found():
            return _found(node, patient)
        case FoundEpisodes():
            return _found_episodes(node, patient)


def _yes_or_no(holds: bool) -> Answer:
    return Answer(Verdict.MET if holds else Verdict.NOT_MET)


def _opposite(answer: Answer) -> Answer:
    if answer.verdict is Verdict.UNKNOWN:
        return answer
    return _yes_or_no(answer.verdict is Verdict.NOT_MET)


def _all(answers: Iterable[Answer]) -> Answer:
    listed = list(answers)
    if any(answer.verdict is Verdict.NOT_MET for answer in listed):
        return _yes_or_no(False)
    if all(answer.verdict is Verdict.MET for answer in listed):
        return _yes_or_no(True)
    return Answer(Verdict.UNKNOWN, _kinds(listed))


def _kinds(answers: Iterable[Answer]) -> Kinds:
    return frozenset(kind for answer in answers for kind in answer.kinds)


def _of_possible(outcomes: Iterable[bool], kinds: Kinds) -> Answer:
    """One answer from all outcomes that cannot be ruled out."""
    possible = set(outcomes)
    if len(possible) == 1:
        return _yes_or_no(possible.pop())
    return Answer(Verdict.UNKNOWN, kinds)


def naive_before(span: Span, day: date) -> date:
    """The day a span earlier, found by walking back."""
    if span.unit in ("days", "weeks"):
        return day - timedelta(days=span.number * (7 if span.unit == "weeks" else 1))
    year, month = day.year, day.month
    for _ in range(span.number * (12 if span.unit == "years" else 1)):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    wanted = day.day
    while True:
        try:
            return date(year, month, wanted)
        except ValueError:
            wanted -= 1


# -- numbers ------------------------------------------------------------------------------------


def _holds(operator: str, left: Fraction, right: Fraction) -> bool:
    return {
        ">": left > right,
        ">=": left > right or left == right,
        "<": left < right,
        "<=": left < right or left == right,
        "=": left == right,
        "!=": left != right,
    }[operator]


def _limit(
    quantity: Quantity, amount: Amount, result: Measurement, baseline: Measurement | None
) -> Fraction | Answer:
    number = Fraction(amount.number)
    if amount.unit == "xULN":
        if result.upper_limit is None:
            return Answer(Verdict.UNKNOWN, frozenset({ReasonKind.NO_REFERENCE_RANGE}))
        return number * Fraction(result.upper_limit)
    if amount.unit == "xbaseline":
        if baseline is None or baseline.value is None or baseline.comparator is not None:
            return MISSING
        return number * Fraction(baseline.value)
    number *= Fraction(quantity.units.get(amount.unit, 1))
    if not amount.above_baseline:
        return number
    if baseline is None or baseline.value is None or baseline.comparator is not None:
        return MISSING
    return Fraction(baseline.value) + number


def _judge(
    quantity: Quantity,
    operator: str,
    amount: Amount,
    result: Measurement,
    baseline: Measurement | None,
) -> Answer:
    if result.problem is not None:
        return Answer(Verdict.UNKNOWN, frozenset({result.problem.kind}))
    if result.value is None:
        return MISSING
    limit = _limit(quantity, amount, result, baseline)
    if isinstance(limit, Answer):
        return limit
    value = Fraction(result.value)
    if result.comparator is None:
        return _yes_or_no(_holds(operator, value, limit))
    samples = [value - 1, value, value + 1, limit - 1, limit, limit + 1, (value + limit) / 2]
    possible = [sample for sample in samples if _holds(result.comparator, sample, value)]
    outcomes = [_holds(operator, sample, limit) for sample in possible]
    return _of_possible(outcomes, frozenset({ReasonKind.IMPRECISE}))


def _agreed(answers: list[Answer]) -> Answer:
    verdicts = {answer.verdict for answer in answers}
    if verdicts == {Verdict.MET} or verdicts == {Verdict.NOT_MET}:
        return answers[0]
    if Verdict.MET in verdicts and Verdict.NOT_MET in verdicts:
        return CONTRADICTORY
    return Answer(Verdict.UNKNOWN, _kinds(answers))


def _moments(series: Series, as_of: date) -> list[list[Measurement]]:
    """Oldest first: the results grouped by moment, those after the day of the question left out."""
    known = [item for item in series.measurements if item.day <= as_of]
    moments: list[list[Measurement]] = []
    for day in sorted({item.day for item in known}):
        of_day = [item for item in known if item.day == day]
        instants = {item.instant for item in of_day}
        if None in instants:
            moments.append(of_day)
            continue
        for instant in sorted(found for found in instants if found is not None):
            moments.append([item for item in of_day if item.instant == instant])
    return moments


def _baseline(series: Series, as_of: date) -> Measurement | None:
    if series.baseline is None or series.baseline.day > as_of:
        return None
    return series.baseline


def _compare(node: Compare, patient: Patient) -> Answer:
    quantity = patient.vocabulary.find(node.fact)
    series = patient.facts.find(node.fact)
    assert isinstance(quantity, Quantity)
    if not isinstance(series, Series):
        return MISSING
    moments = _moments(series, patient.as_of)
    baseline = _baseline(series, patient.as_of)

    def judge(result: Measurement) -> Answer:
        return _judge(quantity, node.operator, node.amount, result, baseline)

    if node.selector != "latest":
        asked = [
            item
            for moment in moments
            for item in moment
            if node.window is None or item.day >= naive_before(node.window, patient.as_of)
        ]
        if not asked:
            return MISSING
        answers = [judge(item) for item in asked]
        if node.selector == "every":
            return _all(answers)
        return _opposite(_all(_opposite(answer) for answer in answers))
    if not moments:
        return MISSING
    day = moments[-1][0].day
    if node.window is not None:
        if day < naive_before(node.window, patient.as_of):
            return STALE
    elif quantity.fresh_for_days is not None and (
        day < patient.as_of - timedelta(days=quantity.fresh_for_days)
    ):
        return STALE
    judged = [_agreed([judge(item) for item in moment]) for moment in moments]
    if node.sustained is None or judged[-1].verdict is not Verdict.MET:
        return judged[-1]
    return _sustained([moment[0].day for moment in moments], judged, node.sustained)


def _readings(answers: list[Answer]) -> Iterable[tuple[bool, ...]]:
    """All ways in which the undecided answers can turn out."""
    choices = [
        (True, False) if answer.verdict is Verdict.UNKNOWN else (answer.verdict is Verdict.MET,)
        for answer in answers
    ]
    assert sum(len(choice) > 1 for choice in choices) <= MOST_DOUBTS, "too many to try out"
    return itertools.product(*choices)


def _sustained(days: list[date], judged: list[Answer], span: Span) -> Answer:
    """``days`` oldest first; the last one meets the comparison."""
    needed = naive_before(span, days[-1])
    verdicts = set()
    for reading in _readings(judged):
        failed = [day for day, holds in zip(days, reading, strict=True) if not holds]
        run = 0
        while run < len(reading) and reading[-1 - run]:
            run += 1
        if days[-run] <= needed:
            verdicts.add(Verdict.MET)
        elif failed and max(failed) >= needed:
            verdicts.add(Verdict.NOT_MET)
        else:
            verdicts.add(Verdict.UNKNOWN)
    if len(verdicts) == 1:
        only = verdicts.pop()
        return MISSING if only is Verdict.UNKNOWN else Answer(only)
    return MISSING


def _episodes(node: Episodes, patient: Patient) -> Answer:
    quantity = patient.vocabulary.find(node.fact)
    series = patient.facts.find(node.fact)
    assert isinstance(quantity, Quantity)
    if not isinstance(series, Series):
        return MISSING
    moments = _moments(series, patient.as_of)
    first = date.min if node.window is None else naive_before(node.window, patient.as_of)
    days = [moment[0].day for moment in moments]
    if not any(day >= first for day in days):
        return MISSING
    baseline = _baseline(series, patient.as_of)

    def judged(operator: str, amount: Amount) -> list[Answer]:
        return [
            _agreed([_judge(quantity, operator, amount, item, baseline) for item in moment])
            for moment in moments
        ]

    meets = judged(node.operator, node.amount)
    if node.recovery_amount is None:
        recovers = [_opposite(answer) for answer in meets]
        readings = ((met, [not one for one in met]) for met in _readings(meets))
    else:
        recovers = judged(node.recovery_operator, node.recovery_amount)
        readings = itertools.product(_readings(meets), map(list, _readings(recovers)))
    outcomes = set()
    for met, recovered in readings:
        begun = 0
        inside = False
        for day, begins, ends in zip(days, met, recovered, strict=True):
            if begins and not inside:
                inside = True
                begun += day >= first
            elif inside and ends and not begins:
                inside = False
        outcomes.add(begun == node.number if node.counting == "=" else begun >= node.number)
    return _of_possible(outcomes, _kinds(meets + recovers))


def _results(node: Results, patient: Patient) -> Answer:
    quantity = patient.vocabulary.find(node.fact)
    series = patient.facts.find(node.fact)
    assert isinstance(quantity, Quantity)
    if not isinstance(series, Series):
        return MISSING
    first = date.min if node.window is None else naive_before(node.window, patient.as_of)
    asked = [item for item in series.measurements if first <= item.day <= patient.as_of]
    if not asked:
        return MISSING
    baseline = _baseline(series, patient.as_of)
    judged = [
        (item, _judge(quantity, node.operator, node.amount, item, baseline)) for item in asked
    ]
    totals = {0}
    for day in {item.day for item in asked}:
        of_day = [(item, answer.verdict) for item, answer in judged if item.day == day]
        totals = {total + count for total in totals for count in _counts_of_day(of_day)}
    kinds = _kinds(answer for _, answer in judged) | CONTRADICTORY.kinds
    return _of_possible((total >= node.number for total in totals), kinds)


def _counts_of_day(of_day: list[tuple[Measurement, Verdict]]) -> set[int]:
    """Every number of separate results of one day that meet, over all ways to lay them together."""
    moments: dict[object, list[Verdict]] = {}
    timed_values = set()
    for item, verdict in of_day:
        if item.instant is not None:
            moments.setdefault(item.instant, []).append(verdict)
            timed_values.add((_written(item), verdict))
    loose = {(_written(item), verdict) for item, verdict in of_day if item.instant is None}
    ways = [list(moments.values())]
    for _, verdict in loose - timed_values:
        ways = [
            [*way[:place], [*(way[place] if place < len(way) else ()), verdict], *way[place + 1 :]]
            for way in ways
            for place in range(len(way) + 1)
        ]
    counts = set()
    for way in ways:
        outcomes = [_counts_as(set(moment)) for moment in way]
        counts |= {sum(choice) for choice in itertools.product(*outcomes)}
    return counts


def _written(item: Measurement) -> tuple[object, ...]:
    return (item.value, item.comparator, item.as_sent if item.value is None else "")


def _counts_as(verdicts: set[Verdict]) -> tuple[int, ...]:
    """A moment counts if one of its results meets and none denies it."""
    if Verdict.NOT_MET not in verdicts and Verdict.MET in verdicts:
        return (1,)
    return (0,) if verdicts == {Verdict.NOT_MET} else (0, 1)


# -- statements, collections, events ------------------------------------------------------------


def _state(node: IsState, patient: Patient) -> Answer:
    state = patient.vocabulary.find(node.fact)
    found = patient.facts.find(node.fact)
    assert isinstance(state, State)
    if not isinstance(found, Statements):
        return MISSING
    if found.unknown:
        return Answer(Verdict.UNKNOWN, frozenset(reason.kind for reason in found.unknown))
    undated = [item for item in found.statements if item.day is None]
    dated = [(item.day, item) for item in found.statements if item.day is not None]
    days = [day for day, _ in dated if day <= patient.as_of]
    if not days and not undated:
        return MISSING
    oldest = date.min
    if node.window is not None:
        oldest = naive_before(node.window, patient.as_of)
    elif state.fresh_for_days is not None:
        oldest = patient.as_of - timedelta(days=state.fresh_for_days)
    if not days and oldest > date.min:
        return MISSING
    if days and max(days) < oldest:
        return STALE
    newest = [item for day, item in dated if days and day == max(days)]
    holding = {(item.value in node.values) != node.negated for item in newest + undated}
    return _yes_or_no(holding.pop()) if len(holding) == 1 else CONTRADICTORY


def _items(found: Collection, as_of: date) -> list[Item]:
    return [item for item in found.items if item.day is None or item.day <= as_of]


def _lacking(found: Collection) -> Kinds:
    return frozenset(reason.kind for reason in found.incomplete) or MISSING.kinds


def _includes(node: Includes, patient: Patient) -> Answer:
    found = patient.facts.find(node.fact)
    if not isinstance(found, Collection):
        return MISSING
    present = {name for item in _items(found, patient.as_of) for name in item.names}
    absent = [member for member in node.members if member not in present]
    # Any of the absent members may stand on the part of the list that did not arrive.
    extras = (
        [()]
        if found.complete
        else [
            extra
            for length in range(len(absent) + 1)
            for extra in itertools.combinations(absent, length)
        ]
    )
    outcomes = set()
    for extra in extras:
        there = [member in present or member in extra for member in node.members]
        outcomes.add((all(there) if node.every else any(there)) != node.negated)
    return _of_possible(outcomes, _lacking(found))


def _nonempty(node: Nonempty, patient: Patient) -> Answer:
    found = patient.facts.find(node.fact)
    if isinstance(found, Collection):
        there = bool(_items(found, patient.as_of))
        kinds = _lacking(found)
    elif isinstance(found, Events):
        there = any(event.day <= patient.as_of for event in found.events)
        kinds = MISSING.kinds
    else:
        return MISSING
    outcomes = {there} if found.complete else {there, True}
    return _of_possible((outcome != node.negated for outcome in outcomes), kinds)


def _count(node: CountOf, patient: Patient) -> Answer:
    found = patient.facts.find(node.fact)
    if not isinstance(found, Collection):
        return MISSING
    labels = {item.label for item in _items(found, patient.as_of)}
    more = range(1) if found.complete else range(node.number + 3)
    outcomes = {
        _holds(node.operator, Fraction(len(labels) + extra), Fraction(node.number))
        for extra in more
    }
    return _of_possible(outcomes, _lacking(found))


def _event(node: Happened | Ago | Dated, patient: Patient) -> Answer:
    found = patient.facts.find(node.fact)
    if not isinstance(found, Events):
        return MISSING
    days = [event.day for event in found.events if event.day <= patient.as_of]
    if not days:
        return _yes_or_no(False) if found.complete else MISSING
    possible = [max(days)]
    if not found.complete:
        # An event that nobody told of may be on any later day up to the day of the question.
        edges = [patient.as_of, *_edges(node, patient.as_of)]
        near = [edge + timedelta(days=step) for edge in edges for step in (-1, 0, 1)]
        possible += [day for day in near if max(days) <= day <= patient.as_of]
    outcomes = set()
    for day in possible:
        match node:
            case Happened(window=window):
                outcomes.add(day >= naive_before(window, patient.as_of))
            case Ago(span=span, strict=strict):
                edge = naive_before(span, patient.as_of)
                outcomes.add(day < edge or (day == edge and not strict))
            case Dated(operator=operator, day=limit):
                outcomes.add(
                    _holds(operator, Fraction(day.toordinal()), Fraction(limit.toordinal()))
                )
    return _of_possible(outcomes, MISSING.kinds)


def _edges(node: Happened | Ago | Dated, as_of: date) -> list[date]:
    match node:
        case Happened(window=window):
            return [naive_before(window, as_of)]
        case Ago(span=span):
            return [naive_before(span, as_of)]
        case Dated(day=limit):
            return [limit]


def _known(node: Known, patient: Patient) -> Answer:
    found = patient.facts.find(node.fact)
    known = False
    match found:
        case Series(measurements=listed):
            known = any(
                item.problem is None and item.value is not None and item.day <= patient.as_of
                for item in listed
            )
        case Statements(statements=said, unknown=unknown):
            known = not unknown and any(
                item.day is None or item.day <= patient.as_of for item in said
            )
        case Collection():
            known = found.complete or bool(_items(found, patient.as_of))
        case Events(events=events):
            known = found.complete or any(event.day <= patient.as_of for event in events)
        case Findings(findings=findings):
            known = found.complete or any(
                item.began is None or item.began <= patient.as_of for item in findings
            )
    return _yes_or_no(known != node.negated)


# -- findings -----------------------------------------------------------------------------------

IMPRECISE = Answer(Verdict.UNKNOWN, frozenset({ReasonKind.IMPRECISE}))


def _qualified(item: Finding, asked: Qualifiers, found: Findings, as_of: date) -> Answer:
    """Whether one finding is what the qualifiers ask for."""
    answers = []
    if asked.window is not None:
        first = naive_before(asked.window, as_of)
        answers.append(MISSING if item.began is None else _yes_or_no(item.began >= first))
    if asked.on_treatment:
        starts = sorted(day for day in found.started if day is not None)
        if not starts or item.began is None:
            answers.append(MISSING)
        else:
            taken = [day for day in starts if day <= as_of]
            answers.append(_yes_or_no(bool(taken) and item.began >= taken[-1]))
    if asked.cause:
        answers.append(_caused(item, asked.cause))
    if asked.grade is not None:
        if item.grade is None:
            answers.append(MISSING)
        else:
            grades = [grade for grade in range(6) if grade >= item.grade]
            outcomes = [
                _holds(asked.operator, Fraction(grade), Fraction(asked.grade))
                for grade in (grades if item.grade_is_least else grades[:1])
            ]
            answers.append(_of_possible(outcomes, IMPRECISE.kinds))
    return _all(answers)


def _caused(item: Finding, cause: str) -> Answer:
    drugs = [name for name in item.causes if name not in ("a drug", "another cause")]
    if cause in item.causes or (cause == "a drug" and drugs):
        return _yes_or_no(True)
    if cause == "a drug":
        return _yes_or_no(False) if "another cause" in item.causes else MISSING
    only_another = item.causes == {"another cause"}
    return _yes_or_no(False) if drugs or only_another else MISSING


@dataclass(frozen=True)
class Told:
    """What is known of a finding on the day: its place, when it ended, why it is in doubt."""

    item: Finding
    place: str
    end: date | None = None
    doubt: Answer | None = None


def _known_findings(found: Findings, as_of: date) -> list[Finding]:
    return [item for item in found.findings if item.began is None or item.began <= as_of]


def _over_on(item: Finding, as_of: date) -> bool:
    if item.began == as_of:
        return False
    if item.ended is not None:
        return item.ended <= as_of
    return item.status == "over"


def _told(concept: Concept, found: Findings, as_of: date) -> list[Told]:
    known = _known_findings(found, as_of)
    told = [_place(concept, item, known, as_of) for item in known if item.status != "suspected"]
    told += [_suspicion(item, told, as_of) for item in known if item.status == "suspected"]
    return told


def _place(concept: Concept, item: Finding, known: list[Finding], as_of: date) -> Told:
    if item.status in ("refuted", "absent"):
        return Told(item, "denied", item.began)
    if _over_on(item, as_of):
        return Told(item, "over", item.ended)
    # The statements of the same family that speak against it, as (day, word).
    against: list[tuple[date | None, str]] = []
    for other in known:
        if other is item or other.names != item.names:
            continue
        if other.status in ("refuted", "absent"):
            against.append((other.began, other.status))
        elif other.succeeded is not None:
            continue
        elif other.status != "suspected" and other.ended is not None and _over_on(other, as_of):
            day = other.ended
            if other.began is not None and day <= other.began:
                day = other.began + timedelta(days=1)
            against.append((day, "over"))
    if item.began is not None:
        later = [(day, word) for day, word in against if day is not None and day > item.began]
        if later:
            first = min(day for day, _ in later)
            words = {word for day, word in later if day == first}
            return Told(item, "taken back" if words == {"refuted"} else "over", first)
    if item.succeeded is not None and item.succeeded <= as_of:
        return Told(item, "succeeded", item.succeeded)
    if item.began is not None:
        against = [
            (day, word) for day, word in against if word != "over" and day in (None, item.began)
        ]
    if against:
        return Told(item, "doubtful", doubt=CONTRADICTORY)
    symptom = _symptom_days(concept, item)
    if symptom is not None:
        if item.began is None:
            return Told(item, "doubtful", doubt=MISSING)
        if item.began + timedelta(days=symptom) < as_of:
            return Told(item, "doubtful", doubt=STALE)
    return Told(item, "there")


def _symptom_days(concept: Concept, item: Finding) -> int | None:
    """How long a symptom answers that nobody closed; a severe one does for good."""
    if item.ended is not None or (item.grade or 0) > 2:
        return None
    return concept.symptom_for_days


def _suspicion(item: Finding, told: list[Told], as_of: date) -> Told:
    for other in told:
        same_line = other.item.names <= item.names or item.names <= other.item.names
        if other.place == "there" and same_line:
            return Told(item, "answered")
        if item.began is None:
            continue
        if other.place == "denied":
            day = other.item.began
            if day is not None and day > item.began and other.item.names <= item.names:
                return Told(item, "answered")
        elif same_line:
            last = other.end or other.item.began
            if other.place == "over" and other.end is not None and other.item.began is not None:
                last = max(last, other.item.began + timedelta(days=1))
            if last is not None and last >= item.began:
                return Told(item, "answered")
    return Told(item, "lapsed" if _over_on(item, as_of) else "suspected")


def _found(node: Found, patient: Patient) -> Answer:
    concept = patient.vocabulary.find(node.fact)
    found = patient.facts.find(node.fact)
    assert isinstance(concept, Concept)
    if not isinstance(found, Findings):
        return MISSING
    if not found.findings and not found.complete and not found.unknown:
        return MISSING
    told = _told(concept, found, patient.as_of)
    match node.aspect:
        case "suspected":
            return _open(_suspected(node, concept, told, found, patient.as_of), found, told)
        case "earlier":
            return _open(_earlier(node, told, found, patient.as_of), found, [])
        case "present":
            return _open(_there(node, concept, told, found, patient.as_of), found, [])
    window = node.qualifiers.window
    without = replace(node, qualifiers=replace(node.qualifiers, window=None))
    there = _open(_there(without, concept, told, found, patient.as_of), found, [])
    if window is None or there.verdict is not Verdict.NOT_MET:
        return _opposite(there)
    days = [
        max(one.end, one.item.began + timedelta(days=1))
        if one.place == "over" and one.item.began is not None
        else one.end
        for one in told
        if one.place in ("denied", "over", "taken back") and one.end is not None
    ]
    if not days:
        return MISSING
    return _yes_or_no(True) if max(days) >= naive_before(window, patient.as_of) else STALE


def _open(answer: Answer, found: Findings, told: list[Told]) -> Answer:
    """What leaves the concept open forbids to say "no" - unless a confirmed one says it."""
    confirmed = any(one.place == "there" for one in told)
    if not found.unknown or answer.verdict is Verdict.MET or confirmed:
        return answer
    kinds = frozenset(reason.kind for reason in found.unknown)
    return Answer(Verdict.UNKNOWN, answer.kinds | kinds)


def _one_of(answers: Iterable[Answer]) -> Answer:
    return _opposite(_all(_opposite(answer) for answer in answers))


def _if_it_counts(doubt: Answer, answer: Answer) -> Answer:
    return answer if answer.verdict is Verdict.NOT_MET else doubt


def _there(node: Found, concept: Concept, told: list[Told], found: Findings, as_of: date) -> Answer:
    answers = []
    for one in told:
        answer = _qualified(one.item, node.qualifiers, found, as_of)
        if one.place == "there":
            answers.append(answer)
        elif one.place == "doubtful" and one.doubt is not None:
            answers.append(_if_it_counts(one.doubt, answer))
        elif one.place == "suspected":
            answers.append(_if_it_counts(MISSING, answer))
    return _one_of(answers) if answers else _none(concept, told, found)


def _none(concept: Concept, told: list[Told], found: Findings) -> Answer:
    """Nothing lasts: said of the whole, or of all that was ever there, or of a part only."""
    if found.complete or any(one.place == "over" for one in told):
        return _yes_or_no(False)
    above = {concept.name, *concept.broader}
    denied = [one for one in told if one.place in ("denied", "taken back", "lapsed")]
    return _yes_or_no(False) if any(one.item.names <= above for one in denied) else MISSING


def _suspected(
    node: Found, concept: Concept, told: list[Told], found: Findings, as_of: date
) -> Answer:
    places = [one.place for one in told]
    if "there" in places:
        return _yes_or_no(False)
    standing = [one.item for one in told if one.place == "suspected"]
    if standing:
        return _one_of(_qualified(item, node.qualifiers, found, as_of) for item in standing)
    return _yes_or_no(False) if "doubtful" in places else _none(concept, told, found)


def _earlier(node: Found, told: list[Told], found: Findings, as_of: date) -> Answer:
    answers = []
    for one in told:
        answer = _qualified(one.item, node.qualifiers, found, as_of)
        if one.place == "over":
            answers.append(answer)
        elif one.place == "taken back":
            answers.append(_if_it_counts(CONTRADICTORY, answer))
        elif one.place == "lapsed":
            answers.append(_if_it_counts(MISSING, answer))
        elif one.place == "doubtful" and one.doubt is not None:
            answers.append(_if_it_counts(one.doubt, answer))
    if answers:
        return _one_of(answers)
    known = found.complete or any(one.place == "there" for one in told)
    return _yes_or_no(False) if known else MISSING


FOREVER = date.max


def _found_episodes(node: FoundEpisodes, patient: Patient) -> Answer:
    concept = patient.vocabulary.find(node.fact)
    found = patient.facts.find(node.fact)
    assert isinstance(concept, Concept)
    if not isinstance(found, Findings):
        return MISSING
    told = _told(concept, found, patient.as_of)
    asked = replace(node.qualifiers, window=None)
    window = node.qualifiers.window
    first = date.min if window is None else naive_before(window, patient.as_of)
    confirmed = any(
        one.place in ("there", "over", "taken back", "doubtful", "succeeded") for one in told
    )
    choices: list[list[Spell | None]] = []
    undated: list[Answer] = []
    kinds = MISSING.kinds | CONTRADICTORY.kinds | IMPRECISE.kinds | STALE.kinds
    for one in told:
        if one.place in ("denied", "answered"):
            continue
        answer = _qualified(one.item, asked, found, patient.as_of)
        if answer.verdict is Verdict.NOT_MET:
            continue
        contradicted = one.doubt is not None and ReasonKind.CONTRADICTORY in one.doubt.kinds
        if contradicted or one.place in ("taken back", "suspected", "lapsed"):
            answer = MISSING
        if one.item.began is None:
            undated.append(answer)
            continue
        ways: list[Spell | None] = [*_spells(concept, one, contradicted)]
        choices.append(ways if answer.verdict is Verdict.MET else [*ways, None])
    if not (confirmed or choices or undated or found.complete):
        return Answer(
            Verdict.UNKNOWN,
            MISSING.kinds | frozenset(reason.kind for reason in found.unknown),
        )
    counts = {
        _number([one for one in way if one is not None], first)
        for way in itertools.product(*choices)
    }
    least, most = min(counts), max(counts) + len(undated)
    if window is None and not least and any(one.verdict is Verdict.MET for one in undated):
        least = 1
    if found.unknown:
        most += 10
    outcomes = {
        number == node.number if node.counting == "=" else number >= node.number
        for number in range(least, most + 1)
    }
    return _of_possible(outcomes, kinds | frozenset(reason.kind for reason in found.unknown))


@dataclass(frozen=True, order=True)
class Spell:
    """A finding that lasted until a day, and then ended, or went on into the next one."""

    began: date
    until: date
    ended: bool


def _spells(concept: Concept, one: Told, contradicted: bool) -> list[Spell]:
    """How long a finding may have lasted."""
    began = one.item.began
    assert began is not None
    if one.place in ("over", "taken back") and one.end is not None:
        return [Spell(began, max(one.end, began), True)]
    symptom = _symptom_days(concept, one.item)
    sure = began
    if one.place in ("there", "doubtful", "succeeded"):
        if symptom is not None:
            sure += timedelta(days=symptom)
            if one.item.succeeded is not None:
                sure = max(sure, one.item.succeeded)
        elif not contradicted:
            return [Spell(began, FOREVER, True)]
    return [Spell(began, sure, True), Spell(began, sure, False)]


def _number(spells: list[Spell], first: date) -> int:
    """How many episodes begin on or after a day."""
    number = 0
    last: Spell | None = None
    for spell in sorted(spells):
        if last is None or (spell.began > last.until and last.ended and spell.began != last.began):
            number += spell.began >= first
        elif last.until > spell.until:
            spell = replace(last, began=spell.began)
        last = spell
    return number

"""The second record of every label fact, and patients made from it around each of its limits.

`tests/knowledge/label_facts` was written from the labels, not from the tables. It says when a rule
speaks as a list of alternatives, each a patient in whom every named fact is as described ("above
5", "at most 1 x baseline", "again above 5 after at most 2.5"). What a patient amounts to is worked
out here with plain arithmetic; nothing of the rule language is used.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from cds_service.facts import PatientFacts
from cds_service.facts.patient import OnTreatment
from cds_service.rules import Evaluation, Quantity, Rule, State, Verdict
from cds_service.rules.vocabulary import FLAG_VALUES
from tests.alk.case_errors import CasesError
from tests.alk.findings_in_words import finding_words, is_course
from tests.alk.patients import (
    AS_OF,
    NORMAL,
    NORMAL_ON_TREATMENT,
    START_DAYS_AGO,
    UPPER_LIMITS,
    described,
    knowledge,
    with_facts,
)

FOLDER = Path(__file__).parents[1] / "knowledge" / "label_facts"
NORMAL_BEFORE = Decimal("0.8")
"""The result before treatment that every patient has of an analyte with an upper limit."""

HIGH_BEFORE = Decimal(4)
DAYS_AGO = (3, 20, 40, 60, 80)
WORDS = {
    "above": lambda value, limit: value > limit,
    "at least": lambda value, limit: value >= limit,
    "below": lambda value, limit: value < limit,
    "at most": lambda value, limit: value <= limit,
    "exactly": lambda value, limit: value == limit,
}
LIMIT = re.compile(
    r"(above|at least|below|at most|exactly) (\d+(?:\.\d+)?)"
    r"( x baseline| above baseline| mg/dL)?"
)
BY_BASELINE = {" x baseline": operator.mul, " above baseline": operator.add}
"""What a limit by the result before treatment amounts to."""
AGAIN = re.compile(rf"again ({LIMIT.pattern}) after ({LIMIT.pattern})")
TWICE = re.compile(rf"twice ({LIMIT.pattern}) in (\d+) days")

Patient = Mapping[str, Any]
Alternatives = Sequence[Mapping[str, str]]


@cache
def record(drug: str) -> Mapping[str, Any]:
    """What was read in the label of a drug. Raises CasesError, one sentence, without a record."""
    file = FOLDER / f"{drug}.yaml"
    if not file.is_file():
        raise CasesError(
            f"{drug} has tables but no second record of its label: write {file} as"
            " docs/change-knowledge.md shows."
        )
    loaded: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return loaded


def alternatives(entry: object) -> Alternatives:
    """The alternatives of an entry; one alone may stand without a list."""
    found = entry if isinstance(entry, list) else [entry]
    return [{fact: str(cell) for fact, cell in one.items()} for one in found]


# -- what a patient amounts to -----------------------------------------------------------------


def speaks(entry: Alternatives, facts: Patient) -> bool:
    """Whether a patient is as one of the alternatives describes."""
    return any(all(fits(cell, fact, facts) for fact, cell in one.items()) for one in entry)


def fits(cell: str, fact: str, facts: Patient) -> bool:
    """Whether a fact of the patient certainly is as the cell says; parts stand between `;`."""
    said = facts.get(fact, _usual(fact))
    return all(_holds(part.strip(), fact, said) is True for part in cell.split(";"))


def _usual(fact: str) -> object:
    return {**NORMAL, **NORMAL_ON_TREATMENT, "medications": ()}.get(fact)


def _holds(part: str, fact: str, said: Any) -> bool | None:
    if part.startswith("not known whether "):
        return _holds(part.removeprefix("not known whether "), fact, said) is None
    if part.startswith("not again"):
        found = _holds(part.removeprefix("not "), fact, said)
        return None if found is None else not found
    if part == "not known":
        return said is None
    if part.startswith(("with ", "without ")):
        members = set(part.split(" ", 1)[1].split(" or "))
        return None if said is None else bool(members & set(said)) is part.startswith("with ")
    if part.endswith(" days") and part.startswith("within "):
        return None if said is None else said <= int(part.split()[1])
    if part.endswith(" days ago"):
        return None if said is None else said >= int(part.split()[2])
    if is_course(fact) or isinstance(_kind(fact), Quantity):
        return _measured(part, fact, said)
    return None if said is None else said in part.removeprefix("is ").split(" or ")


def _kind(fact: str) -> object:
    """The kind of a fact that is no finding."""
    return knowledge().vocabulary.find(fact) if finding_words(fact) is None else None


def _measured(part: str, fact: str, said: Any) -> bool | None:
    results = _results(said)
    if (found := TWICE.fullmatch(part)) is not None:
        days = int(found[found.re.groups])
        sides = [
            _compared(LIMIT.fullmatch(found[1]), fact, text, results)
            for ago, text in results
            if ago <= days
        ]
        if sides.count(True) >= 2:
            return True
        return False if sides and sides.count(False) > len(sides) - 2 else None
    if part.startswith("ever "):
        limit = LIMIT.fullmatch(part.removeprefix("ever "))
        ever = [_compared(limit, fact, text, results) for _, text in results]
        return True if True in ever else (None if None in ever or not ever else False)
    if (found := AGAIN.fullmatch(part)) is not None:
        return _again(found[1], found[5], fact, results)
    if not results or results[0][0] >= START_DAYS_AGO:
        return None
    sides = [_compared(LIMIT.fullmatch(one), fact, results[0][1], results)
             for one in part.split(" and ")]  # fmt: skip
    if False in sides:
        return False
    return None if None in sides else True


def _again(trigger: str, recovery: str, fact: str, results: list[tuple[int, str]]) -> bool | None:
    """Whether an episode follows another; a result that cannot be judged may be anything."""
    on_treatment = [text for ago, text in reversed(results) if ago < START_DAYS_AGO]
    begins, ends = LIMIT.fullmatch(trigger), LIMIT.fullmatch(recovery)
    judged = [
        (_compared(begins, fact, text, results), _compared(ends, fact, text, results))
        for text in on_treatment
    ]
    possible = [
        ((True, False), (False, False), (False, True)) if None in one else (one,) for one in judged
    ]
    answers = set()
    for course in product(*possible):
        count, open_now = 0, False
        for begun, over in course:
            if open_now:
                open_now = not over
            elif begun:
                count, open_now = count + 1, True
        answers.add(count >= 2)
    return answers.pop() if len(answers) == 1 else None


def _results(said: Any) -> list[tuple[int, str]]:
    if said is None:
        return []
    return sorted(said) if isinstance(said, list) else [(3, str(said))]


def _compared(
    limit: re.Match[str] | None, fact: str, text: str, results: list[tuple[int, str]]
) -> bool | None:
    assert limit is not None, fact
    number, _, flaw = text.partition(" ")
    if flaw and is_course(fact):
        # A reaction that is there is of some grade.
        sides = {WORDS[limit[1]](Decimal(grade), Decimal(limit[2])) for grade in range(1, 6)}
        return sides.pop() if len(sides) == 1 else None
    if flaw and not (flaw == "no range" and limit[3]):
        return None
    at = Decimal(limit[2])
    if limit[3] in BY_BASELINE:
        before = [Decimal(one) for ago, one in results if ago >= START_DAYS_AGO]
        if not before and fact not in UPPER_LIMITS:
            return None
        at = BY_BASELINE[limit[3]](at, before[0] if before else NORMAL_BEFORE)
    elif limit[3] == " mg/dL" and fact in UPPER_LIMITS:
        quantity = knowledge().vocabulary.find(fact)
        assert isinstance(quantity, Quantity)
        at *= quantity.units["mg/dL"] / UPPER_LIMITS[fact]
    if number[0] in "<>":
        return _bounded(limit[1], at, number)
    return WORDS[limit[1]](Decimal(number), at)


def _bounded(word: str, at: Decimal, text: str) -> bool | None:
    """Whether every value beyond a bound is on the asked side; None when only some are."""
    bound, closed = Decimal(text.lstrip("<>=")), "=" in text
    if word in ("below", "at most"):
        found = _bounded("at least" if word == "below" else "above", at, text)
        return None if found is None else not found
    reached = bound > at or (bound == at and (word == "at least" or not closed))
    if text.startswith(">"):
        return word != "exactly" if reached else None
    missed = bound < at or (bound == at and (word == "above" or not closed))
    return False if missed else None


# -- patients around every limit ----------------------------------------------------------------


def patients_of(entry: Alternatives) -> Iterator[dict[str, Any]]:
    """Patients who are as an alternative says, and each with one fact changed to what is near."""
    cells: dict[str, list[str]] = {}
    for one in entry:
        for fact, cell in one.items():
            cells.setdefault(fact, []).append(cell)
    near = {fact: candidates(fact, of_fact) for fact, of_fact in cells.items()}
    for number in range(len(entry)):
        base = typical(entry, number, near)
        yield base
        for fact in near:
            for said in near[fact]:
                yield {**base, fact: said}


def typical(
    entry: Alternatives, number: int, near: Mapping[str, list[Any]] | None = None
) -> dict[str, Any]:
    """A patient as one alternative says, as unlike the others as can be."""
    one, found = entry[number], {}
    for fact, cell in one.items():
        others = [other.get(fact) for other in entry if other is not one]
        options = candidates(fact, [cell]) if near is None else near[fact]
        fitting = [said for said in options if fits(cell, fact, {fact: said})]
        assert fitting, f"{fact}: {cell}"

        def shared(said: Any, fact: str = fact, others: list[str | None] = others) -> int:
            return sum(bool(other) and fits(str(other), fact, {fact: said}) for other in others)

        found[fact] = min(fitting, key=shared)
    for other in entry:
        for fact, cell in other.items():
            if fact not in found and fits(cell, fact, {}):
                cells = [str(each[fact]) for each in entry if fact in each]
                found[fact] = next(
                    said for said in candidates(fact, cells) if _unlike(fact, cells, said)
                )
    return found


def _unlike(fact: str, cells: Sequence[str], said: object) -> bool:
    return said is not None and not any(fits(cell, fact, {fact: said}) for cell in cells)


def candidates(fact: str, cells: Sequence[str]) -> list[Any]:
    """Everything near the limits that the cells name, what is missing and what has a flaw."""
    if finding_words(fact) is not None and not is_course(fact):
        return [*FLAG_VALUES, None]
    kind = _kind(fact)
    parts = [part.strip() for cell in cells for part in cell.split(";")]
    text = " ; ".join(parts)
    if any(part.endswith((" days", " days ago")) for part in parts) and not TWICE.search(text):
        days = [int(one) for one in re.findall(r"\d+", text)]
        return [*(day + off for day in days for off in (0, 1, -1) if day + off >= 0), None]
    if is_course(fact) or isinstance(kind, Quantity):
        return _around(fact, text)
    if isinstance(kind, State):
        return [*kind.values, None]
    named = [re.sub(r"^(not known whether )?with(out)? ", "", part).split(" or ") for part in parts]
    members = sorted({name for names in named for name in names})
    return [*((name,) for name in members), (), ("folic acid",), None]


def _around(fact: str, text: str) -> list[Any]:
    step = Decimal(1) if is_course(fact) else Decimal("0.01")
    usual = _usual(fact)
    found: list[Any] = [usual] if usual is not None else []
    limits = list(LIMIT.finditer(text))
    for limit in limits:
        at = Decimal(limit[2])
        if limit[3] in BY_BASELINE:
            highs = (NORMAL_BEFORE, HIGH_BEFORE) if fact in UPPER_LIMITS else (Decimal(470),)
            for before in highs:
                for other in limits:
                    place = Decimal(other[2])
                    if other[3] in BY_BASELINE:
                        place = BY_BASELINE[other[3]](place, before)
                    found += [
                        [(3, f"{place + off}"), (START_DAYS_AGO + 5, f"{before}")]
                        for off in (0, -step, step, -step / 2, step / 2)
                        if place + off >= 0
                    ]
        elif limit[3] == " mg/dL" and fact in UPPER_LIMITS:
            quantity = knowledge().vocabulary.find(fact)
            assert isinstance(quantity, Quantity)
            at *= quantity.units["mg/dL"] / UPPER_LIMITS[fact]
            found += [f"{at + off}" for off in (0, -step, step)]
        else:
            found += [f"{at + off}" for off in (0, -step, step) if at + off >= 0]
        if not is_course(fact):
            sent = (f">{at}", f">={at}", f">{at - step}", f"<{at}", f"<={at}", f"<{at + step}")
            found += sent if limit[3] is None else ()
    found += [
        list(zip(DAYS_AGO, reversed(course), strict=False))
        for course in _courses(fact, text, step)
        if not is_course(fact) or not any(told.startswith("-") for told in course)
    ]
    if (twice := TWICE.search(text)) is not None:
        days, at = int(twice[twice.re.groups]), Decimal(twice[3])
        for ago, second in ((days, at + step), (days + 1, at + step), (days, at)):
            found.append([(3, f"{at + step}"), (ago, f"{second}")])
    for ever in re.finditer(rf"ever {LIMIT.pattern}", text):
        found += [
            [(3, _unusable(fact)), (40, f"{Decimal(ever[2]) + off}")] for off in (0, -step, step)
        ]
    return [*found, _unusable(fact), None]


def _unusable(fact: str) -> str:
    """A result that cannot be judged."""
    if fact in UPPER_LIMITS:
        return "9 no range"
    return "9 without severity" if is_course(fact) else "9 unknown unit"


def _courses(fact: str, text: str, step: Decimal) -> Iterator[tuple[str, ...]]:
    """Results from the oldest to the newest, around the limits of an episode and of its end."""
    limits = [Decimal(found[2]) for found in LIMIT.finditer(text)]
    for found in AGAIN.finditer(text):
        begins, ends = Decimal(found[3]), Decimal(found[7])
        up = step if found[2] in ("above", "at least") else -step
        high = begins + up
        over = ends if found[6] in ("at most", "at least") else ends - up
        newest = {high, *(limit + off for limit in limits for off in (0, -step, step))}
        for last in sorted(newest):
            yield f"{high}", f"{over}", f"{last}"
            yield f"{high}", f"{over}", f"{high}", f"{last}"
            yield _unusable(fact), f"{over}", f"{last}"
            yield _unusable(fact), f"{over}", f"{high}", f"{last}"
        for first, between, last in (
            (high, over + up, high),
            (high, over - up, high),
            (begins, over, high),
            (begins - up, over, high),
            (begins, over, begins),
        ):
            if between >= 0:
                yield f"{first}", f"{between}", f"{last}"
        for middle in (begins, begins - up, high):
            yield _unusable(fact), f"{over}", f"{middle}", f"{over}", f"{high}"


# -- asking the tables ---------------------------------------------------------------------------


def met(rule: Rule, facts: PatientFacts, drug: str) -> bool:
    """Whether a condition of a table holds for a patient on treatment with a drug."""
    (line,) = [line for line in facts.lines if line.ingredient == drug]
    return rule.evaluate(Evaluation(OnTreatment(facts, line.start), AS_OF)).verdict is Verdict.MET


def on_drug(facts: Patient, drug: str) -> PatientFacts:
    """A patient on the drug of whom this is known besides what is normal."""
    return with_facts(described({}, drug), facts)

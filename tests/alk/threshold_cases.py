"""For every comparison of every dose-change row: results around its boundary, and its verdict.

Nothing is said here about any one drug. The boundary and its sign are read from the row; which side
a result lies on is worked out with plain decimal arithmetic.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from cds_service.facts import PatientFacts
from cds_service.facts.patient import OnTreatment
from cds_service.knowledge.table_files import Row
from cds_service.rules import (
    Evaluation,
    Measurement,
    Quantity,
    Reason,
    ReasonKind,
    Series,
    Verdict,
)
from cds_service.rules.syntax import Compare, Episodes, Results, predicates
from tests.alk.drug_cases import DRUGS, REACTIONS
from tests.alk.patients import (
    AS_OF,
    NORMAL,
    NORMAL_ON_TREATMENT,
    START_DAYS_AGO,
    UPPER_LIMITS,
    asked,
    day,
    described,
    jurisdiction_of,
    knowledge,
    reactions,
)

SIGNS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
BASELINE = Decimal("0.8")
"""The result before treatment, as a multiple of the upper limit or as a plain number."""

RECENT = 3
Comparison = Compare | Results | Episodes


class Boundary(NamedTuple):
    """One comparison in one row of one drug."""

    drug: str
    row: Row
    leaf: Comparison

    def __str__(self) -> str:
        return f"{self.row.identifier}: {self.leaf}"

    @property
    def quantity(self) -> Quantity:
        """What is compared."""
        found = knowledge().vocabulary.find(self.leaf.fact)
        assert isinstance(found, Quantity)
        return found

    @property
    def at(self) -> Decimal:
        """The boundary in the canonical unit of the quantity."""
        number, unit = self.leaf.amount.number, self.leaf.amount.unit
        if unit == "xULN":
            return number * UPPER_LIMITS[self.leaf.fact]
        if unit == "xbaseline":
            return number * BASELINE * UPPER_LIMITS.get(self.leaf.fact, Decimal(1))
        plain_number = number * self.quantity.units.get(unit, Decimal(1))
        if not self.leaf.amount.above_baseline:
            return plain_number
        return plain_number + BASELINE * UPPER_LIMITS.get(self.leaf.fact, Decimal(1))

    @property
    def step(self) -> Decimal:
        """The smallest difference looked at: whole grades and scores, else a hundredth."""
        return Decimal(1) if self.leaf.amount.unit in ("", "grade") else Decimal("0.01")

    @property
    def times(self) -> int:
        """How many results must meet the comparison."""
        return self.leaf.number if isinstance(self.leaf, Results | Episodes) else 1

    def holds(self, value: Decimal) -> bool:
        """Whether a result lies on the asked side of the boundary, by plain arithmetic."""
        return SIGNS[self.leaf.operator](value, self.at)


def boundaries() -> Iterator[Boundary]:
    """Every distinct comparison of every row of every dose-change table."""
    for drug in DRUGS:
        for row in knowledge().drugs[drug].dose_changes or ():
            for leaf in dict.fromkeys(predicates(row.when.expression)):
                if isinstance(leaf, Compare | Results | Episodes):
                    yield Boundary(drug, row, leaf)


def firing(found: Boundary) -> PatientFacts:
    """The patient of the first case in which the row speaks."""
    identifier = found.row.identifier
    for case in REACTIONS[found.drug]:
        if identifier in case.heard:
            return described(case.facts, found.drug)
    raise AssertionError(f"no case in which {identifier} speaks")


def moved(facts: PatientFacts, found: Boundary, results: Sequence[Measurement]) -> PatientFacts:
    """The same patient with these results of the quantity, and one from before treatment."""
    name = found.leaf.fact
    limit = UPPER_LIMITS.get(name)
    before = result(name, BASELINE * (limit or 1), START_DAYS_AGO + 5, limit)
    series = Series(tuple(sorted((*results, before), key=lambda item: item.day, reverse=True)))
    return PatientFacts(facts.patient_id, facts.as_of, {**facts.values, name: series}, facts.lines)


def result(name: str, value: Decimal, ago: int, limit: Decimal | None = None) -> Measurement:
    """One plain result."""
    source = f"Observation/{name}-{ago}"
    return Measurement(value, day(ago), upper_limit=limit, as_sent=f"{value}", source=source)


def course(found: Boundary, value: Decimal) -> list[Measurement]:
    """As many results of this value as the comparison asks for; episodes with recovery between."""
    name, limit = found.leaf.fact, UPPER_LIMITS.get(found.leaf.fact)
    results = [result(name, value, RECENT + 2 * step, limit) for step in range(found.times)]
    if isinstance(found.leaf, Episodes):
        results += [
            result(name, normal(name), RECENT + 2 * step + 1, limit) for step in range(found.times)
        ]
    if isinstance(found.leaf, Compare) and found.leaf.sustained is not None:
        long_before = (AS_OF - found.leaf.sustained.before(day(RECENT))).days + 1
        results.append(result(name, value, long_before, limit))
    return results


def normal(name: str) -> Decimal:
    """A normal value in the canonical unit; a grade is 0 once the reaction is over."""
    if name.endswith(" grade"):
        return Decimal(0)
    written = {**NORMAL, **NORMAL_ON_TREATMENT}[name]
    return Decimal(str(written)) * UPPER_LIMITS.get(name, Decimal(1))


def verdict(found: Boundary, facts: PatientFacts, as_of: date = AS_OF) -> Verdict:
    """What the compiled comparison says of the patient on treatment."""
    (line,) = [line for line in facts.lines if line.ingredient == found.drug]
    condition = knowledge().compiler.condition(found.leaf)
    return condition.trace(Evaluation(OnTreatment(facts, line.start), as_of)).verdict


def unusable(found: Boundary) -> dict[str, list[Measurement]]:
    """By name, results on the far side of the boundary that must not be judged."""
    leaf, name = found.leaf, found.leaf.fact
    limit = UPPER_LIMITS.get(name)
    worst = next(
        value
        for value in (found.at + found.step, found.at - found.step, found.at)
        if found.holds(value)
    )
    problem = Reason.of(ReasonKind.UNKNOWN_UNIT, name, "result")
    shown = [
        Measurement(None, day(RECENT + 2 * step), as_sent="9 furlongs", problem=problem)
        for step in range(2 * found.times)
    ]
    # Episodes need a recovery between; of unusable results in a row there may be one only.
    if isinstance(leaf, Episodes):
        shown += [
            result(name, normal(name), RECENT + 2 * step + 1, limit)
            for step in range(2 * found.times)
        ]
    cases = {"unknown unit": shown}
    if leaf.amount.unit == "xULN" and not isinstance(leaf, Episodes):
        cases["no reference range"] = [
            result(name, worst, RECENT + 2 * step) for step in range(found.times)
        ]
    window = leaf.window
    fresh = found.quantity.fresh_for_days
    if window is not None:
        age = (AS_OF - window.before(AS_OF)).days + 1
        cases["before the window"] = [
            result(name, worst, age + step, limit) for step in range(found.times)
        ]
    elif isinstance(leaf, Compare) and leaf.selector == "latest" and fresh is not None:
        cases["stale"] = [result(name, worst, fresh + 1, limit)]
    return cases


def speaks_of(found: Boundary, facts: PatientFacts) -> bool:
    """Whether the patient is not passed over as if all were well.

    A row of the same reaction speaks or is listed as undecided, or the quantity is named among
    the results that cannot be graded.
    """
    decision = asked(facts, jurisdiction=jurisdiction_of(found.row.identifier))
    heard = reactions(decision)
    reaction = {
        row.identifier
        for row in knowledge().drugs[found.drug].dose_changes or ()
        if row.text("reaction") == found.row.text("reaction")
    }
    return bool(reaction & {*heard, *decision.undecided}) or any(
        reason.subject == found.leaf.fact for item in heard.values() for reason in item.reasons
    )

"""What the conditions of one table on one concept can answer together.

The answers hang together: a finding of grade 3 is there, a confirmed one is not suspected. So the
conditions on one concept make one dimension, and its cells are the combinations of answers that
some patient can have. They are found by asking the compiled qualifiers about every kind of single
finding; several findings in one patient join their answers, as the disjunction does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations, product

from cds_service.rules.qualifying import Qualifying
from cds_service.rules.syntax import Found, Qualifiers
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE, Finding, Findings
from cds_service.rules.verdicts import Verdict

_TODAY = date(2020, 1, 1)
_GRADES = (None, *range(6))
_UNNAMED_DRUG = "a drug that no rule names"


@dataclass(frozen=True, slots=True)
class Answers:
    """One combination of answers: bit by bit, which leaves are MET and which are not excluded.

    Answers of several findings join by taking the union of the bits of both.
    """

    met: int
    possible: int

    def joined(self, other: Answers) -> Answers:
        """The disjunction of both, leaf by leaf."""
        return Answers(self.met | other.met, self.possible | other.possible)

    def qualified(self, other: Answers) -> Answers:
        """The conjunction of both, leaf by leaf."""
        return Answers(self.met & other.met, self.possible & other.possible)

    @property
    def doubted(self) -> Answers:
        """The same when the finding may not count."""
        return Answers(0, self.possible)

    def says(self, leaf: int) -> Verdict:
        """The verdict of one leaf."""
        if self.met >> leaf & 1:
            return Verdict.MET
        return Verdict.UNKNOWN if self.possible >> leaf & 1 else Verdict.NOT_MET


def possible_answers(leaves: Sequence[Found]) -> tuple[Answers, ...]:
    """Every combination of answers to the leaves; the last one is that none can be said.

    ``leaves`` ask about one concept, and either all or none of them about what is earlier.
    """
    everything = (1 << len(leaves)) - 1
    suspected = sum(1 << at for at, leaf in enumerate(leaves) if leaf.aspect == "suspected")
    singles = _singles([leaf.qualifiers for leaf in leaves])
    of_there = [_kept(found, everything & ~suspected) for found in singles]
    doubts = {found.doubted for found in of_there}
    # A suspicion answers for itself, and leaves open what asks for certainty.
    suspicions = {Answers(found.met & suspected, found.possible) for found in singles if suspected}
    unsaid = Answers(0, everything)
    closed = _closure(doubts) | {Answers(0, 0)}
    there = _joined(_closure(of_there), closed)
    there |= {found.joined(_kept(unsaid, everything & ~suspected)) for found in there}
    not_there = closed | _joined(_closure(suspicions), closed)
    not_there |= {found.joined(unsaid) for found in not_there}
    cells = (there | not_there) - {unsaid}
    return (*sorted(cells, key=lambda found: (found.met, found.possible)), unsaid)


def _kept(found: Answers, bits: int) -> Answers:
    return Answers(found.met & bits, found.possible & bits)


def _closure(generators: Iterable[Answers]) -> set[Answers]:
    """Every join of one or more of the answers."""
    closed: set[Answers] = set()
    for generator in set(generators):
        closed |= {generator, *(found.joined(generator) for found in closed)}
    return closed


def _joined(some: set[Answers], others: set[Answers]) -> set[Answers]:
    return {one.joined(other) for one in some for other in others}


def _singles(asked: Sequence[Qualifiers]) -> set[Answers]:
    """The answers that one finding of every kind gives to all qualifiers.

    Day, cause and grade do not depend on each other, and a finding must have all that is asked.
    """
    by_day = [Qualifiers(item.on_treatment, window=item.window) for item in asked]
    by_cause = [Qualifiers(cause=item.cause) for item in asked]
    by_grade = [Qualifiers(operator=item.operator, grade=item.grade) for item in asked]
    days = [
        (Finding(frozenset(), "present", began), Findings((), (_started(began, started),)))
        for began, started in product(_days(asked), ("before", "after", "unknown"))
    ]
    nobody = Findings(())
    causes = [(Finding(frozenset(), "present", causes=causes), nobody) for causes in _causes(asked)]
    grades = [
        (Finding(frozenset(), "present", grade=grade, grade_is_least=least), nobody)
        for grade, least in _graded(asked)
    ]
    found = {Answers(-1, -1)}
    for qualifiers, samples in ((by_day, days), (by_cause, causes), (by_grade, grades)):
        judged = _judged(qualifiers, samples)
        found = {one.qualified(other) for one in found for other in judged}
    return found


def _judged(
    asked: Sequence[Qualifiers], samples: Iterable[tuple[Finding, Findings]]
) -> set[Answers]:
    judges = [Qualifying("", qualifiers) for qualifiers in asked]
    found: set[Answers] = set()
    for item, findings in samples:
        met = possible = 0
        for at, judge in enumerate(judges):
            verdict, _ = judge.judge(item, findings, _TODAY)
            met |= (verdict is Verdict.MET) << at
            possible |= (verdict is not Verdict.NOT_MET) << at
        found.add(Answers(met, possible))
    return found


def _days(asked: Sequence[Qualifiers]) -> list[date | None]:
    """Days on both sides of every window, and no day at all."""
    firsts = {item.window.before(_TODAY) for item in asked if item.window is not None}
    days = {_TODAY, *firsts, *(day - timedelta(days=1) for day in firsts)}
    return [*sorted(days), None]


def _started(began: date | None, started: str) -> date | None:
    if started == "unknown":
        return None
    day = began or _TODAY
    return day if started == "before" else day + timedelta(days=1)


def _causes(asked: Sequence[Qualifiers]) -> list[frozenset[str]]:
    named = sorted({item.cause for item in asked if item.cause not in ("", A_DRUG)})
    if not any(item.cause for item in asked):
        return [frozenset()]
    kinds = [A_DRUG, ANOTHER_CAUSE, _UNNAMED_DRUG, *named]
    return [frozenset(some) for size in range(len(kinds) + 1) for some in combinations(kinds, size)]


def _graded(asked: Sequence[Qualifiers]) -> list[tuple[int | None, bool]]:
    if all(item.grade is None for item in asked):
        return [(None, False)]
    return [(None, False), *product(_GRADES[1:], (False, True))]


def without_window_if_absent(leaf: Found) -> Found:
    """The leaf as its presence is judged: a time limit on an absence is about the denial."""
    if leaf.aspect != "absent":
        return leaf
    return replace(leaf, qualifiers=replace(leaf.qualifiers, window=None))

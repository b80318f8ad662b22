"""Whether one finding is what a rule asks for: on treatment, by a drug, of a grade, recent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cds_service.rules.measuring import OPERATORS, written_day
from cds_service.rules.syntax import Qualifiers
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE, Finding, Findings
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict, conjunction
from cds_service.rules.vocabulary import fold

NO_GRADE = "the grade of"
"""How the subject of a reason begins when a finding is there and only its grade is wanting."""

_HIGHEST = 5

Judged = tuple[Verdict, tuple[Reason, ...]]
MET: Judged = (Verdict.MET, ())
NOT_MET: Judged = (Verdict.NOT_MET, ())


class Qualifying:
    """The compiled qualifiers of one leaf; ``subject`` is the concept that reasons name."""

    __slots__ = ("asked", "cause", "subject")

    def __init__(self, subject: str, asked: Qualifiers) -> None:
        self.subject = subject
        self.asked = asked
        self.cause = fold(asked.cause)

    def judge(self, item: Finding, found: Findings, as_of: date) -> Judged:
        """The verdict over all qualifiers, with every reason that leaves it open."""
        asked = self.asked
        judged: list[Judged] = []
        if asked.window is not None:
            judged.append(self._recent(item, asked.window.before(as_of)))
        if asked.on_treatment:
            judged.append(self._on_treatment(item, found, as_of))
        if self.cause:
            judged.append(self._caused(item))
        if asked.grade is not None:
            judged.append(self._graded(item, asked.operator, asked.grade))
        verdict = conjunction(answer for answer, _ in judged)
        if verdict is not Verdict.UNKNOWN:
            return verdict, ()
        return verdict, tuple(reason for _, reasons in judged for reason in reasons)

    def _open(self, of: str, item: Finding) -> Judged:
        detail = f"finding of {written_day(item.began)}" if item.began is not None else ""
        reason = Reason.of(ReasonKind.MISSING, f"{of} {self.subject}", detail)
        return Verdict.UNKNOWN, (reason,)

    def _recent(self, item: Finding, first: date) -> Judged:
        if item.began is None:
            return self._open("the day of", item)
        return MET if item.began >= first else NOT_MET

    def _on_treatment(self, item: Finding, found: Findings, as_of: date) -> Judged:
        known = [day for day in found.started if day is not None]
        if not known or item.began is None:
            return self._open("treatment start or onset of", item)
        # A drug that was started later was not taken on the day asked about.
        begun = [day for day in known if day <= as_of]
        return MET if begun and item.began >= max(begun) else NOT_MET

    def _caused(self, item: Finding) -> Judged:
        causes = {fold(cause) for cause in item.causes}
        named = causes - {A_DRUG, ANOTHER_CAUSE}
        if self.cause == A_DRUG:
            if named or A_DRUG in causes:
                return MET
            if ANOTHER_CAUSE in causes:
                return NOT_MET
        elif self.cause in named:
            return MET
        elif named or causes == {ANOTHER_CAUSE}:
            return NOT_MET
        return self._open("the cause of", item)

    def _graded(self, item: Finding, operator: str, grade: int) -> Judged:
        if item.grade is None:
            return self._open(NO_GRADE, item)
        highest = _HIGHEST if item.grade_is_least else item.grade
        answers = {
            OPERATORS[operator](Decimal(possible), Decimal(grade))
            for possible in range(item.grade, highest + 1)
        }
        if len(answers) > 1:
            of = f", of {written_day(item.began)}" if item.began is not None else ""
            detail = f"{item.grade} or more{of}"
            reason = Reason.of(ReasonKind.IMPRECISE, f"{NO_GRADE} {self.subject}", detail)
            return Verdict.UNKNOWN, (reason,)
        return MET if answers.pop() else NOT_MET

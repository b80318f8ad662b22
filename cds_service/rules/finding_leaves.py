"""Compiled conditions on findings, with the sentence that explains each verdict."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from cds_service.rules.conditions import Evaluation, Leaf
from cds_service.rules.doubt import with_doubt
from cds_service.rules.finding_episodes import (
    Lasting,
    Undated,
    count_lasting,
    episode_beginnings,
)
from cds_service.rules.finding_states import (
    Closing,
    Standing,
    contradictory,
    fades_after,
    last_day,
    only_suspected,
    standing_on,
    turning_days,
)
from cds_service.rules.measured_leaves import ENDING, counted
from cds_service.rules.measuring import Threshold, written_day
from cds_service.rules.qualifying import NOT_MET, Judged, Qualifying
from cds_service.rules.syntax import GRADE, Amount, Found, FoundEpisodes, Qualifiers
from cds_service.rules.trace import Trace, explain
from cds_service.rules.values import A_DRUG, ANOTHER_CAUSE, THE_DRUG, FactValue, Finding, Findings
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict, disjunction, merged, negation
from cds_service.rules.vocabulary import Concept, FactKind, Quantity

Answer = tuple[Verdict, tuple[Reason, ...], tuple[Finding, ...]]
"""A verdict, why it is UNKNOWN, and the findings that decide it."""

_SHOWN = 3


class FindingLeaf(Leaf):
    """A condition on the findings of one concept.

    Of nothing found there are only two answers, made once: nobody knows, or surely nothing.
    """

    __slots__ = ("concept", "empty", "nothing", "qualifying")

    def __init__(self, text: str, fact: FactKind, asked: Found | FoundEpisodes) -> None:
        super().__init__(text, fact)
        if not isinstance(fact, Concept):
            raise TypeError(f"{fact.name} is not a concept")
        self.concept = fact
        self.qualifying = Qualifying(fact.name, asked.qualifiers)
        self.empty = self.unrecorded
        verdict, reasons, _ = self.answer(Findings((), complete=True), date.max)
        self.nothing = self._traced(verdict, reasons, (), Standing())
        grade = self.qualifying.asked.grade
        if grade is not None:
            amount = Amount(Decimal(grade), GRADE)
            operator = self.qualifying.asked.operator
            self.compared_with = Threshold(Quantity(fact.name, GRADE), operator, amount)

    def work_out(self, evaluation: Evaluation) -> Trace:
        found = evaluation.find(self.fact.name)
        if not isinstance(found, Findings):
            return self.empty
        if not found.findings and not found.unknown:
            return self.nothing if found.complete else self.empty
        standing = standing_on(self.concept, found, evaluation.as_of)
        verdict, reasons, used = self._answer(standing, found, evaluation.as_of)
        return self._traced(verdict, reasons, used, standing)

    def answer(self, found: Findings, as_of: date) -> Answer:
        """The verdict on one day with its reasons and the findings that decide it."""
        return self._answer(standing_on(self.concept, found, as_of), found, as_of)

    def days_met(self, found: FactValue | None) -> list[tuple[date, bool]]:
        """Every day on which a finding began or ended, oldest first, and whether the leaf holds.

        A finding without a day holds from the first of all days on.
        """
        if not isinstance(found, Findings):
            return []
        days = turning_days(found)
        if any(item.began is None for item in found.findings):
            days.add(date.min)
        # No time before the first of all days can be asked about.
        asked = [(day, max(day, _EARLIEST)) for day in sorted(days)]
        return [(day, self.answer(found, as_of)[0] is Verdict.MET) for day, as_of in asked]

    @abstractmethod
    def _answer(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        """The verdict, given where every finding stands."""

    def _judge(self, item: Finding, found: Findings, as_of: date) -> Judged:
        return self.qualifying.judge(item, found, as_of)

    def _doubted(self, item: Finding, reason: Reason, found: Findings, as_of: date) -> Judged:
        """What a finding that may not count contributes: nothing if it surely fails."""
        if self._judge(item, found, as_of)[0] is Verdict.NOT_MET:
            return NOT_MET
        return Verdict.UNKNOWN, (reason,)

    def _nothing_found(self, standing: Standing, found: Findings) -> Judged:
        """The answer when no finding lasts: all is over, or the whole was looked for in vain."""
        concept = self.concept
        whole = concept.broader | {concept.name}
        if any(not closing.taken_back for _, closing in standing.over) or found.complete:
            return NOT_MET
        back = [item for item, closing in standing.over if closing.taken_back]
        for item in (*standing.denied, *standing.lapsed, *back):
            if item.names <= whole:
                return NOT_MET
        detail = "only a part of it was denied" if standing.denied else ""
        return Verdict.UNKNOWN, self.missing(detail)

    def _traced(
        self,
        verdict: Verdict,
        reasons: tuple[Reason, ...],
        used: tuple[Finding, ...],
        standing: Standing,
    ) -> Trace:
        def say() -> str:
            shown = "; ".join(describe(item) for item in used[:_SHOWN])
            if verdict is Verdict.UNKNOWN:
                recorded = f"; recorded: {shown}" if shown else ""
                return f"It cannot be said whether {self.text}: {explain(reasons)}{recorded}."
            found = shown or "none found"
            return f"{self.fact.name}: {found}; asked: {self.text}, {ENDING[verdict]}."

        return Trace(self.text, verdict, say, reasons, used)


_EARLIEST = date(1000, 1, 1)


def _any_of(judged: Iterable[tuple[Finding, Judged]]) -> Answer:
    """The disjunction over findings, with those that decide it."""
    listed = list(judged)
    verdict = disjunction(answer for _, (answer, _) in listed)
    deciding = [(item, reasons) for item, (answer, reasons) in listed if answer is verdict]
    used = tuple(item for item, _ in deciding)
    return verdict, merged(*(reasons for _, reasons in deciding)), used


def _unless_more(answer: Answer, found: Findings) -> Answer:
    """What leaves the concept open keeps "does not hold" from being said."""
    verdict, _, used = answer
    if verdict is Verdict.NOT_MET and found.unknown:
        return Verdict.UNKNOWN, found.unknown, used
    if verdict is Verdict.UNKNOWN and found.unknown:
        return verdict, merged(answer[1], found.unknown), used
    return answer


class Presence(FindingLeaf):
    """``CONCEPT ... present`` and ``no CONCEPT ...``."""

    __slots__ = ("absent", "since", "window")

    def __init__(self, text: str, fact: FactKind, asked: Found) -> None:
        self.absent = asked.aspect == "absent"
        self.window = asked.window
        super().__init__(text, fact, asked)
        if self.absent:
            # A time limit on an absence asks how recent the denial is, not what began when.
            self.qualifying = Qualifying(fact.name, _without_window(asked))

    def _answer(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        answer = _unless_more(self._present(standing, found, as_of), found)
        if not self.absent:
            return answer
        verdict, reasons, used = answer
        if verdict is Verdict.NOT_MET and self.window is not None:
            return self._recently_denied(standing, self.window.before(as_of))
        return negation(verdict), reasons, used

    def _present(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        judged = [(item, self._judge(item, found, as_of)) for item in standing.there]
        for item, reason in standing.doubtful:
            judged.append((item, self._doubted(item, reason, found, as_of)))
        for item in standing.suspected:
            reason = only_suspected(self.concept, item)
            judged.append((item, self._doubted(item, reason, found, as_of)))
        if judged:
            return _any_of(judged)
        verdict, reasons = self._nothing_found(standing, found)
        return verdict, reasons, _closed(standing)

    def _recently_denied(self, standing: Standing, first: date) -> Answer:
        denials = [(item.began, item) for item in standing.denied]
        denials += [(closing.day, item) for item, closing in standing.over]
        dated = [(day, item) for day, item in denials if day is not None]
        if not dated:
            detail = "no day on which it was looked for"
            return Verdict.UNKNOWN, self.missing(detail), _closed(standing)
        newest = max(day for day, _ in dated)
        used = tuple(item for day, item in dated if day == newest)
        if newest >= first:
            return Verdict.MET, (), used
        detail = f"latest of {written_day(newest)}"
        return Verdict.UNKNOWN, (Reason.of(ReasonKind.STALE, self.fact.name, detail),), used


class Suspected(FindingLeaf):
    """``suspected CONCEPT ...``: a suspicion stands, and nothing is confirmed."""

    __slots__ = ()

    def _answer(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        if standing.there:
            return Verdict.NOT_MET, (), tuple(standing.there)
        if standing.suspected:
            judged = [(item, self._judge(item, found, as_of)) for item in standing.suspected]
            return _unless_more(_any_of(judged), found)
        if standing.doubtful:
            used = tuple(item for item, _ in standing.doubtful)
            return _unless_more((Verdict.NOT_MET, (), used), found)
        verdict, reasons = self._nothing_found(standing, found)
        return _unless_more((verdict, reasons, _closed(standing)), found)


class Earlier(FindingLeaf):
    """``earlier CONCEPT ...``: it was confirmed, and is over."""

    __slots__ = ()

    def _answer(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        return _unless_more(self._earlier(standing, found, as_of), found)

    def _earlier(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        judged: list[tuple[Finding, Judged]] = []
        for item, closing in standing.over:
            if closing.taken_back:
                reason = contradictory(self.concept, item)
                judged.append((item, self._doubted(item, reason, found, as_of)))
            else:
                judged.append((item, self._judge(item, found, as_of)))
        for item, reason in standing.doubtful:
            judged.append((item, self._doubted(item, reason, found, as_of)))
        for item in standing.lapsed:
            reason = only_suspected(self.concept, item)
            judged.append((item, self._doubted(item, reason, found, as_of)))
        if judged:
            return _any_of(judged)
        if standing.there or found.complete:
            return Verdict.NOT_MET, (), tuple(standing.there)
        return Verdict.UNKNOWN, self.missing("nothing that is over"), ()


class FindingCount(FindingLeaf):
    """``second or later episode of CONCEPT ...``."""

    __slots__ = ("asked",)

    def __init__(self, text: str, fact: FactKind, asked: FoundEpisodes) -> None:
        self.asked = asked
        super().__init__(text, fact, asked)
        # The time limit asks when an episode began, not each finding in it.
        self.qualifying = Qualifying(fact.name, _without_window(asked))

    def _answer(self, standing: Standing, found: Findings, as_of: date) -> Answer:
        judged = [
            (item, lasting, self._counted(item, doubt, found, as_of))
            for item, lasting, doubt in _countable(self.concept, standing)
        ]
        possible = [entry for entry in judged if entry[2][0] is not Verdict.NOT_MET]
        confirmed = standing.there or standing.doubtful or standing.over or standing.succeeded
        if not (confirmed or possible or found.complete):
            return Verdict.UNKNOWN, merged(self.missing(), found.unknown), ()
        window = self.asked.window
        first = date.min if window is None else window.before(as_of)
        dated = [
            replace(lasting, doubtful=answer is Verdict.UNKNOWN)
            for _, lasting, (answer, _) in possible
            if lasting is not None
        ]
        undated = [answer for _, lasting, (answer, _) in possible if lasting is None]
        surely = sum(answer is Verdict.MET for answer in undated)
        fewest, most = count_lasting(dated, first, Undated(surely, len(undated)))
        if found.unknown:
            most += self.asked.number + 1
        used = episode_beginnings([item for item, _, _ in possible])
        verdict = counted(fewest, most, self.asked.counting, self.asked.number)
        if verdict is not Verdict.UNKNOWN:
            return verdict, (), used
        reasons = merged(*(reasons for _, _, (_, reasons) in possible), found.unknown)
        return verdict, reasons or self._ends_unknown(undated), used

    def _counted(self, item: Finding, doubt: Reason | None, found: Findings, as_of: date) -> Judged:
        if doubt is None:
            return self._judge(item, found, as_of)
        return self._doubted(item, doubt, found, as_of)

    def _ends_unknown(self, undated: Sequence[Verdict]) -> tuple[Reason, ...]:
        return self.missing("a day of an episode" if undated else "the end of an episode")


_Countable = tuple[Finding, Lasting | None, Reason | None]


def _countable(concept: Concept, standing: Standing) -> list[_Countable]:
    """Every finding that may be an episode, how long it lasted, and why it may not count."""
    found: list[_Countable] = [
        # What was succeeded lasts as a part of the same illness.
        (item, _lasting(concept, item, None), None)
        for item in (*standing.there, *standing.succeeded)
    ]
    for item, reason in standing.doubtful:
        # An old symptom was there for certain; what was denied may never have been.
        doubt = reason if reason.kind is ReasonKind.CONTRADICTORY else None
        found.append((item, _lasting(concept, item, None, sure=False), doubt))
    for item, closing in standing.over:
        doubt = contradictory(concept, item) if closing.taken_back else None
        found.append((item, _lasting(concept, item, closing), doubt))
    for item in (*standing.suspected, *standing.lapsed):
        lasting = _lasting(concept, item, Closing(None))
        found.append((item, lasting, only_suspected(concept, item)))
    return found


def _lasting(
    concept: Concept, item: Finding, closing: Closing | None, *, sure: bool = True
) -> Lasting | None:
    began = item.began
    if began is None:
        return None
    if closing is not None:
        if closing.day is None:
            return Lasting(began, began, sure=False)
        return Lasting(began, last_day(item, closing.day))
    days = fades_after(concept, item)
    if days is not None:
        until = began + timedelta(days=days)
        return Lasting(began, max(until, item.succeeded or until), sure=False)
    return Lasting(began, None) if sure else Lasting(began, began, sure=False)


def _without_window(asked: Found | FoundEpisodes) -> Qualifiers:
    return replace(asked.qualifiers, window=None)


def _closed(standing: Standing) -> tuple[Finding, ...]:
    return (*standing.denied, *(item for item, _ in standing.over), *standing.lapsed)


def describe(item: Finding) -> str:
    """One finding in words: label, day, status, grade with where it came from, cause, note."""
    text = item.label or "finding"
    if item.status in ("refuted", "absent"):
        text += " refuted" if item.status == "refuted" else " not found"
        text += f" on {written_day(item.began)}" if item.began is not None else ""
    else:
        if item.status == "suspected":
            text = with_doubt(text)
        text += f" since {written_day(item.began)}" if item.began is not None else ", without a day"
        text += " or before" if item.began_by else ""
        if item.ended is not None:
            text += f", over on {written_day(item.ended)}"
        elif item.status == "over":
            text += ", over"
    if item.grade is not None:
        text += f", grade {item.grade}{' or more' if item.grade_is_least else ''}"
        text += f" ({item.grade_from})" if item.grade_from else ""
    named = sorted(item.causes - {A_DRUG, ANOTHER_CAUSE, THE_DRUG})
    causes = named or sorted(item.causes)
    if causes:
        text += f", caused by {' and '.join(causes)}"
    return f"{text} ({item.note})" if item.note else text

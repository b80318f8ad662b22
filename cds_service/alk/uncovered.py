"""The net under the dose tables: serious new findings for which no row of the running drug answers.

A table answers for the reactions that its label names. What lies beside them must not pass in
silence, and neither must what a row reads only beside a number that is older than the event: one
recommendation asks whether the drug is the cause, and holds where life is threatened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.alk.decision import Kind, Recommendation, Topic
from cds_service.alk.read_concepts import read_by
from cds_service.alk.told_without_a_number import WithoutANumber
from cds_service.facts.diagnosis_names import says_long_standing
from cds_service.facts.finding_grades import SEVERE_WORDS
from cds_service.facts.finding_readers.telling_results import TOLD_BY_A_RESULT
from cds_service.facts.finding_readings import ABSENT, OVER, PRESENT, REFUTED, SUSPECTED, Reading
from cds_service.facts.patient import OrderedMedication, PatientFacts, TreatmentLine
from cds_service.fhir.event_views import AdverseEvent
from cds_service.knowledge.concept_models import Concept
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.uncovered import Uncovered
from cds_service.rules import Collection, Finding, Reason, ReasonKind, Trace, Verdict
from cds_service.rules.doubt import says_doubt
from cds_service.rules.measuring import written_day
from cds_service.rules.values import ANOTHER_CAUSE

UNCOVERED_RULE = "not-covered-by-the-dose-table"
NUMBER_RULE = "said-without-its-number"
SUBJECT = "not covered by the dose table"
"""What the findings are called where the basis of the answer is shown."""

InView = Sequence[tuple[TreatmentLine, OrderedMedication | None]]


def uncovered(
    facts: PatientFacts, knowledge: Knowledge, in_view: InView, found: Iterable[Recommendation]
) -> list[Recommendation]:
    """One recommendation for all serious events that began on a drug and that no row speaks of.

    `in_view` are the drugs taken or ordered, `found` what the tables have said so far: what one of
    them already speaks of is not said again. Of several drugs the one that was started last leads.
    """
    net = knowledge.uncovered
    if net is None or facts.found is None:
        return []
    taken = [pair for pair in in_view if pair[0].orders]
    taken.sort(key=lambda pair: pair[0].start or date.min, reverse=True)
    if not taken:
        return []
    said = list(found)
    spoken = frozenset(_spoken_of(said)) | frozenset(_cancers(facts))
    asked = frozenset(reason.subject for item in said for reason in _reasons_of(item))
    unmeasured = WithoutANumber(knowledge, facts, asked)
    judge = _Net(net, knowledge, facts.as_of, unmeasured)
    events = facts.found.events
    answers = _Answers(events, spoken)
    left = [event for event in events if not answers.settle(event)]
    serious = [event for event in left if judge.is_serious(event)]
    grave_ones = {id(event) for event in serious}
    for line, order in taken if left else ():
        drug = line.ingredient
        new = [item for item in left if judge.may_be_asked_about(item)]
        new = [item for item in new if judge.is_new(item, line)]
        bare = {
            id(item): fact
            for item in new
            if (id(item) not in grave_ones or judge.is_only_possible(item))
            and (fact := unmeasured.asks_of(item, drug)) is not None
        }
        grave = [item for item in new if id(item) in grave_ones and id(item) not in bare]
        if grave:
            told = [*grave, *(item for item in new if id(item) in bare)]
            read = read_by(knowledge, drug)
            silent = any(not read.isdisjoint(item.names) for item in told)
            holds = line.start is not None and any(map(judge.holds, grave))
            return [_recommendation(net, (line, order), told, holds=holds, silent=silent)]
        if bare:
            told = [item for item in new if id(item) in bare]
            return [_measurement_asked(net, line, order, told, sorted({*bare.values()}))]
    return []


@dataclass(frozen=True)
class _Net:
    """What `uncovered.yaml` says of one event on one day."""

    net: Uncovered
    knowledge: Knowledge
    as_of: date
    unmeasured: WithoutANumber

    def may_be_asked_about(self, event: Reading) -> bool:
        """Whether it is there or suspected, and of a kind that is not asked about elsewhere.

        The rows remember what is over by its day and its concept: without one of them they do not.
        """
        unread = event.finding.began is None or not event.names
        if event.finding.status not in (PRESENT, SUSPECTED, *((OVER,) if unread else ())):
            return False
        own = self._concepts(event)
        # Where a concept knows the code, the concept says whether it matters.
        if not own and any(map(self.net.passes_over, self._codes(event))):
            return False
        return not any(concept.chapter in self.net.never for concept in own)

    def is_serious(self, event: Reading) -> bool:
        """Whether it is there or suspected, blamed on nothing else, and serious."""
        if not self.may_be_asked_about(event):
            return False
        own = self._concepts(event)
        codes = self._codes(event)
        if event.serious or self._severe_by_name(event):
            return True
        grade = event.finding.grade
        if grade is not None and grade >= self.net.least_grade:
            return True
        if grade is None and not own and any(True for code in codes for _ in self.net.blocks(code)):
            return True
        return any(self._by_concept(concept, grade) for concept in (*own, *self._possible(event)))

    def is_only_possible(self, event: Reading) -> bool:
        """Whether nothing but a wider code, or words, make it serious."""
        listed = any(True for code in self._codes(event) for _ in self.net.blocks(code))
        return not (event.names or event.serious or event.finding.grade or listed)

    def holds(self, event: Reading) -> bool:
        """Whether it is confirmed, its day is known and it threatens life.

        What a code or words only leave possible never holds.
        """
        known = event.finding.status == PRESENT and event.finding.began is not None
        return known and self._threatens_life(event, event.names)

    def is_new(self, event: Reading, line: TreatmentLine) -> bool:
        """Whether it began after the first dose, or may have, and is not long-standing.

        A recorded cause counts, too: another cause, or other drugs than this one.
        """
        finding, start = event.finding, line.start
        blamed = finding.causes & self.knowledge.codes.ingredients.keys()
        if ANOTHER_CAUSE in finding.causes or (blamed and line.ingredient not in blamed):
            return False
        if finding.status == OVER and (
            # A suspicion that nobody has any more says nothing.
            says_doubt(finding.label) or not (finding.causes or self._names_drug(event, line))
        ):
            return False
        if finding.began is None or start is None:
            return self._may_be_new(event, line)
        if finding.began <= start:
            return False
        for concept in self._concepts(event):
            days = concept.symptom_for_days
            if days is not None and finding.began < self.as_of - timedelta(days=days):
                return False
        recent = finding.began >= self.as_of - timedelta(days=self.net.new_for_days)
        return recent or line.status != "active" or self.holds(event)

    def _may_be_new(self, event: Reading, line: TreatmentLine) -> bool:
        """Whether it may have begun on the drug, as far as its days or those of the drug tell.

        A list of problems holds much of which nobody wrote down since when: only what the dose
        table looks for, what threatens life and a serious adverse event are asked about.
        """
        began = event.finding.began
        long_ago = self.as_of - timedelta(days=self.net.new_for_days)
        if not self.is_serious(event) or (began is not None and began < long_ago):
            return False
        named = self._names_drug(event, line)
        if began is None and not named and says_long_standing(event.finding.label):
            return False
        grave = self._threatens_life(event, event.names | event.possible)
        if grave or isinstance(event.record, AdverseEvent):
            return True
        concepts, read = self.knowledge.concepts, read_by(self.knowledge, line.ingredient)
        return any(
            not concepts.with_broader(concept.name).isdisjoint(read)
            for concept in (*self._concepts(event), *self._possible(event))
        )

    def _names_drug(self, event: Reading, line: TreatmentLine) -> bool:
        """Whether the words of a record name the drug, by its substance or its brand."""
        tables = self.knowledge.drugs.get(line.ingredient)
        names = tables.drug.match_text if tables is not None else (line.ingredient,)
        words = "|".join(map(re.escape, names))
        return re.search(rf"\b(?:{words})\b", event.finding.label, re.IGNORECASE) is not None

    def _threatens_life(self, event: Reading, names: Set[str]) -> bool:
        grade = event.finding.grade
        if grade is not None and grade >= self.net.hold_from_grade:
            return True
        if any(name in self.net.life_threatening for name in names):
            return True
        blocks = (block for code in self._codes(event) for block in self.net.blocks(code))
        return any(block.life_threatening for block in blocks)

    def _by_concept(self, concept: Concept, grade: int | None) -> bool:
        least = concept.serious_from_grade
        if grade is not None:
            return least is not None and grade >= least
        broader = self.knowledge.concepts.with_broader(concept.name)
        return least == 1 or not broader.isdisjoint(self.net.ungraded)

    def _concepts(self, event: Reading) -> list[Concept]:
        """The narrowest concepts of an event."""
        concepts = self.knowledge.concepts
        known = [name for name in event.names if name in concepts]
        above = {up for name in known for up in concepts.with_broader(name) if up != name}
        return [concepts[name] for name in sorted(known) if name not in above]

    def _possible(self, event: Reading) -> list[Concept]:
        """What the code or the words of an event leave possible without saying it."""
        possible = (self.knowledge.concepts[name] for name in sorted(event.possible))
        return [
            concept
            for concept in possible
            if concept.chapter not in self.net.never
            and not self.unmeasured.is_measured(event, concept.name)
        ]

    def _codes(self, event: Reading) -> list[str]:
        systems = self.net.systems(self.knowledge.concepts.editions)
        return sorted(code for system, code in event.keys if system in systems)

    def _severe_by_name(self, event: Reading) -> bool:
        """Whether a diagnosis that is text alone calls itself severe."""
        if event.keys:
            return False
        words = self.knowledge.codes.value_sets[SEVERE_WORDS].match_text
        pattern = "|".join(re.escape(word) for word in words)
        return re.search(rf"\b(?:{pattern})\b", event.finding.label.lower()) is not None


def _spoken_of(found: Iterable[Recommendation]) -> Iterator[str]:
    """The sources of what made the rules fire that have spoken so far."""
    for item in found:
        yield from _spoken_of(item.also)
        for leaf in item.trace.walk() if item.trace is not None else ():
            if not leaf.children and leaf.verdict is not Verdict.NOT_MET:
                yield from (used.source for used in leaf.used if used.source)


def _reasons_of(item: Recommendation) -> Iterator[Reason]:
    yield from item.reasons
    for other in item.also:
        yield from _reasons_of(other)


class _Answers:
    """What answers events: the rules that speak of them, and records that settle a suspicion."""

    def __init__(self, events: Iterable[Reading], spoken: Set[str]) -> None:
        self._spoken = spoken
        self._present: set[str] = set()
        self._refuted: dict[str, date] = {}
        self._spoken_names: set[str] = set()
        for other in events:
            finding = other.finding
            if finding.status == PRESENT:
                self._present |= other.names
            if finding.status in (REFUTED, ABSENT):
                # Without a day nobody can tell that it came after the suspicion.
                if (day := other.said or finding.began) is not None:
                    last = {name: max(day, self._refuted.get(name, day)) for name in other.names}
                    self._refuted |= last
            elif self._is_spoken_of(other):
                self._spoken_names |= other.names

    def _is_spoken_of(self, event: Reading) -> bool:
        return not self._spoken.isdisjoint({event.finding.source, *event.same})

    def settle(self, event: Reading) -> bool:
        """Whether a rule speaks of an event, or another record settles what it only suspects.

        What words alone name shares its record with findings in codes: it is answered by its
        concept.
        """
        # A diagnosis says outright what a number only leaves possible, and is judged itself.
        of_a_result = event.finding.note.startswith(TOLD_BY_A_RESULT)
        nameless = not event.names and not event.keys and bool(event.possible)
        if (of_a_result or not nameless) and self._is_spoken_of(event):
            return True
        if event.finding.status != SUSPECTED:
            return False
        named = event.names or event.possible
        return bool(named) and all(
            (of_a_result and name in self._present)
            or (nameless and name in self._spoken_names)
            or (name in self._refuted and self._refuted[name] >= event.day_order)
            for name in named
        )


def _cancers(facts: PatientFacts) -> Iterator[str]:
    """The records of the tumour itself, which no drug has caused."""
    cancers = facts.find("cancers")
    if isinstance(cancers, Collection):
        yield from (item.source for item in cancers.items if item.source)


def _recommendation(
    net: Uncovered,
    in_view: tuple[TreatmentLine, OrderedMedication | None],
    left: Sequence[Reading],
    *,
    holds: bool,
    silent: bool,
) -> Recommendation:
    line, order = in_view
    findings = [item.finding for item in left]
    findings.sort(key=_gravest_first)
    drug = line.ingredient
    children = tuple(_leaf(drug, finding) for finding in findings)
    trace = children[0] if len(children) == 1 else _node(drug, children=children)
    it = "it" if len(left) == 1 else "one of them"
    answers = "reads it"
    if silent:
        answers = (
            "answers for it. A row that reads it asks for more, such as a result, and that is not"
            " so, or was measured before this began"
        )
    doubt = "hold the drug until that is settled" if holds else "if it may be, hold the drug"
    began, asked, record = f"This began on {drug} and is serious,", "Is", "Record the cause"
    if line.start is None or any(finding.began is None for finding in findings):
        began = f"Whether this began on {drug} is not known: a day is missing. It is serious,"
        asked, record = "Since when is it there, and is", "Record its day and its cause"
    return Recommendation(
        Kind.WITHHOLD if holds else Kind.ASK,
        Topic.TOXICITY,
        UNCOVERED_RULE,
        "warning",
        trace=trace,
        drug=drug,
        detail=f"{began} and no row of its dose table {answers}: no hold and no dose was judged by"
        " it.",
        ask=f"{asked} {it} caused by {drug}? {record}; {doubt} and look into the current label.",
        order=order,
        verified=net.verified,
        design=(net.source,),
    )


def _measurement_asked(
    net: Uncovered,
    line: TreatmentLine,
    order: OrderedMedication | None,
    left: Sequence[Reading],
    facts: Sequence[str],
) -> Recommendation:
    """The question for the number that a diagnosis or a report speaks of without giving it."""
    drug = line.ingredient
    findings = sorted((item.finding for item in left), key=_gravest_first)
    children = tuple(_leaf(drug, finding) for finding in findings)
    named = " and ".join(facts)
    days = [item.finding.began for item in left if item.finding.began is not None]
    since = f"no result since {written_day(max(days))}" if days else "no result since"
    return Recommendation(
        Kind.ASK,
        Topic.TOXICITY,
        NUMBER_RULE,
        "warning",
        trace=children[0] if len(children) == 1 else _node(drug, children=children),
        drug=drug,
        detail=f"This began on {drug}. The record says it without the number by which the dose"
        f" table judges ({named}), or the number is older: no hold was judged by it.",
        reasons=tuple(Reason.of(ReasonKind.STALE, fact, since) for fact in facts),
        ask=f"What is {named} now? Measure it, and record the number.",
        order=order,
        verified=net.verified,
        design=(net.source,),
    )


def _leaf(drug: str, finding: Finding) -> Trace:
    leaf = _node(drug, used=(finding,))
    leaf.subject = SUBJECT
    return leaf


def _node(drug: str, *, used: tuple[Finding, ...] = (), children: tuple[Trace, ...] = ()) -> Trace:
    return Trace(
        f"serious, began on {drug}, answered by no row of its dose table",
        Verdict.MET,
        lambda: f"It began on {drug}, is serious, and no row of the drug's dose table answers.",
        used=used,
        children=children,
    )


def _gravest_first(finding: Finding) -> tuple[int, int, str]:
    began = finding.began.toordinal() if finding.began is not None else 0
    return -(finding.grade or 0), -began, finding.source

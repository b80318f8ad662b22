"""Findings as flags: questions to the model of findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.facts.context import Context
from cds_service.facts.finding_readings import ABSENT, PRESENT, REFUTED, SUSPECTED, Reading
from cds_service.facts.findings import findings_of
from cds_service.facts.histologies import OF_THE_LUNG, reported_morphologies
from cds_service.facts.statement_order import in_order
from cds_service.fhir.views import Condition
from cds_service.rules import Statement, Statements


def statement(item: Reading) -> Statement | None:
    """Present, absent (refuted, over, not found), or None when it is only suspected."""
    found = item.finding
    if found.status == SUSPECTED:
        return None
    if found.status == PRESENT:
        return Statement("present", found.began, found.label, found.source)
    day = found.began if found.status == ABSENT else item.said
    return Statement("absent", day, found.label, found.source)


def flag(context: Context, value_sets: Sequence[str]) -> Statements | None:
    """What the findings say about a flag; None when they say nothing.

    Each kind of finding is judged by its newest statements. One that is present makes the flag
    present. The flag is absent when the first set, which stands for the whole, is absent, or when
    all are: a denied syncope does not exclude dizziness.
    """
    concepts = context.book.concepts
    judged = [
        [group for name in concepts.concepts_of(item) for group in _judged(context, name)]
        for item in value_sets
    ]
    groups = [group for kinds in judged for group in kinds]
    standing = [group for group in groups if any(item.value == "present" for item in group)]
    if standing:
        present = [item for group in standing for item in group if item.value == "present"]
        days = {item.day for item in present}
        # Contradictions within one kind and day stay visible to the rules.
        clashing = [item for group in standing for item in group
                    if item.value == "absent" and item.day in days]  # fmt: skip
        return in_order(dict.fromkeys((*present, *clashing)))
    absent = dict.fromkeys(item for group in groups for item in group)
    whole = bool(judged[0]) or all(judged)
    return in_order(absent) if whole and absent else None


def _judged(context: Context, concept: str) -> list[list[Statement]]:
    """The newest statements of each kind of finding of a concept.

    Those are the ones of the newest day, and any without a day: a condition that is listed as
    active without a date may be the newest of all. A kind is what the codes say at their most
    exact, so that a narrower finding that was excluded neither hides nor excludes a broader one.
    """
    kinds: dict[frozenset[str], list[Statement]] = {}
    for item in findings_of(context).of(concept):
        found = statement(item)
        kind = context.book.concepts.lowest(item.names)
        if found is None or (item.finding.status in (REFUTED, ABSENT) and concept not in kind):
            continue
        kinds.setdefault(kind, []).append(found)
    judged = []
    for said in kinds.values():
        latest = max((item.day for item in said if item.day is not None), default=None)
        judged.append([item for item in said if item.day in (latest, None)])
    return judged


def diagnoses(context: Context, *value_sets: str) -> list[Reading]:
    """The Conditions of these value sets, each once; all of them without any.

    By code, and a tumour by its exact name or its morphology too. A finding of another kind of
    resource is no diagnosis.
    """
    recorded = context.once(_Diagnoses, _Diagnoses.of)
    if not value_sets:
        return [item for item, _ in recorded.known]
    sets = [context.book.value_sets[name].keys for name in value_sets]
    return [
        item
        for item, beyond in recorded.known
        if not all(keys.isdisjoint(item.keys) for keys in sets)
        or (beyond and not beyond.isdisjoint(value_sets))
    ]


@dataclass(frozen=True)
class _Diagnoses:
    """Every Condition, and what it is by more than its codes."""

    known: tuple[tuple[Reading, frozenset[str]], ...]

    @classmethod
    def of(cls, context: Context) -> _Diagnoses:
        return cls(
            tuple(
                (item, _beyond_codes(context, item.record))
                for item in findings_of(context).readings
                if isinstance(item.record, Condition)
            )
        )


def _beyond_codes(context: Context, condition: Condition) -> frozenset[str]:
    """What a Condition is by more than its codes, worked out once."""
    known = context.tumours.get(id(condition))
    if known is None:
        if context.morphologies is None:
            context.morphologies = reported_morphologies(context)
        reported = context.morphologies
        known = context.book.tumours.beyond_codes(
            condition,
            reported.get(condition.key, frozenset()),
            reported.get(OF_THE_LUNG, frozenset()),
        )
        context.tumours[id(condition)] = known
        if known:
            context.remark("cancers", "a tumour was recognised by its name or its morphology")
    return known

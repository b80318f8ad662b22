"""The decision document as typed parts, read leniently: what is absent stays empty.

Every member is shown as text. Members that a later version adds are ignored; a member of the
wrong type is an error, because half a basis would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

Number = str | int | float


class Part(msgspec.Struct, frozen=True):
    """Base of all parts; unknown members are ignored."""


class ReasonPart(Part, frozen=True):
    """Why something could not be answered."""

    subject: str = ""
    kind: str = ""
    detail: str = ""


class UsedPart(Part, frozen=True):
    """A value as it was sent, the resource it came from, and what it was read as."""

    as_sent: str = ""
    source: str = ""
    date: str | None = None
    value: Number | None = None
    upper_limit: Number | None = None

    @property
    def times_upper_limit(self) -> str:
        """The value as a multiple of the upper limit of normal, which needs no unit."""
        try:
            return f"{round(Decimal(str(self.value)) / Decimal(str(self.upper_limit)), 2):f}"
        except ArithmeticError:  # one of them is not there, not a number, or zero
            return ""

    @property
    def is_read_otherwise(self) -> bool:
        """Whether the value used differs from the text that was sent."""
        return self.value is not None and str(self.value) != self.as_sent


class TracePart(Part, frozen=True):
    """One node of a tree of verdicts."""

    condition: str = ""
    verdict: str = ""
    sentence: str = ""
    reasons: tuple[ReasonPart, ...] = ()
    used: tuple[UsedPart, ...] = ()
    children: tuple[TracePart, ...] = ()

    @property
    def distinct_used(self) -> tuple[UsedPart, ...]:
        """The values used, each once: one resource may answer for several things at a node."""
        return tuple(dict.fromkeys(self.used))


class TestPart(Part, frozen=True):
    """A test that is due."""

    test: str = ""
    status: str = ""
    last: str | None = None
    due: str | None = None
    because: str = ""
    rule_id: str = ""


class ModifierPart(Part, frozen=True):
    """Something about the patient that speaks for or against an option."""

    effect: str = ""
    says: str = ""
    rule_id: str = ""


class OptionPart(Part, frozen=True):
    """One drug of a choice."""

    drug: str = ""
    place: str = ""
    start: str = ""
    says: str = ""
    modifiers: tuple[ModifierPart, ...] = ()
    evidence: tuple[str, ...] = ()
    rule_id: str = ""
    verified: bool = False


class RecommendationPart(Part, frozen=True):
    """One recommendation with its basis. Without the member, ``verified`` counts as false.

    ``settled`` is why its order is not offered beside another recommendation, ``recovery`` what
    a hold waits for, to be said behind "when".
    """

    kind: str = ""
    topic: str = ""
    rule_id: str = ""
    algorithm_ids: tuple[str, ...] = ()
    severity: str = ""
    drug: str | None = None
    summary: str = ""
    detail: str = ""
    ask: str = ""
    verified: bool = False
    level: str | None = None
    sources: tuple[str, ...] = ()
    reasons: tuple[ReasonPart, ...] = ()
    trace: TracePart | None = None
    until: TracePart | None = None
    dose: str | None = None
    resume_dose: str | None = None
    since: str | None = None
    order: str | None = None
    tests: tuple[TestPart, ...] = ()
    options: tuple[OptionPart, ...] = ()
    evidence: tuple[str, ...] = ()
    also: tuple[RecommendationPart, ...] = ()
    settled: str | None = None
    recovery: str = ""
    card: str | None = None
    not_shown_because: str | None = None


class UndecidedPart(Part, frozen=True):
    """A rule that could not be answered."""

    rule_id: str = ""
    trace: TracePart | None = None


class RemarkPart(Part, frozen=True):
    """Something odd in the record that a reader should know."""

    subject: str = ""
    says: str = ""


class ReleasePart(Part, frozen=True):
    """The knowledge release that was used."""

    version: str = ""
    date: str = ""


class PlottedValuePart(Part, frozen=True):
    """One result of a course; `value` and `upper_limit` are in the unit of the course."""

    day: str = ""
    as_sent: str = ""
    value: Number | None = None
    upper_limit: Number | None = None
    comparator: str = ""
    problem: str = ""


class PlottedThresholdPart(Part, frozen=True):
    """A threshold that a rule asked about; `level` is in the unit of the course.

    `meaning` is what it calls for: stop, hold, reduce or resume; empty where it is only asked.
    """

    operator: str = ""
    number: Number | None = None
    unit: str = ""
    level: Number | None = None
    meaning: str = ""


class CoursePart(Part, frozen=True):
    """The results of one fact; `known` counts also those that are not kept here."""

    fact: str = ""
    unit: str = ""
    known: int = 0
    values: tuple[PlottedValuePart, ...] = ()
    thresholds: tuple[PlottedThresholdPart, ...] = ()


class OrderPart(Part, frozen=True):
    """One order of a drug; `daily_mg` is milligrams a day."""

    status: str = ""
    start: str | None = None
    end: str | None = None
    daily_mg: Number | None = None


class LinePart(Part, frozen=True):
    """All orders of one drug."""

    drug: str = ""
    orders: tuple[OrderPart, ...] = ()


class PlotPart(Part, frozen=True):
    """What the plot shows; documents of earlier versions have none."""

    courses: tuple[CoursePart, ...] = ()
    lines: tuple[LinePart, ...] = ()


class DecisionDocument(Part, frozen=True):
    """The whole document of one decision."""

    id: str = ""
    as_of: str = ""
    release: ReleasePart = ReleasePart()
    moment: str = ""
    recommendations: tuple[RecommendationPart, ...] = ()
    undecided: tuple[UndecidedPart, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[RemarkPart, ...] = ()
    plot: PlotPart | None = None


def read_document(document: Mapping[str, Any]) -> DecisionDocument:
    """Read a stored document. Raises msgspec.ValidationError for a member of the wrong type."""
    return msgspec.convert(_without_nulls(document), DecisionDocument)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value

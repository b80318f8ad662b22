"""The basis of a verdict as a tree, made while the rule is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from cds_service.rules.values import Evidence, Finding
from cds_service.rules.verdicts import Reason, ReasonKind, Verdict

if TYPE_CHECKING:
    from cds_service.rules.measuring import Threshold


class Trace(msgspec.Struct, eq=False):
    """One node of the basis of a verdict.

    ``condition`` is the node's text in the rule language, ``used`` the values that decided it,
    ``reasons`` why it is UNKNOWN (empty otherwise), ``subject`` the fact that a leaf asks about,
    ``threshold`` what a measured one is compared with, and ``children`` the parts below it.
    ``sentence`` says the same for people; it is written only when somebody reads it, because a
    hook call evaluates hundreds of nodes and shows a few: ``say`` is the sentence, or what writes
    it.
    """

    condition: str
    verdict: Verdict
    say: str | Callable[[], str]
    reasons: tuple[Reason, ...] = ()
    used: tuple[Evidence, ...] = ()
    children: tuple[Trace, ...] = ()
    subject: str = ""
    threshold: Threshold | None = None

    @property
    def sentence(self) -> str:
        """One plain sentence: what was asked, what was found and what follows."""
        return self.say if isinstance(self.say, str) else self.say()

    def walk(self) -> Iterator[Trace]:
        """This node and all nodes below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Every value used at or below this node, once each."""
        return tuple(dict.fromkeys(item for node in self.walk() for item in node.used))

    def deciding(self) -> Iterator[Trace]:
        """The leaves that carry the verdict: for a MET tree the leaves that made it so."""
        if not self.children:
            yield self
            return
        for child in self.children:
            if child.verdict is self.verdict or len(self.children) == 1:
                yield from child.deciding()

    def as_document(self) -> dict[str, Any]:
        """The tree as plain JSON-ready values."""
        document: dict[str, Any] = {
            "condition": self.condition,
            "verdict": self.verdict.value,
            "sentence": self.sentence,
        }
        if self.reasons:
            document["reasons"] = [
                {"subject": reason.subject, "kind": reason.kind_name, "detail": reason.detail}
                for reason in self.reasons
            ]
        if self.used:
            document["used"] = [_evidence_document(item) for item in self.used]
        if self.children:
            document["children"] = [child.as_document() for child in self.children]
        return document

    def __repr__(self) -> str:
        return f"Trace({self.condition!r}, {self.verdict.name})"


def _evidence_document(item: Evidence) -> dict[str, Any]:
    document: dict[str, Any] = {"as_sent": item.as_sent, "source": item.source}
    if item.day is not None:
        document["date"] = item.day.isoformat()
    value = getattr(item, "value", getattr(item, "label", None))
    if value is not None:
        document["value"] = str(value)
    if isinstance(item, Finding):
        document["status"] = item.status
        if item.ended is not None:
            document["ended"] = item.ended.isoformat()
        if item.grade is not None:
            document["grade"] = {
                "number": item.grade,
                "at_least": item.grade_is_least,
                "from": item.grade_from,
            }
        if item.causes:
            document["causes"] = sorted(item.causes)
    limit = getattr(item, "upper_limit", None)
    if limit is not None:
        document["upper_limit"] = str(limit)
    return document


PHRASES = {
    ReasonKind.MISSING: "is not recorded",
    ReasonKind.STALE: "is too old",
    ReasonKind.NO_REFERENCE_RANGE: "came without a reference range",
    ReasonKind.UNKNOWN_UNIT: "came in an unknown unit",
    ReasonKind.CONTRADICTORY: "is contradictory",
    ReasonKind.IMPRECISE: "is only known as a bound",
    ReasonKind.UNDATED: "came without a usable date",
    ReasonKind.UNUSABLE: "came but could not be used",
    ReasonKind.NOT_READ: "came but was not read",
}


def explain(reasons: tuple[Reason, ...]) -> str:
    """Reasons as one phrase, for instance ``total bilirubin is not recorded; ...``."""
    return "; ".join(
        f"{reason.subject} {PHRASES[reason.kind]}"
        + (f" ({reason.detail})" if reason.detail else "")
        for reason in reasons
    )

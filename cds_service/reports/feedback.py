"""Acceptance, override reasons and time to action, by rule, release or service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from cds_service.records import Outcome

GROUPINGS: Mapping[str, Callable[[Outcome], str]] = {
    "rule": lambda outcome: outcome.rule_id,
    "release": lambda outcome: outcome.release,
    "service": lambda outcome: outcome.service_id,
}


@dataclass(frozen=True, slots=True)
class FeedbackLine:
    """One group. Counts are numbers, or "<N" where too few people stand behind them.

    `acceptance` is the share of the answered cards that was accepted, `median_minutes` the time
    from showing a card to its answer, by the clocks of service and client; None when not given.
    """

    group: str
    patients: int | str
    shown: int | str
    accepted: int | str
    overridden: int | str
    acceptance: float | None
    median_minutes: float | None
    reasons: tuple[tuple[str, int | str], ...]

    def as_document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "group": self.group,
            "patients": self.patients,
            "shown": self.shown,
            "accepted": self.accepted,
            "overridden": self.overridden,
            "acceptance": self.acceptance,
            "median_minutes": self.median_minutes,
            "reasons": [{"reason": name, "count": count} for name, count in self.reasons],
        }


def feedback_lines(
    outcomes: Iterable[Outcome], by: str = "rule", smallest: int = 5
) -> list[FeedbackLine]:
    """One line for each group, the most shown first. Cards in shadow mode are left out.

    Fewer than `smallest` people behind a count, or behind what a sum would leave of it, and the
    count is not told. Raises KeyError for a grouping that is none of GROUPINGS.
    """
    of = GROUPINGS[by]
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.in_shadow:
            groups.setdefault(of(outcome), []).append(outcome)
    ordered = sorted(groups.items(), key=lambda found: (-len(found[1]), found[0]))
    return [_line(name, members, smallest) for name, members in ordered]


def _line(name: str, members: list[Outcome], smallest: int) -> FeedbackLine:
    hidden = f"<{smallest}"
    accepted = [item for item in members if item.outcome == "accepted"]
    overridden = [item for item in members if item.outcome == "overridden"]
    unanswered = [item for item in members if item.outcome is None]
    people = _people(members)
    if people < smallest:
        return FeedbackLine(name, hidden, hidden, hidden, hidden, None, None, ())
    parts = (accepted, overridden, unanswered)
    # With one part hidden, the sum would tell it: then none of the parts is told.
    tell = all(not part or _people(part) >= smallest for part in parts)
    answered = len(accepted) + len(overridden)
    minutes = [
        (item.outcome_at - item.shown_at).total_seconds() / 60
        for item in (*accepted, *overridden)
        if item.outcome_at is not None and item.outcome_at >= item.shown_at
    ]
    return FeedbackLine(
        name,
        people,
        len(members),
        len(accepted) if tell else hidden,
        len(overridden) if tell else hidden,
        round(len(accepted) / answered, 3) if tell and answered else None,
        round(median(minutes), 1) if tell and minutes else None,
        _reasons(overridden, smallest) if tell else (),
    )


def _people(members: Iterable[Outcome]) -> int:
    return len({item.patient_key for item in members})


def _reasons(overridden: list[Outcome], smallest: int) -> tuple[tuple[str, int | str], ...]:
    by_reason: dict[str, list[Outcome]] = {}
    for item in overridden:
        by_reason.setdefault(_reason(item), []).append(item)
    small = [name for name, members in by_reason.items() if _people(members) < smallest]
    counts = Counter({name: len(members) for name, members in by_reason.items()})
    # Of one small reason beside others the sum would tell the size, so the next one goes as well.
    if len(small) == 1 and len(by_reason) > 1:
        small.append(min((n for n in counts if n not in small), key=lambda n: (counts[n], n)))
    return tuple(
        (name, f"<{smallest}" if name in small and _people(by_reason[name]) < smallest
         else "not told" if name in small else count)
        for name, count in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
    )  # fmt: skip


def _reason(item: Outcome) -> str:
    """The code of the reason. Words are the client's, and a comment may name the patient."""
    if item.reason_code is not None:
        return item.reason_code
    return "comment only" if item.user_comment is not None else "no reason"

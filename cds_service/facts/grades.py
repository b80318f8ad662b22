"""CTCAE grades over time: the episodes of a reaction as a series of numbers.

On every day on which an episode began or ended the series has one number: the highest grade of the
episodes that lasted on that day, or 0 when none did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from cds_service.rules import Measurement, Reason, ReasonKind, Series
from cds_service.rules.measuring import written_day


@dataclass(frozen=True, slots=True)
class Episode:
    """One recorded reaction: `ended` is the first day on which it was over, None while it lasts.

    `grade` is None when no severity is recorded, `began` None when no usable day is. `codes` tell
    which episodes are of the same kind.
    """

    began: date | None
    ended: date | None
    grade: int | None
    as_sent: str
    source: str
    codes: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class GradedSeries(Series):
    """A series of grades that can be asked about the time since a first dose.

    Cutting the numbers alone would not do: a reaction from before the first dose that lasts would
    still show in the numbers after it.
    """

    fact: str = ""
    as_of: date = date.min
    episodes: tuple[Episode, ...] = ()

    def since(self, start: date) -> GradedSeries:
        """The grades of what began on or after `start`; what has no date may have."""
        kept = [item for item in self.episodes if item.began is None or item.began >= start]
        numbers = _numbers(self.fact, kept, self.as_of)
        return replace(
            self,
            measurements=tuple(item for item in numbers if item.day >= start),
            episodes=tuple(kept),
        )


def graded(fact: str, episodes: Sequence[Episode], as_of: date) -> GradedSeries | None:
    """The series of one graded fact; None when no episode says anything."""
    numbers = _numbers(fact, episodes, as_of)
    if not numbers:
        return None
    return GradedSeries(numbers, fact=fact, as_of=as_of, episodes=tuple(episodes))


def superseded(episodes: Iterable[Episode]) -> list[Episode]:
    """The episodes, each ended by a later one of the same code that states a grade.

    Many records state a changed grade as a new condition and never close the old one.
    """
    listed = list(episodes)
    return [replace(item, ended=_end_by_another(item, listed)) for item in listed]


def _end_by_another(episode: Episode, others: Iterable[Episode]) -> date | None:
    ends = [episode.ended] if episode.ended is not None else []
    for other in others:
        same = bool(other.codes & episode.codes) and other.grade is not None
        if same and episode.began and other.began and other.began > episode.began:
            ends.append(other.began)
    return min(ends, default=None)


def _numbers(fact: str, episodes: Sequence[Episode], as_of: date) -> tuple[Measurement, ...]:
    """One measurement for each day on which something began or ended, newest first."""
    days: set[date] = set()
    for item in episodes:
        if item.began is not None:
            days.add(item.began)
        elif item.ended is None:
            # It lasts today; since when is not known.
            days.add(as_of)
        if item.ended is not None:
            days.add(item.ended)
    known = sorted((day for day in days if day <= as_of), reverse=True)
    return tuple(_number(fact, episodes, day, as_of) for day in known)


def _number(fact: str, episodes: Sequence[Episode], day: date, as_of: date) -> Measurement:
    lasting = [
        item
        for item in episodes
        if (item.began or as_of) <= day and (item.ended is None or day < item.ended)
    ]
    if not lasting:
        last = next(item for item in episodes if item.ended == day)
        return Measurement(Decimal(0), day, as_sent="over", source=last.source)
    certain = [item for item in lasting if item.grade is not None and item.began is not None]
    doubtful = [item for item in lasting if item not in certain]
    if not certain:
        first = doubtful[0]
        lacking = "onset" if first.grade is not None else "severity"
        detail = f"{lacking} not recorded, condition of {written_day(first.began or day)}"
        problem = Reason.of(ReasonKind.MISSING, fact, detail)
        return Measurement(None, day, as_sent=first.as_sent, source=first.source, problem=problem)
    worst = max(certain, key=lambda item: item.grade or 0)
    return Measurement(
        Decimal(worst.grade or 0),
        day,
        # Another one beside it, of unknown grade, may be worse.
        comparator=">=" if doubtful else None,
        as_sent=worst.as_sent,
        source=worst.source,
    )

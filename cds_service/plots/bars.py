"""From orders to the bars of a picture: what was taken when, at which dose, and the holds."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cds_service.plots.data import DosePeriod
from cds_service.plots.scales import plain_number


class BarKind(enum.StrEnum):
    """What a bar says, in the words that the picture uses."""

    TAKEN = "taken"
    ON_HOLD = "on hold"
    HOLD_SOMETIME = "on hold, since when is not recorded"
    NO_ORDER = "no order"
    END_UNKNOWN = "ended, when is not recorded"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar from `begin` to `end`, both included. `daily_mg` is milligrams a day."""

    drug: str
    kind: BarKind
    begin: date
    end: date
    daily_mg: Decimal | None = None

    @property
    def label(self) -> str:
        """The dose and, where it is not simply taken, what happened."""
        dose = f"{plain_number(self.daily_mg)} mg/day" if self.daily_mg is not None else ""
        if self.kind is BarKind.TAKEN:
            return dose or "dose not known"
        return f"{dose}, {self.kind}" if dose else str(self.kind)

    @property
    def is_hold(self) -> bool:
        """Whether the drug was certainly not taken in these days, as far as recorded."""
        return self.kind in (BarKind.ON_HOLD, BarKind.NO_ORDER)


def bars(periods: Iterable[DosePeriod], as_of: date) -> tuple[Bar, ...]:
    """The bars of all drugs: drugs by their first day, then bars by day.

    Days between two orders of a drug are shown as such. Orders without a first day have no place
    in a picture; `undated` lists them.
    """
    by_drug: dict[str, list[DosePeriod]] = {}
    dated = [item for item in periods if item.start is not None and item.start <= as_of]
    for item in sorted(dated, key=lambda item: item.start or as_of):
        by_drug.setdefault(item.drug, []).append(item)
    return tuple(bar for orders in by_drug.values() for bar in _of_drug(orders, as_of))


def undated(periods: Iterable[DosePeriod]) -> tuple[DosePeriod, ...]:
    """The orders whose first day is not recorded."""
    return tuple(item for item in periods if item.start is None)


def _of_drug(orders: list[DosePeriod], as_of: date) -> Iterable[Bar]:
    reached: date | None = None
    for index, order in enumerate(orders):
        start = order.start or as_of
        if reached is not None and start > reached + timedelta(days=1):
            day = timedelta(days=1)
            yield Bar(order.drug, BarKind.NO_ORDER, reached + day, start - day)
        following = orders[index + 1].start if index + 1 < len(orders) else None
        found = list(_of_order(order, start, following, as_of))
        yield from found
        reached = max(bar.end for bar in found) if reached is None else max(
            reached, *(bar.end for bar in found)
        )  # fmt: skip


def _of_order(order: DosePeriod, start: date, following: date | None, as_of: date) -> Iterable[Bar]:
    dose = order.daily_mg
    # An end that is still to come was a plan, and so was one before the first day.
    end = order.end if order.end is not None and start <= order.end <= as_of else None
    if order.status == "active":
        yield Bar(order.drug, BarKind.TAKEN, start, as_of, dose)
    elif order.status == "paused" and end is not None:
        yield Bar(order.drug, BarKind.TAKEN, start, end, dose)
        until = min(following, as_of) if following is not None else as_of
        if until > end:
            yield Bar(order.drug, BarKind.ON_HOLD, end + timedelta(days=1), until)
    elif order.status == "paused":
        until = max(start, following or as_of)
        yield Bar(order.drug, BarKind.HOLD_SOMETIME, start, min(until, as_of), dose)
    elif end is not None:
        yield Bar(order.drug, BarKind.TAKEN, start, end, dose)
    else:
        until = following if following is not None and following >= start else start
        yield Bar(order.drug, BarKind.END_UNKNOWN, start, until, dose)

"""Doses as the tables write them: `450 x 2`, or `180 x 1 -> 90 x 1; 120 x 1 -> 60 x 1`.

A number of milligrams, taken so many times a day. The first form is the dose for everybody whom
the row is about, the second one replaces the dose that would be taken otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from cds_service.knowledge.drugs import Dose

_DOSE = re.compile(r"(\d+(?:\.\d+)?) x ([1-4])")


@dataclass(frozen=True, slots=True)
class DoseCell:
    """What a `dose` cell says: `dose` for all, or `replaced` pairs of (instead of, give)."""

    dose: Dose | None = None
    replaced: tuple[tuple[Dose, Dose], ...] = ()

    def instead_of(self, dose: Dose) -> Dose | None:
        """The dose to take in place of `dose`, or None when the cell does not say."""
        if self.dose is not None:
            return self.dose
        for before, after in self.replaced:
            if same(before, dose):
                return after
        return None

    def gives(self, dose: Dose) -> bool:
        """Whether `dose` is one that the row itself leads to."""
        if self.dose is not None:
            return same(self.dose, dose)
        return any(same(after, dose) for _, after in self.replaced)


def same(one: Dose, other: Dose) -> bool:
    """Whether two doses are the same amount, taken equally often."""
    return (one.amount_mg, one.per_day) == (other.amount_mg, other.per_day)


def read_dose_cell(cell: str) -> DoseCell | None:
    """What the cell says, or None when it is empty. Raises ValueError when it is malformed."""
    entries = [entry.strip() for entry in cell.split(";") if entry.strip()]
    if not entries:
        return None
    if len(entries) == 1 and "->" not in entries[0]:
        return DoseCell(_dose(entries[0]))
    pairs = []
    for entry in entries:
        before, arrow, after = entry.partition("->")
        if not arrow:
            raise ValueError(entry)
        pairs.append((_dose(before), _dose(after)))
    return DoseCell(replaced=tuple(pairs))


def check_dose_cell(cell: str) -> str | None:
    """What was expected when a cell cannot be read, for the table schema."""
    try:
        read_dose_cell(cell)
    except ValueError:
        return "a dose such as '450 x 2', or replacements such as '180 x 1 -> 90 x 1'"
    return None


def _dose(text: str) -> Dose:
    found = _DOSE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return Dose(amount_mg=Decimal(found[1]), per_day=int(found[2]))

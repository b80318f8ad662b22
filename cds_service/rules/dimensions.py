"""One question that a table asks, with the answers that make a difference to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.rules.measuring import OPERATORS
from cds_service.rules.syntax import plain

UNSAID = "cannot be said"
SINCE = "days since"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One question with its possible answers; the last cell is always ``cannot be said``."""

    name: str
    cells: tuple[str, ...]
    points: tuple[Decimal, ...] = ()
    """For numbers: one sample for each cell that stands for numbers; these cells come first."""

    @property
    def all_cells(self) -> int:
        """The mask that allows every cell."""
        return (1 << len(self.cells)) - 1

    @property
    def unsaid(self) -> int:
        """The mask of the last cell."""
        return 1 << (len(self.cells) - 1)

    def where(self, operator: str, number: Decimal) -> int:
        """The mask of the cells whose numbers satisfy ``op number``."""
        compare = OPERATORS[operator]
        mask = 0
        for index, point in enumerate(self.points):
            if compare(point, number):
                mask |= 1 << index
        return mask

    def named(self, names: Iterable[str]) -> int:
        """The mask of the cells with these names."""
        wanted = set(names)
        return sum(1 << index for index, cell in enumerate(self.cells) if cell in wanted)

    def words(self, mask: int) -> str:
        """The allowed cells in words."""
        shown = [cell for index, cell in enumerate(self.cells) if mask >> index & 1]
        return f"{self.name} {' or '.join(shown)}"


def numbers_of(name: str, thresholds: Iterable[Decimal], unit: str) -> Dimension:
    """The intervals between thresholds and the thresholds themselves."""
    ordered = sorted(set(thresholds))
    cells: list[str] = []
    points: list[Decimal] = []
    for index, threshold in enumerate(ordered):
        before = ordered[index - 1] if index else None
        low = f"between {plain(before)} and " if before is not None else "below "
        cells.append(f"{low}{plain(threshold)} {unit}".strip())
        points.append((before + threshold) / 2 if before is not None else threshold - 1)
        cells.append(f"exactly {plain(threshold)} {unit}".strip())
        points.append(threshold)
    cells.append(f"above {plain(ordered[-1])} {unit}".strip())
    points.append(ordered[-1] + 1)
    if name.startswith(SINCE):
        # An event that never happened is neither recent nor long ago.
        cells.append("never")
    return Dimension(name, (*cells, UNSAID), tuple(points))

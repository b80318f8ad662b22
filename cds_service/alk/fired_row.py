"""A row of a drug's table that applied on a day, and how it ranks among others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cds_service.knowledge.schemas import ACTIONS
from cds_service.knowledge.table_files import Row
from cds_service.rules import Trace

_WAYS_BACK = ("same", "same or next lower", "next lower", "next lower or stop")


@dataclass(frozen=True, slots=True)
class FiredRow:
    """A row, what showed that it applies, and the day on which it did."""

    row: Row
    trace: Trace
    day: date

    @property
    def action(self) -> str:
        """What the row asks to do."""
        return self.row.text("action")

    @property
    def rank(self) -> tuple[int, int]:
        """Where it stands among others: the safest action first, then the order of the file."""
        return ACTIONS.index(self.action), self.row.line

    @property
    def way_back(self) -> int:
        """How narrow the way back to treatment is; a fixed dose lies in the middle.

        Where the table names none, whether there is one is what has to be found out: that is
        narrowest.
        """
        resume = self.row.text("resume")
        if not resume:
            return len(_WAYS_BACK)
        return _WAYS_BACK.index(resume) if resume in _WAYS_BACK else 1

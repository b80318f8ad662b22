"""How the cases of a drug's tables are written.

A reaction is a patient (as changes to one in whom everything is normal) with the rows that must
speak and what each asks for. Every threshold appears just below, exactly at and just above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

HOLD, STOP, ASK, TELL, LOWER_DOSE = "withhold", "stop", "ask", "inform", "reduce"


class Reaction(NamedTuple):
    """One line: what it is about, the patient, and by row id what each row asks for."""

    says: str
    facts: Mapping[str, object]
    heard: Mapping[str, str]
    jurisdiction: str = "US"


def cases_of(drug: str, jurisdiction: str = "US") -> Callable[..., Reaction]:
    """A maker of cases whose rows are written without the drug's name, `_` standing for `-`."""

    def case(says: str, facts: Mapping[str, object], **heard: str) -> Reaction:
        rows = {f"{drug}-{row.replace('_', '-')}": kind for row, kind in heard.items()}
        return Reaction(says, facts, rows, jurisdiction)

    return case

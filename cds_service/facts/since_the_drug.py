"""What is said of the disease, as it bears on the ALK inhibitor that runs or is on hold.

A progression that was recorded on or before the first day of a drug was one on the drug before it.
Of several drugs the one that began last counts; where its first day is not known nothing is left
out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import structs

from cds_service.facts.patient import TreatmentLine
from cds_service.rules import Series, Statement, Statements


def status(found: Statements | None, lines: Iterable[TreatmentLine]) -> Statements | None:
    """The disease status since the drug began.

    What was said earlier than that it was worse is no answer either. That nobody could tell later
    takes nothing back of what was worse before.
    """
    if found is None:
        return None
    begun = _begun(lines)
    kept: list[Statement] = []
    for one in found.statements:
        if one.value == "worse":
            if begun is not None and one.day is not None and one.day <= begun:
                return Statements(tuple(kept)) if kept else None
            if all(later.value == "undetermined" for later in kept):
                kept = []
        kept.append(one)
    return Statements(tuple(kept))


def said(found: Statements | None, lines: Iterable[TreatmentLine]) -> Statements | None:
    """How the disease progresses, as recorded since the drug began."""
    begun = _begun(lines)
    if found is None or begun is None:
        return found
    kept = tuple(one for one in found.statements if one.day is None or one.day > begun)
    return Statements(kept) if kept else None


def measured(found: Series | None, lines: Iterable[TreatmentLine]) -> Series | None:
    """The same of a number, such as of sites that progress."""
    begun = _begun(lines)
    if found is None or begun is None:
        return found
    kept = tuple(one for one in found.measurements if one.day > begun)
    return structs.replace(found, measurements=kept) if kept else None


def _begun(lines: Iterable[TreatmentLine]) -> date | None:
    starts = [line.start for line in lines if line.status != "ended"]
    known = [start for start in starts if start is not None]
    return max(known) if known and len(known) == len(starts) else None

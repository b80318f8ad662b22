"""What a reviewed worksheet changes, for whoever is asked whether to write it."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.commands.differences import people_as_lines
from cds_service.knowledge.between import between
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.verification import WORDS
from cds_service.knowledge.worksheets import Proposal
from cds_service.knowledge.worksheets.taking_back import RowChange


def as_lines(proposed: Proposal) -> str:
    """The changed rows cell by cell, then for whom a rule answers otherwise."""
    lines = [line for change in proposed.changes for line in _of_row(proposed, change)]
    # Both still have one number: it is raised when the changed tables are released.
    people = tuple(between(proposed.old, load_knowledge(proposed.tried)))
    return "\n".join([*lines, "", *people_as_lines(people)]).rstrip() + "\n"


def _of_row(proposed: Proposal, change: RowChange) -> Iterator[str]:
    (old,) = (row for table in proposed.old.all_tables() for row in table
              if row.identifier == change.row)  # fmt: skip
    yield f"{change.file} {change.row}"
    for column, said in change.cells.items():
        yield f"    {column}: {old.cells[column] or 'nothing'} -> {said or 'nothing'}"
    if change.reading is not None:
        read = change.reading
        version = f", version {read.version}" if read.version else ""
        yield (
            f"    level: {old.level} -> {read.level} (read in {read.source}{version} on"
            f" {read.read_on} by {read.by})"
        )
    elif change.withdrawn:
        yield f"    level: {old.level} -> none ({WORDS['none'].lower()} as it reads now)"

"""The patients between two releases: for whom a changed rule answers otherwise.

They are worked out of the old and the new rule, just either side of each threshold, so that a
change is shown also where none of the fictional patients stands between the two limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.knowledge.release import Knowledge
from cds_service.rules import RuleError
from cds_service.rules.regions import Space
from cds_service.rules.syntax import Expression


@dataclass(frozen=True, slots=True)
class Between:
    """One rule cell that changed: a patient in whom it holds only now, and one only before.

    Either is empty where there is nobody, or where it was not looked for (`stood`); `problem` says
    why nobody could be looked for.
    """

    row: str
    column: str
    gained: str = ""
    lost: str = ""
    problem: str = ""
    stood: str | None = None
    """What stood there before, in a cell that says in which country a row holds: for whom that
    changes the answer is not worked out."""


PLACES = ("jurisdiction", "instead_of")
"""The cells that decide in which countries a row is asked at all."""


def between(old: Knowledge, new: Knowledge) -> Iterator[Between]:
    """Every rule that stands in both releases and says something else, or holds elsewhere, in table
    order."""
    before = {row.identifier: row for table in old.all_tables() for row in table}
    for table in new.all_tables():
        for row in table:
            if row.identifier not in before:
                continue
            for column in PLACES:
                stood = before[row.identifier].cells.get(column, "")
                if stood != row.cells.get(column, ""):
                    yield Between(row.identifier, column, stood=stood)
            for column, rule in row.rules.items():
                written = before[row.identifier].cells.get(column, "")
                if not written or written == row.cells[column]:
                    continue
                try:
                    # By the new release's words: a fact that is gone cannot be asked any more.
                    earlier = new.compiler.compile(written).expression
                except RuleError as error:
                    yield Between(row.identifier, column, problem=str(error))
                    continue
                gained, lost = _either(new, earlier, rule.expression)
                yield Between(row.identifier, column, gained, lost)


def _either(knowledge: Knowledge, earlier: Expression, later: Expression) -> tuple[str, str]:
    space = Space(knowledge.vocabulary, [earlier, later])
    before, after = space.met(earlier), space.met(later)
    gained, lost = space.subtract(after, before), space.subtract(before, after)
    return (
        space.witness(gained) if gained else "",
        space.witness(lost) if lost else "",
    )

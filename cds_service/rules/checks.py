"""Checks over the rows of one table: overlaps that nothing settles, gaps, rows that never fire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from cds_service.rules.boxes import NOWHERE, Region
from cds_service.rules.regions import Space
from cds_service.rules.syntax import Expression
from cds_service.rules.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row as the checks see it.

    ``rank`` orders the rows: of two rows that fire together the one with the lower rank leads.
    Rows of equal rank may fire together only if ``outcome`` is equal. ``group`` keeps rows apart
    that answer different questions (another drug, another reaction): they never compete.
    """

    identifier: str
    expression: Expression
    rank: tuple[int, ...]
    outcome: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reviewer must look at: what kind, which rows, and one situation that shows it."""

    kind: str
    rows: tuple[str, ...]
    situation: str

    def __str__(self) -> str:
        return f"{self.kind}: {', '.join(self.rows)} ({self.situation})"


def check_rows(
    vocabulary: Vocabulary,
    rows: Sequence[CheckedRow],
    must_cover: Sequence[tuple[str, Expression]] = (),
) -> tuple[Finding, ...]:
    """All findings for one table.

    ``must_cover`` are named conditions that the table promises to answer: every situation in
    which one of them is MET must make at least one row fire.
    """
    space = Space(
        vocabulary, [row.expression for row in rows] + [condition for _, condition in must_cover]
    )
    regions = {row.identifier: space.met(row.expression) for row in rows}
    findings = list(_never_firing(space, rows, regions))
    findings += _unsettled(space, rows, regions)
    for name, condition in must_cover:
        open_part = space.met(condition)
        for row in rows:
            open_part = space.subtract(open_part, regions[row.identifier])
        if open_part:
            findings.append(Finding("gap", (name,), space.witness(open_part)))
    return tuple(findings)


def _never_firing(
    space: Space, rows: Sequence[CheckedRow], regions: dict[str, Region]
) -> list[Finding]:
    findings = []
    for row in rows:
        region = regions[row.identifier]
        if not region:
            findings.append(
                Finding("never fires", (row.identifier,), "its conditions exclude each other")
            )
            continue
        for other in rows:
            if other.group == row.group and other.rank < row.rank and other is not row:
                region = space.subtract(region, regions[other.identifier])
        if not region:
            situation = "rows that come before it answer every situation it describes"
            findings.append(Finding("never leads", (row.identifier,), situation))
    return findings


def _unsettled(
    space: Space, rows: Sequence[CheckedRow], regions: dict[str, Region]
) -> list[Finding]:
    findings = []
    for one, other in combinations(rows, 2):
        if one.group != other.group or one.rank != other.rank or one.outcome == other.outcome:
            continue
        common = space.intersect(regions[one.identifier], regions[other.identifier])
        if common != NOWHERE:
            findings.append(
                Finding(
                    "overlap that no precedence settles",
                    (one.identifier, other.identifier),
                    space.witness(common),
                )
            )
    return findings

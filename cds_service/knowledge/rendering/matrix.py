"""A resistance table as a matrix of findings and drugs, beside its rows.

Two layouts are understood: a row for each finding with a column for each drug, and a row for each
pair of finding and drug. What a table calls its columns is looked up here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cds_service.knowledge.table_files import Row, Table, split

NAME = "resistance"
_FINDINGS = ("finding", "findings", "mutation", "alteration", "variant")
_ANSWERS = ("answer", "response", "sensitivity", "effect", "activity", "call", "verdict")


SIGNS: Mapping[str, str] = MappingProxyType(
    {"sensitive": "✓", "resistant": "✗", "intermediate": "~", "no data": "?", "nothing said": "–"}
)
"""A sign before each answer, so that a column can be read at a glance and without colours."""


def signed(answer: str) -> str:
    """The answer behind its sign; one of several, or in other words, stands without."""
    sign = next((sign for word, sign in SIGNS.items() if answer.startswith(word)), "")
    return answer if not sign or " / " in answer else f"{sign} {answer}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Drugs across, findings down; a cell is empty when the table says nothing about the pair."""

    drugs: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def matrix(table: Table, drugs: Collection[str]) -> Matrix | None:
    """The matrix of a resistance table, None for any other table."""
    if table.name != NAME or not table.rows:
        return None
    columns = tuple(table.rows[0].cells)
    finding = next((name for name in _FINDINGS if name in columns), None)
    wide = tuple(name for name in columns if name in drugs)
    cells: dict[str, dict[str, list[str]]] = {}
    if wide:
        for row in table:
            label = row.text(finding) if finding else row.identifier
            for drug in wide:
                _add(cells, label, drug, row, row.text(drug))
    else:
        answer = next((name for name in _ANSWERS if name in columns), None)
        if finding is None or answer is None or "drug" not in columns:
            return None
        for row in table:
            for drug in split(row.text("drug")):
                _add(cells, row.text(finding), drug, row, row.text(answer))
    named = {drug for answers in cells.values() for drug in answers}
    shown = tuple(sorted(named))
    lines = tuple(
        (label, tuple(" / ".join(answers.get(drug, ())) for drug in shown))
        for label, answers in cells.items()
    )
    return Matrix(shown, lines)


def _add(
    cells: dict[str, dict[str, list[str]]], label: str, drug: str, row: Row, answer: str
) -> None:
    # An answer nobody read in a source must not look like one that was.
    said = answer if row.verified or not answer else f"{answer} (not verified)"
    found = cells.setdefault(label, {}).setdefault(drug, [])
    if said and said not in found:
        found.append(said)

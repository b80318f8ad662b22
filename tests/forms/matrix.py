"""The matrix: clinical truths, their one answer, and the forms in which each is written.

The YAML files beside this module hold it; docs/tests.md shows how a row is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from cds_service.alk import Decision
from tests.alk.patients import rows_heard
from tests.facts.records import Json
from tests.forms.charts import Base, decided, written_out
from tests.forms.finding_forms import FORMS, Event

FOLDER = Path(__file__).parent
NOTHING = "nothing"
"""What leads where no card but information may be shown."""


class Strict(BaseModel):
    """A part of the YAML: a key that nobody reads is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(Strict):
    """What must be said, however it is written.

    `leads` is kind and drug of the leading recommendation (`withhold crizotinib`), `nothing` when
    nothing but information may be said. `rules` are rows that must speak, `never` rows or kinds
    of recommendation that must not be there.
    """

    leads: str | None = None
    rules: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def missed_by(self, decision: Decision) -> list[str]:
        """What is wrong with a decision, in words; empty when it is the answer."""
        heard = rows_heard(decision)
        said = list(decision.recommendations)
        whole = [item for first in said for item in (first, *first.also)]
        leading = NOTHING
        if said and said[0].severity != "info":
            leading = " ".join(filter(None, (said[0].kind.value, said[0].drug)))
        wrong = [f"{rule} is not there" for rule in self.rules if rule not in heard]
        wrong += [f"{rule} is there" for rule in self.never if rule in heard]
        kinds = {item.kind.value for item in whole}
        wrong += [f"{kind} is said" for kind in self.never if kind in kinds]
        if self.leads is not None and leading != self.leads:
            wrong.append(f"{leading} leads, not {self.leads} (heard: {', '.join(sorted(heard))})")
        return wrong


class Finding(Strict):
    """An event that the named forms write out, each with each of the codes."""

    began: int
    ended: int | None = None
    grade: int | None = None
    drug: str | None = None
    verification: str = "confirmed"
    codes: Mapping[str, str]
    forms: tuple[str, ...]

    def event(self, code: str) -> Event:
        """The event with one of its codes."""
        drug = written_out(self.drug) if self.drug else None
        return Event(written_out(code), self.began, self.ended, self.grade, drug, self.verification)


class OpenCell(Strict):
    """A form that is not read yet, and why."""

    why: str
    chart: list[dict[str, Any]]


class Row(Strict):
    """One clinical truth. `open` names cells that fail today: a form, `form, code` or a chart."""

    truth: str
    base: Mapping[str, Any] = Field(default_factory=dict)
    beside: list[dict[str, Any]] = Field(default_factory=list)
    answer: Answer
    finding: Finding | None = None
    cells: Mapping[str, list[dict[str, Any]]] = Field(default_factory=dict)
    open: Mapping[str, str | OpenCell] = Field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One form of one truth: its chart, and why it is open when it is."""

    row: Row
    form: str
    chart: list[dict[str, Any]]
    extra: tuple[Json, ...] = ()
    why_open: str | None = None

    def missed(self) -> list[str]:
        """What is wrong with the decision about this chart."""
        base = Base(**self.row.base)
        decision = decided(base, [*self.row.beside, *self.chart], self.extra)
        return self.row.answer.missed_by(decision)


def cells_of(row: Row) -> Iterator[Cell]:
    """Every form of one truth. Raises ValueError when `open` names no cell."""
    reasons = {name: said for name, said in row.open.items() if isinstance(said, str)}
    found: list[Cell] = []
    for form, (name, code) in _crossed(row):
        assert row.finding is not None
        names = (f"{form}, {name}", form)
        why = next((reasons[key] for key in names if key in reasons), None)
        found.append(Cell(row, names[0], [], (FORMS[form](row.finding.event(code)),), why))
    found += [Cell(row, form, chart, (), reasons.get(form)) for form, chart in row.cells.items()]
    found += [
        Cell(row, form, said.chart, (), said.why)
        for form, said in row.open.items()
        if isinstance(said, OpenCell)
    ]
    known = {cell.form for cell in found} | {form for form, _ in _crossed(row)}
    if unknown := sorted(set(reasons) - known):
        raise ValueError(f"{row.truth}: open names no form: {', '.join(unknown)}")
    yield from found


def _crossed(row: Row) -> list[tuple[str, tuple[str, str]]]:
    if row.finding is None:
        return []
    return list(product(row.finding.forms, row.finding.codes.items()))


@cache
def rows(folder: Path = FOLDER) -> tuple[Row, ...]:
    """Every row of the files of one folder, in the order of their names."""
    found: list[Row] = []
    for file in sorted(folder.glob("*.yaml")):
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
        found += [Row.model_validate(item) for item in held]
    return tuple(found)


@cache
def cells(folder: Path = FOLDER) -> tuple[Cell, ...]:
    """Every cell of the files of one folder."""
    return tuple(cell for row in rows(folder) for cell in cells_of(row))

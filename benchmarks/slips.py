"""The slips of `python -m benchmarks.mutation`: one small change of one cell of a rule table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.knowledge.schedules import parse_phase
from cds_service.knowledge.schemas import ACTIONS, EFFECTS, PLACES, RESPONSES
from cds_service.knowledge.table_files import Row, Table
from cds_service.rules import Span
from cds_service.rules.syntax import (
    Ago,
    Amount,
    And,
    Compare,
    CountOf,
    Episodes,
    Expression,
    Happened,
    Includes,
    IsState,
    Not,
    Or,
    Results,
    UnknownWhether,
)

STRICT = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "=": "!=", "!=": "="}
WHOLE = frozenset({"", "grade", "bpm", "ms", "years", "mg", "mm[Hg]", "mmHg", "mg/dL", "days"})
"""Units in which the smallest step between two results is one."""

NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "effect": EFFECTS,
    "place": PLACES,
    "stops": ("selection", "nothing"),
    "severity": ("critical", "warning", "info"),
    "undecided": ("ask", "silent"),
    "response": tuple(RESPONSES),
}
ACTION_ORDERS: dict[str, tuple[str, ...]] = {
    "dose_changes": ACTIONS,
    "interactions": ("none", "monitor", "dose", "avoid", "contraindicated"),
    "gates": ("stop", "ask", "inform"),
    "order_checks": ("stop", "avoid", "reduce", "ask", "inform"),
    "adjuvant": ("start", "ask", "inform"),
    "progression": ("choose", "avoid", "ask", "inform"),
    "later_lines": ("choose", "avoid", "ask", "inform"),
}
RESUMES = ("same", "same or next lower", "next lower", "next lower or stop")


@dataclass(frozen=True, slots=True)
class Slip:
    """One small change of one cell."""

    table: str
    row: Row
    kind: str
    text: str
    changed: Row


# -- the slips ----------------------------------------------------------------------------


def slips(knowledge: Knowledge, within: str = "") -> Iterator[Slip]:
    """Every slip of every table whose name holds `within`."""
    for table in knowledge.all_tables():
        if within not in table.name:
            continue
        drug = table.name.split("/")[1] if table.name.startswith("drugs/") else None
        label = knowledge.drugs[drug].drug if drug is not None else None
        for row in table:
            for column, rule in row.rules.items():
                for kind, expression in _of_rule(rule.expression):
                    text = str(expression)
                    rules = {**row.rules, column: knowledge.compiler.compile(text)}
                    changed = replace(row, cells={**row.cells, column: text}, rules=rules)
                    yield Slip(table.name, row, f"{column}: {kind}", text, changed)
            for column, entry in _of_cells(table.name.rsplit("/", 1)[-1], row, label):
                cells = {**row.cells, column: entry}
                rules = dict(row.rules)
                if column in rules:
                    del rules[column]
                changed = replace(row, cells=cells, rules=rules)
                yield Slip(table.name, row, column, entry or "(empty)", changed)


def _of_rule(node: Expression) -> Iterator[tuple[str, Expression]]:
    match node:
        case And(parts) | Or(parts):
            kind = type(node)
            for index, part in enumerate(parts):
                rest = (*parts[:index], *parts[index + 1 :])
                yield "a part dropped", kind(rest) if len(rest) > 1 else rest[0]
                for what, changed in _of_rule(part):
                    yield what, kind((*parts[:index], changed, *parts[index + 1 :]))
            yield "and for or", (Or if kind is And else And)(parts)
        case Not(inner) | UnknownWhether(inner):
            yield "the denial dropped", inner
            for what, changed in _of_rule(inner):
                yield what, type(node)(changed)
        case Compare() | Results() | Episodes():
            yield "sign", replace(node, operator=STRICT[node.operator])
            for number in _nudged(node.amount):
                yield "number", replace(node, amount=Amount(number, node.amount.unit))
            if isinstance(node, Results):
                yield "how many", replace(node, number=node.number + 1)
            if node.window is not None:
                yield "window", replace(node, window=_longer(node.window))
        case CountOf():
            yield "sign", replace(node, operator=STRICT[node.operator])
            yield "number", replace(node, number=node.number + 1)
        case IsState(values=several) if len(several) > 1:
            for index in range(len(several)):
                yield "a value dropped", replace(node, values=_except(several, index))
        case Includes(members=several) if len(several) > 1:
            for index in range(len(several)):
                yield "a member dropped", replace(node, members=_except(several, index))
        case Happened():
            yield "window", replace(node, window=_longer(node.window))
        case Ago():
            yield "sign", replace(node, strict=not node.strict)


def _except(names: tuple[str, ...], index: int) -> tuple[str, ...]:
    return (*names[:index], *names[index + 1 :])


def _nudged(amount: Amount) -> list[Decimal]:
    step = Decimal(1) if amount.unit in WHOLE else Decimal("0.01")
    return [found for found in (amount.number - step, amount.number + step) if found >= 0]


def _longer(span: Span) -> Span:
    return Span(span.number + 1, span.unit)


def _of_cells(table: str, row: Row, label: Drug | None) -> Iterator[tuple[str, str]]:
    cells = row.cells
    if "action" in cells:
        for entry in _beside(cells["action"], ACTION_ORDERS[table]):
            yield "action", entry
    for column, order in NEIGHBOURS.items():
        for entry in _beside(cells.get(column, ""), order):
            yield column, entry
    if cells.get("until"):
        yield "until", ""
    if "resume" in cells and cells["action"] in ("withhold", "reduce"):
        written = cells["resume"]
        yield from (
            ("resume", entry)
            for entry in (_beside(written, RESUMES) if written in RESUMES else RESUMES[:1])
        )
    if cells.get("dose") and label is not None:
        levels = label.ladder.levels
        doses = [f"{level.amount_mg} x {level.per_day}" for level in levels]
        yield "dose", next(dose for dose in doses if dose != cells["dose"])
    for column in ("first_phase", "later_phase"):
        if cells.get(column):
            phase = parse_phase(cells[column])
            lasts = f" for {phase.lasts}" if phase.lasts else ""
            yield column, f"every {_longer(phase.every)}{lasts}"
            if phase.lasts:
                yield column, f"every {phase.every} for {_longer(phase.lasts)}"
    for column in ("within_days", "months"):
        if cells.get(column):
            yield column, str(int(cells[column]) + 1)


def _beside(entry: str, order: tuple[str, ...]) -> list[str]:
    if entry not in order:
        return []
    place = order.index(entry)
    return [*order[max(place - 1, 0) : place], *order[place + 1 : place + 2]]


def with_slip(knowledge: Knowledge, slip: Slip) -> Knowledge:
    """The release with one row changed."""

    def mended(table: Table | None) -> Table | None:
        if table is None or table.name != slip.table:
            return table
        rows = (slip.changed if row.identifier == slip.row.identifier else row for row in table)
        return Table(table.name, tuple(rows))

    tables = {name: mended(table) or table for name, table in knowledge.tables.items()}
    drugs = {
        name: DrugTables(
            found.drug,
            mended(found.dose_changes),
            mended(found.monitoring),
            mended(found.interactions),
            mended(found.populations),
        )
        for name, found in knowledge.drugs.items()
    }
    return replace(knowledge, tables=MappingProxyType(tables), drugs=MappingProxyType(drugs))

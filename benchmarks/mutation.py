"""Whether the cases would notice a slip in a table: `python -m benchmarks.mutation`.

Every rule table is changed in memory, one small slip at a time: a sign made strict or not, a number
moved by the smallest step, a condition dropped, an action or a dose swapped for its neighbour. Then
the cases of `tests/alk` are asked as plain functions. A slip that none of them notices is listed.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.release import DrugTables, Knowledge
from cds_service.knowledge.schedules import parse_phase
from cds_service.knowledge.schemas import ACTIONS, EFFECTS, PLACES
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
    Not,
    Or,
    Results,
    UnknownWhether,
)
from tests.alk import (
    drug_cases,
    patients,
    row_cases,
    test_decisions,
    test_dose_changes,
    test_every_row,
    test_reactions_over_time,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "quality.md"
STRICT = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "=": "!=", "!=": "="}
WHOLE = frozenset({"", "grade", "bpm", "ms", "years", "mg", "mm[Hg]", "mmHg", "mg/dL", "days"})
"""Units in which the smallest step between two results is one."""

NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "effect": EFFECTS,
    "place": PLACES,
    "stops": ("selection", "nothing"),
    "severity": ("critical", "warning", "info"),
    "undecided": ("ask", "silent"),
}
ACTION_ORDERS: dict[str, tuple[str, ...]] = {
    "dose_changes": ACTIONS,
    "interactions": ("none", "monitor", "dose", "avoid", "contraindicated"),
    "gates": ("stop", "ask", "inform"),
    "order_checks": ("stop", "avoid", "reduce", "ask", "inform"),
    "adjuvant": ("start", "ask", "inform"),
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
        case Happened():
            yield "window", replace(node, window=_longer(node.window))
        case Ago():
            yield "sign", replace(node, strict=not node.strict)


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


# -- the cases ----------------------------------------------------------------------------

MODULES = (patients, test_dose_changes, test_every_row, test_decisions, test_reactions_over_time)
OVER_TIME = (test_reactions_over_time, test_dose_changes)
ONE_DAY = (test_decisions,)
ASKED_ALREADY = frozenset({"test_the_rows_of_a_case_speak_and_no_others"})
Check = Callable[[], object]


@contextmanager
def _knowing(knowledge: Knowledge) -> Iterator[None]:
    """The cases ask this release instead of the packaged one."""
    original = patients.knowledge
    for module in MODULES:
        if hasattr(module, "knowledge"):
            setattr(module, "knowledge", lambda: knowledge)  # noqa: B010 - a name of a module
    try:
        yield
    finally:
        for module in MODULES:
            if hasattr(module, "knowledge"):
                setattr(module, "knowledge", original)  # noqa: B010 - a name of a module


def _reaction(drug: str, case: drug_cases.Reaction) -> Check:
    return lambda: test_dose_changes.test_the_rows_of_a_case_speak_and_no_others(drug, case)


def _row(case: row_cases.Case) -> Check:
    def ask() -> None:
        test_every_row.test_a_row_speaks_in_its_case(case)
        test_every_row.test_a_row_keeps_silent_in_a_case_close_by(case)

    return ask


def _functions(module: ModuleType) -> Iterator[Check]:
    """The tests of a module that need nothing but their parameters."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_") or name in ASKED_ALREADY:
            continue
        marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
        if len(marks) > 1:
            continue
        for arguments in _arguments(marks[0]) if marks else ({},):
            if set(inspect.signature(function).parameters) == set(arguments):
                yield _called(function, arguments)


def _arguments(mark: Any) -> Iterator[dict[str, object]]:
    names = mark.args[0]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    for values in mark.args[1]:
        values = values.values if hasattr(values, "marks") else values
        yield dict(zip(names, values if len(names) > 1 else (values,), strict=True))


def _called(function: Callable[..., object], arguments: dict[str, object]) -> Check:
    return lambda: function(**arguments)


class Cases:
    """All cases, those about the changed row first."""

    def __init__(self) -> None:
        self._reactions = [
            (drug, frozenset(case.heard), _reaction(drug, case))
            for drug in drug_cases.DRUGS
            for case in drug_cases.REACTIONS[drug]
        ]
        self._rows = [(case.row, _row(case)) for case in row_cases.CASES]
        self._over_time = [check for module in OVER_TIME for check in _functions(module)]
        self._one_day = [check for module in ONE_DAY for check in _functions(module)]

    def about(self, slip: Slip) -> Iterator[Check]:
        """Every case that may notice the slip."""
        identifier = slip.row.identifier
        yield from (check for row, check in self._rows if row == identifier)
        if slip.table.endswith("/dose_changes"):
            drug = slip.table.split("/")[1]
            of_drug = [found for found in self._reactions if found[0] == drug]
            yield from (check for _, heard, check in of_drug if identifier in heard)
            yield from (check for _, heard, check in of_drug if identifier not in heard)
            yield from self._over_time
        else:
            yield from self._one_day

    def notice(self, knowledge: Knowledge, slip: Slip) -> bool:
        """Whether some case fails with the slip."""
        with _knowing(with_slip(knowledge, slip)):
            return any(_fails(check) for check in self.about(slip))

    def all_hold(self) -> bool:
        """Whether every case holds with the tables as they are."""
        checks = [check for *_, check in self._reactions]
        checks += [check for _, check in self._rows] + self._over_time + self._one_day
        return not any(_fails(check) for check in checks)


def _fails(check: Check) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 - however a case ends, it was not what it expects
        return True
    return False


# -- the report ----------------------------------------------------------------------------


def report(asked: Counter[str], missed: list[Slip], left_out: int) -> str:
    """The score by table, and how many slips of each kind no case noticed."""
    unnoticed = Counter(slip.table for slip in missed)
    total, noticed = asked.total(), asked.total() - len(missed)
    lines = [
        "# Would the cases notice a slip?",
        "",
        "`python -m benchmarks.mutation` changes every rule table in memory, one small slip at a",
        "time (a sign, a number by its smallest step, a condition, an action, a dose, an",
        "interval), and asks the cases of `tests/alk`, not the snapshots of `tests/services`. It",
        "prints every slip that none of them noticed; some cannot be: a stronger row of the",
        "same reaction speaks anyway.",
        "",
        f"Measured on {datetime.now(UTC).date().isoformat()}: {noticed} of {total} slips noticed"
        f" ({100 * noticed / max(total, 1):.1f} %)"
        + (f"; {left_out} left out for lack of time." if left_out else "."),
        "",
        "| table | slips | noticed | share |",
        "| --- | --- | --- | --- |",
    ]
    for table, number in sorted(asked.items()):
        found = number - unnoticed[table]
        lines.append(f"| {table} | {number} | {found} | {100 * found / number:.1f} % |")
    lines += ["", "What was not noticed, by column and kind of slip:", ""]
    lines += ["| slip | not noticed |", "| --- | --- |"]
    kinds = Counter(slip.kind for slip in missed)
    lines += [f"| {kind} | {number} |" for kind, number in kinds.most_common()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Ask about every slip, print the result and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("--table", default="", help="only tables whose name holds this")
    parser.add_argument("--seconds", type=float, default=1800, help="no slip is begun after this")
    parser.add_argument("--write", action="store_true", help=f"write the result to {DOCUMENT}")
    arguments = parser.parse_args()
    knowledge = patients.knowledge()
    cases = Cases()
    if not cases.all_hold():
        sys.stderr.write("Some cases fail with the tables as they are: mend them first.\n")
        return 1
    started = time.monotonic()
    asked: Counter[str] = Counter()
    missed: list[Slip] = []
    left_out = 0
    for slip in slips(knowledge, arguments.table):
        if time.monotonic() - started > arguments.seconds:
            left_out += 1
            continue
        asked[slip.table] += 1
        if not cases.notice(knowledge, slip):
            missed.append(slip)
            sys.stdout.write(f"not noticed: {slip.row.identifier}, {slip.kind}: {slip.text}\n")
    text = report(asked, missed, left_out)
    sys.stdout.write(text)
    if arguments.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

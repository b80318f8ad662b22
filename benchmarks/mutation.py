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
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.slips import Slip, slips, with_slip
from cds_service.knowledge.release import Knowledge
from tests.alk import (
    drug_cases,
    patients,
    row_cases,
    test_algorithm_patients,
    test_awaited_drugs,
    test_decisions,
    test_dose_changes,
    test_every_row,
    test_label_records,
    test_reactions_over_time,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "quality.md"
BEGIN, END = "<!-- measured: tables -->\n", "<!-- end -->"
"""Around what `--write` replaces in the page."""

# -- the cases ----------------------------------------------------------------------------

RECORDS = (test_label_records, test_algorithm_patients)
MODULES = (
    patients,
    test_dose_changes,
    test_every_row,
    test_decisions,
    test_awaited_drugs,
    test_reactions_over_time,
    *RECORDS,
)
OVER_TIME = (test_reactions_over_time, test_dose_changes)
ONE_DAY = (test_decisions, test_awaited_drugs)
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
    return (_called(function, arguments) for function, arguments in _parametrized(module))


def _parametrized(
    module: ModuleType,
) -> Iterator[tuple[Callable[..., object], dict[str, object]]]:
    """The tests of a module that need nothing but their parameters, with these."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("test_") or name in ASKED_ALREADY:
            continue
        marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
        if len(marks) > 1:
            continue
        for arguments in _arguments(marks[0]) if marks else ({},):
            if set(inspect.signature(function).parameters) == set(arguments):
                yield function, arguments


def _arguments(mark: Any) -> Iterator[dict[str, object]]:
    names = mark.args[0]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    for values in mark.args[1]:
        values = values.values if hasattr(values, "marks") else values
        yield dict(zip(names, values if len(names) > 1 else (values,), strict=True))


def _called(function: Callable[..., object], arguments: dict[str, object]) -> Check:
    return lambda: function(**arguments)


def _about_one_row() -> Iterator[tuple[str, Check]]:
    """By row the tests of the second records that are about this row alone."""
    for function, arguments in _parametrized(test_label_records):
        if set(arguments) == {"drug", "part", "name"}:
            drug, part, name = (str(arguments[key]) for key in ("drug", "part", "name"))
            yield f"{drug}-{test_label_records.TABLES[part][1]}{name}", _called(function, arguments)
    for function, arguments in _parametrized(test_algorithm_patients):
        if "identifier" in arguments and "part" not in arguments:
            yield str(arguments["identifier"]), _called(function, arguments)
    for function, arguments in _parametrized(test_algorithm_patients):
        if set(arguments) == {"table"}:
            yield f"every row of {arguments['table']}", _called(function, arguments)


class Cases:
    """All cases, those about the changed row first."""

    def __init__(self) -> None:
        self._records: dict[str, list[Check]] = {}
        for row, check in _about_one_row():
            self._records.setdefault(row, []).append(check)
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
        yield from self._records.get(identifier, ())
        yield from self._records.get(f"every row of {slip.table}", ())
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
        checks += [check for found in self._records.values() for check in found]
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
    lines += ["", "What was not noticed, by kind of slip:", ""]
    lines += ["| slip | number | rows |", "| --- | --- | --- |"]
    kinds = Counter(slip.kind for slip in missed)
    for kind, number in kinds.most_common():
        rows = dict.fromkeys(slip.row.identifier for slip in missed if slip.kind == kind)
        lines.append(f"| {kind} | {number} | {', '.join(rows)} |")
    return "\n".join(lines) + "\n"


def written(report: str) -> str:
    """The page with this report in the place of the one before."""
    page = DOCUMENT.read_text("utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n{report}{END}{after}"


def main() -> int:
    """Ask about every slip, print the result and, if asked, write it to the documentation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("--table", default="", help="only tables whose name holds this")
    parser.add_argument("--seconds", type=float, default=1800, help="no slip is begun after this")
    parser.add_argument("--write", action="store_true", help="write the result to docs/quality.md")
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
        DOCUMENT.write_text(written(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

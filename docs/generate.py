"""Rewrites the tables of the documentation that are read from the code.

`python -m docs.generate` replaces what stands between `<!-- begin NAME -->` and
`<!-- end NAME -->` in the pages; `--check` writes nothing and says what is behind. Results of
benchmarks have such marks too and are written by `python -m benchmarks --write`. The pages below
`docs/knowledge` are made of the tables as a whole, by `alk-cds knowledge render`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from cds_service.cards.override_reasons import all_override_reasons
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.schemas import algorithm_columns, drug_columns
from cds_service.knowledge.table_files import Column, Table
from cds_service.protocol import ClientHabits, ready_profiles
from cds_service.records.tables import KEPT, metadata
from cds_service.records.waiting import waiting_table
from cds_service.rules import CollectionOf, Concept, FactKind, Occurrence, Quantity, State
from cds_service.settings import Settings
from docs import conformance as protocol
from docs import course as treatment
from docs import coverage as algorithm
from docs import forms as matrix
from hooks import DEFINITIONS
from hooks.data import EVERYTHING

FOLDER = Path(__file__).parent

SECTIONS: dict[str, tuple[str, Callable[[Knowledge], str]]] = {}


def section(page: str, name: str) -> Callable[[Callable[[Knowledge], str]], None]:
    """Register the function that writes the section `name` of a page."""

    def register(write: Callable[[Knowledge], str]) -> None:
        SECTIONS[name] = (page, write)

    return register


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


@section("run.md", "settings")
def settings(_: Knowledge) -> str:
    """Every setting of the service."""
    return table(
        ["variable", "what it takes", "default", "secret", "meaning", "without it"],
        [
            [
                f"`{row.variable}`",
                row.kind,
                row.default,
                "yes" if row.is_secret else "",
                row.description,
                row.without,
            ]
            for row in Settings.describe()
        ],
    )


@section("privacy.md", "stored")
def stored(_: Knowledge) -> str:
    """Every column of the database and of the queue on disk. Raises KeyError without its reason."""
    parts = []
    for found in (*metadata.sorted_tables, waiting_table):
        columns = [[f"`{column.name}`", described(column.doc)] for column in found.columns]
        kept = found.info[KEPT]
        where = "" if found.metadata is metadata else " (a file on each machine's disk)"
        parts.append(f"### `{found.name}`{where}\n\nKept: {kept}\n")
        parts.append(table(["column", "what it holds, and why"], columns) + "\n")
    return "\n".join(parts).rstrip()


def described(text: str | None) -> str:
    """What a column is for. Raises KeyError when nobody said so."""
    if not text:
        raise KeyError("a column without its reason: say it in records/tables.py")
    return text


@section("connect-an-ehr.md", "services")
def services(_: Knowledge) -> str:
    """The CDS services."""
    return table(
        ["id", "hook", "what it is for"],
        [[f"`{item.id}`", f"`{item.hook}`", item.description] for item in DEFINITIONS],
    )


@section("connect-an-ehr.md", "override reasons")
def reasons(_: Knowledge) -> str:
    """Why a card may be set aside."""
    return table(
        ["code", "code system", "words"],
        [[f"`{item.code}`", f"`{item.system}`", item.display] for item in all_override_reasons()],
    )


TRIED_ON = "HAPI, Medplum"
"""The servers to which tests/integration sends every one of the queries."""


@section("connect-an-ehr.md", "prefetch")
def prefetch(_: Knowledge) -> str:
    """The prefetch keys."""
    rows = []
    for kind in EVERYTHING:
        needed = "yes" if kind.required else "no"
        rows.append([f"`{kind.key}`", f"`{kind.query}`", needed, kind.purpose, TRIED_ON])
        rows += [
            ["", f"`{kind.query}{more}`", "", "asked where a server refuses the first", TRIED_ON]
            for more in kind.otherwise
        ]
    return table(["key", "query", "required", "used for", "tried on"], rows)


@section("connect-an-ehr.md", "profiles")
def profiles(_: Knowledge) -> str:
    """The ready client profiles with what each changes."""
    return table(
        ["profile", "who", "what it changes"],
        [
            [f"`{name}`", ready.about, _changed(ready) or "nothing"]
            for name, ready in ready_profiles().items()
        ],
    )


def _changed(ready: ClientHabits) -> str:
    changed = ready.model_dump(mode="json", exclude={"about"}, exclude_unset=True)
    return ", ".join(f"`{name}: {json.dumps(value)}`" for name, value in changed.items())


@section("for-clinicians.md", "drugs")
def drugs(knowledge: Knowledge) -> str:
    """How many rows each drug has, and how many of them were not read in a source."""
    return table(
        ["drug", "dose changes", "monitoring", "interactions", "populations"],
        [
            [
                name,
                _rows(tables.dose_changes),
                _rows(tables.monitoring),
                _rows(tables.interactions),
                _rows(tables.populations),
            ]
            for name, tables in knowledge.drugs.items()
        ],
    )


def _rows(rows: Table | None) -> str:
    if rows is None:
        return "**none**"
    unread = sum(not row.verified for row in rows)
    return f"{len(rows)} rows" + (f", {unread} not verified" if unread else "")


@section("change-knowledge.md", "columns")
def columns(knowledge: Knowledge) -> str:
    """The columns of every table."""
    tests, names = frozenset(knowledge.tests), frozenset(knowledge.drugs)
    evidence = frozenset(
        result.id for study in knowledge.evidence.values() for result in study.results
    )
    parts: list[str] = []
    for folder, schemas in (
        ("drugs/<ingredient>", drug_columns(tests)),
        ("algorithm", algorithm_columns(tests, names, evidence)),
    ):
        for name, listed in schemas.items():
            parts.append(f"`{folder}/{name}.csv`\n")
            parts.append(
                table(["column", "must be filled", "holds"], [_column(item) for item in listed])
                + "\n"
            )
    return "\n".join(parts)


def _column(column: Column) -> list[str]:
    if column.rule:
        holds = "a sentence in the rule language"
    elif column.choices:
        holds = "one of " + ", ".join(f"`{choice}`" for choice in sorted(column.choices))
    elif column.check is not None:
        # Every check says what it expects when it is shown something that nobody expects.
        expected = column.check("\N{REPLACEMENT CHARACTER}" * 200)
        holds = expected if expected is not None else "text"
    else:
        holds = "text"
    if column.many:
        holds += "; several are separated by semicolons"
    return [f"`{column.name}`", "yes" if column.required else "no", holds]


@section("rules.md", "facts")
def facts(knowledge: Knowledge) -> str:
    """Every fact by kind."""
    parts: list[str] = []
    groups: dict[str, list[FactKind]] = {}
    for fact in knowledge.vocabulary:
        groups.setdefault(_kind(fact), []).append(fact)
    for kind, found in groups.items():
        parts.append(f"### {kind}\n")
        rows = [[f"`{fact.name}`", _takes(fact), fact.describes] for fact in found]
        parts.append(table(["fact", "takes", "where it is from"], rows) + "\n")
    return "\n".join(parts)


def _fresh(days: int | None) -> str:
    return "" if days is None else f"; counts for {days} days"


def _kind(fact: FactKind) -> str:
    match fact:
        case Quantity():
            return "Measured quantities"
        case State():
            return "Yes/no facts" if fact.is_flag else "States"
        case CollectionOf():
            return "Collections"
        case Occurrence():
            return "Events"
        case Concept():
            return "Findings"


def _takes(fact: FactKind) -> str:
    match fact:
        case Quantity():
            units = dict.fromkeys([fact.unit, *sorted(fact.units)])
            written = [f"`{unit}`" for unit in units if unit]
            written += ["`xULN`"] * fact.upper_limit + ["`xbaseline`"] * fact.baseline
            return (", ".join(written) or "a bare number") + _fresh(fact.fresh_for_days)
        case State():
            values = ", ".join(f"`{value}`" for value in fact.values)
            return values + _fresh(fact.fresh_for_days)
        case CollectionOf():
            if len(fact.members) > 10:
                return f"{len(fact.members)} ingredients and classes from the code tables"
            return ", ".join(f"`{member}`" for member in sorted(fact.members))
        case Occurrence():
            return "a day"
        case Concept():
            days = fact.symptom_for_days
            return "a finding" + ("" if days is None else f"; a symptom, counts for {days} days")


@section("coverage.md", "coverage")
def coverage(knowledge: Knowledge) -> str:
    """Every point of the written algorithm."""
    return algorithm.page(knowledge)


for _letters, _ in algorithm.FAMILIES:
    section(f"coverage/{_letters}.md", f"coverage-{_letters}")(
        partial(algorithm.family_page, letters=_letters)
    )


@section("course.md", "course")
def course(_: Knowledge) -> str:
    """Every state of treatment and the rows that answer it."""
    return treatment.page()


@section("conformance.md", "conformance")
def conformance(_: Knowledge) -> str:
    """Every clause of CDS Hooks."""
    return protocol.page()


@section("forms.md", "forms")
def forms(_: Knowledge) -> str:
    """Every clinical truth and the forms in which it is read."""
    return matrix.page()


def rewritten(text: str, name: str, content: str) -> str:
    """The page with one section replaced. Raises ValueError when it lacks the marks."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    head, found, rest = text.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"there is no section {name}")
    return f"{head}{begin}\n{content.rstrip()}\n{end}{tail}"


def main(arguments: Sequence[str] = ()) -> int:
    """Rewrite every section and say which pages changed.

    With `--flip` the pending points that rows name by now are turned over first. With `--check`
    nothing is written, and it ends with 1 when a section is behind. A table or a file of cases
    that cannot be used is one sentence.
    """
    # The folder of the project is on the path once this module can be imported.
    from tests.alk.case_errors import CasesError

    try:
        return _written(arguments)
    except (CasesError, KnowledgeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _written(arguments: Sequence[str]) -> int:
    knowledge = load_knowledge()
    only_check = "--check" in arguments
    if "--flip" in arguments and not only_check:
        sys.stdout.write(f"turned over: {', '.join(algorithm.flip(knowledge)) or 'none'}\n")
    behind = 0
    for name, (page, write) in SECTIONS.items():
        path = FOLDER / page
        before = path.read_text(encoding="utf-8")
        after = rewritten(before, name, write(knowledge))
        if after != before:
            behind += 1
            sys.stdout.write(f"{page}: {name}{' is behind' if only_check else ''}\n")
            if not only_check:
                path.write_text(after, encoding="utf-8")
    return 1 if only_check and behind else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

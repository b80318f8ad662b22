"""Rule tables as CSV: reading, checking every cell, compiling every `when`.

A table's schema lists its columns in order. A file with other columns, a row with a wrong cell, a
rule that does not parse or a source that nobody declared stops start-up with file, row, column and
what was expected.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from itertools import groupby

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.verification import Level, Verification
from cds_service.rules import Evaluation, Rule, RuleCompiler, RuleError, Trace, Verdict
from cds_service.rules.conditions import Condition

LONGEST_CELL = 2000
"""Characters that one cell may have, which is about twice the longest rule and four times the
longest words."""
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARKUP = re.compile(r"<[A-Za-z/!?][^\s>]{0,20}")

Check = Callable[[str], str | None]
"""Looks at one cell; returns what was expected there, or None when the cell is right."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it holds and whether it may be empty.

    `rule` columns hold a sentence in the rule language; `choices` limits a cell to these words;
    `many` means a list separated by semicolons; `check` is asked about every single entry.
    """

    name: str
    required: bool = True
    rule: bool = False
    choices: frozenset[str] = frozenset()
    many: bool = False
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a rule with its outcome, its source and how far it was verified.

    `cells` holds every cell as written, `rules` the compiled rule columns that are not empty,
    `level` how near to the origin it was read by who signed it. `may_order` says whether the
    release takes that for a one-click order of a drug or of another dose.
    """

    table: str
    identifier: str
    line: int
    cells: Mapping[str, str] = field(repr=False)
    rules: Mapping[str, Rule] = field(repr=False)
    level: Level = "none"
    may_order: bool = False

    def text(self, column: str) -> str:
        """The cell, empty when nothing is written there."""
        return self.cells[column]

    def entries(self, column: str) -> tuple[str, ...]:
        """The entries of a cell that holds a list."""
        return split(self.cells[column])

    @property
    def when(self) -> Rule:
        """The compiled condition of the row."""
        return self.rules["when"]

    @property
    def verified(self) -> bool:
        """Whether somebody signed that he read what it says now; only then may it order a test."""
        return self.level != "none"

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the row's sources."""
        return split(self.cells["source"])

    @property
    def algorithm_ids(self) -> tuple[str, ...]:
        """The ids that the written algorithm gives to what this row implements."""
        return split(self.cells.get("rule", ""))


@dataclass(frozen=True)
class Table:
    """All rows of one file in their order, or some of them."""

    name: str
    rows: tuple[Row, ...]
    _parts: dict[tuple[str, ...], Table] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Never handed on: a table of other rows has other parts."""

    def of(self, column: str, *values: str) -> Table:
        """The rows with one of these cells in a column; found once."""
        return self.part((column, *values), lambda row: row.cells[column] in values)

    def part(self, name: tuple[str, ...], belongs: Callable[[Row], bool]) -> Table:
        """The rows that belong to what `name` names; found once for each name."""
        part = self._parts.get(name)
        if part is None:
            chosen = tuple(row for row in self.rows if belongs(row))
            part = self._parts[name] = Table(self.name, chosen)
        return part

    @cached_property
    def reactions(self) -> tuple[Table, ...]:
        """The rows of each reaction, in the order in which the reactions come first."""
        names = dict.fromkeys(row.cells["reaction"] for row in self.rows)
        return tuple(self.of("reaction", name) for name in names)

    def standing(
        self, evaluation: Evaluation, asked: Callable[[Row], bool] | None = None
    ) -> Iterator[tuple[Row, Trace]]:
        """The rows that hold or cannot be decided, with why; of those only that are `asked`.

        Rows that stand together mostly begin with the same words: where these do not hold, none of
        the rows is looked at any further, unless the evaluation is to be thorough.
        """
        for beginning, grouped in self._by_beginning:
            rows = grouped if asked is None else [pair for pair in grouped if asked(pair[0])]
            if not rows:
                continue
            begun = beginning.trace(evaluation)
            if begun.verdict is Verdict.NOT_MET and not evaluation.thorough:
                continue
            for row, condition in rows:
                trace = evaluation.traces.get(condition) or condition.trace(evaluation)
                if trace.verdict is not Verdict.NOT_MET:
                    yield row, trace

    @cached_property
    def _by_beginning(self) -> tuple[tuple[Condition, tuple[tuple[Row, Condition], ...]], ...]:
        conditions = [(row, row.when.condition) for row in self.rows]
        grouped = groupby(conditions, lambda pair: pair[1].beginning)
        return tuple((beginning, tuple(rows)) for beginning, rows in grouped)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def by_jurisdiction(self) -> bool:
        """Whether some of its rows stand in the label of one jurisdiction or another only."""
        return any(row.cells.get("jurisdiction") for row in self.rows)


def split(cell: str) -> tuple[str, ...]:
    """The entries of a list cell: separated by semicolons, blanks around them dropped."""
    return tuple(entry.strip() for entry in cell.split(";") if entry.strip())


class TableReader:
    """Reads tables whose rules share one compiler, whose sources and signatures one register."""

    def __init__(
        self,
        compiler: RuleCompiler,
        source_ids: frozenset[str],
        verification: Verification | None = None,
    ) -> None:
        self._compiler = compiler
        self._source_ids = source_ids
        self._verification = verification if verification is not None else Verification()
        self._seen: dict[str, str] = {}

    def read(self, file: Traversable, name: str, columns: Sequence[Column]) -> Table:
        """The table in `file`.

        `name` is how people and traces call it. Every table ends with the columns `source`
        and `note`. Row ids are unique over all tables read by this reader.
        Raises KnowledgeError with file, row (line number, the header being 1) and column.
        """
        columns = (*columns, *self._closing_columns())
        lines = _lines(file)
        expected = [column.name for column in columns]
        if not lines or lines[0][1] != expected:
            raise KnowledgeError(str(file), "", f"the columns {','.join(expected)}", row=1)
        rows = [self._row(str(file), name, columns, line, cells) for line, cells in lines[1:]]
        return Table(name, tuple(rows))

    def _closing_columns(self) -> tuple[Column, ...]:
        return (
            Column("source", many=True, check=self._known_source),
            Column("note", required=False),
        )

    def _known_source(self, source: str) -> str | None:
        return None if source in self._source_ids else "an id of sources.yaml"

    def _row(
        self, file: str, table: str, columns: Sequence[Column], line: int, cells: Sequence[str]
    ) -> Row:
        if len(cells) != len(columns):
            raise KnowledgeError(file, "", f"{len(columns)} cells, found {len(cells)}", row=line)
        found = {column.name: cell.strip() for column, cell in zip(columns, cells, strict=True)}
        rules: dict[str, Rule] = {}
        for column in columns:
            cell = found[column.name]
            problem = _problem(column, cell)
            if problem is not None:
                raise KnowledgeError(file, "", problem, row=line, column=column.name)
            if column.rule and cell:
                rules[column.name] = self._compiled(file, line, column.name, cell)
        identifier = found["id"]
        if identifier in self._seen:
            expected = f"an id of its own; {identifier} also stands in {self._seen[identifier]}"
            raise KnowledgeError(file, "", expected, row=line, column="id")
        self._seen[identifier] = f"{file} row {line}"
        level = self._verification.level(identifier, found)
        may_order = self._verification.may_order(level, split(found["source"]))
        return Row(table, identifier, line, found, rules, level, may_order)

    def _compiled(self, file: str, line: int, column: str, text: str) -> Rule:
        try:
            return self._compiler.compile(text)
        except RuleError as error:
            expected = f"{error.expected} at character {error.column} (found {error.found!r})"
            raise KnowledgeError(file, "", expected, row=line, column=column) from error


def _problem(column: Column, cell: str) -> str | None:
    unfit = _unfit_for_a_card(cell, is_rule=column.rule)
    if unfit is not None:
        return unfit
    entries = split(cell) if column.many else (cell,)
    if not cell or not entries:
        return "a value; the cell is empty" if column.required or cell else None
    for entry in entries:
        if column.choices and entry not in column.choices:
            return f"one of {', '.join(sorted(column.choices))}"
        expected = column.check(entry) if column.check is not None else None
        if expected is not None:
            return f"{expected} (found {entry!r})"
    return None


def _unfit_for_a_card(cell: str, *, is_rule: bool) -> str | None:
    """What a cell may not hold, because a reader would see something else than what stands there.

    A sheet that comes back from outside can bring it: a sign that turns the direction of writing
    makes another number of "3 x ULN", and markup is run or hidden by whoever shows the card.
    """
    signs = (sign for sign in cell if sign not in "\r\n")
    unseen = next((sign for sign in signs if unicodedata.category(sign) in _UNSEEN), None)
    if unseen is not None:
        return f"characters that are seen (found U+{ord(unseen):04X})"
    if len(cell) > LONGEST_CELL:
        return f"at most {LONGEST_CELL} characters"
    markup = None if is_rule else _MARKUP.search(cell)
    return f"text without markup (found {markup.group()!r})" if markup is not None else None


def _lines(file: Traversable) -> list[tuple[int, list[str]]]:
    """All records with the number of the line they start on; empty lines are skipped."""
    name = str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(name, "the top", "a readable UTF-8 file") from error
    records: list[tuple[int, list[str]]] = []
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise KnowledgeError(name, "", f"well-formed CSV ({error})", row=start) from error
    return records

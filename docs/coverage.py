"""Which point of the written algorithm stands where, and what proves it.

The points, one line each, and the answers that no table can give stand in `algorithm_ids/*.yaml`.
Everything else is read from the tables and from the cases of the tests.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.addresses import place_of
from cds_service.knowledge.rendering.markdown import anchor, literal
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FOLDER = Path(__file__).parent / "algorithm_ids"
ROOT = FOLDER.parents[1]
CASES = ROOT / "tests" / "alk"
ROWS_SHOWN = 8

Answer = Literal["table", "code", "implemented", "corrected", "superseded", "left out", "pending"]

ANSWERS: Mapping[str, str] = {
    "table": "rows of the tables carry it",
    "code": "the program carries it, as said",
    "implemented": "the points or results named beside it carry it",
    "corrected": "wrong or incomplete as it stood; what was wrong is said",
    "superseded": "overtaken; by what is said",
    "left out": "deliberately not done; why is said",
    "pending": "its table is still to be written",
}

FAMILIES = (
    ("S", "Claims of the three source documents"),
    ("C", "Contradictions between them"),
    ("N", "Their numbers"),
    ("G", "Gates"),
    ("H", "Orders"),
    ("BM", "Biomarkers"),
    ("TX", "Reactions"),
    ("AD", "After resection"),
    ("LA", "Locally advanced"),
    ("1L", "First line"),
    ("PR", "Progression"),
    ("RM", "Resistance findings"),
    ("LL", "Later lines"),
    ("SP", "Special populations"),
    ("MO", "Monitoring by drug"),
    ("T", "Traps"),
)

EVIDENCE_TEST = "tests/knowledge/test_evidence.py"
"""Holds every cited result to its source."""

MONITORING = "MO"
"""The id that rows of every drug share; the point is `MO-` and the drug."""


class Point(Frozen):
    """One point of the algorithm with the answer that a person wrote."""

    means: str
    answer: Answer
    says: str = ""
    see: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one point: its own rows, those of the points it refers to, and proof.

    `waits_for` are the pending points without which nothing carries this one.
    """

    point: Point
    own: tuple[tuple[Table, Row], ...]
    behind: tuple[tuple[Table, Row], ...]
    proof: tuple[str, ...] = field(default=())
    waits_for: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> tuple[tuple[Table, Row], ...]:
        """Every row, its own first."""
        return tuple({row.identifier: (table, row) for table, row in (*self.own, *self.behind)}
                     .values())  # fmt: skip


@cache
def points() -> Mapping[str, Point]:
    """Every point by id, in the order of the files. Raises KnowledgeError for a faulty entry."""
    found: dict[str, Point] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for identifier, content in read_mapping(file).items():
            if identifier in found:
                raise ValueError(f"{identifier} stands in two files")
            found[identifier] = validate(Point, content, str(file), identifier)
    return found


def family(identifier: str) -> str:
    """The letters in front of the number."""
    return identifier.partition("-")[0]


def carried(knowledge: Knowledge) -> Mapping[str, tuple[tuple[Table, Row], ...]]:
    """By id every row that names it; what rows of a drug call MO counts for that drug."""
    found: dict[str, list[tuple[Table, Row]]] = {}
    for table in knowledge.all_tables():
        for row in table:
            for identifier in row.algorithm_ids:
                found.setdefault(_of_drug(identifier, table), []).append((table, row))
    return {identifier: tuple(rows) for identifier, rows in found.items()}


def _of_drug(identifier: str, table: Table) -> str:
    folder, _, rest = table.name.partition("/")
    if identifier != MONITORING or folder != "drugs":
        return identifier
    return f"{MONITORING}-{rest.partition('/')[0]}"


def answered(knowledge: Knowledge) -> Mapping[str, Found]:
    """Every point with its rows and what proves them."""
    rows, proofs = carried(knowledge), cases()
    found: dict[str, Found] = {}
    for identifier, point in points().items():
        reached = tuple(_reached(identifier))
        own = rows.get(identifier, ())
        behind = tuple(pair for other in reached[1:] for pair in rows.get(other, ()))
        tests: list[str] = []
        for other in reached:
            tests += points()[other].tests
            tests += [EVIDENCE_TEST] * bool(points()[other].evidence)
        tests += [module for _, row in (*own, *behind) for module in proofs.get(row.identifier, ())]
        places = [place for other in reached for place in points()[other].where]
        results = [name for other in reached for name in points()[other].evidence]
        waits: tuple[str, ...] = ()
        if point.answer != "pending" and not (own or behind or places or results):
            waits = tuple(name for name in reached if points()[name].answer == "pending")
        found[identifier] = Found(point, own, behind, tuple(dict.fromkeys(tests)), waits)
    return found


def _reached(identifier: str) -> Iterator[str]:
    """The point and every point that it refers to, directly or not, once each."""
    todo, seen = [identifier], set[str]()
    while todo:
        name = todo.pop(0)
        if name not in seen:
            seen.add(name)
            todo += points()[name].see
            yield name


# -- which case proves which row -------------------------------------------------------------------


@cache
def cases() -> Mapping[str, tuple[str, ...]]:
    """By row id the modules and files of cases in which it must speak.

    Raises the CasesError of the tests, one sentence, for a drug without usable cases.
    """
    sys.path.insert(0, str(ROOT))
    try:
        modules = {path: importlib.import_module(name) for path, name in _case_modules()}
        written = importlib.import_module("tests.alk.drug_cases.written")
    finally:
        sys.path.remove(str(ROOT))
    named: dict[str, set[Path]] = {}
    for path in sorted((CASES / "drug_cases").glob("*.yaml")):
        for row in _rows_named(tuple(written.read_cases(path, path.stem))):
            named.setdefault(row, set()).add(path)
    for path, module in modules.items():
        for value in vars(module).values():
            for row in _rows_named(value):
                named.setdefault(row, set()).add(path)
    imports = {path: _imported(path) for path in modules}
    found: dict[str, tuple[str, ...]] = {}
    for row, paths in named.items():
        # A module that only gathers the cases of another one proves nothing of its own.
        own = [
            path
            for path in paths
            if not any(_gathers(imports.get(path, ()), other) for other in paths)
        ]
        found[row] = tuple(sorted(path.relative_to(ROOT).as_posix() for path in own))
    return found


def _case_modules() -> Iterator[tuple[Path, str]]:
    for path in sorted(CASES.rglob("*.py")):
        if not path.name.startswith(("test_", "_", "conftest")):
            yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _rows_named(value: Any) -> Iterator[str]:
    """The rows that a case, or anything made of cases, expects to speak."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        row, heard = getattr(value, "row", None), getattr(value, "heard", None)
        if isinstance(row, str):
            yield row
        if isinstance(heard, Mapping):
            yield from (name for name in heard if isinstance(name, str))
    elif isinstance(value, (tuple, list)):
        for member in value:
            yield from _rows_named(member)
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _rows_named(member)


def _imported(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    )


def _gathers(imported: Iterable[str], other: Path) -> bool:
    module = ".".join(other.relative_to(ROOT).with_suffix("").parts)
    package = module.rpartition(".")[0]
    # Importing a package of case modules brings their cases; the folder of tests brings none.
    packages = {package} if (other.parent / "__init__.py").is_file() else set()
    return any(name == module or name in packages for name in imported)


# -- the page --------------------------------------------------------------------------------------


def page(knowledge: Knowledge) -> str:
    """The first page: what the answers mean, how many points have each, and the families."""
    found = answered(knowledge)
    lines = ["| points | of them | on |", "| --- | --- | --- |"]
    for letters, title in FAMILIES:
        count = sum(1 for name in found if family(name) == letters)
        lines.append(
            f"| {title} ({letters}) | {count} | [coverage/{letters}.md](coverage/{letters}.md) |"
        )
    return "\n".join([_counts(found), *lines])


def family_page(knowledge: Knowledge, letters: str) -> str:
    """The table of one family of points."""
    lines = ["| id | means | answer | where | proved by |", "| --- | --- | --- | --- | --- |"]
    for name, item in answered(knowledge).items():
        if family(name) != letters:
            continue
        point = item.point
        said = f"{point.answer}. {literal(point.says)}" if point.says else point.answer
        if item.waits_for:
            said += f" **Waits for {', '.join(item.waits_for)}.**"
        cells = [name, str(literal(point.means)), said, _where(item), _links(item.proof)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _counts(found: Mapping[str, Found]) -> str:
    lines = ["| answer | meaning | points |", "| --- | --- | --- |"]
    for answer, meaning in ANSWERS.items():
        count = sum(1 for item in found.values() if item.point.answer == answer)
        lines.append(f"| {answer} | {meaning} | {count} |")
    return "\n".join(lines) + "\n"


def _where(item: Found) -> str:
    point = item.point
    shown = [
        f"[{row.identifier}](../knowledge/{place_of(table)}#{anchor(row.identifier)})"
        for table, row in item.rows[:ROWS_SHOWN]
    ]
    rest = len(item.rows) - ROWS_SHOWN
    shown += [f"and {rest} more"] if rest > 0 else []
    shown += [_link(path) for path in point.where]
    shown += [f"result `{name}`" for name in point.evidence]
    shown += [f"see {name}" for name in point.see]
    return ", ".join(shown) or "nothing yet"


def _links(paths: Iterable[str]) -> str:
    return ", ".join(_link(path) for path in paths) or "nothing yet"


def _link(path: str) -> str:
    return f"[{path.rpartition('/')[2]}](../../{path})"


# -- turning pending points over ------------------------------------------------------------------


def flip(knowledge: Knowledge) -> tuple[str, ...]:
    """Turn every pending point that rows name by now into `table`; says which."""
    rows = carried(knowledge)
    ready = [name for name, point in points().items() if point.answer == "pending" and name in rows]
    for file in sorted(FOLDER.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        for name in ready:
            entry = re.compile(rf"(^{re.escape(name)}:.*?answer: )pending", re.M | re.S)
            head = re.search(rf"^{re.escape(name)}:", text, re.M)
            text = entry.sub(r"\1table", text, count=1) if head else text
        file.write_text(text, encoding="utf-8")
    points.cache_clear()
    return tuple(ready)

"""Which clause of CDS Hooks is kept, and what proves it.

The clauses stand in `cds_service/conformance/clauses.yaml`, what no test can say in
`conformance_answers.yaml`. The proof is read from the tests: from the marker `clause`, and in the
folders about the protocol from the numbers that stand in a test's own lines (docstring, ids of its
cases). Elsewhere such a number may be one of the clinical algorithm.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cds_service.conformance import checks_of, clauses
from cds_service.conformance.clauses import Clause, named_in
from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = Path(__file__).parent / "conformance_answers.yaml"
TESTS_SHOWN = 2

NUMBERED = ("tests/protocol/", "tests/services/", "tests/records/")
"""Where a number in a test's own lines means a clause."""

DETAILED = ("R", "D")
"""The families that get a table for each section; the others are short rows."""


_MARKER = re.compile(r"mark\.clause\([^)]*\)")


class Answer(Frozen):
    """What a person wrote about a clause.

    `not_applicable` is why there is nothing to keep; `not_yet` what is still to come, and is
    overtaken by the first proof. `says` adds a word to a clause that is kept, and `tests` names
    proof that does not carry the number itself, as `path::test`.
    """

    not_applicable: str = ""
    not_yet: str = ""
    says: str = ""
    where: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Proof:
    """One test: its file from the root of the project, and its name."""

    path: str
    name: str

    @property
    def link(self) -> str:
        """The test's name as the sentence that it is, leading to its file."""
        sentence = self.name.removeprefix("test_").replace("_", " ")
        return f"[{sentence}](../{self.path})"


@cache
def answers() -> Mapping[str, Answer]:
    """What was written, by clause. Raises KnowledgeError for a faulty entry."""
    return {
        name: validate(Answer, content, str(ANSWERS), name)
        for name, content in read_mapping(ANSWERS).items()
    }


@cache
def proofs() -> Mapping[str, tuple[Proof, ...]]:
    """The tests that name each clause."""
    found: dict[str, list[Proof]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        path = file.relative_to(ROOT).as_posix()
        numbered = path.startswith(NUMBERED)
        for name, text in each_test(file.read_text(encoding="utf-8"), numbered=numbered):
            for clause in dict.fromkeys(named_in(text)):
                found.setdefault(clause, []).append(Proof(path, name))
    return {clause: tuple(tests) for clause, tests in found.items()}


def each_test(source: str, *, numbered: bool) -> Iterator[tuple[str, str]]:
    """Each test of a module with the text that may name clauses.

    That is its markers, and if ``numbered`` all its lines and the module's constants it uses.
    """
    tree = ast.parse(source)
    constants = _constants(tree, source)
    module = _markers(constants.pop("pytestmark", ""))
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        first = min((item.lineno for item in node.decorator_list), default=node.lineno)
        own = "\n".join(lines[first - 1 : node.end_lineno])
        if not numbered:
            yield node.name, f"{module} {_markers(own)}"
            continue
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        used = [text for name, text in constants.items() if name in names]
        yield node.name, "\n".join((module, *used, own))


def _constants(tree: ast.Module, source: str) -> dict[str, str]:
    return {
        target.id: ast.get_source_segment(source, statement) or ""
        for statement in tree.body
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        for target in (
            statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        )
        if isinstance(target, ast.Name)
    }


def _markers(text: str) -> str:
    return " ".join(_MARKER.findall(text))


def proof_of(clause: str) -> tuple[Proof, ...]:
    """The tests that name a clause, and those that the answer names for it."""
    written = answers().get(clause, Answer()).tests
    named = [Proof(*item.split("::", 1)) for item in written]
    return tuple(dict.fromkeys((*named, *proofs().get(clause, ()))))


def is_kept(clause: str) -> bool:
    """Whether something shows that the clause is kept."""
    return bool(proof_of(clause) or checks_of(clause) or answers().get(clause, Answer()).where)


def page() -> str:
    """The whole table, section by section."""
    parts: list[str] = [_counts()]
    sections: dict[str, list[Clause]] = {}
    for clause in clauses().values():
        sections.setdefault(clause.section, []).append(clause)
    for section, listed in sections.items():
        parts.append(f"## {section}\n")
        parts.append(
            "| clause | strength | asks | answer | proof |\n| --- | --- | --- | --- | --- |"
        )
        parts[-1] += "".join("\n" + _row(clause) for clause in listed) + "\n"
    return "\n".join(parts)


def _counts() -> str:
    listed = [name for name in clauses() if name.startswith(DETAILED)]
    excused = [name for name in listed if answers().get(name, Answer()).not_applicable]
    waiting = [name for name in listed if name not in excused and not is_kept(name)]
    kept = len(listed) - len(excused) - len(waiting)
    return (
        f"Of {len(listed)} clauses for the service (R and D) {kept} are kept, {len(excused)} do not"
        f" apply, {len(waiting)} are still to come.\n"
    )


def _row(clause: Clause) -> str:
    answer = answers().get(clause.id, Answer())
    if answer.not_applicable:
        said, proof = f"not applicable: {answer.not_applicable}", ""
    else:
        said = (answer.says or "kept") if is_kept(clause.id) else f"**not yet**: {answer.not_yet}"
        proof = _proof(clause.id, answer)
    cells = (clause.id, clause.strength, clause.says, said, proof)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _proof(clause: str, answer: Answer) -> str:
    tests = proof_of(clause)
    shown = [test.link for test in tests[:TESTS_SHOWN]]
    rest = len(tests) - TESTS_SHOWN
    shown += [f"and {rest} more"] if rest > 0 else []
    shown += [f"`{check.id}`" for check in checks_of(clause)]
    shown += [f"[{_title(path)}](../{path})" for path in answer.where]
    return ", ".join(shown)


def _title(path: str) -> str:
    return re.sub(r"#.*", "", path).rpartition("/")[2]

"""Whether the tests would notice a slip in the code: `python -m benchmarks.code_mutation`.

A random sample of small changes in `cds_service/rules` and `cds_service/alk` (a comparison, an
`and`, a number, a value that is returned), each tried alone in a copy of the repository against the
tests of those two rooms. Changes that no test noticed are listed with their place.
"""

from __future__ import annotations

import argparse
import ast
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = {
    "cds_service/rules": (
        "tests/rules/test_rule_verdicts.py",
        "tests/rules/test_rule_statements.py",
        "tests/rules/test_rule_words.py",
        "tests/rules/test_rule_texts.py",
        "tests/rules/test_rule_checks.py",
        "tests/rules/test_rule_quantities.py",
        "tests/rules/test_rule_result_counts.py",
        "tests/rules/test_rule_episodes.py",
        "tests/rules/test_rule_sharing.py",
        "tests/alk/test_dose_changes.py",
        "tests/rules/test_compiled_equals_naive.py",
    ),
    "cds_service/alk": (
        "tests/alk/test_dose_changes.py",
        "tests/alk/test_reactions_over_time.py",
        "tests/alk/test_decisions.py",
        "tests/alk/test_adjusted_doses.py",
        "tests/alk/test_crizotinib_doses.py",
        "tests/alk/test_jurisdictions.py",
        "tests/alk/test_progression.py",
        "tests/alk/test_awaited_drugs.py",
        "tests/alk/test_every_row.py",
        "tests/alk/test_vignettes.py",
        "tests/alk/test_label_records.py",
        "tests/alk/test_algorithm_patients.py",
    ),
}
"""By room the tests that are asked, the quick ones first; there are more."""

SECONDS_A_MUTANT = 400

OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add,
    ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip


Change = tuple[int, str]
"""Which node of a module, in the order of a walk, and what is done to it."""


def changes(source: str) -> list[Change]:
    """Every small change of a module."""
    nodes = enumerate(ast.walk(ast.parse(source)))
    return [(number, what) for number, node in nodes for what in _changes(node)]


def mutant(source: str, change: Change) -> tuple[int, str, str]:
    """The line and the words of a change, and the changed source."""
    tree = ast.parse(source)
    number, what = change
    node = next(found for at, found in enumerate(ast.walk(tree)) if at == number)
    line, before = getattr(node, "lineno", 0), ast.unparse(node).split("\n")[0][:70]
    _apply(node, what)
    return line, f"{what} in {before}", ast.unparse(ast.fix_missing_locations(tree))


def _changes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[operator, *_]) if type(operator) in OTHERS:
            yield "another comparison"
        case ast.BoolOp():
            yield "and for or"
        case ast.BinOp(op=operator) if type(operator) in OTHERS:
            yield "another sign"
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped"
        case ast.Constant(value=bool()):
            yield "the other truth"
        case ast.Constant(value=int()):
            yield "one more"
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "nothing returned"
        case ast.If() | ast.IfExp():
            yield "the other branch"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _apply(node: ast.AST, what: str) -> None:
    match node:
        case ast.Compare():
            node.ops[0] = OTHERS[type(node.ops[0])]()  # type: ignore[call-overload]
        case ast.BoolOp() | ast.BinOp():
            node.op = OTHERS[type(node.op)]()  # type: ignore[assignment]
        case ast.UnaryOp():
            node.op = ast.Not()
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() as value):
            node.value = value + 1
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)


def sample(number: int, seed: int) -> list[tuple[str, Change]]:
    """File and change of so many mutants, drawn at random."""
    every = [
        (str(path.relative_to(ROOT)), change)
        for room in TESTS
        for path in sorted((ROOT / room).glob("*.py"))
        for change in changes(path.read_text("utf-8"))
    ]
    drawn = random.Random(seed)  # noqa: S311 - a sample, no secret
    return drawn.sample(every, min(number, len(every)))


def survives(copied: Path, file: str, source: str) -> bool:
    """Whether the tests still pass with a module replaced."""
    path = copied / file
    original = path.read_text("utf-8")
    path.write_text(source, "utf-8")
    tests = next(tests for room, tests in TESTS.items() if file.startswith(room))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=copied, capture_output=True, timeout=SECONDS_A_MUTANT, check=False
        )
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(original, "utf-8")


def main() -> int:
    """Try a sample of mutants and print how many were noticed, and those that were not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="how many mutants to draw")
    parser.add_argument("--seconds", type=float, default=1800, help="no mutant is begun after this")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tried = missed = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copied, ignore=ignored)
        for file, change in sample(arguments.number, arguments.seed):
            if time.monotonic() - started > arguments.seconds:
                break
            tried += 1
            line, said, source = mutant((ROOT / file).read_text("utf-8"), change)
            if survives(copied, file, source):
                missed += 1
                sys.stdout.write(f"not noticed: {file}:{line}: {said}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{tried - missed} of {tried} noticed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

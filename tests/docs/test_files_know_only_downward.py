"""No two files import each other, nor through others: below a file lies what it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cds_service", "hooks")


def _name(file: Path, root: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imported(source: str, known: frozenset[str]) -> Iterator[str]:
    """Every module that a file imports, also for type checkers only or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in known else node.module


def imports(root: Path) -> Mapping[str, set[str]]:
    """By module the modules of the service that it imports."""
    files = {
        _name(file, root): file
        for package in PACKAGES
        for file in sorted((root / package).rglob("*.py"))
    }
    known = frozenset(files)
    return {
        name: {other for other in _imported(file.read_text(), known) if other in known} - {name}
        for name, file in files.items()
    }


def pairs(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Modules that import each other."""
    return sorted((one, other) for one in graph for other in graph[one] if one < other
                  and one in graph[other])  # fmt: skip


def test_no_two_files_import_each_other() -> None:
    assert pairs(imports(ROOT)) == []


def test_no_file_imports_itself_through_others() -> None:
    try:
        TopologicalSorter(imports(ROOT)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_an_import_for_type_checkers_counts_as_well(tmp_path: Path) -> None:
    package = tmp_path / "cds_service"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from cds_service.other import name\n")
    (package / "other.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cds_service import one\n"
    )
    assert pairs(imports(tmp_path)) == [("cds_service.one", "cds_service.other")]

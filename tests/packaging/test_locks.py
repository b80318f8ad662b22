"""The locks: complete, hashed, free of addresses, and true to what the code imports."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-docs.lock"]
OWN_PACKAGES = ("cds_service", "hooks", "fhir_fixtures")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entries(name: str) -> list[str]:
    """One text per locked package: its requirement and its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return [entry for entry in re.split(r"\n(?=\S)", without_comments.strip()) if entry]


def pins(name: str) -> dict[str, Version]:
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", e) for e in entries(name))
    return {canonicalize_name(m[1]): Version(m[2]) for m in found if m}


def declared(*extras: str) -> list[Requirement]:
    table = project()["project"]
    texts = list(table["dependencies"])
    for extra in extras:
        texts += table["optional-dependencies"][extra]
    return [Requirement(text) for text in texts if not text.startswith("alk-cds")]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    assert "://" not in text
    assert "index" not in re.sub(r"--hash=\S+", "", text)
    assert not re.search(r"\.(?:org|com|net|io)\b", text)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_exact_version_and_a_hash(name: str) -> None:
    locked = entries(name)

    assert len(locked) > 20
    assert len(pins(name)) == len(locked)
    for entry in locked:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


def test_the_runtime_lock_satisfies_every_declared_dependency() -> None:
    locked = pins("requirements.lock")

    # What is installed from it, the image first of all, can use PostgreSQL and Redis.
    for requirement in declared("postgresql", "redis"):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_the_development_lock_satisfies_every_declared_tool() -> None:
    locked = pins("requirements-dev.lock")

    for requirement in declared("test", "dev"):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_the_development_lock_tests_the_versions_that_are_shipped() -> None:
    development = pins("requirements-dev.lock")

    for name, version in pins("requirements.lock").items():
        assert development[name] == version, name


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes that run; what stands under ``if TYPE_CHECKING:`` does not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield node
        yield from run_time_nodes(node)


def third_party_imports() -> dict[str, str]:
    """Top-level name of each foreign import, with one file that has it."""
    found: dict[str, str] = {}
    for package in OWN_PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                for name in names:
                    found.setdefault(name.split(".", 1)[0], str(path.relative_to(ROOT)))
    return {
        name: path
        for name, path in found.items()
        if name not in sys.stdlib_module_names and name not in OWN_PACKAGES
    }


def test_every_import_of_the_product_is_a_declared_dependency() -> None:
    distributions = importlib.metadata.packages_distributions()
    # Of the extras, redis is imported only when its setting asks for it, pytest by its plugin, and
    # what populations need by `alk-cds cohort` where it is there.
    allowed = {
        canonicalize_name(requirement.name)
        for extra in ("redis", "conformance", "cohort")
        for requirement in declared(extra)
    }
    imports = third_party_imports()

    assert "pydantic" in imports
    undeclared = {
        name: path
        for name, path in imports.items()
        if not {canonicalize_name(d) for d in distributions.get(name, [])} & allowed
    }
    assert undeclared == {}

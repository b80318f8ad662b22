"""The page on adding a drug, followed: its files in a copy of the project, its commands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "change-knowledge.md"
PARTS = (
    "cds_service", "hooks", "fhir_fixtures", "docs", "tests", "benchmarks", "pyproject.toml",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "LICENSE",
)  # fmt: skip
_FILE = re.compile(
    r"(?P<how>New\s+file|Add\s+to)\s+`(?P<path>[^`]+)`:\n\n```(?:yaml|csv)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
_COMMANDS = re.compile(r"^```console\n(?P<lines>.*?)^```$", re.M | re.S)
_PYTEST = re.compile(r"PYTEST_ARGS=(?P<args>.+)", re.S)


class Written(NamedTuple):
    """A file of the page: its path in the project, its text, and whether it is added to a file."""

    path: str
    text: str
    added: bool


def part_of_the_page(heading: str) -> str:
    """The text below a heading of the second level."""
    rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    return rest.partition("\n## ")[0]


def files(drug: str) -> Iterator[Written]:
    """Every file that the page tells to write, in its order."""
    for found in _FILE.finditer(part_of_the_page("Add a drug")):
        path = found["path"].replace("<ingredient>", drug)
        yield Written(path, found["text"], found["how"].startswith("Add"))


def command_lines() -> list[list[str]]:
    """Every command that the page tells to type, as words."""
    blocks = _COMMANDS.finditer(part_of_the_page("Add a drug"))
    return [shlex.split(line) for block in blocks for line in block["lines"].splitlines()]


def copy_of_the_project(place: Path) -> Path:
    """The project as it is committed, somewhere else."""
    place.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name,
                            ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        else:
            shutil.copy(ROOT / name, place / name)
    return place


def write(project: Path, file: Written) -> None:
    """Write a file of the page. A new one must not be there yet, another one must."""
    path = project / file.path
    assert path.exists() is file.added, f"{file.path}: {'no' if file.added else 'already a'} file"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if file.added else ""
    assert not before or before.endswith("\n"), file.path
    path.write_text(before + file.text, encoding="utf-8")


def run(project: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the page in the copy, with the copy's own code."""
    match words:
        case ["alk-cds", *rest]:
            command = ["-m", "cds_service.cli", *rest]
        case ["python", *rest]:
            command = rest
        case ["make", "test", arguments]:
            given = _PYTEST.fullmatch(arguments)
            assert given is not None, arguments
            command = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow",
                       *shlex.split(given["args"])]  # fmt: skip
        case _:
            raise AssertionError(f"the page tells to type {words}")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PYTEST_", "COV_", "COVERAGE_"))}  # fmt: skip
    environment |= {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, text=True, capture_output=True,
        check=False, timeout=1500,
    )  # fmt: skip

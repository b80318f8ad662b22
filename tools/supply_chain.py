"""What comes from others: known holes in it, under which licences it comes, and a list of it.

    python tools/supply_chain.py audit       known vulnerabilities of what the locks name
    python tools/supply_chain.py licences    licences of what production installs
    python tools/supply_chain.py sbom FILE   the same packages as a CycloneDX list with hashes

Status 0 says that all is well, 1 that something must be mended, 3 that it was not checked: the data
could not be had, or not for all. What was not checked is never told as well.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = "requirements.lock"
LOCKS = (PRODUCTION, "requirements-dev.lock")
WELL, MEND, NOT_CHECKED = 0, 1, 3

_DATABASES = ("pypi", "osv")
"""Where holes are looked up: the second is asked when the first does not know every package."""

_SECONDS = 300
_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\\n]+))?"
)

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Zlib",
        # Used unchanged: their conditions are about files that somebody changed, and about
        # letting others replace the library.
        "LGPL-3.0-only",
        "MPL-2.0",
    }
)
"""Licences under which a package may be installed beside the service."""

_OLDER_NAMES = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages say that do not use the names of SPDX yet."""


@dataclass(frozen=True)
class Told:
    """What a check found: its status, and the lines that say it."""

    status: int
    lines: tuple[str, ...]


def locked(lock: Path) -> Iterator[str]:
    """The packages of a lock that this Python on this machine needs."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        marker = found["marker"]
        if marker is None or Marker(marker.strip()).evaluate():
            yield str(canonicalize_name(found["name"]))


def audited(lock: str, reports: Sequence[Mapping[str, Any] | str]) -> Told:
    """What the databases say of a lock, one report for each; a text is why one could not be asked.

    A package counts as checked when one database knew it. Any hole that one names counts.
    """
    wanted: set[str] = set()
    known: set[str] = set()
    holes: dict[str, None] = {}
    reasons = list(dict.fromkeys(report for report in reports if isinstance(report, str)))
    for report in reports:
        if isinstance(report, str):
            continue
        for package in report.get("dependencies", ()):
            name = str(package["name"])
            wanted.add(name)
            if "skip_reason" in package:
                continue
            known.add(name)
            for hole in package.get("vulns", ()):
                fixed = ", ".join(hole.get("fix_versions", ())) or "no version"
                holes[f"{name} {package['version']}: {hole['id']}, mended in {fixed}"] = None
    missing = sorted(wanted - known)
    lines = [f"{lock}: {hole}" for hole in holes]
    if missing or not known:
        how_many = f"{len(missing)} of {len(wanted)} packages" if wanted else "no package"
        why = "; ".join(reasons) or "the databases that could be asked do not know them"
        asked = "NOT CHECKED" if not wanted else f"NOT CHECKED: {how_many}"
        lines.append(f"{lock}: {asked} ({why})")
    if holes:
        return Told(MEND, tuple(lines))
    if missing or not known:
        return Told(NOT_CHECKED, tuple(lines))
    return Told(WELL, (f"{lock}: {len(known)} packages, no known vulnerability",))


def may_be_used(licence: str) -> bool:
    """Whether an expression of SPDX, or a list of older names, holds only what is allowed."""
    parts = [part.strip() for part in licence.split(";")]
    if len(parts) > 1:
        # Classifiers, which do not say whether all of them hold or one: all must do.
        return all(may_be_used(part) for part in parts)
    text = _OLDER_NAMES.get(licence.strip(), licence.strip())
    return _either(text)


def _either(text: str) -> bool:
    return any(_both(part) for part in _split(text, "OR"))


def _both(text: str) -> bool:
    return all(_one(part) for part in _split(text, "AND"))


def _one(text: str) -> bool:
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        return _either(text[1:-1])
    return text in ALLOWED


def _split(text: str, word: str) -> list[str]:
    """The parts between a word, where it stands in no brackets."""
    parts, depth, begun = [], 0, 0
    for found in re.finditer(rf"[()]|\s{word}\s", text):
        if found[0] in "()":
            depth += 1 if found[0] == "(" else -1
        elif depth == 0:
            parts.append(text[begun : found.start()])
            begun = found.end()
    return [*parts, text[begun:]]


def licensed(wanted: Sequence[str], found: Mapping[str, str]) -> Told:
    """Whether every wanted package comes under licences that are allowed."""
    bad = [
        f"{name}: {found[name]} is not among the licences that are allowed"
        for name in wanted
        if name in found and not may_be_used(found[name])
    ]
    absent = [name for name in wanted if name not in found]
    lines = [*bad, *(f"NOT CHECKED: {name} is not installed here" for name in absent)]
    if lines:
        return Told(MEND if bad else NOT_CHECKED, tuple(lines))
    return Told(WELL, (f"{len(wanted)} packages, all under licences that are allowed",))


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment."""
    program = Path(sys.executable).parent / name
    return subprocess.run(  # noqa: S603 - a tool of our own environment, no shell
        [str(program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


def _asked(lock: str, database: str) -> Mapping[str, Any] | str:
    """What one database says of a lock, or why it could not be asked."""
    try:
        done = _tool(
            "pip-audit",
            *("--requirement", lock, "--no-deps", "--disable-pip", "--progress-spinner", "off"),
            *("--format", "json", "--vulnerability-service", database),
        )
        found = json.loads(done.stdout)
    except FileNotFoundError:
        return "pip-audit is not installed: make setup"
    except subprocess.TimeoutExpired:
        return f"{database}: no answer in {_SECONDS} s"
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return f"{database}: {last[:200]}"
    return found if isinstance(found, dict) else f"{database}: an answer that cannot be read"


def audit() -> Told:
    """Look up known vulnerabilities of both locks."""
    told = []
    for lock in LOCKS:
        reports: list[Mapping[str, Any] | str] = []
        for database in _DATABASES:
            reports.append(_asked(lock, database))
            if audited(lock, reports).status != NOT_CHECKED:
                break
        told.append(audited(lock, reports))
    # A hole says more than what was not looked at.
    statuses = {one.status for one in told}
    status = next((one for one in (MEND, NOT_CHECKED) if one in statuses), WELL)
    return Told(status, tuple(line for one in told for line in one.lines))


def licences() -> Told:
    """Look at the licences of what production installs."""
    try:
        done = _tool("pip-licenses", "--from", "mixed", "--format", "json", "--with-system")
        rows = json.loads(done.stdout)
    except FileNotFoundError:
        return Told(NOT_CHECKED, ("NOT CHECKED: pip-licenses is not installed: make setup",))
    except (ValueError, subprocess.TimeoutExpired):
        return Told(NOT_CHECKED, ("NOT CHECKED: pip-licenses gave no answer",))
    found = {str(canonicalize_name(row["Name"])): str(row["License"]) for row in rows}
    return licensed(list(locked(ROOT / PRODUCTION)), found)


def sbom(file: Path) -> Told:
    """Write what production installs as a CycloneDX list."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = _tool(
            "cyclonedx-py",
            *("requirements", PRODUCTION, "--pyproject", "pyproject.toml"),
            *("--output-reproducible", "--of", "JSON", "--output-file", str(file.absolute())),
        )
    except FileNotFoundError:
        return Told(NOT_CHECKED, ("NOT WRITTEN: cyclonedx-py is not installed: make setup",))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Told(MEND, (f"NOT WRITTEN: {last}",))
    count = len(json.loads(file.read_text(encoding="utf-8"))["components"])
    return Told(WELL, (f"{file}: {count} packages with their hashes",))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one of the three, say what was found, and give the status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["audit", "licences", "sbom"])
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "dist" / "sbom.cdx.json")
    chosen = parser.parse_args(arguments)
    if chosen.what == "sbom":
        told = sbom(chosen.file)
    else:
        told = audit() if chosen.what == "audit" else licences()
    for line in told.lines:
        print(line, file=sys.stderr if told.status else sys.stdout)
    return told.status


if __name__ == "__main__":
    sys.exit(main())

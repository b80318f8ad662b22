"""A site's folder of releases, for tests of choosing among them."""

from __future__ import annotations

import shutil
from pathlib import Path

from cds_service.knowledge.kept_releases import KeptReleases

PACKAGED = Path(__file__).parents[1] / "cds_service" / "knowledge"
LATER = "2099.1.1"
"""The packaged tables under a number of their own."""

BROKEN = "2099.2.1"
"""The same with a rule that nobody can read."""

BROKEN_FILE = "drugs/alectinib/dose_changes.csv"
BROKEN_LINE = 2


def choose(folder: Path, version: str) -> None:
    """Write the choice as `alk-cds knowledge use` does, without its check of all tables.

    For what comes before the act of a test: the check alone takes ten seconds.
    """
    releases = KeptReleases(folder)
    releases.use(releases.find(version))


def release(folder: Path, version: str) -> Path:
    """The packaged tables as release `version` in the folder; where they lie."""
    place = folder / version
    shutil.copytree(PACKAGED, place, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = place / "release.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = [f"version: {version}\n" if line.startswith("version:") else line for line in lines]
    file.write_text("".join(lines), encoding="utf-8")
    return place


def broken(place: Path) -> None:
    """Break the condition of the first row of a table."""
    file = place / BROKEN_FILE
    head, row, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
    column = head.rstrip("\n").split(",").index("when")
    cells = row.rstrip("\n").split(",")
    cells[column] = "ALT is rather high"
    file.write_text("".join([head, ",".join(cells) + "\n", *rest]), encoding="utf-8")


def kept(folder: Path) -> Path:
    """A folder with both."""
    folder.mkdir()
    release(folder, LATER)
    broken(release(folder, BROKEN))
    return folder

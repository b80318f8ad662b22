"""Pages on disk: written whole, and compared byte by byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".md", ".html"})


@dataclass(frozen=True, slots=True)
class Differences:
    """Pages by what is wrong with them; `left_over` are pages of rows that are no longer there."""

    missing: tuple[str, ...]
    behind: tuple[str, ...]
    left_over: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.behind or self.left_over)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for what, names in (
            ("missing", self.missing),
            ("behind the tables", self.behind),
            ("left over", self.left_over),
        ):
            for name in names:
                yield name, what


def compare(folder: Path, pages: Mapping[str, str]) -> Differences:
    """How the pages in `folder` differ from what they should be."""
    there = {path.relative_to(folder).as_posix(): path for path in _pages_in(folder)}
    behind = [
        name
        for name, text in pages.items()
        if name in there and there[name].read_bytes() != text.encode()
    ]
    return Differences(
        missing=tuple(sorted(set(pages) - set(there))),
        behind=tuple(sorted(behind)),
        left_over=tuple(sorted(set(there) - set(pages))),
    )


def write(folder: Path, pages: Mapping[str, str]) -> Differences:
    """Write what differs, take away what is left over; says what was changed.

    The folder belongs to the pages: any other page in it is taken for one of an earlier release.
    """
    found = compare(folder, pages)
    for name in (*found.missing, *found.behind):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pages[name].encode())
    for name in found.left_over:
        (folder / name).unlink()
    return found


def _pages_in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.suffix in SUFFIXES)

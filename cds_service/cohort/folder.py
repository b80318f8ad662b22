"""What lies in a folder: the files of a Bulk Data export as its client left them, and Bundles.

Export clients write NDJSON, plain or compressed, in one folder or one a run, with `manifest.json`
and `log.ndjson` beside it, what failed in `error/` and what is gone in `deleted/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LINE_SUFFIXES = (".ndjson", ".jsonl")
_LOG = "log.ndjson"
_MANIFEST = "manifest.json"
_WORDS = re.compile(r"[A-Za-z]+")


class CohortFileError(ValueError):
    """A path that holds no charts. The message names the path only."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file; `name` is its path below the folder asked about, with slashes."""

    name: str
    path: Path

    @property
    def compressed(self) -> bool:
        """Whether it is compressed by gzip, as its name says."""
        return self.path.suffix.lower() == ".gz"

    @property
    def run(self) -> str:
        """The folder of the export run: for `2026-11-01/deleted/x.ndjson` it is `2026-11-01`."""
        return "/".join(
            part for part in PurePosixPath(self.name).parts[:-1] if part not in ("deleted", "error")
        )

    def named_types(self, types: frozenset[str]) -> frozenset[str]:
        """The resource types that the file's name holds as words, such as `1.Condition.ndjson`."""
        return types.intersection(_WORDS.findall(PurePosixPath(self.name).name))


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder by what they are for, each kind in the order of their names.

    `lines` are NDJSON, `bundles` one Bundle each, `other` what is not looked into.
    """

    lines: tuple[DataFile, ...] = ()
    bundles: tuple[DataFile, ...] = ()
    deleted: tuple[DataFile, ...] = ()
    errors: tuple[DataFile, ...] = ()
    manifests: tuple[DataFile, ...] = ()
    logs: tuple[DataFile, ...] = ()
    other: tuple[DataFile, ...] = ()

    @classmethod
    def of(cls, path: Path) -> Folder:
        """The files below a folder, or the one file. Raises CohortFileError without any data."""
        kinds: dict[str, list[DataFile]] = {}
        for file in _files(path):
            kinds.setdefault(_kind(file), []).append(file)
        folder = cls(**{kind: tuple(files) for kind, files in kinds.items()})
        if not folder.lines and not folder.bundles:
            raise CohortFileError(
                f"{path} holds neither FHIR Bundles (*.json) nor NDJSON (*.ndjson, *.jsonl),"
                " plain or compressed (*.gz)"
            )
        return folder


def _files(path: Path) -> Iterator[DataFile]:
    if path.is_file():
        yield DataFile(path.name, path)
        return
    found = sorted(
        file.relative_to(path)
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    for name in found:
        yield DataFile(name.as_posix(), path / name)


def _kind(file: DataFile) -> str:
    parts = PurePosixPath(file.name).parts
    name = parts[-1].lower().removesuffix(".gz")
    if name == _LOG:
        return "logs"
    if name == _MANIFEST:
        return "manifests"
    lines = name.endswith(LINE_SUFFIXES)
    if not lines and not name.endswith(".json"):
        return "other"
    if "deleted" in parts[:-1]:
        return "deleted"
    if "error" in parts[:-1]:
        return "errors"
    return "lines" if lines else "bundles"

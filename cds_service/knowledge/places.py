"""Where a release may lie: a folder of tables, a source tree or wheel that holds one, or a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import Knowledge, load_knowledge

MARK = "release.yaml"
"""The file that makes a folder a release."""

_INSIDE = ("cds_service", "knowledge")


def release_folder(path: Path) -> Traversable:
    """The folder of tables at `path`, which may be a folder or a zip file such as a wheel.

    The tables stand at the top, below the only folder there, or where this project keeps them.
    Raises KnowledgeError when there is no release.
    """
    top: Traversable
    if path.is_dir():
        top = path
    elif zipfile.is_zipfile(path):
        # A Path over a zip file is what importlib.resources itself gives for a package in a zip.
        top = zipfile.Path(path)
    else:
        raise KnowledgeError(str(path), "", "a folder or a zip file")
    for candidate in _candidates(top):
        if candidate.joinpath(MARK).is_file():
            return candidate
    raise KnowledgeError(str(path), "", f"a release: {MARK} beside its tables")


def load_release(
    path: Path | None, local_codes: Path | None = None, concept_maps: Sequence[Path] = ()
) -> Knowledge:
    """The release at `path`, the packaged one for None, with a site's own codes.

    Raises KnowledgeError.
    """
    knowledge = load_knowledge(None if path is None else release_folder(path))
    if local_codes is None and not concept_maps:
        return knowledge
    return knowledge.with_local(local_codes, concept_maps)


def _candidates(top: Traversable) -> Iterator[Traversable]:
    yield top
    inner = [entry for entry in top.iterdir() if entry.is_dir()]
    tops = [top, *(inner if len(inner) == 1 else ())]
    for folder in tops:
        found = folder
        for name in _INSIDE:
            found = found.joinpath(name)
        yield found
    yield from tops[1:]

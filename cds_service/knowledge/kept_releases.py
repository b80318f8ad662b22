"""The releases that a site keeps side by side, and which of them it chose to answer.

One folder holds a folder or a zip file for each release, and `in-use.json`, which names the chosen
one and the one before it. A choice holds a digest of what was checked, so that nothing else is
loaded under its name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import Field, ValidationError

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.places import load_release, release_folder
from cds_service.knowledge.release import Knowledge, read_release
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder

FILE = "in-use.json"
_ENDINGS = (".yaml", ".csv")


class Choice(Frozen):
    """One release that was chosen. Without a place it is the one that came with the program."""

    version: str
    place: str | None = Field(default=None, pattern=r"^[^/\\.][^/\\]*$")
    """The name of its folder or zip file."""
    digest: str | None = None
    """Of the tables as they were when they were checked."""


class InUse(Frozen):
    """What the file holds: the release that answers, and the one that did before."""

    now: Choice
    before: Choice | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the folder: a release with its version, or why it is none."""

    place: str | None
    version: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class KeptReleases:
    """The folder of releases, and the one that answers where none was chosen.

    `own` is the place of that one, None for the packaged tables.
    """

    folder: Path
    own: Path | None = None

    @property
    def file(self) -> Path:
        """Where the choice stands."""
        return self.folder / FILE

    def mark(self) -> tuple[int, int, int] | None:
        """Changes whenever a choice is written; None while there is none. Costs one look."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def in_use(self) -> InUse | None:
        """What was chosen, None when nothing ever was. Raises KnowledgeError."""
        try:
            text = self.file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KnowledgeError(str(self.file), "the top", "a readable file") from error
        try:
            return InUse.model_validate_json(text)
        except ValidationError as error:
            expected = "what `alk-cds knowledge use` writes"
            raise KnowledgeError(str(self.file), "the top", expected) from error

    def all(self) -> Iterator[Found]:
        """Every entry by name, the release that came with the program first."""
        yield _found(None, self.own)
        try:
            names = sorted(entry.name for entry in self.folder.iterdir())
        except OSError as error:
            raise KnowledgeError(str(self.folder), "", "a readable folder") from error
        for name in names:
            if name != FILE and not name.startswith("."):
                yield _found(name, self.folder / name)

    def find(self, version: str) -> Choice:
        """The release of that version. Raises KnowledgeError when there is none, or are two."""
        found = [item for item in self.all() if item.version == version]
        kept = [item for item in found if item.place is not None]
        if len(kept) > 1:
            names = " and ".join(str(item.place) for item in kept)
            raise KnowledgeError(str(self.folder), "", f"one release {version}, not {names}")
        if not found:
            expected = f"a folder or zip file with release {version}"
            problems = [item.problem for item in self.all() if item.problem]
            if problems:
                expected = f"{expected}; what cannot be read: {'; '.join(problems)}"
            raise KnowledgeError(str(self.folder), "", expected)
        # What the site put there itself goes before what came with the program.
        place = (kept or found)[0].place
        choice = Choice(version=version, place=place)
        digest = None if place is None else digest_of(self.tables(choice))
        return choice.model_copy(update={"digest": digest})

    def path(self, choice: Choice | None) -> Path | None:
        """Where a choice lies; None for the packaged tables."""
        if choice is None or choice.place is None:
            return self.own
        return self.folder / choice.place

    def tables(self, choice: Choice | None) -> Traversable:
        """The tables of a choice. Raises KnowledgeError when they are gone."""
        return tables_at(self.path(choice))

    def load(
        self, choice: Choice | None, local_codes: Path | None, concept_maps: Sequence[Path]
    ) -> Knowledge:
        """The release that was chosen, read and checked. Raises KnowledgeError.

        Tables that are not those that were checked are refused: what they say, nobody looked at.
        """
        path = self.path(choice)
        knowledge = load_release(path, local_codes, concept_maps)
        if choice is None or choice.digest is None:
            return knowledge
        # After the tables were read: what was changed meanwhile is noticed too.
        if digest_of(self.tables(choice)) != choice.digest:
            expected = (
                f"the tables of release {choice.version} as they were when they were checked;"
                f" run `alk-cds knowledge use {choice.version}` again"
            )
            raise KnowledgeError(str(path), "", expected)
        return knowledge

    def use(self, choice: Choice) -> InUse:
        """Write the choice, whole or not at all. Raises KnowledgeError or OSError."""
        earlier = self.in_use()
        was = earlier.now if earlier is not None else self.find_own()
        before = was if _name(was) != _name(choice) else (earlier.before if earlier else None)
        written = InUse(now=choice, before=before)
        with NamedTemporaryFile(
            "wb", dir=self.folder, prefix=f".{FILE}-", delete=False
        ) as temporary:
            try:
                temporary.write(written.model_dump_json(indent=2).encode() + b"\n")
                temporary.flush()
                os.fsync(temporary.fileno())
                # Read by the service, which may run as somebody else; it holds no secret.
                Path(temporary.name).chmod(0o644)
                Path(temporary.name).replace(self.file)
            except BaseException:
                Path(temporary.name).unlink(missing_ok=True)
                raise
        return written

    def find_own(self) -> Choice:
        """The release that answers where none was chosen. Raises KnowledgeError."""
        return Choice(version=read_release(tables_at(self.own)).version)


def tables_at(path: Path | None) -> Traversable:
    """The folder of tables at `path`, the packaged one for None. Raises KnowledgeError."""
    return knowledge_folder() if path is None else release_folder(path)


def digest_of(tables: Traversable) -> str:
    """One number for all that a folder of tables says. Raises KnowledgeError."""
    total = hashlib.sha256()
    try:
        for name, file in sorted(_files(tables, "")):
            total.update(f"{name}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    except OSError as error:
        raise KnowledgeError(str(tables), "", "readable tables") from error
    return total.hexdigest()


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_ENDINGS):
            yield prefix + entry.name, entry


def _found(place: str | None, path: Path | None) -> Found:
    try:
        return Found(place, read_release(tables_at(path)).version)
    except KnowledgeError as error:
        return Found(place, None, str(error))


def _name(choice: Choice) -> tuple[str, str | None]:
    return choice.version, choice.place

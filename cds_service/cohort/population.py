"""A whole export: put by on disk by patient, then decided bucket by bucket.

Everything lies in a work folder. Grouping begins again when it is interrupted; a bucket that was
decided is not decided again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cds_service.cohort.buckets import bucket_count
from cds_service.cohort.charts import charts_of_bucket, charts_of_files
from cds_service.cohort.export import SaidByExport
from cds_service.cohort.folder import CohortFileError, DataFile, Folder
from cds_service.cohort.grouping import Grouping, Shelves
from cds_service.cohort.lines import Stretch, stretches
from cds_service.cohort.pools import Pool, WorkerDied
from cds_service.cohort.relevance import concerns, pattern_of
from cds_service.cohort.run import Decider, PatientResult, Setup, loaded
from cds_service.cohort.tally import Tally
from cds_service.facts.concern import Concern
from cds_service.fhir.reading import READ_TYPES
from cds_service.knowledge.release import Knowledge
from hooks.data import EVERYTHING

_PROCESS = 192 * 1024 * 1024
"""What one process needs with the tables in it, before any line is read."""
_LEAST = 16 * 1024 * 1024
_COMPRESSION = 12
"""How much larger compressed NDJSON becomes; more only makes more buckets."""
_STRETCH = 64 * 1024 * 1024
_BUNDLES_AT_ONCE = 16
NOT_THERE = "no file of the export holds any"
CUT = "a file of the export could not be read to its end"
FEWER = "the export holds fewer than its manifest counts"

Progress = Callable[[str, int, int], None]
"""Told the name of the stage, and how much of how much of it is done."""


class OtherRunError(ValueError):
    """The work folder holds another run."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many processes, and how many bytes of memory for all of them."""

    processes: int = 1
    memory: int = 1024 * 1024 * 1024

    @property
    def each(self) -> int:
        """Bytes that one process may fill with lines."""
        return max(_LEAST, self.memory // (self.processes + 1) - _PROCESS)


def needed_types() -> dict[str, tuple[str, ...]]:
    """Resource types that the services ask for, each with the kinds of data that hang on it."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in EVERYTHING:
        name = kind.query.partition("?")[0].partition("/")[0]
        found[name] = (*found.get(name, ()), kind.key)
    return found


_KINDS_BESIDE = frozenset(kind.key for kind in EVERYTHING if kind.beside)
_TYPES_BESIDE = frozenset(
    name for name, kinds in needed_types().items() if _KINDS_BESIDE.issuperset(kinds)
)
"""Resource types that many systems do not have: their data stand beside those of another."""


def lacking_kinds(tally: Tally, said: SaidByExport) -> dict[str, str]:
    """Kinds of data that are not whole for anybody, with why."""
    found: dict[str, str] = {}
    kinds = needed_types()
    fewer = set(said.missing(_lines_by_type(tally)))
    for name, why in (
        *((name, FEWER) for name in fewer),
        *((name, CUT) for name in tally.cut),
        *((name, NOT_THERE) for name in tally.absent | tally.absent_beside),
    ):
        found.update(dict.fromkeys(kinds.get(name, ()), why))
    return found


def _lines_by_type(tally: Tally) -> dict[str, int]:
    counts = Counter(tally.used)
    for (_, kind), lines in tally.unused.items():
        counts[kind] += lines
    return counts


@dataclass
class Population:
    """One run over a folder or a file, in a work folder that is there.

    `without` are resource types that the source does not have at all: that no file holds them is
    then no gap. After `results` was walked through, `tally` counts all that was read.
    """

    path: Path
    setup: Setup
    work: Path
    limits: Limits = field(default_factory=Limits)
    without: frozenset[str] = frozenset()
    progress: Progress = lambda stage, done, total: None
    tally: Tally = field(default_factory=Tally)
    lacking: dict[str, str] = field(default_factory=dict)
    _pattern: str = field(default="", init=False, repr=False)

    def results(self) -> Iterator[PatientResult]:
        """The result of every patient: Bundles by file first, then patients by bucket and id.

        Raises CohortFileError, KnowledgeError, OtherRunError, and OSError for the work folder.
        """
        folder = Folder.of(self.path)
        # Loaded here first, so that a faulty table is told as such and not as a broken pool.
        loaded[self.setup] = knowledge = self.setup.release()
        try:
            yield from self._results(folder, knowledge)
        finally:
            loaded.pop(self.setup, None)

    def _results(self, folder: Folder, knowledge: Knowledge) -> Iterator[PatientResult]:
        self._pattern = pattern_of(Concern.of(knowledge))
        said = SaidByExport.of(folder)
        shelves = self._shelves(folder)
        self._claim(folder, knowledge.release.version, shelves)
        self.tally = self._grouped(folder, said, shelves)
        self.lacking = lacking_kinds(self.tally, said)
        for place, why in self.tally.broken:
            yield PatientResult(place, None, error=f"a line {why}")
        yield from self._decided(folder, shelves)

    @property
    def whole(self) -> bool:
        """Whether, after `results`, nothing that is needed is missing of anybody."""
        return self.tally.whole and self.lacking.keys() <= _KINDS_BESIDE

    def _shelves(self, folder: Folder) -> Shelves:
        size = sum(
            file.path.stat().st_size * (_COMPRESSION if file.compressed else 1)
            for file in folder.lines
        )
        return Shelves.in_folder(self.work, bucket_count(size, self.limits.each))

    def _claim(self, folder: Folder, release: str, shelves: Shelves) -> None:
        """Make sure that what lies in the work folder is of this very run."""
        stats = [(file.name, (stat := file.path.stat()).st_size, stat.st_mtime_ns)
                 for file in (*folder.lines, *folder.bundles, *folder.deleted)]  # fmt: skip
        run = (stats, repr(self.setup), release, sorted(self.without), shelves.charts.count)
        mark = hashlib.sha256(repr(run).encode()).hexdigest()
        file = self.work / "run"
        if file.exists():
            if file.read_text(encoding="utf-8") != mark:
                raise OtherRunError(
                    "the work folder holds another run: other data, another day, another release"
                    " or another limit of memory; empty it, or name another folder"
                )
            return
        if any(self.work.iterdir()):
            raise OtherRunError("the work folder is not empty and holds no run of this command")
        _write(file, mark.encode())

    def _grouped(self, folder: Folder, said: SaidByExport, shelves: Shelves) -> Tally:
        kept = self.work / "grouped"
        if kept.exists():
            return Tally.decoded(kept.read_bytes())
        for leftover in (file for shelf in (shelves.charts, shelves.people, shelves.products)
                         for file in self.work.glob(f"{shelf.name}-*")):  # fmt: skip
            leftover.unlink()
        tally = Tally(faults=dict(said.faults))
        self._read_lines(folder, said, shelves, tally)
        for stage in ("people", "products"):
            tasks = [(stage, bucket) for bucket in range(shelves.charts.count)]
            for _, part in self._pool(_link, shelves, said).answers(tasks):
                if not isinstance(part, Tally):
                    raise CohortFileError("a process died while lines were put together")
                tally.add(part)
        self._find_absent(folder, tally)
        _write(kept, tally.encoded())
        return tally

    def _read_lines(
        self, folder: Folder, said: SaidByExport, shelves: Shelves, tally: Tally
    ) -> None:
        tasks = [
            (file, number, stretch)
            for number, file in enumerate(folder.lines)
            for stretch in stretches(
                file.path.stat().st_size, compressed=file.compressed, longest=_STRETCH
            )
        ]
        sizes = {(number, stretch): _size(file, stretch) for file, number, stretch in tasks}
        total, done = sum(sizes.values()), 0
        self.progress("reading", 0, total)
        for (file, number, stretch), part in self._pool(_read, shelves, said).answers(tasks):
            if isinstance(part, Tally):
                tally.add(part)
            else:
                tally.faults[f"{file.name}: the process that read it died"] = None
                kinds = file.named_types(READ_TYPES) or READ_TYPES
                tally.cut.update(dict.fromkeys(sorted(kinds)))
            done += sizes[number, stretch]
            self.progress("reading", done, total)

    def _pool(
        self, work: Callable[..., Tally], shelves: Shelves, said: SaidByExport
    ) -> Pool[Any, Tally]:
        given = (shelves, said, self.limits.each, self._pattern)
        return Pool(work, _prepare_grouping, given, self.limits.processes)

    def _find_absent(self, folder: Folder, tally: Tally) -> None:
        """Note the needed types of which there is neither a line nor an empty file."""
        if not folder.lines:
            return
        found = {kind for kind, count in _lines_by_type(tally).items() if count}
        if not tally.used:
            # Lines of Bundles only: each is a whole chart by itself.
            return
        if "Patient" not in found:
            raise CohortFileError(
                f"{self.path} holds no Patient resource: nobody's age, sex or death is known"
            )
        empty = {name for file in folder.lines for name in file.named_types(READ_TYPES)
                 if file.path.stat().st_size == 0}  # fmt: skip
        absent = frozenset(needed_types().keys() - found - empty - self.without)
        tally.absent_beside = absent & _TYPES_BESIDE
        tally.absent = absent - _TYPES_BESIDE

    def _decided(self, folder: Folder, shelves: Shelves) -> Iterator[PatientResult]:
        done = self.work / "done"
        done.mkdir(exist_ok=True)
        bundles = [tuple(folder.bundles[begin : begin + _BUNDLES_AT_ONCE])
                   for begin in range(0, len(folder.bundles), _BUNDLES_AT_ONCE)]  # fmt: skip
        parts: list[Part] = [Part(number, files) for number, files in enumerate(bundles)]
        parts += [Part(len(bundles) + bucket, (), bucket) for bucket in range(shelves.charts.count)]
        files = {part.number: done / f"{part.number:06d}" for part in parts}
        open_parts = [part for part in parts if not files[part.number].exists()]
        total = len(parts)
        self.progress("deciding", total - len(open_parts), total)
        given = (shelves, self.limits.each, self.setup, self.lacking, done)
        pool: Pool[Part, None] = Pool(_decide, _prepare_deciding, given, self.limits.processes)
        for ready, (part, answer) in enumerate(pool.answers(open_parts), 1):
            if isinstance(answer, WorkerDied):
                died = PatientResult(part.source, None, error="the process that decided it died")
                _write(files[part.number], _encoded([died]))
            self.progress("deciding", total - len(open_parts) + ready, total)
        for part in parts:
            yield from _read_results(files[part.number])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the deciding: some Bundle files, or one bucket."""

    number: int
    bundles: tuple[DataFile, ...] = ()
    bucket: int | None = None

    @property
    def source(self) -> str:
        """What to call it."""
        if self.bucket is None:
            return ", ".join(file.name for file in self.bundles)
        return f"bucket {self.bucket} of the export"


def _size(file: DataFile, stretch: Stretch) -> int:
    end = stretch.end if stretch.end is not None else file.path.stat().st_size
    return end - stretch.begin


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    beside = file.with_name(f".{file.name}.part")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


_results_encoder = msgspec.msgpack.Encoder()
_results_decoder = msgspec.msgpack.Decoder(list[PatientResult])


def _encoded(results: Iterable[PatientResult]) -> bytes:
    return _results_encoder.encode(list(results))


def _read_results(file: Path) -> list[PatientResult]:
    return _results_decoder.decode(file.read_bytes())


@dataclass
class _Worker:
    """What this process works with, once it was prepared."""

    grouping: Callable[[], Grouping] | None = None
    decider: Decider | None = None
    shelves: Shelves | None = None
    limit: int = 0
    done: Path = Path()


_worker = _Worker()


def _prepare_grouping(shelves: Shelves, said: SaidByExport, limit: int, pattern: str) -> None:
    tells = concerns(pattern)
    _worker.grouping = lambda: Grouping(shelves, said, limit // 2, tells)


def _read(task: tuple[DataFile, int, Stretch]) -> Tally:
    with _grouping() as grouping:
        grouping.read(*task)
    return grouping.tally


def _link(task: tuple[str, int]) -> Tally:
    stage, bucket = task
    with _grouping() as grouping:
        (grouping.link_people if stage == "people" else grouping.link_products)(bucket)
    return grouping.tally


def _grouping() -> Grouping:
    if _worker.grouping is None:
        raise RuntimeError("the worker was not prepared")
    return _worker.grouping()


def _prepare_deciding(
    shelves: Shelves, limit: int, setup: Setup, lacking: dict[str, str], done: Path
) -> None:
    _worker.decider = Decider(setup, lacking)
    _worker.shelves, _worker.limit, _worker.done = shelves, limit, done


def _decide(part: Part) -> None:
    decider, shelves = _worker.decider, _worker.shelves
    if decider is None or shelves is None:
        raise RuntimeError("the worker was not prepared")
    if part.bucket is None:
        charts = charts_of_files(part.bundles)
    else:
        charts = charts_of_bucket(shelves.charts, part.bucket, _worker.limit // 4)
    results = [result for chart in charts for result in decider.results(chart)]
    _write(_worker.done / f"{part.number:06d}", _encoded(results))

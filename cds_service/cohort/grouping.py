"""The lines of an export put by on disk by patient: the first of the two passes.

Three shelves: `charts` by patient, `people` by identifier (the patients who have it, and lines
that name a patient by it), `products` by product (what it is, and who takes it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds_service.cohort.buckets import Record, Shelf, Writer
from cds_service.cohort.export import SaidByExport
from cds_service.cohort.folder import DataFile
from cds_service.cohort.heads import Head, Heads, head_of, with_owner
from cds_service.cohort.lines import CutFileError, Line, Stretch, lines_of
from cds_service.cohort.tally import Tally, Unused
from cds_service.fhir.reading import READ_TYPES

LINE, CONCERN, LOST, CHART = b"R", b"C", b"X", b"B"
"""Kinds of records on the shelf of charts: a line, one that the algorithm may be concerned by, a
line of a known patient that cannot be read, and a Bundle, which is a chart of its own."""
_PRODUCT, _TAKER, _IDENTITY, _BY_IDENTITY = b"P", b"T", b"I", b"L"
BUNDLES = b"*"
"""In front of the key of a Bundle's record: no patient has it."""

Concern = Callable[[bytes], bool]


@dataclass(frozen=True)
class Shelves:
    """Where the lines are put by."""

    charts: Shelf
    people: Shelf
    products: Shelf

    @classmethod
    def in_folder(cls, folder: Path, count: int) -> Shelves:
        """Shelves of so many buckets in a folder that is there."""
        return cls(*(Shelf(folder, name, count) for name in ("charts", "people", "products")))


@dataclass
class Grouping:
    """Puts the lines of files by. `concerns` tells lines that the algorithm may be concerned by."""

    shelves: Shelves
    said: SaidByExport
    memory: int
    concerns: Concern
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._heads = Heads()
        self._charts = Writer(self.shelves.charts, self.memory // 2)
        self._people = Writer(self.shelves.people, self.memory // 4)
        self._products = Writer(self.shelves.products, self.memory // 4)

    def __enter__(self) -> Grouping:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits in memory. Raises OSError."""
        for writer in (self._charts, self._people, self._products):
            writer.close()

    def read(self, file: DataFile, number: int, stretch: Stretch) -> None:
        """Put the lines of a part of a file by; `number` is the file's place among all.

        Raises OSError when they cannot be written.
        """
        kinds: set[str] = set()
        name = file.name if not stretch.begin else f"{file.name}, from byte {stretch.begin}"
        try:
            for line in lines_of(file.path, compressed=file.compressed, stretch=stretch):
                head = self._heads.of(line.text)
                kinds.add(head.resource_type)
                place = b"%06d.%015d.%010d" % (number, stretch.begin, line.number)
                self._put(file, f"{name}:{line.number}", place, line, head)
        except CutFileError as error:
            self.tally.faults[f"{file.name}: {error.fault.value}"] = None
            kinds |= file.named_types(READ_TYPES)
            # What was on the lines that are gone nobody knows: by name or neighbours it is told.
            self.tally.cut.update(dict.fromkeys(sorted(kinds & READ_TYPES or READ_TYPES)))

    def _put(self, file: DataFile, called: str, place: bytes, line: Line, head: Head) -> None:
        if line.too_long:
            self._lose(called, place, head, Unused.TOO_LONG)
        elif head.why in (Unused.BROKEN, Unused.OLD_TYPE):
            self._lose(called, place, head, head.why)
        elif head.why is not None:
            self._unused(head.why, head.resource_type)
        elif head.resource_type == "Bundle":
            self._charts.add(CHART, BUNDLES + called.encode(), place, line.text)
        elif self.said.deleted and self.said.is_deleted(head.key, file.run):
            self._unused(Unused.DELETED, head.resource_type)
        elif head.resource_type == "Medication" and head.owner is None:
            self._products.add(_PRODUCT, str(head.product).encode(), place, line.text)
        elif head.identifier is not None:
            self._people.add(_BY_IDENTITY, _one_line(head.identifier), place, line.text)
        else:
            self._keep(place, line.text, head)

    def _keep(self, place: bytes, text: bytes, head: Head) -> None:
        owner = str(head.owner).encode()
        if head.by_urn:
            text = with_owner(text, str(head.owner))
        concern = not head.readable or head.nameless or self.concerns(text)
        self._charts.add(CONCERN if concern else LINE, owner, place, text)
        self.tally.used[head.resource_type] += 1
        if head.product is not None:
            self._products.add(_TAKER, head.product.encode(), place, owner)
        for identifier in head.identifiers:
            self._people.add(_IDENTITY, _one_line(identifier), place, owner)

    def _lose(self, called: str, place: bytes, head: Head, why: Unused) -> None:
        self._unused(why, head.resource_type)
        known = not head.resource_type or head.resource_type in READ_TYPES
        if not known and why is not Unused.OLD_TYPE:
            return
        if head.owner is not None:
            self._charts.add(LOST, head.owner.encode(), place, why.encode())
        else:
            self.tally.broken.append((called, why.value))

    def _unused(self, why: Unused, kind: str) -> None:
        self.tally.unused[(why, kind)] += 1

    def link_people(self, bucket: int) -> None:
        """Give the lines that name a patient by an identifier to their patients.

        Raises OSError. Products are linked when all people are.
        """
        for records in _by_key(self.shelves.people.records(bucket)):
            people = {record.text for record in records if record.kind == _IDENTITY}
            owner = people.pop().decode() if len(people) == 1 else None
            for record in records:
                if record.kind == _BY_IDENTITY:
                    self._give(record, owner)

    def _give(self, record: Record, owner: str | None) -> None:
        kind = head_of(record.text).resource_type
        if owner is None:
            self._unused(Unused.NO_SUCH_PATIENT, kind)
            return
        try:
            text = with_owner(record.text, owner)
        except msgspec.DecodeError:
            self._unused(Unused.BROKEN, kind)
            return
        self._keep(record.place, text, head_of(text))

    def link_products(self, bucket: int) -> None:
        """Give the products to the charts that name them. Raises OSError."""
        for records in _by_key(self.shelves.products.records(bucket)):
            products = [record for record in records if record.kind == _PRODUCT]
            takers = dict.fromkeys(record.text for record in records if record.kind == _TAKER)
            for owner in takers:
                for product in products:
                    concern = head_of(product.text).nameless or self.concerns(product.text)
                    kind = CONCERN if concern else LINE
                    self._charts.add(kind, owner, product.place, product.text)
                if not products:
                    # What a product that is not there may be, nobody knows.
                    self._charts.add(CONCERN, owner, b"~", b"")
            if takers:
                self.tally.used["Medication"] += len(products)
            elif products:
                self.tally.unused[(Unused.LEFT_UNASKED, "Medication")] += len(products)


def _by_key(records: Iterable[Record]) -> Iterator[list[Record]]:
    found: dict[bytes, list[Record]] = {}
    for record in records:
        found.setdefault(record.key, []).append(record)
    for group in found.values():
        yield sorted(set(group))


def _one_line(text: str) -> bytes:
    return " ".join(text.split()).encode()

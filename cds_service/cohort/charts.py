"""Charts: one Bundle in a file or as text, or the lines of one patient put together.

A Bundle is taken for the whole chart of its patients: what is not in it counts as not there, as
with a complete prefetch. A Bundle with a `next` link is a first page and is treated as one.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cds_service.cohort.buckets import Record, Shelf
from cds_service.cohort.folder import DataFile
from cds_service.cohort.grouping import BUNDLES, CONCERN, LINE, LOST

_BUNDLE_HEAD = b'{"resourceType":"Bundle","type":"collection","entry":['


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: in a file, or as text. `source` names the file (and line) it came from.

    `patient` is whose lines it was put together of; then nobody else is in it. `lost` counts
    lines of the patient that cannot be read. `two_people` says that two different people bear the
    id. `concerns` is False where nothing of the patient's can concern the
    algorithm: then only the Patient itself is in it.
    """

    source: str
    file: Path | None = None
    text: bytes = field(default=b"", repr=False)
    patient: str | None = None
    lost: int = 0
    two_people: bool = False
    concerns: bool = True

    def read(self) -> bytes:
        """The Bundle as text. Raises OSError, also for a compressed file that is damaged."""
        if self.file is None:
            return self.text
        content = self.file.read_bytes()
        if self.file.suffix.lower() != ".gz":
            return content
        try:
            return gzip.decompress(content)
        except (EOFError, zlib.error):
            raise OSError("damaged") from None


def charts_of_files(files: Iterable[DataFile]) -> Iterator[Chart]:
    """The charts of files with one Bundle each."""
    return (Chart(file.name, file.path) for file in files)


def charts_of_bucket(shelf: Shelf, bucket: int, limit: int) -> Iterator[Chart]:
    """The charts of a bucket, by the ids of the patients. Raises OSError.

    A bucket above `limit` bytes is gone through in parts, so that memory stays bounded.
    """
    parts = max(1, -(-shelf.size(bucket) // max(limit, 1)))
    for part in range(parts):
        groups: dict[bytes, list[Record]] = {}
        for record in shelf.records(bucket):
            if parts == 1 or hash_of(record.key) % parts == part:
                groups.setdefault(record.key, []).append(record)
        for key in sorted(groups):
            # A process that died may have put a line by that was then read again.
            yield _chart(key, sorted(set(groups.pop(key))))


def hash_of(key: bytes) -> int:
    """A number that is independent of the bucket of a key."""
    return zlib.adler32(key[::-1])


def _chart(key: bytes, records: list[Record]) -> Chart:
    if key.startswith(BUNDLES):
        return Chart(key[len(BUNDLES) :].decode(), None, records[0].text)
    texts = [item.text for item in records if item.kind in (LINE, CONCERN) and item.text]
    patient = key.decode()
    people = list(_people(texts))
    concerns = any(item.kind != LINE for item in records)
    # Of who is set aside only the Patient is looked at: is somebody treating them at all?
    bundled = texts if concerns else [text for text, _ in people]
    return Chart(
        f"Patient/{patient}",
        None,
        _BUNDLE_HEAD + b",".join(b'{"resource":' + text + b"}" for text in bundled) + b"]}",
        patient,
        sum(item.kind == LOST for item in records),
        not all(_same(people[0][1], other) for _, other in people[1:]),
        concerns,
    )


class _Person(msgspec.Struct, rename="camel"):
    resource_type: str
    gender: Any = None
    birth_date: Any = None
    identifier: Any = None


_decoder = msgspec.json.Decoder(_Person)


def _people(texts: Iterable[bytes]) -> Iterator[tuple[bytes, _Person]]:
    for text in texts:
        # Spelled with and without a blank; of what is neither, the deciding reads the type.
        if b'"Patient"' not in text:
            continue
        try:
            person = _decoder.decode(text)
        except msgspec.DecodeError:
            continue
        if person.resource_type == "Patient":
            yield text, person


def _same(one: _Person, other: _Person) -> bool:
    """Whether two Patients of one id may be one person: nothing differs, or they share a number."""
    pairs = ((one.gender, other.gender), (one.birth_date, other.birth_date))
    if all(not first or not second or first == second for first, second in pairs):
        return True
    return not _numbers(one).isdisjoint(_numbers(other))


def _numbers(person: _Person) -> set[tuple[str, str]]:
    listed = person.identifier if isinstance(person.identifier, list) else []
    return {
        (str(item.get("system")), str(item["value"]))
        for item in listed
        if isinstance(item, dict) and item.get("value")
    }

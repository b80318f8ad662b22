"""Lines put by on disk, so that what belongs together can be read together, however much it is.

A bucket holds the records of many keys, and all records of each of them. A record is one line:
kind, key, place and text, with tabs between them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

WIDEST = 4096
"""Buckets at most: each is a file or several."""


class Record(NamedTuple):
    """One line put by: sorted, records of one key come in the order in which they were sent."""

    key: bytes
    place: bytes
    kind: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder with a number of buckets. `name` tells the shelves of one folder apart."""

    folder: Path
    name: str
    count: int

    def bucket_of(self, key: bytes) -> int:
        """The bucket of a key: the same in every process and every run."""
        return zlib.crc32(key) % self.count

    def files(self, bucket: int) -> list[Path]:
        """The files that hold a bucket, each written by one process."""
        return sorted(self.folder.glob(f"{self.name}-{bucket:04d}-*"))

    def size(self, bucket: int) -> int:
        """Bytes of a bucket."""
        return sum(file.stat().st_size for file in self.files(bucket))

    def records(self, bucket: int) -> Iterator[Record]:
        """The records of a bucket, in no order."""
        for file in self.files(bucket):
            with file.open("rb") as stream:
                for line in stream:
                    if not line.endswith(b"\n"):
                        # Of a process that died over it; its lines were read again.
                        break
                    kind, key, place, text = line.split(b"\t", 3)
                    yield Record(key, place, kind, text[:-1])

    def remove(self, bucket: int) -> None:
        """Delete a bucket that is not needed any more."""
        for file in self.files(bucket):
            file.unlink(missing_ok=True)


class Writer:
    """Puts records by. What waits in memory stays below `limit` bytes; `close` writes the rest."""

    def __init__(self, shelf: Shelf, limit: int) -> None:
        self._shelf = shelf
        self._limit = limit
        self._waiting: dict[int, list[bytes]] = {}
        self._size = 0

    def add(self, kind: bytes, key: bytes, place: bytes, text: bytes) -> None:
        """Put one record by. Neither key nor text may hold a line break. Raises OSError."""
        record = b"\t".join((kind, key, place, text))
        self._waiting.setdefault(self._shelf.bucket_of(key), []).append(record)
        self._size += len(record) + 100
        if self._size > self._limit:
            self.close()

    def close(self) -> None:
        """Write what waits. Raises OSError."""
        for bucket, records in self._waiting.items():
            name = f"{self._shelf.name}-{bucket:04d}-{os.getpid()}"
            with (self._shelf.folder / name).open("ab") as stream:
                stream.write(b"\n".join(records) + b"\n")
        self._waiting.clear()
        self._size = 0


def bucket_count(size: int, memory: int) -> int:
    """How many buckets keep the lines of one within a share of `memory` bytes.

    Python needs about three times the text while a bucket is looked through.
    """
    wanted = -(-size * 4 // max(memory, 1))
    return max(1, min(wanted, WIDEST))

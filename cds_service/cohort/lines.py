"""The lines of a file of the export, plain or compressed, whatever is wrong with it."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of a line that is read. No resource that is read here comes near; a line above holds an
attachment or is damaged, and would cost many times its length in memory."""
_KEPT = 64 * 1024
_MARK = b"\xef\xbb\xbf"
_BUFFER = 1024 * 1024


class FileFault(StrEnum):
    """Why a file was not read to its end."""

    DAMAGED = "the compressed file is cut off or damaged"
    UNREADABLE = "the file cannot be read"


class CutFileError(Exception):
    """A file that could not be read to its end; what was read before it stands."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Line(NamedTuple):
    """One line that is not blank. Of one that is `too_long` only the beginning is kept."""

    number: int
    text: bytes
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file: the lines that begin from byte `begin` on and before byte `end`.

    A compressed file is one stretch: nobody can begin in its middle.
    """

    begin: int = 0
    end: int | None = None


def stretches(size: int, *, compressed: bool, longest: int) -> list[Stretch]:
    """The parts in which a file of `size` bytes is read, each about `longest` bytes."""
    if compressed or size <= longest:
        return [Stretch()]
    begins = list(range(0, size, longest))
    return [Stretch(begin, end) for begin, end in zip(begins, [*begins[1:], None], strict=True)]


def lines_of(path: Path, *, compressed: bool, stretch: Stretch = Stretch()) -> Iterator[Line]:
    """The lines of a file without blank ones, numbered from the beginning of the stretch.

    Raises CutFileError where it cannot be read on.
    """
    try:
        with path.open("rb") as file:
            stream = io.BufferedReader(gzip.GzipFile(fileobj=file), _BUFFER) if compressed else file
            yield from _lines(stream, stretch)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise CutFileError(FileFault.DAMAGED) from None
    except OSError:
        raise CutFileError(FileFault.UNREADABLE) from None


def _lines(stream: BinaryIO, stretch: Stretch) -> Iterator[Line]:
    number, at = 0, stretch.begin
    if at:
        # The line that ends here or goes on from before belongs to the stretch before.
        stream.seek(at - 1)
        at += _rest_of_line(stream) - 1
    while (stretch.end is None or at < stretch.end) and (text := stream.readline(LONGEST_LINE + 1)):
        number += 1
        at += len(text)
        if len(text) > LONGEST_LINE:
            kept = text[:_KEPT]
            if not text.endswith(b"\n"):
                at += _rest_of_line(stream)
            yield Line(number, kept, too_long=True)
            continue
        first = number == 1 and not stretch.begin
        text = text.removeprefix(_MARK).strip() if first else text.strip()
        if text:
            yield Line(number, text)


def _rest_of_line(stream: BinaryIO) -> int:
    """Read on to the end of a line, however long; how many bytes that were."""
    passed = 0
    while text := stream.readline(LONGEST_LINE):
        passed += len(text)
        if text.endswith(b"\n"):
            break
    return passed

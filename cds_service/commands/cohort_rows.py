"""The rows of a population in a file: CSV, or Parquet with the extra `cohort`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
import msgspec

if TYPE_CHECKING:
    from cds_service.cohort.rows import Row

_AT_ONCE = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RowFile(Protocol):
    """A file that takes rows."""

    def take(self, rows: Iterable[Row]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what waits, and end the file."""


def row_file(target: Path, beside: Path) -> RowFile:
    """A file for rows, by the ending of `target`, written at `beside`.

    Raises click.UsageError for another ending, without the library, or where it cannot be written.
    """
    suffix = target.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise click.UsageError("--rows must end in .csv or .parquet")
    try:
        return _Csv(beside) if suffix == ".csv" else _Parquet(beside)
    except ImportError:
        raise click.UsageError(
            "--rows to .parquet needs the extra cohort: pip install 'alk-cds[cohort]'"
        ) from None
    except OSError as error:
        raise click.UsageError(f"--rows cannot be written: {error.strerror}") from None


class _Csv:
    def __init__(self, file: Path) -> None:
        from cds_service.cohort.rows import COLUMNS

        self._stream = file.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream)
        self._writer.writerow(COLUMNS)

    def take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._writer.writerow([_cell(value) for value in msgspec.structs.astuple(row)])

    def close(self) -> None:
        self._stream.close()


def _cell(value: object) -> object:
    """A value as a cell: text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


class _Parquet:
    def __init__(self, file: Path) -> None:
        import pyarrow
        from pyarrow import parquet

        from cds_service.cohort.rows import COLUMNS, COUNTS, DATES, NUMBERS

        def kind(name: str) -> Any:
            if name in DATES:
                return pyarrow.date32()
            if name in COUNTS:
                return pyarrow.int32()
            return pyarrow.float64() if name in NUMBERS else pyarrow.string()

        self._pyarrow = pyarrow
        self._schema = pyarrow.schema([(name, kind(name)) for name in COLUMNS])
        self._numbers = NUMBERS
        self._waiting: list[dict[str, Any]] = []
        # Opened here, so that a place that cannot be written is an OSError with its reason.
        self._stream = file.open("wb")
        self._writer = parquet.ParquetWriter(self._stream, self._schema)

    def take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            record = msgspec.structs.asdict(row)
            for name in self._numbers:
                record[name] = float(record[name]) if record[name] is not None else None
            self._waiting.append(record)
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = self._pyarrow.Table.from_pylist(self._waiting, schema=self._schema)
            self._writer.write_table(table)
            self._waiting.clear()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._stream.close()

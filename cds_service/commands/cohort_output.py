"""What `alk-cds cohort` writes: results, a summary, how far it is, and what was not whole."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

import click
import msgspec
from rich.box import SIMPLE
from rich.table import Table

from cds_service.commands import view
from cds_service.commands.cohort_rows import RowFile, row_file

if TYPE_CHECKING:
    from cds_service.cohort import PatientResult, Population

NOT_DECIDED, NOT_WHOLE = 1, 3
_SHOWN_FAILURES = 20
_PAUSE_SECONDS = 5.0
_SEVERITIES = ("critical", "warning", "info")


class Output:
    """The results in a file or on standard output; entered before the work, so that a place that
    cannot be written is told then. The file appears when it is whole."""

    def __init__(
        self,
        out: Path | None,
        day: date,
        rows: Path | None = None,
        key: Callable[[str], str] | None = None,
    ) -> None:
        """`rows` is a file for the rows; `key` gives a patient's pseudonym by the id."""
        self._out = out
        self._rows_out = rows
        self._row_file: RowFile | None = None
        self._key = key
        self._day = day
        self._console = view.console(stderr=True)
        self._stream: TextIO = sys.stdout
        self._rules: Counter[tuple[str, str]] = Counter()
        self._people: Counter[str] = Counter()
        self._failed: list[tuple[str, str]] = []
        self._shown: tuple[str, float, float] = ("", 0.0, 0.0)
        self.status = 0

    def __enter__(self) -> Output:
        if self._rows_out is not None:
            self._row_file = row_file(self._rows_out, _beside(self._rows_out))
        if self._out is not None:
            try:
                self._stream = _beside(self._out).open("w", encoding="utf-8")
            except OSError as error:
                if self._row_file is not None:
                    self._end_rows(whole=False)
                raise click.UsageError(f"--out cannot be written: {error.strerror}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._out is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            _settle(self._out, whole=kind is None)
        if self._row_file is not None:
            self._end_rows(whole=kind is None)

    def _end_rows(self, *, whole: bool) -> None:
        if self._row_file is not None and self._rows_out is not None:
            self._row_file.close()
            _settle(self._rows_out, whole=whole)

    def take(self, results: Iterable[PatientResult]) -> None:
        """Write each result, and the summary of all."""
        for found in results:
            result = found if self._key is None else _pseudonymous(found, self._key)
            if self._row_file is not None:
                self._row_file.take(result.rows)
            self._stream.write(json.dumps(result.as_document(), ensure_ascii=False) + "\n")
            self._count(result)
        self._summarise()
        if self._people["failed"]:
            self.status = NOT_DECIDED

    def _count(self, result: PatientResult) -> None:
        if result.error is not None:
            self._people["failed"] += 1
            if len(self._failed) < _SHOWN_FAILURES:
                self._failed.append((result.source, result.error))
        elif result.left_out is not None:
            self._people[result.left_out] += 1
        else:
            self._people["decided"] += 1
            self._people["set aside"] += result.set_aside
            self._people["silent"] += not result.rule_ids
            self._rules.update(set(zip(result.severities, result.rule_ids, strict=True)))

    def _summarise(self) -> None:
        decided = self._people["decided"]
        table = Table(box=SIMPLE, title=f"{decided} patients decided as of {self._day}")
        for column in ("severity", "rule"):
            table.add_column(column)
        table.add_column("patients", justify="right")
        for (severity, rule), count in sorted(
            self._rules.items(),
            key=lambda found: (_SEVERITIES.index(found[0][0]), -found[1], found[0][1]),
        ):
            table.add_row(severity, rule, str(count))
        table.add_row("none", "nothing to say", str(self._people["silent"]))
        self._console.print(table)
        if self._people["set aside"]:
            self._console.print(
                f"of them set aside, nothing about lung cancer or ALK in the data:"
                f" {self._people['set aside']}"
            )
        for why in ("deceased", "inactive"):
            if self._people[why]:
                self._console.print(f"left out, {why}: {self._people[why]}")
        for source, error in self._failed:
            self._console.print(f"not decided: {source}: {error}", markup=False)
        more = self._people["failed"] - len(self._failed)
        if more > 0:
            self._console.print(f"not decided: {more} more, each named in the results")

    def tell_data(self, population: Population) -> None:
        """Say what became of the lines, and what is not whole."""
        tally = population.tally
        for (why, kind), count in sorted(tally.unused.items()):
            self._console.print(
                f"not used: {count} lines of {kind or 'no known type'}: {why}", markup=False
            )
        for fault in tally.faults:
            self._console.print(f"not whole: {fault}", markup=False)
        for kind, why in sorted(population.lacking.items()):
            self._console.print(f"not whole for anybody: {kind}: {why}", markup=False)
        if not population.whole:
            self._console.print(
                "THE DATA ARE NOT WHOLE: who is not named here may still need something."
            )
            self.status = NOT_WHOLE

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say how far a stage is, how fast it goes and how long it takes, every few seconds."""
        now = time.monotonic()
        shown, began, last = self._shown
        if stage != shown:
            self._shown = (stage, now, now)
            return
        if done < total and now - last < _PAUSE_SECONDS:
            return
        self._shown = (stage, began, now)
        rate = done / max(now - began, 0.001)
        left = (total - done) / rate if rate else 0
        speed = f"{rate / 1e6:.1f} MB" if stage == "reading" else f"{rate:.1f} parts"
        self._console.print(
            f"{stage}: {100 * done // max(total, 1)} %, {speed} a second, {left:.0f} s left",
            markup=False,
        )


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.part")


def _settle(file: Path, *, whole: bool) -> None:
    """Let a file appear that is whole; throw one away that is not."""
    if whole:
        _beside(file).replace(file)
    else:
        _beside(file).unlink(missing_ok=True)


def _pseudonymous(result: PatientResult, key: Callable[[str], str]) -> PatientResult:
    """The same result, of a key in place of the id; a name of a file may hold an id, too."""
    if result.patient is None:
        return result
    own = key(result.patient)
    rows = tuple(msgspec.structs.replace(row, patient=own) for row in result.rows)
    return replace(result, patient=own, source=f"Patient/{own}", rows=rows)

"""A whole population against parsing its lines: `python -m benchmarks.population`.

Patients have 16 lines each; one in a hundred has lung cancer and an ALK inhibitor. CPU time is that
of all processes of the run; parsing is `orjson.loads` over the same lines in one process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from cds_service.cohort import Limits, Population, Setup
from cds_service.cohort.population import needed_types
from fhir_fixtures import REFERENCE_DATE, load_story

PATIENTS = 10_000
LINES = 16
CONCERNED, OTHER = "alectinib-alt-six-times", "no-lung-cancer"
ONE_IN = 100
PROCESSES = 2
MEMORY = 1024


def lines_of(patient: int) -> Iterator[tuple[str, bytes]]:
    """The lines of one patient with their resource types."""
    story = CONCERNED if patient % ONE_IN == 0 else OTHER
    chosen = _CHOSEN.setdefault(story, _chosen(story))
    for kind, text in chosen:
        yield kind, text.replace(b"@patient@", b"p%d" % patient)


_CHOSEN: dict[str, list[tuple[str, bytes]]] = {}


def _chosen(story: str) -> list[tuple[str, bytes]]:
    resources: list[dict[str, Any]] = [
        entry["resource"] for entry in load_story(story).bundle["entry"]
    ]
    read = [item for item in resources if item["resourceType"] in needed_types()]
    read.sort(key=lambda item: item["resourceType"] == "Observation")
    kept = read[:LINES]
    return [
        (item["resourceType"], json.dumps(item).replace(story, "@patient@").encode())
        for item in kept
    ]


def write(folder: Path, patients: int) -> int:
    """An export of so many patients; how many bytes it has."""
    files = {kind: (folder / f"1.{kind}.ndjson").open("wb") for kind in needed_types()}
    for patient in range(patients):
        for kind, text in lines_of(patient):
            files[kind].write(text + b"\n")
    for file in files.values():
        file.close()
    return sum(file.stat().st_size for file in folder.iterdir())


def parsing(folder: Path) -> float:
    """CPU seconds of parsing every line."""
    began = time.process_time()
    for file in folder.iterdir():
        with file.open("rb") as stream:
            for line in stream:
                orjson.loads(line)
    return time.process_time() - began


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def measure(patients: int, processes: int) -> dict[str, float]:
    """One run, and what it took."""
    with TemporaryDirectory() as work, TemporaryDirectory() as data:
        size = write(Path(data), patients)
        parsed = parsing(Path(data))
        setup = Setup(REFERENCE_DATE)
        limits = Limits(processes, MEMORY * 1024 * 1024)
        began, cpu = time.perf_counter(), _cpu(resource.RUSAGE_SELF)
        run = Population(Path(data), setup, Path(work), limits)
        found = sum(bool(result.rule_ids) for result in run.results())
        # Children count once they have ended.
        used = _cpu(resource.RUSAGE_SELF) - cpu + _cpu(resource.RUSAGE_CHILDREN)
        return {
            "patients": patients,
            "megabytes": size / 1e6,
            "found": found,
            "parse_seconds": parsed,
            "cpu_seconds": used,
            "ratio": used / parsed,
            "wall_seconds": time.perf_counter() - began,
            "largest_process_mib": max(
                resource.getrusage(who).ru_maxrss / 1024
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            ),
        }


def main() -> None:
    """Measure and print."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else PATIENTS
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else PROCESSES
    for name, value in measure(patients, processes).items():
        sys.stdout.write(f"{name}: {value:.2f}\n")
    sys.stdout.write(f"day: {date.today()}, processors: {os.cpu_count()}\n")  # noqa: DTZ011


if __name__ == "__main__":
    main()

"""Exports written for a test, and runs over them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cds_service.cohort import Limits, PatientResult, Population, Setup
from cds_service.cohort.population import needed_types
from fhir_fixtures import REFERENCE_DATE, load_story

Json = dict[str, Any]
SETUP = Setup(REFERENCE_DATE)
EVERY_TYPE = frozenset(needed_types())


def all_results(
    path: Path, setup: Setup = SETUP, processes: int = 1, without: Iterable[str] = ()
) -> list[PatientResult]:
    """The results of everybody in a folder or a file."""
    return run_over(path, setup, processes, without)[0]


def run_over(
    path: Path, setup: Setup = SETUP, processes: int = 1, without: Iterable[str] = ()
) -> tuple[list[PatientResult], Population]:
    """The same, with the run itself, which knows what became of the lines."""
    with TemporaryDirectory() as work:
        limits = Limits(processes)
        population = Population(path, setup, Path(work), limits, frozenset(without))
        return list(population.results()), population


def told(story: str) -> list[Json]:
    """The resources of a story."""
    return [entry["resource"] for entry in load_story(story).bundle["entry"]]


def lines(resources: Iterable[Json]) -> bytes:
    """Resources as NDJSON."""
    return b"".join(json.dumps(item).encode() + b"\n" for item in resources)


def export(folder: Path, *stories: str) -> Path:
    """A folder as the common clients leave it: a file for each type, empty where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = [item for story in stories for item in told(story)]
    for kind in EVERY_TYPE | {item["resourceType"] for item in resources}:
        own = [item for item in resources if item["resourceType"] == kind]
        (folder / f"1.{kind}.ndjson").write_bytes(lines(own))
    return folder


def packed(file: Path) -> Path:
    """A file replaced by itself, compressed."""
    target = file.with_name(f"{file.name}.gz")
    target.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    return target

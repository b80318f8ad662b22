"""`alk-cds cohort`: many patients from files."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands.options import (
    AS_OF,
    KNOWLEDGE,
    TOKEN_VARIABLE,
    SmartOptions,
    smart_options,
)

if TYPE_CHECKING:
    from rich.console import Console

    from cds_service.cohort import Chart, PatientResult


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--stories", is_flag=True, help="Use the packaged stories, moved to the day asked.")
@AS_OF
@KNOWLEDGE
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the results, one JSON object a line; standard output without it.",
)
@click.option("--fhir-server", help="Base address of any FHIR R4 server to read from.")
@click.option(
    "--patient",
    "patients",
    multiple=True,
    help="Only this patient of the server; may be given again.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with an access token; {TOKEN_VARIABLE} does as well.",
)
@smart_options
@click.option(
    "--deadline",
    type=click.FloatRange(0.1, 300),
    default=20.0,
    show_default=True,
    help="Seconds within which the server must have given one patient's data.",
)
@click.option("--processes", type=click.IntRange(1, 256), help="Default: one for each processor.")
def command(
    path: Path | None,
    stories: bool,
    as_of: datetime | None,
    knowledge_place: Path | None,
    out: Path | None,
    fhir_server: str | None,
    patients: tuple[str, ...],
    token_file: Path | None,
    smart: SmartOptions,
    deadline: float,
    processes: int | None,
) -> None:
    """Decide for every patient of PATH as when the chart is opened.

    PATH is a folder with FHIR Bundles (*.json) or NDJSON of Bundles or resources, or one such
    file. A file is taken for the whole chart: what is not in it counts as not there. In place of
    PATH a FHIR server can be read, one patient after the other. The summary goes to standard
    error. Ends with 1 when any patient could not be decided.
    """
    from cds_service.cohort import CohortFileError, Setup, read_charts, run_cohort
    from cds_service.commands import view
    from cds_service.commands.options import given_day
    from cds_service.commands.running import clinic_day
    from cds_service.releases import chosen_path
    from cds_service.settings import load_settings

    if sum((stories, path is not None, fhir_server is not None)) != 1:
        raise click.UsageError("give one of PATH, --stories and --fhir-server")
    if fhir_server is None and (patients or token_file or smart != SmartOptions()):
        raise click.UsageError("--patient, --token-file and --smart-... need --fhir-server")
    settings = load_settings(environment="development")
    day = given_day(as_of)
    place = knowledge_place or chosen_path(settings)
    setup = Setup(
        day,
        settings.timezone,
        settings.jurisdiction,
        place,
        settings.local_codes_file,
        settings.concept_maps,
        clinic_day(),
    )
    deciding: Iterator[PatientResult]
    if fhir_server is not None:
        from cds_service.commands.options import given_access, given_knowledge
        from cds_service.commands.patients import decided_from_server

        access = given_access(token_file, smart, fhir_server)
        knowledge = given_knowledge(place)
        deciding = decided_from_server(fhir_server, patients, access, day, deadline, knowledge)
    else:
        charts = _stories(day) if path is None else read_charts(path)
        deciding = run_cohort(charts, setup, processes or os.cpu_count() or 1)
    results: list[PatientResult] = []
    writing = nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8")
    try:
        with writing as stream:
            for result in deciding:
                stream.write(json.dumps(result.as_document(), ensure_ascii=False) + "\n")
                results.append(result)
    except CohortFileError as error:
        raise click.UsageError(str(error)) from None
    _summarise(view.console(stderr=True), results, day)
    if any(result.error for result in results):
        raise SystemExit(1)


def _stories(day: date) -> Iterator[Chart]:
    from cds_service.cohort import Chart
    from fhir_fixtures import load_story, story_names

    for name in story_names():
        yield Chart(name, None, json.dumps(load_story(name, day).bundle).encode())


def _summarise(console: Console, results: Iterable[PatientResult], day: date) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    decided = [result for result in results if result.error is None]
    failed = [result for result in results if result.error is not None]
    patients = Counter((severity, rule) for result in decided
                       for severity, rule in set(zip(result.severities, result.rule_ids,
                                                     strict=True)))  # fmt: skip
    table = Table(box=SIMPLE, title=f"{len(decided)} patients decided as of {day}")
    for column in ("severity", "rule"):
        table.add_column(column)
    table.add_column("patients", justify="right")
    order = ("critical", "warning", "info")
    for (severity, rule), count in sorted(
        patients.items(), key=lambda found: (order.index(found[0][0]), -found[1], found[0][1])
    ):
        table.add_row(severity, rule, str(count))
    silent = sum(1 for result in decided if not result.rule_ids)
    table.add_row("none", "nothing to say", str(silent))
    console.print(table)
    for result in failed:
        console.print(f"not decided: {result.source}: {result.error}", markup=False)

"""`alk-cds cohort`: many patients from files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
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
    from cds_service.cohort import Chart


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
@click.option(
    "--rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for one row a patient and recommendation, ending in .csv or .parquet.",
)
@click.option(
    "--pseudonyms",
    is_flag=True,
    help="Name patients by keys made with the secret of the links (ALK_CDS_LINK_SECRET): the same"
    " patient has the same key in every run.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for what is put by on the way, as large as the input: the same command goes on"
    " there after an interruption. Without it a temporary folder, thrown away.",
)
@click.option(
    "--memory",
    type=click.IntRange(384, 1024 * 1024),
    default=1024,
    show_default=True,
    help="MiB that all processes together may use, however large the input is.",
)
@click.option(
    "--without",
    "without",
    multiple=True,
    metavar="TYPE",
    help="A resource type that the source does not have, such as Procedure: then it is no gap that"
    " PATH holds none. May be given again.",
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
    rows: Path | None,
    pseudonyms: bool,
    work: Path | None,
    memory: int,
    without: tuple[str, ...],
    fhir_server: str | None,
    patients: tuple[str, ...],
    token_file: Path | None,
    smart: SmartOptions,
    deadline: float,
    processes: int | None,
) -> None:
    """Decide for every patient of PATH as when the chart is opened.

    PATH is a folder as a Bulk Data export leaves it (NDJSON, plain or .gz, in subfolders, with
    manifest.json, log.ndjson, error/ and deleted/), or with FHIR Bundles (*.json, or one a line),
    or one such file. A Bundle is taken for the whole chart: what is not in it counts as not
    there. A resource type that no NDJSON file holds is a gap for everybody, unless --without
    names it. The deceased and the inactive are left out. In place of PATH a FHIR server can be
    read, one patient after the other. Summary and progress go to standard error.

    Ends with 1 when any patient could not be decided, and with 3 when the data are not whole.
    """
    from cds_service.cohort import (
        CohortFileError,
        Limits,
        OtherRunError,
        Population,
        Setup,
        run_cohort,
    )
    from cds_service.cohort.population import needed_types
    from cds_service.commands.cohort_output import Output
    from cds_service.commands.options import given_day
    from cds_service.commands.running import clinic_day
    from cds_service.operations.pseudonyms import Pseudonyms
    from cds_service.releases import chosen_path
    from cds_service.settings import load_settings

    if sum((stories, path is not None, fhir_server is not None)) != 1:
        raise click.UsageError("give one of PATH, --stories and --fhir-server")
    if fhir_server is None and (patients or token_file or smart != SmartOptions()):
        raise click.UsageError("--patient, --token-file and --smart-... need --fhir-server")
    if path is None and (work is not None or without):
        raise click.UsageError("--work and --without need PATH")
    if fhir_server is not None and rows is not None:
        raise click.UsageError("--rows needs PATH or --stories")
    if unknown := set(without) - needed_types().keys():
        raise click.UsageError(
            f"--without {min(unknown)}: not one of {', '.join(sorted(needed_types()))}"
        )
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
    key: Callable[[str], str] | None = None
    if pseudonyms:
        if settings.link_secret is None:
            raise click.UsageError("--pseudonyms needs ALK_CDS_LINK_SECRET or its file")
        people = Pseudonyms(settings.link_secret.get_secret_value())
        key = partial(people.patient_of, "cohort", None)

    count = processes or os.cpu_count() or 1
    try:
        # What cannot be written is told before the work, not after it.
        with Output(out, day, rows, key) as output, _work_folder(work) as folder:
            if fhir_server is not None:
                from cds_service.commands.options import given_access, given_knowledge
                from cds_service.commands.patients import decided_from_server

                access = given_access(token_file, smart, fhir_server)
                knowledge = given_knowledge(place)
                output.take(
                    decided_from_server(fhir_server, patients, access, day, deadline, knowledge)
                )
            elif path is None:
                output.take(run_cohort(_stories(day), setup, count))
            else:
                limits = Limits(count, memory * 1024 * 1024)
                population = Population(
                    path, setup, folder, limits, frozenset(without), output.progress
                )
                output.take(population.results())
                output.tell_data(population)
    except (CohortFileError, OtherRunError) as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        go_on = "" if work is None else "; the same command goes on where it stopped"
        click.echo(f"interrupted{go_on}", err=True)
        raise SystemExit(130) from None
    if output.status:
        raise SystemExit(output.status)


@contextmanager
def _work_folder(work: Path | None) -> Iterator[Path]:
    try:
        if work is None:
            with TemporaryDirectory(prefix="alk-cds-") as temporary:
                yield Path(temporary)
            return
        # It holds patient data: nobody else reads it, and nobody else has laid it out.
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        if work.stat().st_uid != os.getuid():
            raise click.UsageError("--work belongs to another user: name a folder of your own")
        with NamedTemporaryFile(dir=work, prefix=".", suffix=".part"):
            pass
    except OSError as error:
        raise click.UsageError(f"--work cannot be written: {error.strerror}") from None
    yield work


def _stories(day: date) -> Iterator[Chart]:
    from cds_service.cohort import Chart
    from fhir_fixtures import load_story, story_names

    for name in story_names():
        yield Chart(name, None, json.dumps(load_story(name, day).bundle).encode())

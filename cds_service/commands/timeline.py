"""`alk-cds timeline`: one patient's treatment, tests and findings as one picture."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands.options import (
    AS_OF,
    KNOWLEDGE,
    SmartOptions,
    fhir_patient_options,
    smart_options,
)

if TYPE_CHECKING:
    from cds_service.commands.local import LocalServices
    from cds_service.facts import PatientFacts


@click.command()
@click.option("--story", "story_name", help="Name of a story; see `fixtures list`.")
@click.option(
    "--bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a FHIR Bundle, taken for the whole chart of the patient.",
)
@fhir_patient_options
@smart_options
@AS_OF
@KNOWLEDGE
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the picture, ending in .svg or .png; SVG on standard output without it.",
)
def command(
    story_name: str | None,
    bundle: Path | None,
    fhir_server: str | None,
    patient_id: str | None,
    token_file: Path | None,
    smart: SmartOptions,
    deadline: float,
    as_of: datetime | None,
    knowledge_place: Path | None,
    out: Path | None,
) -> None:
    """Draw the ALK inhibitors with doses and holds, the events, the tests done and due, and the
    values of one patient up to the day asked about.

    For a story, a Bundle in a file, or a patient of a FHIR server. Of a Bundle with several
    patients --patient names one. Ends with 3 when the data could not be obtained.
    """
    from cds_service.commands.local import LocalServices
    from cds_service.commands.options import given_access, given_day, given_knowledge

    if sum((story_name is not None, bundle is not None, fhir_server is not None)) != 1:
        raise click.UsageError("give one of --story, --bundle and --fhir-server")
    if out is not None and out.suffix.lower() not in (".svg", ".png"):
        raise click.UsageError("--out must end in .svg or .png")
    if fhir_server is None and (token_file or smart != SmartOptions()):
        raise click.UsageError("--token-file and --smart-... need --fhir-server")
    access = given_access(token_file, smart, fhir_server)
    day = given_day(as_of)
    services = LocalServices(day, deadline, given_knowledge(knowledge_place))
    if fhir_server is not None:
        if patient_id is None:
            raise click.UsageError("--fhir-server needs --patient")
        facts = services.facts_from_server(fhir_server, patient_id, access=access)
    else:
        chart = bundle.read_bytes() if bundle is not None else _story(str(story_name), day)
        facts = _facts_of_bundle(services, chart, patient_id)
    _write(services, facts, out)


def _story(name: str, day: date) -> bytes:
    from cds_service.commands.call import told

    return json.dumps(told(name, day).bundle).encode()


def _facts_of_bundle(services: LocalServices, chart: bytes, patient_id: str | None) -> PatientFacts:
    from cds_service.cohort import chart_patients
    from cds_service.fhir.reading import read_resources

    read = read_resources(chart)
    patients = chart_patients(read)
    if not patients:
        raise click.UsageError("--bundle does not hold a FHIR Bundle with a patient")
    if patient_id is None and len(patients) > 1:
        raise click.UsageError(f"--bundle holds {len(patients)} patients: name one with --patient")
    if patient_id is not None and patient_id not in patients:
        raise click.UsageError("--patient is not in the Bundle")
    return services.facts_of_chart(patient_id or patients[0], read)


def _write(services: LocalServices, facts: PatientFacts, out: Path | None) -> None:
    # Imported last: a wrong option is told without waiting for the plotting library.
    from cds_service.plots.files import drawing_settings, file_png, file_svg
    from cds_service.plots.timeline_plot import TITLE, in_words, timeline_figure

    timeline = services.timeline(facts)
    with drawing_settings():
        figure = timeline_figure(timeline)
        if out is not None and out.suffix.lower() == ".png":
            content = file_png(figure)
        else:
            content = file_svg(figure, TITLE, in_words(timeline)).encode()
    if out is None:
        click.echo(content.decode(), nl=False)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"--out cannot be written: {error.strerror}") from None

"""`alk-cds evaluate`: one patient of any FHIR R4 server."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from cds_service.commands.options import (
    AS_OF,
    KNOWLEDGE,
    SmartOptions,
    fhir_server_options,
    smart_options,
)


@click.command()
@fhir_server_options
@smart_options
@AS_OF
@KNOWLEDGE
@click.option("--hook", default="patient-view", show_default=True, help="Moment, or a service id.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    fhir_server: str | None,
    patient_id: str | None,
    token_file: Path | None,
    smart: SmartOptions,
    draft_orders: Path | None,
    deadline: float,
    as_of: datetime | None,
    knowledge_place: Path | None,
    hook: str,
    as_json: bool,
) -> None:
    """Decide for one patient of a FHIR server and print the cards.

    Reads with the same queries as the service. Ends with 0 for cards or none, with 3 when the
    data could not be obtained.
    """
    from cds_service.commands import view
    from cds_service.commands.local import LocalServices
    from cds_service.commands.options import given_access, given_day, given_knowledge, given_orders

    access = given_access(token_file, smart, fhir_server)
    if fhir_server is None or patient_id is None:
        raise click.UsageError("--fhir-server and --patient are both needed")
    services = LocalServices(given_day(as_of), deadline, given_knowledge(knowledge_place))
    answered = services.answer_from_server(
        services.find(hook),
        fhir_server,
        patient_id,
        access=access,
        draft_orders=given_orders(draft_orders),
    )
    body = json.loads(answered.response.to_json())
    if as_json:
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        view.show_answer(view.console(), 200, body)

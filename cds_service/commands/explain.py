"""`alk-cds explain`: the rules and values behind each recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cds_service.commands.options import (
    AS_OF,
    KNOWLEDGE,
    SmartOptions,
    fhir_server_options,
    smart_options,
)
from cds_service.commands.suggesting import did_you_mean


@click.command()
@click.option("--story", "story_name", help="Name of a story; see `fixtures list`.")
@fhir_server_options
@smart_options
@AS_OF
@KNOWLEDGE
@click.option("--hook", default="patient-view", show_default=True, help="Moment, or a service id.")
@click.option("--rule", "rule_id", help="Only this rule.")
@click.option("--undecided", is_flag=True, help="Also the rules that could not be answered.")
def command(
    story_name: str | None,
    fhir_server: str | None,
    patient_id: str | None,
    token_file: Path | None,
    smart: SmartOptions,
    draft_orders: Path | None,
    deadline: float,
    as_of: datetime | None,
    knowledge_place: Path | None,
    hook: str,
    rule_id: str | None,
    undecided: bool,
) -> None:
    """Print the tree of conditions, values and sources behind each recommendation.

    For a story, or for a patient of a FHIR server. Everything the tables said is shown, also
    what the hook would leave out of its cards. Ends with 1 when the rule asked for said nothing,
    with 3 when the data could not be obtained.
    """
    from cds_service.commands import view
    from cds_service.commands.call import told
    from cds_service.commands.local import LocalServices
    from cds_service.commands.options import given_access, given_day, given_knowledge, given_orders
    from fhir_fixtures.requests import NoDraftOrdersError, hook_request

    access = given_access(token_file, smart, fhir_server)
    day = given_day(as_of)
    if (story_name is None) == (fhir_server is None or patient_id is None):
        raise click.UsageError("give either --story, or --fhir-server and --patient")
    services = LocalServices(day, deadline, given_knowledge(knowledge_place))
    service = services.find(hook)
    if story_name is not None:
        try:
            body = hook_request(told(story_name, day), services.described(service))
        except NoDraftOrdersError as error:
            raise click.UsageError(str(error)) from None
        document = services.answer(service, body).document
    else:
        document = services.answer_from_server(
            service,
            str(fhir_server),
            str(patient_id),
            access=access,
            draft_orders=given_orders(draft_orders),
        ).document
    out = view.console()
    shown = [item for item in document["recommendations"] if _is_about(item, rule_id)]
    for item in shown:
        out.print(view.recommendation_tree(item))
        out.print()
    open_rules = [
        item for item in document["undecided"] if undecided and rule_id in (None, item["rule_id"])
    ]
    for item in open_rules:
        out.print(view.undecided_tree(item["rule_id"], item["trace"]))
        out.print()
    for note in document["notes"]:
        out.print(f"[yellow]{note}[/yellow]")
    for remark in document["remarks"]:
        out.print(f"[dim]remark: {remark['subject']}: {remark['says']}[/dim]")
    out.print(f"[dim]release {document['release']['version']}, as of {document['as_of']}[/dim]")
    if not shown and not open_rules and rule_id is not None and rule_id not in services.rules():
        near = did_you_mean(rule_id, services.rules())
        raise click.UsageError(f"no table has a rule {rule_id!r}, and none spoke here.{near}")
    if not shown and not open_rules:
        out.print("No recommendation." if rule_id is None else f"Rule {rule_id} says nothing here.")
        if rule_id is not None:
            raise SystemExit(1)


def _is_about(item: Mapping[str, Any], rule_id: str | None) -> bool:
    if rule_id is None or item["rule_id"] == rule_id:
        return True
    return any(_is_about(other, rule_id) for other in item["also"])

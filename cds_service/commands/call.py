"""`alk-cds call`: one story at one service."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.commands.options import KNOWLEDGE
from cds_service.commands.suggesting import did_you_mean

if TYPE_CHECKING:
    from fhir_fixtures import Story


@click.command()
@click.argument("service")
@click.option("--story", "story_name", required=True, help="Name of a story; see `fixtures list`.")
@click.option("--base-url", help="A running service; without it one is started for this call.")
@click.option("--fhir-server", help="FHIR server to name in the call; a fixture server by default.")
@click.option("--no-prefetch", is_flag=True, help="Leave the service to ask the FHIR server.")
@KNOWLEDGE
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(
    service: str,
    story_name: str,
    base_url: str | None,
    fhir_server: str | None,
    no_prefetch: bool,
    knowledge_place: Path | None,
    as_json: bool,
) -> None:
    """Play one story at SERVICE, an id or a hook name, and print the cards.

    Plays the EHR: it resolves the prefetch templates of the service's discovery against the
    story, moved to today, and adds the story's draft orders at the hooks about orders. Ends with
    1 when the service refuses, with 2 when the story has no draft orders to sign.
    """
    from cds_service.commands import asking, view
    from cds_service.commands.options import given_knowledge
    from cds_service.commands.running import clinic_day, fixture_server, own_service
    from fhir_fixtures.requests import NoDraftOrdersError, hook_request

    if base_url is not None and knowledge_place is not None:
        raise click.UsageError("--knowledge is for the service that this command starts itself")
    knowledge = given_knowledge(knowledge_place)
    day = clinic_day()
    story = told(story_name, day)
    with ExitStack() as stack:
        # A service elsewhere may not be allowed to ask this machine, so it is told of a server
        # here only when it needs one.
        if fhir_server is None and (base_url is None or no_prefetch):
            fhir_server = stack.enter_context(fixture_server(day))
        url = base_url or stack.enter_context(own_service(day, knowledge))
        found = asking.find_service(asking.discover(url), service)
        try:
            body = hook_request(story, found, prefetch=not no_prefetch, fhir_server=fhir_server)
        except NoDraftOrdersError as error:
            raise click.UsageError(str(error)) from None
        answered = asking.ask(url, found["id"], body)
    if as_json:
        click.echo(json.dumps(answered.body, ensure_ascii=False, indent=2))
    else:
        out = view.console()
        out.print(f"[dim]{found['id']} ({found['hook']}), story {story.name}[/dim]")
        view.show_answer(out, answered.status, answered.body)
    if not answered.ok:
        raise SystemExit(1)


def told(name: str, day: date) -> Story:
    """The story as told on ``day``. Raises click.UsageError for a name that nobody gave."""
    from fhir_fixtures import UnknownStoryError, load_story, story_names

    try:
        return load_story(name, day)
    except UnknownStoryError:
        near = did_you_mean(name, story_names())
        raise click.UsageError(
            f"there is no story {name!r}; `alk-cds fixtures list` shows them all.{near}"
        ) from None

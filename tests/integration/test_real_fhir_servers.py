"""The service against FHIR servers that others wrote: what it says there is what it says anywhere.

The rest of the tests use our own fixture server, which shares our idea of FHIR. These do not.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from cds_service.commands import commands
from cds_service.protocol import resolve
from fhir_fixtures import load_story, story_names
from tests.services.calling import DAY, HOOKS, TIMEOUT, Json, Service, refused, told_apart

pytestmark = pytest.mark.slow

LONG_CHART = "alectinib-on-track"
"""More results than any server puts on one page."""


def hooks_of(story: str) -> tuple[str, ...]:
    return HOOKS if load_story(story).draft_orders else HOOKS[:1]


def get(server: str, query: str) -> Any:
    answer = requests.get(f"{server}/{query}", timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("story", story_names())
def test_cards_are_the_same_without_prefetch_as_with_all_of_it(
    real_server: str, own_server: str, service: Service, story: str
) -> None:
    for hook in hooks_of(story):
        sent = service.cards(hook, story, fhir_server=own_server)

        fetched = service.cards(hook, story, prefetch=False, fhir_server=real_server)

        assert told_apart(fetched) == told_apart(sent)


@pytest.mark.parametrize("story", story_names())
def test_cards_are_the_same_when_the_prefetch_is_what_that_server_answers(
    real_server: str, own_server: str, service: Service, story: str
) -> None:
    """An EHR resolves the templates at its own server; of a long list it may send one page."""
    for hook in hooks_of(story):
        sent = service.cards(hook, story, fhir_server=own_server)
        body = service.body(hook, story, prefetch=False, fhir_server=real_server)
        templates: Json = service.for_hook(hook)["prefetch"]
        queries = {key: resolve(text, body["context"]) for key, text in templates.items()}
        body["prefetch"] = {key: get(real_server, str(query)) for key, query in queries.items()}

        assert told_apart(service.cards_of(hook, body)) == told_apart(sent)


def test_the_command_line_reads_a_story_back(
    real_server: str, own_server: str, service: Service
) -> None:
    patient = load_story(LONG_CHART).patient_id
    result = CliRunner().invoke(
        commands,
        ["evaluate", "--fhir-server", real_server, "--patient", patient,
         "--as-of", DAY.isoformat(), "--json"],
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    said = [card["summary"] for card in json.loads(result.output)["cards"]]
    expected = service.cards("patient-view", LONG_CHART, fhir_server=own_server)
    assert said == [card["summary"] for card in expected]


def test_a_patient_whom_the_server_does_not_know_is_a_412_and_not_an_empty_answer(
    real_server: str, service: Service
) -> None:
    body = service.body("patient-view", LONG_CHART, prefetch=False, fhir_server=real_server)
    body["context"]["patientId"] = "nobody-of-that-name"

    issue = refused(service.post("patient-view", body), 412)

    assert "patient" in issue["diagnostics"]


@pytest.mark.hapi
def test_a_long_chart_really_comes_in_pages(real_server: str) -> None:
    """Otherwise the comparison above would not show that pages are followed."""
    patient = load_story(LONG_CHART).patient_id

    page = get(real_server, f"Observation?patient={patient}&category=laboratory")

    assert page["total"] > len(page["entry"])
    assert "next" in [link["relation"] for link in page["link"]]

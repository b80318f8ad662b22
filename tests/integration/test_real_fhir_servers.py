"""The service against FHIR servers that others wrote: what it says there is what it says anywhere.

The rest of the tests use our own fixture server, which shares our idea of FHIR. These do not.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from cds_service.fhir.client import FetchProblem, FhirClient, ProblemKind
from cds_service.protocol import resolve
from fhir_fixtures import load_story, story_names
from hooks.data import EVERYTHING, MEDICATIONS, templates
from tests.depth import rotated
from tests.integration.conftest import RealServer, run
from tests.packaged import packaged_knowledge
from tests.services.calling import DAY, HOOKS, TIMEOUT, Json, Service, refused

pytestmark = pytest.mark.slow

LONG_CHART = "alectinib-on-track"
"""More results than any server puts on one page."""


def only(name: str) -> pytest.MarkDecorator:
    """For what one implementation shows."""
    found = pytest.param(name, marks=getattr(pytest.mark, name))
    return pytest.mark.parametrize("real_server", [found], indirect=True)


def hooks_of(story: str) -> tuple[str, ...]:
    return HOOKS if load_story(story).draft_orders else HOOKS[:1]


def get(server: str, query: str) -> Any:
    answer = requests.get(f"{server}/{query}", timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("story", rotated(story_names()))
def test_cards_are_the_same_without_prefetch_as_with_all_of_it(
    real_server: RealServer, own_server: str, service: Service, story: str
) -> None:
    for hook in hooks_of(story):
        sent = service.cards(hook, story, fhir_server=own_server)

        fetched = service.cards(hook, story, prefetch=False, fhir_server=real_server.base(story))

        assert real_server.comparable(fetched) == real_server.comparable(sent)


@pytest.mark.parametrize("story", rotated(story_names()))
def test_cards_are_the_same_when_the_prefetch_is_what_that_server_answers(
    real_server: RealServer, own_server: str, service: Service, story: str
) -> None:
    """An EHR resolves the templates at its own server; of a long list it may send one page."""
    for hook in hooks_of(story):
        sent = service.cards(hook, story, fhir_server=own_server)
        base = real_server.base(story)
        body = service.body(hook, story, prefetch=False, fhir_server=base)
        templates: Json = service.for_hook(hook)["prefetch"]
        queries = {key: resolve(text, body["context"]) for key, text in templates.items()}
        body["prefetch"] = {key: get(base, str(query)) for key, query in queries.items()}

        answered = service.cards_of(hook, body)

        assert real_server.comparable(answered) == real_server.comparable(sent)


def test_every_query_that_the_page_lists_is_answered(real_server: RealServer) -> None:
    """docs/connect-an-ehr.md says of each query on which servers it was tried: on these."""
    patient = load_story(LONG_CHART).patient_id
    base = real_server.base(LONG_CHART)
    for asked in templates(EVERYTHING, packaged_knowledge()):
        for query in (asked.template, *asked.otherwise):
            found = get(base, query.replace("{{context.patientId}}", patient))
            assert found["resourceType"] in ("Bundle", "Patient"), asked.key


@pytest.mark.parametrize("more", MEDICATIONS.otherwise)
def test_a_query_with_an_intent_finds_the_orders_that_the_plain_one_finds(
    real_server: RealServer, more: str
) -> None:
    patient = load_story(LONG_CHART).patient_id
    query = MEDICATIONS.query.replace("{{context.patientId}}", patient)
    found = [
        {entry["resource"]["id"] for entry in get(real_server.base(LONG_CHART), asked)["entry"]}
        for asked in (query, query + more)
    ]
    assert found[0]
    assert found[0] == found[1]


def test_the_command_line_reads_a_story_back(
    real_server: RealServer, own_server: str, service: Service
) -> None:
    printed = run(
        "evaluate", "--fhir-server", real_server.base(LONG_CHART), "--as-of", DAY.isoformat(),
        "--patient", load_story(LONG_CHART).patient_id, "--json",
    )  # fmt: skip

    said = [card["summary"] for card in json.loads(printed)["cards"]]
    expected = service.cards("patient-view", LONG_CHART, fhir_server=own_server)
    assert said == [card["summary"] for card in expected]


def test_a_patient_whom_the_server_does_not_know_is_a_412_and_not_an_empty_answer(
    real_server: RealServer, service: Service
) -> None:
    base = real_server.base(LONG_CHART)
    body = service.body("patient-view", LONG_CHART, prefetch=False, fhir_server=base)
    body["context"]["patientId"] = "nobody-of-that-name"

    issue = refused(service.post("patient-view", body), 412)

    assert "patient" in issue["diagnostics"]


@only("hapi")
def test_a_long_chart_really_comes_in_pages(real_server: RealServer) -> None:
    """Otherwise the comparison above would not show that pages are followed."""
    patient = load_story(LONG_CHART).patient_id

    page = get(
        real_server.base(LONG_CHART),
        f"Observation?patient={patient}&category=laboratory&_count=1000",
    )

    # The server may still be counting, and then says no total; that there is more it always says.
    assert "next" in [link["relation"] for link in page["link"]]
    assert 0 < len(page["entry"]) < page.get("total", 1000)


@only("medplum")
def test_a_page_that_stops_short_without_a_next_link_is_not_taken_for_the_whole(
    real_server: RealServer,
) -> None:
    """This server cuts at the page size and names no next page; only its total gives it away."""
    client = FhirClient(real_server.base(LONG_CHART), deadline_seconds=TIMEOUT, allow_private=True)
    patient = load_story(LONG_CHART).patient_id

    result = client.fetch({"labs": f"Observation?patient={patient}&_count=20"})["labs"]

    assert len(result.read.resources) == 20
    assert result.problem == FetchProblem(ProblemKind.CUT_SHORT)
    assert not result.complete


@only("medplum")
def test_a_card_names_what_such_a_server_kept_back(
    real_server: RealServer, service: Service
) -> None:
    """The EHR sends a page of 20 as if it were all, and may not be asked itself."""
    body = service.body("patient-view", LONG_CHART)
    assert service.cards_of("patient-view", body) == []
    patient = load_story(LONG_CHART).patient_id
    query = f"Observation?patient={patient}&category=laboratory&_count=20"
    body["prefetch"]["laboratory"] = get(real_server.base(LONG_CHART), query)

    cards = service.cards_of("patient-view", body)

    assert any("laboratory" in card["summary"] for card in cards)


def _offered(service: Service) -> dict[str, Json]:
    """Every resource that a card offers in any story, once each, by a name for the report."""
    found: dict[str, Json] = {}
    for story in story_names():
        for hook in hooks_of(story):
            for card in service.cards(hook, story):
                for suggestion in card.get("suggestions", ()):
                    for action in suggestion["actions"]:
                        if action["type"] != "delete":
                            resource = action["resource"]
                            found.setdefault(json.dumps(resource, sort_keys=True), resource)
    return {f"{number} {item['resourceType']}": item for number, item in enumerate(found.values())}


def _faults(server: str, resource: Json) -> list[str]:
    answer = requests.post(
        f"{server}/{resource['resourceType']}/$validate",
        json=resource,
        headers={"Content-Type": "application/fhir+json"},
        timeout=TIMEOUT,
    )
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome", answer.text
    return [
        f"{issue.get('location')}: {issue.get('diagnostics')}"
        for issue in outcome["issue"]
        if issue["severity"] in ("error", "fatal")
    ]


@only("hapi")
def test_every_order_offered_is_valid_for_a_validator_that_others_wrote(
    real_server: RealServer, service: Service
) -> None:
    base = real_server.base(LONG_CHART)
    offered = _offered(service)
    assert {item["resourceType"] for item in offered.values()} == {
        "MedicationRequest",
        "ServiceRequest",
    }

    assert {name: faults for name, item in offered.items() if (faults := _faults(base, item))} == {}

    # It must be able to say no.
    broken = {**next(iter(offered.values())), "status": "perhaps"}
    assert _faults(base, broken)

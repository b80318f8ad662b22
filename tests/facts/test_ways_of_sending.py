"""How a chart is sent never changes what is decided: order, pages, copies, what else lies in it.

Random charts are parts of the stories with changed values; random ways of sending them are laid
over. The whole decision is compared, with its traces.
"""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.alk import Question, decide
from cds_service.cards import decision_document
from cds_service.facts import Supplied
from cds_service.fhir.reading import merged, read_resources
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.views import MedicationRequest
from fhir_fixtures import load_story, story_names
from tests.depth import examples
from tests.facts.records import ALL, AS_OF, Json, knowledge, reader

MODEST = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
SERVER = "https://ehr.example.org/fhir"
STORIES = story_names()
FACTORS = ("0.2", "0.5", "1", "1.5", "3", "6", "12")


@cache
def _story(name: str) -> str:
    story = load_story(name, AS_OF)
    return json.dumps([story.patient_id, story.bundle["entry"], story.draft_orders])


@st.composite
def charts(draw: st.DrawFn) -> tuple[str, list[Json], list[Json]]:
    """A patient, a part of a chart with changed results, and the draft orders."""
    patient, entries, orders = json.loads(_story(draw(st.sampled_from(STORIES))))
    resources = [entry["resource"] for entry in entries]
    gone = draw(st.sets(st.integers(0, len(resources) - 1), max_size=6))
    kept = [item for place, item in enumerate(resources) if place not in gone]
    for item in kept:
        quantity = item.get("valueQuantity", {})
        if isinstance(quantity.get("value"), int | float) and draw(st.integers(0, 9)) == 0:
            quantity["value"] = round(quantity["value"] * float(draw(st.sampled_from(FACTORS))), 2)
    drafts = [entry["resource"] for entry in (orders or {}).get("entry", ())]
    return patient, kept, drafts


@st.composite
def irrelevant(draw: st.DrawFn) -> list[Json]:
    """Resources of other people and of types that are not read."""
    other = {"reference": draw(st.sampled_from(
        ["Patient/somebody-else", f"{SERVER}/Patient/q", "Group/all", "Patient/"]))}  # fmt: skip
    _, entries, _ = json.loads(_story(draw(st.sampled_from(STORIES))))
    taken = draw(st.lists(st.sampled_from(entries), max_size=8))
    found: list[Json] = []
    for number, entry in enumerate(taken):
        resource = entry["resource"]
        if resource["resourceType"] == "Medication":
            continue
        # With the very id of one of the patient's own, or with one of its own.
        named = draw(st.sampled_from([resource["id"], f"theirs-{number}"]))
        foreign = {**resource, "id": named, "subject": other}
        if resource["resourceType"] == "Patient":
            foreign["id"] = "somebody-else"
        found.append(foreign)
    found += draw(
        st.lists(
            st.sampled_from(
                [
                    {"resourceType": "Encounter", "id": "e", "status": "finished"},
                    {"resourceType": "CarePlan", "id": "c", "subject": {"reference": "Patient/p"}},
                    {"resourceType": "FamilyMemberHistory", "id": "f"},
                ]
            ),
            max_size=3,
        )
    )
    return found


def _decided(
    patient: str, pages: list[list[Json]], drafts: list[Json], complete: frozenset[str]
) -> Json:
    """The whole decision at the signature, or at the opening of the chart without drafts."""
    read = [
        read_resources(
            json.dumps(
                {"resourceType": "Bundle", "type": "searchset",
                 "entry": [{"resource": item} for item in page]}
            ).encode()
        )
        for page in pages
    ]  # fmt: skip
    record = PatientRecord.build(patient, [merged(read)] if len(read) > 2 else read, (), SERVER)
    orders = []
    for draft in drafts:
        (view,) = read_resources(json.dumps(draft).encode()).resources
        if isinstance(view, MedicationRequest):
            orders.append((view, draft))
    facts, ordered = reader().read(Supplied(record, complete, {}, orders), AS_OF)
    question = Question("order-sign" if ordered else "patient-view", ordered)
    decision = decide(facts, question, knowledge(), AS_OF)
    document: Json = json.loads(
        json.dumps(decision_document("d", decision, knowledge(), {}, ()), default=str)
    )
    return document


def _reference(resource: Json, chance: random.Random) -> Json:
    """The same resource, its subject referred to in another way that means the same."""
    subject = resource.get("subject")
    if not isinstance(subject, dict) or "reference" not in subject:
        return resource
    plain = subject["reference"]
    written = chance.choice([plain, f"{SERVER}/{plain}", f"{plain}/_history/3"])
    return {**resource, "subject": {**subject, "reference": written}}


def _cut(resources: list[Json], chance: random.Random) -> list[list[Json]]:
    pages: list[list[Json]] = [[]]
    for item in resources:
        if chance.random() < 0.2:
            pages.append([])
        pages[-1].append(item)
    return pages


@pytest.mark.deep
@MODEST
@given(
    chart=charts(),
    beside=irrelevant(),
    complete=st.sampled_from([ALL, ALL - {"medications"}, ALL - {"conditions"}, frozenset()]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_way_of_sending_never_changes_a_decision(
    chart: tuple[str, list[Json], list[Json]],
    beside: list[Json],
    complete: frozenset[str],
    seed: int,
) -> None:
    patient, resources, drafts = chart
    plain = _decided(patient, [resources], drafts, complete)
    chance = random.Random(seed)
    copies = chance.sample(resources, min(len(resources), chance.randrange(8)))
    sent: list[Json] = [_reference(item, chance) for item in (*resources, *copies)] + beside
    chance.shuffle(sent)
    assert _decided(patient, _cut(sent, chance), drafts, complete) == plain


@pytest.mark.deep
@MODEST
@given(chart=charts(), seed=st.integers(0, 2**32 - 1))
def test_an_older_version_beside_the_newer_one_never_changes_a_decision(
    chart: tuple[str, list[Json], list[Json]], seed: int
) -> None:
    patient, resources, drafts = chart
    chance = random.Random(seed)
    newer: list[Json] = [{**item, "meta": {"versionId": "2"}} for item in resources]
    plain = _decided(patient, [newer], drafts, ALL)
    older: list[Json] = []
    for item in chance.sample(resources, min(len(resources), 5)):
        before: dict[str, Any] = {**item, "meta": {"versionId": "1"}}
        if "valueQuantity" in before:
            before["valueQuantity"] = {**before["valueQuantity"], "value": 9999}
        if before["resourceType"] == "MedicationRequest":
            before["status"] = "stopped"
        older.append(before)
    sent = newer + older
    chance.shuffle(sent)
    assert _decided(patient, _cut(sent, chance), drafts, ALL) == plain

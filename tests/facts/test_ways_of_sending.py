"""How a chart is sent never changes what is decided: order, pages, copies, what else lies in it.

Random charts are parts of the stories with changed values; random ways of sending them are laid
over. The whole decision is compared, with its traces.
"""

from __future__ import annotations

import json
import random
from functools import cache, partial
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
from tests.facts.records import ALL, AS_OF, RXNORM, Json, day, knowledge, reader

MODEST = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
SERVER = "https://ehr.example.org/fhir"
STORIES = story_names()
EVENTS = (
    ("http://snomed.info/sct", "205237003"), ("http://hl7.org/fhir/sid/icd-10-cm", "J84.9"),
    ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "I44.2"), ("http://snomed.info/sct", "69322001"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "N17.9"), ("http://www.meddra.org", "10035742"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "I47.21"), ("http://example.org/own", "x"),
)  # fmt: skip
MEDICINES = ("1727479", "2103164", "9384", "6918", "21212", "1")
FACTORS = ("0.2", "0.5", "1", "1.5", "3", "6", "12")


@cache
def _story(name: str) -> str:
    story = load_story(name, AS_OF)
    return json.dumps([story.patient_id, story.bundle["entry"], story.draft_orders])


def _concept(draw: st.DrawFn) -> Json:
    """An event, a medicine in words, or a concept that says nothing."""
    system, code = draw(st.sampled_from(EVENTS))
    coded = {"coding": [{"system": system, "code": code}]}
    return draw(st.sampled_from([coded, coded, {"text": "Pneumonitis"}, {"coding": [{}]}, {}]))


def _medicine(draw: st.DrawFn) -> Json:
    code = draw(st.sampled_from(MEDICINES))
    coded = {"coding": [{"system": RXNORM, "code": code}]}
    words = {"text": draw(st.sampled_from(["Rifampicin-Isoniazid", "Zyxomab", "", "Alecensa"]))}
    return draw(st.sampled_from([coded, coded, words]))


def _graded(draw: st.DrawFn) -> list[Json]:
    """The extensions of a grade, possible or not, and of an end."""
    url = "http://hl7.org/fhir/us/ctcae/StructureDefinition/"
    grade = draw(st.integers(-1, 7))
    concept = {"coding": [{"system": f"{url}ctcae-grade-code-system", "code": str(grade)}]}
    end = {
        "url": f"{url}adverse-event-resolved-date",
        "valueDateTime": day(draw(st.integers(0, 9))),
    }
    held = [
        {"url": f"{url}ctcae-grade", "valueCodeableConcept": concept},
        {"url": "http://example.org/ae-grade", "valueInteger": grade},
        end,
        {"url": "x"},
    ]
    return draw(st.lists(st.sampled_from(held), max_size=3))


def _adverse_event(draw: st.DrawFn, said: Json) -> Json:
    return {
        "actuality": draw(st.sampled_from(["actual", "potential", "odd"])),
        "event": _concept(draw),
        "date": said["date"],
        "extension": _graded(draw),
        "outcome": draw(st.sampled_from([None, {"coding": [{"code": "resolved"}]}, []])),
        "suspectEntity": [{"instance": {"reference": draw(st.sampled_from(said["references"]))}}],
    }


def _allergy(draw: st.DrawFn, said: Json) -> Json:
    severity = draw(st.sampled_from(["mild", "severe", "odd", None]))
    return {
        "code": _medicine(draw),
        "patient": said["subject"],
        "recordedDate": said["date"],
        "reaction": [{"manifestation": [_concept(draw)], "severity": severity}],
    }


def _use(kind: str, draw: st.DrawFn, said: Json) -> Json:
    status = draw(
        st.sampled_from(["active", "completed", "not-taken", "stopped", "unknown", "odd"])
    )
    when = {
        "MedicationStatement": {"effectivePeriod": {"start": said["date"]}},
        "MedicationAdministration": {"effectiveDateTime": said["date"]},
        "MedicationDispense": {"whenHandedOver": said["date"], "daysSupply": {"value": 30}},
    }[kind]
    return {"status": status, "medicationCodeableConcept": _medicine(draw), **when}


def _report(draw: st.DrawFn, said: Json) -> Json:
    return {
        "status": draw(st.sampled_from(["final", "preliminary", "cancelled"])),
        "effectiveDateTime": said["date"],
        "conclusionCode": [_concept(draw), _concept(draw)],
        "result": [{"reference": reference} for reference in said["references"]],
    }


def _visit(draw: st.DrawFn, said: Json) -> Json:
    """A visit that contains its diagnosis, refers to it or names it."""
    held = {"resourceType": "Condition", "id": "d", "code": _concept(draw)}
    named = {"display": "Pneumonitis"}
    listed = [{"reference": "#d"}, {"reference": said["references"][0]}, named]
    return {
        "status": draw(st.sampled_from(["finished", "planned", "odd"])),
        "period": {"start": said["date"]},
        "contained": [held],
        "diagnosis": [{"condition": draw(st.sampled_from(listed))}],
    }


def _impression(draw: st.DrawFn, said: Json) -> Json:
    found = draw(st.sampled_from(["finding", "reference", "nothing"]))
    held = {"finding": {"itemCodeableConcept": _concept(draw)},
            "reference": {"itemReference": {"reference": said["references"][0]}}}  # fmt: skip
    return {
        "status": draw(st.sampled_from(["completed", "in-progress", "odd"])),
        "date": said["date"],
        "finding": [held[found]] if found in held else [],
        "problem": [{"display": "Pneumonitis"}],
        "summary": draw(st.sampled_from([None, "Pneumonitis possible.", "No pneumonitis."])),
    }


def _alert(draw: st.DrawFn, said: Json) -> Json:
    words = draw(st.sampled_from(["Alectinib intolerance", "Pneumonitis", "Risk of falls"]))
    return {
        "status": draw(st.sampled_from(["active", "inactive", None])),
        "code": draw(st.sampled_from([{"text": words}, _concept(draw)])),
        "period": {"start": said["date"]},
    }


def _device(draw: st.DrawFn, said: Json) -> Json:
    return {
        "status": draw(st.sampled_from(["active", "inactive", "odd"])),
        "type": draw(st.sampled_from([{"text": "Cardiac pacemaker"}, {"text": "Pump"}, None])),
        "patient": said["subject"],
    }


def _device_use(draw: st.DrawFn, said: Json) -> Json:
    shown = {"display": "Pacemaker"}
    return {
        "status": draw(st.sampled_from(["active", "completed", "intended", "odd"])),
        "timingPeriod": {"start": said["date"]},
        "device": draw(st.sampled_from([shown, {"reference": said["references"][0]}])),
        "reasonCode": [_concept(draw)],
    }


MADE = {
    "AdverseEvent": _adverse_event,
    "AllergyIntolerance": _allergy,
    "MedicationStatement": partial(_use, "MedicationStatement"),
    "MedicationAdministration": partial(_use, "MedicationAdministration"),
    "MedicationDispense": partial(_use, "MedicationDispense"),
    "DiagnosticReport": _report,
    "Encounter": _visit,
    "ClinicalImpression": _impression,
    "Flag": _alert,
    "Device": _device,
    "DeviceUseStatement": _device_use,
}
"""What the stories hold little of: a resource of each type, right or odd."""


def _made(draw: st.DrawFn, number: int, patient: str, others: list[Json]) -> Json:
    kind = draw(st.sampled_from(sorted(MADE)))
    subject = {"reference": f"Patient/{patient}"}
    other = draw(st.sampled_from(others)) if others else {"resourceType": "Group", "id": "g"}
    references = [f"{other['resourceType']}/{other['id']}", "#d", f"{kind}/made-{number}", ""]
    dated = draw(st.sampled_from([day(draw(st.integers(-3, 300))), None, "2026", "odd"]))
    said: Json = {"subject": subject, "date": dated, "references": references}
    body = MADE[kind](draw, said)
    known = {name: value for name, value in body.items() if value is not None}
    owner = {} if "patient" in known else {"subject": subject}
    return {"resourceType": kind, "id": f"made-{number}", **owner, **known}


@st.composite
def charts(draw: st.DrawFn) -> tuple[str, list[Json], list[Json]]:
    """A patient, a part of a chart with changed results and made events, and the draft orders."""
    patient, entries, orders = json.loads(_story(draw(st.sampled_from(STORIES))))
    resources = [entry["resource"] for entry in entries]
    gone = draw(st.sets(st.integers(0, len(resources) - 1), max_size=6))
    kept = [item for place, item in enumerate(resources) if place not in gone]
    for item in kept:
        quantity = item.get("valueQuantity", {})
        if isinstance(quantity.get("value"), int | float) and draw(st.integers(0, 9)) == 0:
            quantity["value"] = round(quantity["value"] * float(draw(st.sampled_from(FACTORS))), 2)
    kept += [_made(draw, number, patient, kept) for number in range(draw(st.integers(0, 4)))]
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

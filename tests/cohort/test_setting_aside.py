"""Who is set aside would have been told nothing: asked of stories, parts of them, and mixtures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.alk import Question, decide
from cds_service.cohort.relevance import concerns, folded, pattern_of
from cds_service.cohort.run import MOMENT, chart_facts
from cds_service.facts import FactReader
from cds_service.facts.concern import Concern
from cds_service.fhir.reading import read_resources
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge
from fhir_fixtures import REFERENCE_DATE, story_names
from tests.cohort.populations import Json, export, lines, run_over, told
from tests.depth import examples

pytestmark = pytest.mark.slow

KNOWLEDGE: Knowledge = load_release(None)
CONCERN = Concern.of(KNOWLEDGE)
FINDS = concerns(pattern_of(CONCERN))
READER = FactReader(KNOWLEDGE)
QUESTION = Question(MOMENT)
NAMES = {name: f"p{number}" for number, name in enumerate(story_names())}


def anonymous(story: str) -> list[Json]:
    """The resources of a story whose ids do not give it away."""
    text = json.dumps(told(story)).replace(story, NAMES[story])
    found: list[Json] = json.loads(text)
    return found


def is_found(resources: Iterable[Json]) -> bool:
    return any(FINDS(line) for line in lines(resources).splitlines())


def said_of(patient: str, resources: list[Json]) -> list[str]:
    entries = [{"resource": item} for item in resources]
    read = read_resources({"resourceType": "Bundle", "type": "collection", "entry": entries})
    facts = chart_facts(READER, patient, read, REFERENCE_DATE)
    decision = decide(facts, QUESTION, KNOWLEDGE, REFERENCE_DATE).whole()
    return [item.rule_id for item in decision.recommendations] + list(decision.undecided)


@pytest.mark.parametrize("story", story_names())
def test_a_story_without_one_of_its_types_is_found_or_says_nothing(story: str) -> None:
    resources = anonymous(story)
    patient = f"{NAMES[story]}-patient"
    for left in sorted({item["resourceType"] for item in resources} - {"Patient"}):
        chart = [item for item in resources if item["resourceType"] in ("Patient", left)]
        if not is_found(chart):
            assert said_of(patient, chart) == [], left


EVERYTHING = [item for story in story_names() for item in anonymous(story)]
LEFT_LYING = [
    item for item in EVERYTHING if item["resourceType"] != "Patient" and not is_found([item])
]


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_a_chart_of_lines_that_are_not_found_says_nothing(data: st.DataObject) -> None:
    """Any mixture of what the pattern leaves lying in all stories, of one person."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(LEFT_LYING))), max_size=60, unique=True))
    subject = {"reference": "Patient/p"}
    born = {"resourceType": "Patient", "id": "p", "birthDate": "1960-02-03", "gender": "female"}
    chart = [born]
    for number in chosen:
        item = LEFT_LYING[number]
        chart.append({**item, "subject": subject} if "subject" in item else item)
    assert said_of("p", chart) == []


MEDICINES = sorted(
    " ".join(entry.words)
    for entries in READER._book.medication_names.by_first.values()
    for entry in entries
    if not KNOWLEDGE.inhibitors.isdisjoint(entry.ingredients)
)
TUMOURS = sorted(READER._book.tumours.by_name)


@pytest.mark.parametrize("written", [str.upper, str.title, "take {} daily".format, "ž {}".format])
@pytest.mark.parametrize("escaped", [True, False])
def test_every_name_of_the_tables_is_found_however_it_is_written(
    written: object, escaped: bool
) -> None:
    assert callable(written)
    for name in (*MEDICINES, *TUMOURS):
        text = written(name)
        for spelled in (text, text.replace(" ", "\N{NO-BREAK SPACE}"), text.replace(" ", "-\n")):
            line = json.dumps({"text": spelled}, ensure_ascii=escaped).encode()
            assert FINDS(line), line


@pytest.mark.parametrize("stage", ["stage IV", "(AJCC Stage\tIIIB)", "UICC Stadium IA2"])
def test_a_tumour_is_found_with_its_stage_among_its_words(stage: str) -> None:
    for name in TUMOURS:
        first, _, rest = name.partition(" ")
        assert FINDS(json.dumps({"text": f"{first} {stage} {rest}"}).encode()), name


def test_every_code_of_the_tables_is_found_in_every_spelling_that_is_read() -> None:
    for system, code in CONCERN.codes:
        sent = code.rpartition(":")[2] if "icd-10" in system else code
        for spelled in (sent, f" {sent} ", sent.replace(".", "") if "icd-10" in system else sent):
            line = json.dumps({"coding": [{"system": system, "code": spelled}]}).encode()
            assert FINDS(line), line


@pytest.mark.parametrize("text", ["Alkaline phosphatase", "walking", "talks", "ALKALINE", "chalk"])
def test_words_that_only_hold_the_letters_of_the_gene_are_not_found(text: str) -> None:
    assert not FINDS(json.dumps({"text": text}).encode())


@pytest.mark.parametrize(
    "text", ["ALK", "EML4-ALK", "\nALK\tFISH", "ALK+", "anaplastic lymphoma kinase"]
)
def test_the_gene_is_found_beside_any_sign(text: str) -> None:
    assert FINDS(json.dumps({"text": text}).encode())


def test_accents_and_letters_of_other_widths_are_no_difference() -> None:
    assert folded("Alécensä ＡＬＫ") == "alecensa alk"
    assert folded("アレクチニブ") == folded("ｱﾚｸﾁﾆﾌﾞ")


def test_without_the_library_everybody_may_be_concerned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.cohort.relevance.re2", None)
    assert concerns("x")(b"{}")


def written(folder: Path, *charts: list[Json]) -> Path:
    export(folder)
    (folder / "all.ndjson").write_bytes(lines(item for chart in charts for item in chart))
    return folder


WELL = "no-lung-cancer"


@pytest.mark.parametrize(
    "added",
    [
        {"medicationReference": {"reference": "Medication/not-there"}},
        {"medicationCodeableConcept": {"coding": []}},
        {"medicationCodeableConcept": {"text": "Alecensa 150 mg"}},
        {"dosageInstruction": "unreadable", "status": {"no": "text"}},
    ],
)
def test_what_may_hide_an_inhibitor_is_never_set_aside(added: Json) -> None:
    chart = anonymous(WELL)
    order = {"resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
             "subject": {"reference": f"Patient/{NAMES[WELL]}-patient"}, **added}  # fmt: skip
    with TemporaryDirectory() as folder:
        results, _ = run_over(written(Path(folder), [*chart, order]))
    assert [item.set_aside for item in results] == [False]
    assert "data-not-available" in results[0].rule_ids or "gate-not-lung" in results[0].rule_ids


def test_who_is_set_aside_has_a_result_and_the_dead_are_still_left_out(tmp_path: Path) -> None:
    chart = anonymous(WELL)
    dead = json.loads(json.dumps(chart).replace(f"{NAMES[WELL]}-", "other-"))
    for item in dead:
        if item["resourceType"] == "Patient":
            item["deceasedBoolean"] = True
    results, run = run_over(written(tmp_path, chart, dead))
    assert run.tally.whole
    assert [(item.set_aside, item.left_out) for item in results] == [
        (True, "deceased"), (True, None),
    ]  # fmt: skip
    assert results[1].as_document()["rule_ids"] == []

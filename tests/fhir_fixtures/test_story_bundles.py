"""The stories as files: valid FHIR, unique ids, closed references, and what the builder writes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

import fhir_fixtures
from fhir_fixtures import REFERENCE_DATE, Story, UnknownStoryError, load_story, story_names
from fhir_fixtures.build import build_stories, rendered_files, write_stories

pytestmark = pytest.mark.deep

EXPECTED = {
    "first-line-choice",
    "first-line-brain-metastases",
    "first-line-bradycardia-drugs",
    "alk-level-is-alkaline-phosphatase",
    "hepatocellular-alk-stain",
    "alk-pending-immunotherapy-ordered",
    "alk-equivocal-stain",
    "alk-discordant-results",
    "alk-point-mutation-only",
    "alk-amplification-only",
    "immunotherapy-ordered-alk-positive",
    "egfr-inhibitor-ordered",
    "alectinib-on-track",
    "alectinib-alt-six-times",
    "alectinib-hepatitis-with-jaundice",
    "alectinib-alt-without-bilirubin",
    "alectinib-creatine-kinase-second-episode",
    "alectinib-recovered-liver",
    "alectinib-symptomatic-bradycardia",
    "alectinib-monitoring-overdue",
    "alectinib-no-reference-range",
    "alectinib-pneumonitis",
    "alectinib-severe-cirrhosis",
    "alectinib-above-label",
    "pregnant-alk-inhibitor-ordered",
    "adjuvant-after-resection",
    "adjuvant-small-tumour",
    "two-alk-inhibitors",
    "lorlatinib-triglycerides",
    "lorlatinib-hallucinations",
    "lorlatinib-clarithromycin-ordered",
    "lorlatinib-rifampin-ordered",
    "neladalkib-ordered",
    "brigatinib-without-lead-in",
    "brigatinib-early-pneumonitis",
    "crizotinib-long-qtc",
    "ceritinib-liver-and-glucose",
    "ensartinib-severe-rash",
    "progression-systemic",
    "progression-brain-only",
    "progression-g1202r",
    "progression-i1171n",
    "progression-f1174l",
    "chemotherapy-after-intolerance",
    "progression-compound-mutation",
    "lorlatinib-met-amplification",
    "no-lung-cancer",
    "chart-almost-empty",
}
WITH_DRAFTS = {
    "first-line-brain-metastases": "250 mg by mouth twice daily",
    "first-line-bradycardia-drugs": "600 mg (4 capsules) by mouth twice daily with food",
    "alk-pending-immunotherapy-ordered": "200 mg intravenously every 3 weeks",
    "immunotherapy-ordered-alk-positive": "200 mg intravenously every 3 weeks",
    "egfr-inhibitor-ordered": "80 mg by mouth once daily",
    "alectinib-on-track": "600 mg (4 capsules) by mouth twice daily with food",
    "alectinib-alt-six-times": "600 mg (4 capsules) by mouth twice daily with food",
    "alectinib-recovered-liver": "600 mg (4 capsules) by mouth twice daily with food",
    "alectinib-severe-cirrhosis": "600 mg (4 capsules) by mouth twice daily with food",
    "alectinib-above-label": "900 mg (6 capsules) by mouth twice daily with food",
    "pregnant-alk-inhibitor-ordered": "600 mg (4 capsules) by mouth twice daily with food",
    "adjuvant-small-tumour": "600 mg (4 capsules) by mouth twice daily with food",
    "two-alk-inhibitors": "100 mg by mouth once daily",
    "lorlatinib-triglycerides": "100 mg by mouth once daily",
    "lorlatinib-clarithromycin-ordered": "500 mg by mouth twice daily for 10 days",
    "lorlatinib-rifampin-ordered": "600 mg (2 capsules) by mouth once daily",
    "neladalkib-ordered": "150 mg by mouth once daily",
    "brigatinib-without-lead-in": "180 mg by mouth once daily",
    "ceritinib-liver-and-glucose": "450 mg (3 tablets) by mouth once daily with food",
    "progression-f1174l": "450 mg (3 tablets) by mouth once daily with food",
    "chemotherapy-after-intolerance": (
        "550 mg intravenously every 3 weeks; 900 mg intravenously every 3 weeks"
    ),
}
EXACT_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DATE_ELEMENTS = re.compile(r"(DateTime|Date|authoredOn|issued|date|start|end)$")


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return [load_story(name) for name in story_names()]


def resources_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def strings_in(value: Any, element: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield element, value
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item, element)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(item, key)


def test_every_story_of_the_plan_is_there_and_no_other() -> None:
    assert set(story_names()) == EXPECTED
    assert story_names() == sorted(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_bundle_and_each_draft_bundle_is_valid_fhir(name: str) -> None:
    story = load_story(name)
    parsed = Bundle.model_validate(story.bundle)
    assert parsed.type == "collection"
    assert len(parsed.entry) == len(story.bundle["entry"])
    if story.draft_orders is not None:
        drafts = Bundle.model_validate(story.draft_orders)
        assert drafts.type == "collection"


def test_ids_are_unique_over_all_stories(stories: list[Story]) -> None:
    ids = Counter(
        resource["id"]
        for story in stories
        for bundle in (story.bundle, story.draft_orders)
        if bundle is not None
        for resource in resources_of(bundle)
    )
    assert [found for found, times in ids.items() if times > 1] == []
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", found) for found in ids)


def test_ids_begin_with_the_name_of_their_story(stories: list[Story]) -> None:
    for story in stories:
        assert all(
            resource["id"].startswith(f"{story.name}-") for resource in resources_of(story.bundle)
        )


def test_every_reference_resolves_inside_its_bundle(stories: list[Story]) -> None:
    for story in stories:
        charted = resources_of(story.bundle)
        known = {f"{found['resourceType']}/{found['id']}" for found in charted}
        drafted = resources_of(story.draft_orders) if story.draft_orders else []
        for resource in [*charted, *drafted]:
            contained = {f"#{item['id']}" for item in resource.get("contained", [])}
            references = {text for key, text in strings_in(resource) if key == "reference"}
            assert references <= known | contained, resource["id"]


def test_everything_clinical_belongs_to_the_one_patient(stories: list[Story]) -> None:
    without_subject = {"Patient", "Practitioner", "Organization", "Medication"}
    for story in stories:
        for resource in resources_of(story.bundle):
            if resource["resourceType"] not in without_subject:
                assert resource["subject"] == {"reference": f"Patient/{story.patient_id}"}


def test_full_urls_end_with_type_and_id(stories: list[Story]) -> None:
    for story in stories:
        for entry in story.bundle["entry"]:
            resource = entry["resource"]
            assert entry["fullUrl"].endswith(f"/{resource['resourceType']}/{resource['id']}")


def test_the_committed_files_are_what_the_builder_writes() -> None:
    patients = Path(fhir_fixtures.__file__).parent / "patients"
    written = {
        f"{story.name}/{name}": text
        for story in build_stories()
        for name, text in rendered_files(story).items()
    }
    committed = {
        file.relative_to(patients).as_posix(): file.read_text(encoding="utf-8")
        for file in patients.rglob("*")
        if file.is_file()
    }
    assert committed.keys() == written.keys()
    assert [name for name, text in committed.items() if text != written[name]] == []


def test_the_builder_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    assert write_stories(tmp_path / "one") == write_stories(tmp_path / "two") == len(EXPECTED)
    for file in (tmp_path / "one").rglob("*.json"):
        twin = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == twin.read_bytes()


def test_nothing_charted_lies_after_the_day_of_the_story(stories: list[Story]) -> None:
    for story in stories:
        for element, text in strings_in(story.bundle):
            if DATE_ELEMENTS.search(element) and EXACT_DAY.match(text):
                assert date.fromisoformat(text[:10]) <= REFERENCE_DATE, (story.name, element)


def test_every_date_names_a_day_and_every_time_its_zone(stories: list[Story]) -> None:
    for story in stories:
        for element, text in strings_in(story.bundle):
            if re.match(r"\d{4}-\d{2}", text):
                assert EXACT_DAY.match(text), (story.name, element, text)
                if "T" in text:
                    assert datetime.fromisoformat(text).tzinfo is not None


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_draft_orders_are_drafts_of_the_patient(name: str) -> None:
    story = load_story(name)
    if name not in WITH_DRAFTS:
        assert story.draft_orders is None
        return
    assert story.draft_orders is not None
    orders = resources_of(story.draft_orders)
    for order in orders:
        assert (order["status"], order["intent"]) == ("draft", "order")
        assert order["subject"] == {"reference": f"Patient/{story.patient_id}"}
    texts = [order["dosageInstruction"][0]["text"] for order in orders]
    assert "; ".join(texts) == WITH_DRAFTS[name]


def test_each_story_is_told_in_one_paragraph(stories: list[Story]) -> None:
    for story in stories:
        assert len(story.paragraph) > 80
        assert "\n" not in story.paragraph


@pytest.mark.parametrize(
    "as_of", [date(2026, 11, 21), date(2024, 2, 29), date(2031, 1, 1)], ids=str
)
def test_moving_a_story_keeps_every_interval(as_of: date) -> None:
    shift = as_of - REFERENCE_DATE
    for name in ("alectinib-on-track", "alectinib-recovered-liver", "first-line-choice"):
        told, moved = load_story(name), load_story(name, as_of)
        assert moved.as_of == as_of
        assert moved.patient_id == told.patient_id
        pairs = list(
            zip(
                strings_in([told.bundle, told.draft_orders]),
                strings_in([moved.bundle, moved.draft_orders]),
                strict=True,
            )
        )
        changed = 0
        for (element, before), (_, after) in pairs:
            if EXACT_DAY.match(before):
                changed += 1
                expected = (date.fromisoformat(before[:10]) + shift).isoformat() + before[10:]
                assert after == expected, element
            else:
                assert after == before, element
        assert changed > 50


def test_moving_a_story_moves_the_birth_date_too() -> None:
    patient = next(
        found
        for found in resources_of(load_story("first-line-choice", date(2027, 11, 20)).bundle)
        if found["resourceType"] == "Patient"
    )
    assert patient["birthDate"] == "1972-03-17"


def test_a_story_told_on_the_reference_date_is_the_file_itself() -> None:
    patients = Path(fhir_fixtures.__file__).parent / "patients"
    on_file = json.loads((patients / "no-lung-cancer" / "bundle.json").read_text("utf-8"))
    assert load_story("no-lung-cancer").bundle == on_file
    assert load_story("no-lung-cancer", REFERENCE_DATE).bundle == on_file


@pytest.mark.parametrize("name", ["", "nobody", "../patients/no-lung-cancer", "."])
def test_an_unknown_story_is_refused(name: str) -> None:
    with pytest.raises(UnknownStoryError):
        load_story(name)


def test_each_loading_gives_a_fresh_copy() -> None:
    first = load_story("chart-almost-empty")
    first.bundle["entry"].clear()
    assert load_story("chart-almost-empty").bundle["entry"]

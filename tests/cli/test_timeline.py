"""`alk-cds timeline`: one patient as one picture, from a story, a file or a server."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from fhir_fixtures import load_story
from tests.cli.conftest import Command

pytestmark = pytest.mark.slow

STORY = "alectinib-alt-six-times"
DAY = ("--as-of", "2026-11-20")
SVG = "{http://www.w3.org/2000/svg}"


def words(svg: str) -> set[str]:
    return {text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(load_story(STORY).bundle), encoding="utf-8")
    return file


def test_a_story_is_drawn_as_svg_on_standard_output(run: Command) -> None:
    done = run("timeline", "--story", STORY, *DAY)

    assert done.exit_code == 0, done.output
    found = words(done.stdout)
    assert {"1200 mg/day", "ALT (× ULN); 4 earlier not shown", "as of 20 Nov 2026"} <= found


def test_a_picture_is_written_as_svg_or_png_by_the_name_of_the_file(
    run: Command, tmp_path: Path
) -> None:
    svg, png = tmp_path / "picture.svg", tmp_path / "picture.PNG"
    for file in (svg, png):
        assert run("timeline", "--story", STORY, *DAY, "--out", str(file)).exit_code == 0

    assert "1200 mg/day" in words(svg.read_text(encoding="utf-8"))
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_same_patient_gives_the_same_picture_from_story_file_and_server(
    run: Command, bundle: Path, fhir_server: str
) -> None:
    patient = load_story(STORY).patient_id
    told = run("timeline", "--story", STORY, *DAY)
    read = run("timeline", "--bundle", str(bundle), *DAY)
    asked = run("timeline", "--fhir-server", fhir_server, "--patient", patient, *DAY)

    assert told.exit_code == 0
    assert told.stdout == read.stdout == asked.stdout


def test_the_picture_names_nobody(run: Command) -> None:
    done = run("timeline", "--story", STORY, *DAY)

    (patient,) = (
        entry["resource"]
        for entry in load_story(STORY).bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    assert patient["name"][0]["family"] not in done.stdout
    assert patient["id"] not in done.stdout


def test_a_patient_of_whom_nothing_is_recorded_is_drawn_as_such(
    run: Command, tmp_path: Path
) -> None:
    file = tmp_path / "empty.json"
    person: dict[str, Any] = {"resourceType": "Patient", "id": "nobody"}
    content = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}]}
    file.write_text(json.dumps(content), encoding="utf-8")
    done = run("timeline", "--bundle", str(file), *DAY)

    assert done.exit_code == 0, done.output
    assert "no ALK inhibitor recorded" in words(done.stdout)
    assert "no laboratory result or vital sign recorded" in words(done.stdout)


def test_of_several_patients_in_a_file_one_has_to_be_named(run: Command, tmp_path: Path) -> None:
    file = tmp_path / "two.json"
    entries = [
        *load_story(STORY).bundle["entry"],
        *load_story("alectinib-on-track").bundle["entry"],
    ]
    content = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    file.write_text(json.dumps(content), encoding="utf-8")

    unnamed = run("timeline", "--bundle", str(file), *DAY)
    named = run("timeline", "--bundle", str(file), "--patient", load_story(STORY).patient_id, *DAY)
    other = run("timeline", "--bundle", str(file), "--patient", "somebody", *DAY)

    assert unnamed.exit_code == 2
    assert "--bundle holds 2 patients: name one with --patient" in unnamed.output
    assert named.exit_code == 0
    assert "1200 mg/day" in words(named.stdout)
    assert other.exit_code == 2
    assert "--patient is not in the Bundle" in other.output


@pytest.mark.parametrize("content", ["", "[]", '{"resourceType": "Bundle"}', "not JSON"])
def test_a_file_without_a_patient_is_refused(run: Command, tmp_path: Path, content: str) -> None:
    file = tmp_path / "bundle.json"
    file.write_text(content, encoding="utf-8")
    done = run("timeline", "--bundle", str(file), *DAY)

    assert done.exit_code == 2
    assert "--bundle does not hold a FHIR Bundle with a patient" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give one of --story, --bundle and --fhir-server"),
        (("--story", STORY, "--fhir-server", "http://localhost:1"), "give one of --story"),
        (("--fhir-server", "http://localhost:1"), "--fhir-server needs --patient"),
        (("--story", STORY, "--out", "picture.jpg"), "--out must end in .svg or .png"),
        (("--story", "nobody"), "there is no story 'nobody'"),
    ],
)
def test_a_wrong_choice_of_options_is_told(
    run: Command, arguments: tuple[str, ...], says: str
) -> None:
    done = run("timeline", *arguments)

    assert done.exit_code == 2
    assert says in done.output


def test_a_server_that_does_not_answer_ends_with_three(run: Command) -> None:
    done = run("timeline", "--fhir-server", "http://127.0.0.1:9", "--patient", "1", *DAY)

    assert done.exit_code == 3
    assert "The FHIR server did not give what is needed" in done.output


def test_a_file_that_cannot_be_written_is_told(run: Command, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "picture.svg")
    done = run("timeline", "--story", STORY, *DAY, "--out", missing)

    assert done.exit_code == 1
    assert "--out cannot be written" in done.output

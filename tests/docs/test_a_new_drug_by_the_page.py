"""The page on adding a drug, followed to the letter in a copy of the project: no Python is touched.

What the page writes is read from the page; what it tells to type is typed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.release import load_knowledge
from tests.docs import walking
from tests.services.calling import Json, running_service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a new drug by the page")]

DRUG = "exemplinib"
CASES = f"tests/alk/drug_cases/{DRUG}.yaml"
RECORD = f"tests/knowledge/label_facts/{DRUG}.yaml"
ON_ALECTINIB = {
    "1727479": "99999140",
    "Alectinib 150 MG Oral Capsule": "Exemplinib 40 MG Oral Tablet",
    "alectinib 150 mg capsule": "exemplinib 40 mg tablet",
    "600 mg (4 capsules)": "120 mg (3 tablets)",
}
"""What a chart says of alectinib, and what it says of the new drug instead."""


def on_the_drug(body: Json) -> Json:
    """A call whose patient takes the drug of the page where the story's patient takes alectinib."""
    text = json.dumps(body)
    for old, new in ON_ALECTINIB.items():
        text = text.replace(old, new)
    changed: Json = json.loads(text)
    _redose(changed)
    return changed


def _redose(value: Any) -> None:
    if isinstance(value, dict):
        dose = value.get("doseQuantity")
        if isinstance(dose, dict) and dose["value"] == 600:
            dose["value"] = 120
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, dict | list):
            _redose(member)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project into which every file of the page was written."""
    place = walking.copy_of_the_project(tmp_path_factory.mktemp("page") / "project")
    for file in walking.files(DRUG):
        walking.write(place, file)
    return place


def test_the_page_writes_tables_and_cases_and_no_python() -> None:
    paths = [Path(file.path) for file in walking.files(DRUG)]
    assert {path.suffix for path in paths} == {".yaml", ".csv"}
    assert {path.stem for path in paths} >= {"drug", "dose_changes", "monitoring", "interactions",
                                             "populations", "sources"}  # fmt: skip


def test_every_command_of_the_page_ends_well_and_leaves_nothing_behind(project: Path) -> None:
    commands = walking.command_lines()
    assert [words[:3] for words in commands[:4]] == [
        ["alk-cds", "knowledge", "sign"], ["alk-cds", "knowledge", "check"],
        ["alk-cds", "knowledge", "render"],
        ["python", "-m", "docs.generate"],
    ]  # fmt: skip
    for words in commands:
        done = walking.run(project, words)
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    for words in commands[2:4]:
        assert walking.run(project, [*words, "--check"]).returncode == 0
    families = [path.read_text("utf-8") for path in (project / "docs" / "coverage").glob("*.md")]
    assert any(f"drug_cases/{DRUG}.yaml)" in text for text in families)
    assert (project / "docs" / "knowledge" / "drugs" / f"{DRUG}.md").is_file()


def test_a_hook_asked_about_a_patient_on_the_drug_answers_by_its_row(
    project: Path, tmp_path: Path
) -> None:
    extended = load_knowledge(project / "cds_service" / "knowledge")
    with running_service(tmp_path / "decisions.sqlite3", extended) as service:
        body = on_the_drug(service.body("order-sign", "alectinib-alt-six-times"))
        cards = service.cards_of("order-sign", body)
    said = {card["source"]["topic"]["display"]: card for card in cards}
    held = said[f"{DRUG}-liver-hold"]
    assert held["summary"].startswith(f"Hold {DRUG}: ALT 6.2 x ULN")
    assert f"Resume {DRUG} 80 mg twice daily when " in held["detail"]
    assert "alectinib" not in json.dumps([card["summary"] for card in cards]).lower()


@pytest.mark.parametrize("missing", [CASES, RECORD])
def test_a_drug_without_cases_ends_in_one_sentence_that_names_the_file(
    project: Path, missing: str
) -> None:
    file = project / missing
    text = file.read_text(encoding="utf-8")
    file.unlink()
    try:
        commands = [["make", "test", "PYTEST_ARGS=tests/alk/test_label_records.py"]]
        commands += [["python", "-m", "docs.generate", "--check"]] * (missing == CASES)
        for words in commands:
            done = walking.run(project, words)
            said = done.stdout + done.stderr
            assert done.returncode != 0
            assert f"{DRUG} has tables but no" in said
            assert missing in said
            assert "Traceback" not in said
            # A stack trace of pytest shows the lines of the program.
            assert "raise CasesError" not in said
            assert said.count(f"{DRUG} has tables but no") <= 2, "the sentence and pytest's summary"
    finally:
        file.write_text(text, encoding="utf-8")


def test_a_faulty_case_is_one_sentence_with_file_and_field(project: Path) -> None:
    file = project / CASES
    text = file.read_text(encoding="utf-8")
    assert "facts: {ALT: 4.01}" in text
    file.write_text(text.replace("facts: {ALT: 4.01}", "facts: {ALTT: 4.01}", 1), encoding="utf-8")
    try:
        done = walking.run(project, ["python", "-m", "docs.generate", "--check"])
    finally:
        file.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"{CASES}: at dose_changes.0.facts.ALTT: expected the name of a fact" in done.stderr

"""`knowledge render`, `knowledge diff` and `--knowledge`: another release on the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cds_service.settings import SettingsError, load_settings
from fhir_fixtures import REFERENCE_DATE, load_story

pytestmark = pytest.mark.slow

Command = Callable[..., Result]
PACKAGED = Path(__file__).resolve().parents[2] / "cds_service" / "knowledge"
DAY = REFERENCE_DATE.isoformat()
STORY = "alectinib-alt-six-times"
PATIENT = load_story(STORY).patient_id
HOLD = "Hold alectinib: ALT"


@pytest.fixture
def laxer(tmp_path: Path) -> Path:
    """A release in which alectinib is held from 8 x ULN on only, and one row fewer."""
    place = tmp_path / "laxer"
    shutil.copytree(PACKAGED, place, ignore=shutil.ignore_patterns("*.py", "__*"))
    table = place / "drugs" / "alectinib" / "dose_changes.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("alectinib-gut-perforation-stop,")]
    asked = "(ALT > {0} xULN or AST > {0} xULN) and total bilirubin <= 2 xULN"
    text = "".join(kept).replace(asked.format(5), asked.format(8))
    table.write_text(text, encoding="utf-8")
    renumbered(place)
    return place


def renumbered(place: Path) -> None:
    """Give a copied release a number of its own."""
    release = place / "release.yaml"
    text = release.read_text(encoding="utf-8").replace("version: 2026.", "version: 2025.")
    release.write_text(text, encoding="utf-8")


# -- render ----------------------------------------------------------------------------------------


def test_pages_are_written_once_and_then_current(run: Command, tmp_path: Path) -> None:
    out = tmp_path / "pages"

    behind = run("knowledge", "render", "--out", str(out), "--check")
    assert behind.exit_code == 1
    assert "missing" in behind.output
    assert not out.exists()

    assert run("knowledge", "render", "--out", str(out)).exit_code == 0
    current = run("knowledge", "render", "--out", str(out), "--check")
    assert current.exit_code == 0
    assert "nothing to change" in current.output


def test_a_page_that_somebody_edited_is_found_behind(run: Command, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    run("knowledge", "render", "--out", str(out))
    page = out / "drugs" / "alectinib.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (out / "drugs" / "nobody.html").write_text("x", encoding="utf-8")

    result = run("knowledge", "render", "--out", str(out), "--check")

    assert result.exit_code == 1
    assert "alectinib.md: behind the tables" in result.output
    assert "nobody.html: left over" in result.output
    assert page.read_text(encoding="utf-8").endswith("\n\n")


def test_html_is_written_when_it_is_asked_for_and_left_over_when_not(
    run: Command, tmp_path: Path
) -> None:
    out = tmp_path / "pages"

    assert run("knowledge", "render", "--out", str(out), "--html").exit_code == 0
    assert (out / "drugs" / "alectinib.html").is_file()
    assert run("knowledge", "render", "--out", str(out), "--html", "--check").exit_code == 0
    assert "alectinib.html: left over" in run("knowledge", "render", "--out", str(out),
                                              "--check").output  # fmt: skip


def test_another_release_can_be_rendered(run: Command, tmp_path: Path, laxer: Path) -> None:
    out = tmp_path / "pages"

    assert run("knowledge", "render", "--folder", str(laxer), "--out", str(out)).exit_code == 0

    assert "Release 2025." in (out / "README.md").read_text(encoding="utf-8")


# -- diff ------------------------------------------------------------------------------------------


def test_a_difference_names_the_row_the_cell_and_whose_cards_change(
    run: Command, laxer: Path
) -> None:
    result = run("knowledge", "diff", str(laxer), str(PACKAGED), "--as-of", DAY)

    assert result.exit_code == 0
    assert "alectinib-liver-hold: changed" in result.output
    assert "(ALT > 8 xULN or AST > 8 xULN)" in result.output
    assert "alectinib-gut-perforation-stop: added" in result.output
    cards = result.output.partition(f"\n{STORY} (")[2]
    assert f"new:  {HOLD}" in cards


def test_a_difference_is_also_given_to_programs(run: Command, laxer: Path) -> None:
    result = run("knowledge", "diff", str(PACKAGED), str(laxer), "--format", "json",
                 "--as-of", DAY)  # fmt: skip

    found = json.loads(result.output)
    of_story = [item for item in found["cards"] if item["story"] == STORY]
    (cards,) = [item for item in of_story if "patient-view" in item["hooks"]]
    assert [text.startswith(HOLD) for text in cards["gone"]] == [True]
    assert {item["kind"] for item in found["rows"]} == {"changed", "removed"}


def test_a_difference_is_also_given_for_a_review(run: Command, laxer: Path) -> None:
    result = run("knowledge", "diff", str(laxer), str(PACKAGED), "--format", "markdown",
                 "--rows-only")  # fmt: skip

    assert result.output.startswith("# Release 2025.")
    assert "- `drugs/alectinib/dose_changes.csv` `alectinib-liver-hold`: changed" in result.output
    assert "The cards were not compared." in result.output


def test_a_release_does_not_differ_from_itself(run: Command) -> None:
    result = run("knowledge", "diff", str(PACKAGED), str(PACKAGED), "--rows-only")

    assert "No row and no fact differs." in result.output


def test_rows_are_compared_even_when_one_release_cannot_be_loaded(
    run: Command, laxer: Path
) -> None:
    gates = laxer / "algorithm" / "gates.csv"
    gates.write_text(gates.read_text(encoding="utf-8").replace("id,rule,", "id,rules,", 1),
                     encoding="utf-8")  # fmt: skip

    result = run("knowledge", "diff", str(laxer), str(PACKAGED), "--as-of", DAY)

    assert result.exit_code == 0
    assert "alectinib-liver-hold: changed" in result.output
    assert "Rules and cards were not compared." in result.output
    assert "No rule that both have answers otherwise." not in result.output


def test_the_patients_between_two_thresholds_are_worked_out(run: Command, laxer: Path) -> None:
    result = run("knowledge", "diff", str(laxer), str(PACKAGED), "--rows-only")

    said = " ".join(result.output.partition("alectinib-liver-hold, when, for")[2].split())
    assert "holds only now: latest ALT in xULN between 5 and 8 xULN" in said
    assert "held only before" not in said.partition("The cards")[0]


def test_a_row_that_came_to_hold_elsewhere_is_said_not_to_be_worked_out(
    run: Command, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(PACKAGED, copied, ignore=shutil.ignore_patterns("*.py", "__*"))
    watched = copied / "drugs" / "brigatinib" / "monitoring.csv"
    text = watched.read_text(encoding="utf-8")
    moved = text.replace(
        "brigatinib-monitor-liver-europe,MO,EU,", "brigatinib-monitor-liver-europe,MO,EU;UK,"
    )
    assert moved != text
    watched.write_text(moved, encoding="utf-8")
    renumbered(copied)

    said = run("knowledge", "diff", str(PACKAGED), str(copied), "--rows-only").output

    assert "brigatinib-monitor-liver-europe, jurisdiction" in said
    assert "stood otherwise before (EU): not worked out" in said
    assert "No rule that both have answers otherwise." not in said


def test_a_table_that_changed_under_the_number_it_had_is_refused(
    run: Command, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(PACKAGED, copied, ignore=shutil.ignore_patterns("*.py", "__*"))
    doses = copied / "drugs" / "alectinib" / "dose_changes.csv"
    doses.write_text(doses.read_text(encoding="utf-8").replace("ALT > 5 xULN", "ALT > 4 xULN"),
                     encoding="utf-8")  # fmt: skip

    # A table that cannot be loaded any more would be met by any comparison of rules and cards.
    gates = copied / "algorithm" / "gates.csv"
    gates.write_text(gates.read_text(encoding="utf-8").replace("id,rule,", "id,rules,", 1),
                     encoding="utf-8")  # fmt: skip

    result = run("knowledge", "diff", str(PACKAGED), str(copied), "--as-of", DAY)

    assert result.exit_code == 1
    assert "alectinib-liver-hold: changed" in result.output
    assert "Rules and cards were not compared. Both call themselves release" in result.output
    assert "raise version and date in release.yaml" in result.output


def test_a_folder_without_a_release_is_one_message(run: Command, tmp_path: Path) -> None:
    result = run("knowledge", "diff", str(tmp_path), str(PACKAGED))

    assert result.exit_code == 1
    assert "release.yaml" in result.output
    assert isinstance(result.exception, SystemExit)


# -- another release -------------------------------------------------------------------------------


def test_explain_answers_with_the_release_it_is_given(run: Command, laxer: Path) -> None:
    asked = ("explain", "--story", STORY, "--as-of", DAY, "--rule", "alectinib-liver-hold")

    assert run(*asked).exit_code == 0
    assert run(*asked, "--knowledge", str(laxer)).exit_code == 1


def test_evaluate_answers_with_the_release_it_is_given(
    run: Command, laxer: Path, fhir_server: str
) -> None:
    asked = ("evaluate", "--fhir-server", fhir_server, "--patient", PATIENT, "--as-of", DAY)

    current, older = run(*asked), run(*asked, "--knowledge", str(laxer))

    assert HOLD in current.output
    assert older.exit_code == 0
    assert HOLD not in older.output


def test_call_starts_a_service_with_the_release_it_is_given(run: Command, laxer: Path) -> None:
    result = run("call", "patient-view", "--story", STORY, "--knowledge", str(laxer))

    assert result.exit_code == 0
    assert HOLD not in result.output


def test_a_service_elsewhere_cannot_be_given_a_release(run: Command, laxer: Path) -> None:
    result = run("call", "patient-view", "--story", STORY, "--knowledge", str(laxer),
                 "--base-url", "http://127.0.0.1:1")  # fmt: skip

    assert result.exit_code == 2


def test_a_cohort_is_decided_by_the_release_it_is_given(
    run: Command, laxer: Path, tmp_path: Path
) -> None:
    chart = tmp_path / "chart.json"
    chart.write_text(json.dumps(load_story(STORY).bundle), encoding="utf-8")
    asked = ("cohort", str(chart), "--as-of", DAY, "--processes", "1")

    def rules(*more: str) -> list[str]:
        line, _, _ = run(*asked, *more).stdout.partition("\n")
        return list(json.loads(line)["rule_ids"])

    assert "alectinib-liver-hold" in rules()
    assert "alectinib-liver-hold" not in rules("--knowledge", str(laxer))


def test_the_setting_names_the_release_of_every_command(
    run: Command, laxer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALK_CDS_KNOWLEDGE_FOLDER", str(laxer))

    result = run("explain", "--story", STORY, "--as-of", DAY)

    assert "release 2025." in result.output


def test_a_setting_that_names_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALK_CDS_KNOWLEDGE_FOLDER", "/nowhere/at/all")

    with pytest.raises(SettingsError, match="ALK_CDS_KNOWLEDGE_FOLDER"):
        load_settings(environment="development")


def test_explain_notes_a_release_newer_than_the_day_asked_about(run: Command) -> None:
    result = run("explain", "--story", STORY, "--as-of", "2020-01-01")

    assert "newer than the day asked about" in " ".join(result.output.split())


def test_a_row_without_its_signature_is_shown_by_the_orders_that_its_cards_lose(
    run: Command, tmp_path: Path
) -> None:
    place = tmp_path / "unsigned"
    shutil.copytree(PACKAGED, place, ignore=shutil.ignore_patterns("*.py", "__*"))
    for name, old, new in (
        ("release.yaml", "version: 2026.", "version: 2025."),
        ("signatures.csv", "\nalectinib-liver-hold,", "\nalectinib-gone,"),
    ):
        text = (place / name).read_text(encoding="utf-8")
        assert old in text
        (place / name).write_text(text.replace(old, new), encoding="utf-8")

    result = run("knowledge", "diff", str(PACKAGED), str(place), "--as-of", DAY)

    held = [line for line in result.output.splitlines() if HOLD in line]
    assert any("gone:" in line and "level: Read in a copy" in line for line in held)
    assert any("new:" in line and "one-click orders: none" in line for line in held)

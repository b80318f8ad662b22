"""What changed between two releases, read from their files; and where a release may lie."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.knowledge.differences import Cell, Difference, differences
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.places import load_release, release_folder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ROOT / "cds_service" / "knowledge"
Place = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """Writes files into a folder of its own."""

    def make(name: str, **files: str) -> Path:
        place = tmp_path / name
        for path, text in files.items():
            file = place / path.replace("__", "/").replace("_csv", ".csv").replace("_yaml", ".yaml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        place.mkdir(exist_ok=True)
        return place

    return make


def test_a_changed_row_is_told_cell_by_cell(folder: Place) -> None:
    old = folder("old", rows_csv="id,when,says\na,ALT > 5,Hold.\nb,x,y\n")
    new = folder("new", rows_csv="id,when,says\na,ALT > 3,Hold.\nb,x,y\n")

    assert differences(old, new) == (
        Difference("rows.csv", "a", "changed", (Cell("when", "ALT > 5", "ALT > 3"),)),
    )


def test_added_and_removed_rows_are_told_with_what_they_held(folder: Place) -> None:
    old = folder("old", rows_csv="id,says,note\na,one,\n")
    new = folder("new", rows_csv="id,says,note\nb,two,\n")

    assert differences(old, new) == (
        Difference("rows.csv", "b", "added", (Cell("id", None, "b"), Cell("says", None, "two"))),
        Difference("rows.csv", "a", "removed", (Cell("id", "a", None), Cell("says", "one", None))),
    )


def test_rows_that_only_changed_places_are_no_difference(folder: Place) -> None:
    old = folder("old", rows_csv="id,says\na,one\nb,two\n")
    new = folder("new", rows_csv="id,says\nb,two\na,one\n")

    assert differences(old, new) == ()


def test_a_release_with_other_columns_can_be_compared(folder: Place) -> None:
    old = folder("old", rows_csv="id,amount\na,450\n")
    new = folder("new", rows_csv="id,dose,extra\na,450 x 2,\n")

    (found,) = differences(old, new)

    assert found.cells == (Cell("dose", None, "450 x 2"), Cell("amount", "450", None))


def test_a_table_that_is_new_is_told_row_by_row(folder: Place) -> None:
    new = folder("new", algorithm__resistance_csv="id,says\na,one\n")

    (found,) = differences(folder("old"), new)

    assert (found.file, found.row, found.kind) == ("algorithm/resistance.csv", "a", "added")


def test_a_drug_fact_is_told_with_its_path(folder: Place) -> None:
    old = folder("old", drugs__x__drug_yaml="dosing: {start: {amount_mg: 90}}\nalerts: [a, b]\n")
    new = folder("new", drugs__x__drug_yaml="dosing: {start: {amount_mg: 180}}\nalerts: [a, b]\n")

    assert differences(old, new) == (
        Difference("drugs/x/drug.yaml", "", "changed",
                   (Cell("dosing.start.amount_mg", "90", "180"),)),
    )  # fmt: skip


def test_a_member_put_in_front_does_not_change_those_behind_it(folder: Place) -> None:
    old = folder("old", a_yaml="rows:\n- {id: b, says: two}\n")
    new = folder("new", a_yaml="rows:\n- {id: a, says: one}\n- {id: b, says: two}\n")

    (found,) = differences(old, new)

    assert [cell.name for cell in found.cells] == ["rows[a].id", "rows[a].says"]


def test_a_table_that_is_no_csv_is_an_error_with_its_name(folder: Place) -> None:
    old = folder("old", rows_csv='id,says\na,"one\n')

    with pytest.raises(KnowledgeError, match=r"rows\.csv"):
        differences(old, folder("new"))


def test_the_packaged_release_does_not_differ_from_itself() -> None:
    assert differences(PACKAGED, PACKAGED) == ()


# -- where a release may lie ---------------------------------------------------------------------


def zipped(target: Path, prefix: str) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(PACKAGED.rglob("*")):
            if file.suffix in {".csv", ".yaml"}:
                archive.write(file, f"{prefix}{file.relative_to(PACKAGED)}")
    return target


@pytest.mark.parametrize("prefix", ["", "release-2026/", "cds_service/knowledge/",
                                    "project-1.0/cds_service/knowledge/"])  # fmt: skip
def test_a_release_is_found_in_a_zip_file(tmp_path: Path, prefix: str) -> None:
    place = zipped(tmp_path / "release.zip", prefix)

    assert differences(release_folder(place), PACKAGED) == ()


def test_a_release_in_a_zip_file_can_be_loaded(tmp_path: Path) -> None:
    found = load_release(zipped(tmp_path / "release.whl", "cds_service/knowledge/"))

    packaged = load_release(None)
    assert found.release == packaged.release
    assert [len(table) for table in found.all_tables()] == [
        len(table) for table in packaged.all_tables()
    ]


def test_a_release_is_found_in_a_source_tree() -> None:
    assert release_folder(ROOT) == PACKAGED


@pytest.mark.parametrize("make", ["empty folder", "other file"])
def test_a_place_without_a_release_is_refused(tmp_path: Path, make: str) -> None:
    place = tmp_path / "place"
    if make == "empty folder":
        place.mkdir()
    else:
        shutil.copy(PACKAGED / "release.yaml", place)

    with pytest.raises(KnowledgeError, match="place"):
        release_folder(place)

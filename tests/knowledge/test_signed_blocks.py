"""What a drug's file says of doses, products and uses is signed block by block, like a row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.checks import check_what_is_read
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.signing import sign_rows
from cds_service.knowledge.verification import level_of_source
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

Edit = Callable[[str], str]
READ = {"level": "copy", "version": "2024-09", "by": "A. Pharmacist", "read_on": date(2026, 11, 30)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release of its own to write in."""
    copied = tmp_path / "knowledge"
    shutil.copytree(str(knowledge_folder()), copied, ignore=shutil.ignore_patterns("*.py", "__*"))
    return copied


def _changed(folder: Path, drug: str, old: str, new: str) -> None:
    file = folder / "drugs" / drug / "drug.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_no_block_stands_at_a_level_that_its_sources_cannot_give() -> None:
    knowledge = packaged_knowledge()
    for name, block in knowledge.blocks().items():
        levels = {level_of_source(knowledge.sources[source]) for source in block.sources}
        if levels <= {"none"}:
            assert not block.verified, name
            assert not block.may_order, name


def test_a_block_whose_only_source_is_a_sellers_page_is_not_verified() -> None:
    block = packaged_knowledge().blocks()["lorlatinib/reproduction/contraception_male"]
    assert block.level == "none"


@pytest.mark.slow
def test_a_start_dose_that_changed_is_verified_by_nobody_and_orders_nothing(folder: Path) -> None:
    before = load_knowledge(folder).drugs["alectinib"].drug.dosing
    _changed(folder, "alectinib", "food: with food", "food: with or without food")

    knowledge = load_knowledge(folder)
    dosing = knowledge.drugs["alectinib"].drug.dosing

    assert before.verified
    assert before.may_order
    assert (dosing.level, dosing.may_order) == ("none", False)
    found = check_what_is_read(knowledge).errors
    assert ("changed since it was signed", ("alectinib/dosing",)) in [
        (fault.kind, fault.rows) for fault in found
    ]


@pytest.mark.slow
def test_a_note_may_change_without_taking_the_signature_away(folder: Path) -> None:
    name = "lorlatinib/organ_impairment/renal/lorlatinib-renal-severe"
    before = load_knowledge(folder).blocks()[name]
    assert before.note is not None
    _changed(folder, "lorlatinib", before.note, "Look at it again.")

    after = load_knowledge(folder).blocks()[name]

    assert (after.note, after.level) == ("Look at it again.", before.level)
    assert after.verified


@pytest.mark.slow
def test_all_blocks_of_a_drug_are_signed_by_one_name(folder: Path) -> None:
    name = "ceritinib/organ_impairment/renal/"
    source = "ceritinib-dosage-drugs-com"

    signed = sign_rows(folder, [name], source=source, **READ)

    assert {one.row for one in signed} == {
        block for block in load_knowledge(folder).blocks() if block.startswith(name)
    }
    assert {one.by for one in signed} == {"A. Pharmacist"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "level", "source", "expected"),
    [
        ("lorlatinib/nothing", "copy", "lorbrena-label-dosage", "the id of a row or a block"),
        ("nobody/", "copy", "lorbrena-label-dosage", "the id of a row or a block"),
        ("lorlatinib/dosing", "copy", "alex-2017", "a source that it cites"),
        ("lorlatinib/dosing", "regulator", "lorbrena-label-dosage", "at most manufacturer"),
    ],
)
def test_what_cannot_be_signed_is_refused_and_nothing_is_written(
    folder: Path, name: str, level: str, source: str, expected: str
) -> None:
    before = (folder / "signatures.csv").read_bytes()
    with pytest.raises(KnowledgeError, match=expected):
        sign_rows(folder, ["lorlatinib/ladder", name], source=source, **{**READ, "level": level})
    assert (folder / "signatures.csv").read_bytes() == before


@pytest.mark.parametrize("word", ["verified: true", "standing: {level: regulator}"])
def test_a_block_cannot_say_by_itself_how_far_it_was_read(folder: Path, word: str) -> None:
    _changed(folder, "lorlatinib", "  below_minimum:", f"  {word}\n  below_minimum:")

    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(folder)

    assert caught.value.where.startswith("ladder.")
    assert "a block is signed" in str(caught.value)


def test_a_dose_of_another_jurisdiction_brings_its_own_signature() -> None:
    blocks = packaged_knowledge().blocks()
    assert {name for name in blocks if "/dosing_by_jurisdiction/" in name} >= {
        "alectinib/dosing_by_jurisdiction/JP"
    }

"""The file of the net under the dose tables: what it may name, and what its ranges hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.uncovered import FILE, Uncovered, load_uncovered
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

SOURCES = frozenset({"design-net-under-the-tables"})


def _loaded(tmp_path: Path, old: str = "", new: str = "") -> Uncovered | None:
    text = (knowledge_folder() / FILE).read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / FILE
    file.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return load_uncovered(file, packaged_knowledge().concepts, SOURCES)


def test_the_packaged_net_is_our_own_design_and_says_so() -> None:
    net = packaged_knowledge().uncovered
    assert net is not None
    assert not net.verified
    assert packaged_knowledge().sources[net.source].kind == "design"


def test_an_older_release_has_no_net(tmp_path: Path) -> None:
    concepts = packaged_knowledge().concepts
    assert load_uncovered(tmp_path / FILE, concepts, SOURCES) is None


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("- pulmonary hypertension", "- pulmonary hypertensoin", "ungraded"),
        ("- liver failure", "- liver flailure", "life_threatening"),
        ("source: design-net-under-the-tables", "source: nowhere", "source"),
        ("from: K71, to: K77", "from: K77, to: K71", "icd_10"),
        ("chapter: liver", "chapter: river", "icd_10"),
        ("least_grade: 3", "least_grade: 6", "least_grade"),
    ],
    ids=["concept", "grave concept", "source", "range", "chapter", "grade"],
)
def test_what_does_not_exist_is_refused_by_its_place(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    with pytest.raises(KnowledgeError) as refused:
        _loaded(tmp_path, old, new)
    assert place in str(refused.value)


@pytest.mark.parametrize(
    ("code", "chapter"),
    [("I21", "heart"), ("I21.4", "heart"), ("K76.6", "liver"), ("N04.9", "kidney")],
)
def test_a_range_holds_what_lies_below_its_categories(code: str, chapter: str) -> None:
    net = packaged_knowledge().uncovered
    assert net is not None
    assert {block.chapter for block in net.blocks(code)} == {chapter}


@pytest.mark.parametrize("code", ["K76.0", "I48.0", "I49.3", "K63.5", "E78.5", "J44.9"])
def test_everyday_codes_lie_in_no_range(code: str) -> None:
    net = packaged_knowledge().uncovered
    assert net is not None
    assert list(net.blocks(code)) == []

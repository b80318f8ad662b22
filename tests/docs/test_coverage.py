"""Every point of the written algorithm has an answer, and every answer is true."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from cds_service.knowledge.release import Knowledge
from docs import coverage
from docs.coverage import ANSWERS, FAMILIES, Found, family, points

ROOT = Path(__file__).resolve().parents[2]
LAST = {"S": 114, "C": 18, "N": 22, "G": 10, "H": 17, "BM": 14, "TX": 15, "AD": 5, "LA": 2,
        "1L": 13, "PR": 12, "RM": 7, "LL": 5, "SP": 12, "T": 35}  # fmt: skip
BETWEEN = {"H-07b", "TX-01b", "TX-05b", "TX-06a", "TX-06b", "TX-06c", "TX-07a", "TX-07b", "T-03b",
           "TX"}  # fmt: skip
SPLIT = {"TX-06", "TX-07"}
"""Points that exist as their parts only."""


@pytest.fixture(scope="module")
def answered(knowledge: Knowledge) -> Mapping[str, Found]:
    return coverage.answered(knowledge)


def test_every_point_of_the_algorithm_is_listed(knowledge: Knowledge) -> None:
    numbered = {
        f"{letters}-{number:0{3 if letters == 'S' else 2}}"
        for letters, last in LAST.items()
        for number in range(1, last + 1)
    }
    monitoring = {f"MO-{drug}" for drug in knowledge.drugs}

    assert set(points()) == (numbered - SPLIT) | BETWEEN | monitoring


def test_every_point_belongs_to_a_family_that_the_page_shows() -> None:
    assert {family(name) for name in points()} == {letters for letters, _ in FAMILIES}


def test_every_id_that_a_row_names_is_a_point_of_the_algorithm(knowledge: Knowledge) -> None:
    assert sorted(set(coverage.carried(knowledge)) - set(points())) == []


def test_a_point_said_to_stand_in_a_table_has_a_row_that_names_it(
    answered: Mapping[str, Found],
) -> None:
    assert [name for name, item in answered.items()
            if item.point.answer == "table" and not item.own] == []  # fmt: skip


def test_a_point_is_pending_only_while_no_row_names_it(answered: Mapping[str, Found]) -> None:
    ready = [name for name, item in answered.items()
             if item.point.answer == "pending" and item.own]  # fmt: skip

    assert ready == [], "run: python -m docs.generate --flip"


def test_no_point_is_pending_any_more(answered: Mapping[str, Found]) -> None:
    waiting = [name for name, item in answered.items() if item.point.answer == "pending"]

    assert waiting == []


def test_every_answer_without_rows_of_its_own_says_or_shows_what_carries_it(
    answered: Mapping[str, Found],
) -> None:
    for name, item in answered.items():
        point = item.point
        if point.answer in {"corrected", "superseded", "left out", "code"}:
            assert point.says or point.where, name
        if point.answer in {"implemented", "corrected", "superseded"}:
            assert item.own or point.see or point.where or point.evidence, name
        if point.answer == "code":
            assert point.tests, name


def test_whatever_is_carried_out_is_proved(answered: Mapping[str, Found]) -> None:
    unproved = [
        name
        for name, item in answered.items()
        if item.point.answer not in {"pending", "left out"}
        and not item.waits_for
        and not item.proof
    ]

    assert unproved == []


def test_every_claim_is_implemented_corrected_or_superseded() -> None:
    claims = {name: point for name, point in points().items() if family(name) == "S"}

    assert len(claims) == LAST["S"]
    assert {point.answer for point in claims.values()} == {
        "implemented", "corrected", "superseded"
    }  # fmt: skip


def test_a_claim_that_was_corrected_or_superseded_says_why() -> None:
    changed = {name: point for name, point in points().items()
               if point.answer in {"corrected", "superseded"}}  # fmt: skip

    assert [name for name, point in changed.items() if len(point.says) < 10] == []


def test_points_refer_to_points_that_exist() -> None:
    assert {other for point in points().values() for other in point.see} <= set(points())


def test_places_tests_and_results_that_are_named_exist(knowledge: Knowledge) -> None:
    results = {result.id for study in knowledge.evidence.values() for result in study.results}
    for name, point in points().items():
        assert [path for path in (*point.where, *point.tests) if not (ROOT / path).exists()] == []
        assert [path for path in point.tests if not path.startswith("tests/")] == [], name
        assert set(point.evidence) <= results, name


def test_a_row_is_proved_by_the_module_of_its_own_cases() -> None:
    found = coverage.cases()

    assert found["alectinib-liver-stop"] == ("tests/alk/drug_cases/alectinib.py",)
    assert found["gate-serum-level"] == ("tests/alk/order_cases.py",)
    assert found["first-line-lorlatinib"] == ("tests/alk/row_cases.py",)


def test_every_row_of_the_release_has_a_case(knowledge: Knowledge) -> None:
    rows = {row.identifier for table in knowledge.all_tables() for row in table}

    assert sorted(rows - set(coverage.cases())) == []


def test_a_claim_that_rests_on_pending_points_says_what_it_waits_for(
    answered: Mapping[str, Found], pages: Mapping[str, str]
) -> None:
    for name, item in answered.items():
        line = re.search(
            rf"^\| {name} \|.*$", pages[f"docs/coverage/{coverage.family(name)}.md"], re.M
        )
        assert line is not None, name
        assert ("**Waits for" in line[0]) is bool(item.waits_for), name


def test_every_answer_is_explained_on_the_page(pages: Mapping[str, str]) -> None:
    for answer, meaning in ANSWERS.items():
        assert f"| {answer} | {meaning} |" in pages["docs/coverage.md"]


def test_a_pending_point_that_rows_name_by_now_is_turned_over(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(coverage.FOLDER, tmp_path, dirs_exist_ok=True)
    rules = tmp_path / "rules.yaml"
    text = rules.read_text(encoding="utf-8")
    before = re.sub(r"^(G-01: .*answer: )table", r"\1pending", text, flags=re.M)
    assert before != text
    rules.write_text(before, encoding="utf-8")
    monkeypatch.setattr(coverage, "FOLDER", tmp_path)
    points.cache_clear()
    try:
        assert coverage.flip(knowledge) == ("G-01",)
        assert rules.read_text(encoding="utf-8") == text
        assert coverage.flip(knowledge) == ()
    finally:
        monkeypatch.undo()
        points.cache_clear()

"""A sentence of a row says no number that the row does not act by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from cds_service.knowledge.checks import check_knowledge
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.prose import (
    FILE,
    WORDS,
    foreign_units,
    load_prose_numbers,
    unbacked_numbers,
)
from cds_service.knowledge.yaml_files import knowledge_folder
from tests.packaged import packaged_knowledge

SAYS = "ALT above 5 x ULN: hold until at most 3 x ULN."
CELLS = {"id": "x-5", "when": "ALT > 5 xULN", "until": "ALT <= 3 xULN", "says": SAYS}
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def test_words_that_follow_the_rule_are_right() -> None:
    assert unbacked_numbers(CELLS, (), ()) == ()


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"when": "ALT > 4 xULN"}, ("5",)),
        ({"until": "ALT <= 2 xULN"}, ("3",)),
        ({"when": "ALT > 50 xULN"}, ("5",)),
        ({"when": "ALT > 5.0 xULN"}, ()),
        ({"says": SAYS + " Grade 3."}, ()),
        ({"says": SAYS + " Resume at 450 mg."}, ("450",)),
        ({"resume": "450 x 2", "says": SAYS + " Resume at 450 mg."}, ()),
        ({"ask": "Is bilirubin above 2.5?"}, ("2.5",)),
        ({"note": "5 and 7", "says": SAYS + " 7"}, ("7",)),
        ({"note": "Above 7 x ULN another text stops."}, ("7",)),
        ({"when": "ALT > 4 xULN", "says": "ALT high.", "note": "5 x ULN was read."}, ("5",)),
        ({"says": SAYS + " Platelets x 10^9/L, CYP3A, PS-2"}, ()),
    ],
)
def test_a_changed_threshold_leaves_the_old_number_in_the_words(
    changed: dict[str, str], left: tuple[str, ...]
) -> None:
    assert unbacked_numbers(CELLS | changed, (), ()) == left


def test_a_fact_of_the_drug_or_an_exception_backs_a_number() -> None:
    cells = CELLS | {"says": "For 5 weeks after the last dose, 7 days."}
    assert unbacked_numbers(cells, (), ()) == ("7",)
    assert unbacked_numbers(cells, ('{"value": 7}',), ()) == ()
    assert unbacked_numbers(cells, (), ("7",)) == ()


def test_a_number_with_the_unit_of_something_else_is_found() -> None:
    cells = {"when": "glucose > 250 mg/dL", "says": "Glucose above 250 mmol/L (13.9 mmol/L)."}
    assert foreign_units(cells) == ("250 mmol/L",)
    assert foreign_units(cells | {"says": "Glucose above 250 mg/dL."}) == ()
    assert foreign_units(CELLS) == ()


def _acting(cells: Mapping[str, str]) -> str:
    silent = {*WORDS, "id", "rule", "source", "note", "evidence"}
    return "\n".join(cell for name, cell in cells.items() if name not in silent)


def test_every_threshold_that_is_said_is_noticed_when_it_changes() -> None:
    exceptions = load_prose_numbers(knowledge_folder())
    tried = 0
    for table in packaged_knowledge().all_tables():
        for row in table:
            words = [row.cells.get(name, "").replace("10^9/L", "") for name in WORDS]
            said = {number for text in words for number in NUMBER.findall(text)}
            if row.identifier in exceptions:
                said -= set(exceptions[row.identifier].numbers)
            for number in said & set(NUMBER.findall(row.cells.get("when", ""))):
                alone = rf"\b{re.escape(number)}\b"
                if len(re.findall(alone, _acting(row.cells))) > 1:
                    continue
                when = re.sub(alone, "987", row.cells["when"])
                assert number in unbacked_numbers({**row.cells, "when": when}, (), ())
                tried += 1
    assert tried > 100


def test_an_exception_says_why(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('x: {numbers: ["5"], why: so}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="at least 10 characters"):
        load_prose_numbers(tmp_path)


@pytest.mark.slow
def test_an_exception_that_nothing_needs_is_found(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        'alectinib-liver-hold: {numbers: ["99"], why: nobody says this}\n', encoding="utf-8"
    )
    (tmp_path / "coverage.yaml").write_text("gates: []\n", encoding="utf-8")
    found = [
        (error.kind, error.rows)
        for table in check_knowledge(packaged_knowledge(), tmp_path)
        for error in table.errors
    ]
    assert ("exception that nothing needs", ("alectinib-liver-hold",)) in found
    # Without the packaged exceptions their numbers are found.
    assert ("number that the rule does not have", ("alectinib-liver-watch",)) in found

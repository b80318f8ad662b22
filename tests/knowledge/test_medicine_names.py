"""The files of medicine names: a fault is named with its file and place, old releases load."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.medicine_names import load_medicine_names
from cds_service.knowledge.release import load_knowledge
from cds_service.knowledge.yaml_files import knowledge_folder

HEAD = "name,ingredients,kind,place,verified,source"
HOURS = "ingredient,low_hours,high_hours,verified,source,note"


@pytest.fixture(scope="module")
def ingredients() -> frozenset[str]:
    return frozenset(load_knowledge().codes.ingredients)


FAULTS = [
    ("medicine_names.csv", f"{HEAD}\nRifadin,rifampicine,brand,,true,x\n", "ingredients"),
    ("medicine_names.csv", f"{HEAD}\nRifadin,,brand,,true,x\n", "ingredients and source"),
    ("medicine_names.csv", f"{HEAD}\nRifadin,rifampin,brand,,yes,x\n", "verified"),
    ("medicine_names.csv", f"{HEAD}\nRifadin,rifampin,label,,true,x\n", "kind"),
    ("medicine_names.csv", f"{HEAD}\nRifadin,rifampin,brand,last,true,x\n", "place"),
    ("medicine_names.csv", f"{HEAD}\nRifa,rifampin,brand,,true,general-knowledge\n", "verified"),
    ("medicine_names.csv", f"{HEAD}\nR,rifampin,brand,,true,x\nR,rifampin,brand,,true,x\n", "once"),
    ("medicine_names.csv", f"{HEAD}\nRifadin,rifampin\n", "6 columns"),
    ("medicine_names.csv", "name\n", "the columns"),
    ("half_lives.csv", f"{HOURS}\nrifampin,5,2,true,x,\n", "low_hours"),
    ("half_lives.csv", f"{HOURS}\nrifampin,-1,2,true,x,\n", "low_hours"),
    ("half_lives.csv", f"{HOURS}\nrifampin,soon,2,true,x,\n", "low_hours"),
    ("half_lives.csv", f"{HOURS}\nzyxomab,1,2,true,x,\n", "ingredient"),
    ("harmless_medicines.yaml", "names: {words: 3}\n", "names.words"),
    ("harmless_medicines.yaml", "nmaes: {}\n", "nmaes"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "said"), FAULTS)
def test_a_fault_in_a_file_of_names_is_named(
    tmp_path: Path, ingredients: frozenset[str], file: str, text: str, said: str
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_medicine_names(tmp_path, ingredients)
    assert file in str(caught.value)
    assert said in str(caught.value)


def test_a_release_from_before_these_files_has_no_names(
    tmp_path: Path, ingredients: frozenset[str]
) -> None:
    assert load_medicine_names(tmp_path, ingredients).names == ()


def test_three_half_lives_are_rounded_up_to_whole_days(ingredients: frozenset[str]) -> None:
    found = load_medicine_names(knowledge_folder() / "codes", ingredients).half_lives
    days = {name: found[name].three_in_days for name in ("rifampin", "enzalutamide", "mitotane")}
    assert days == {"rifampin": 1, "enzalutamide": 18, "mitotane": 477}


def test_every_strong_inducer_with_a_half_life_is_in_its_class() -> None:
    codes = load_knowledge().codes
    for ingredient in codes.medicine_names.half_lives:
        classes = codes.classes_of(ingredient, include_unverified=True)
        assert "strong CYP3A inducer" in classes, ingredient
